// Ours, through our own npm package.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { enginePackage } from '../engine.js'
import { listFiles, treeOf } from '../corpus.js'
import type { Arguments, Side } from '../protocol.js'
import { QUERIES } from '../queries.js'
import { SYMBOLS } from './ast-to-js.js'

type Engine = InstanceType<ReturnType<typeof enginePackage>['AstCoreEngineApi']>

async function indexed(args: Arguments): Promise<{ engine: Engine; root: string }> {
  const root = treeOf(args, listFiles(args), false)
  const engine = await enginePackage().AstCoreEngineApi.open(join(args.scratch, 'index.db'))
  await engine.index(root)
  return { engine, root }
}

/** A page of definitions of an index, in columns or as objects. */
export function symbolsSide(args: Arguments, form: 'columns' | 'objects'): Side {
  let engine: Engine
  let root = ''
  const run = async (): Promise<number> => {
    const page = await engine.symbols({ limit: SYMBOLS })
    return form === 'columns' ? page.columns.symbols.length : page.symbols.length
  }
  return {
    packages: { 'ast-core-engine': enginePackage().version },
    threads: 1,
    async prepare() {
      ;({ engine, root } = await indexed(args))
    },
    answers: async () => ({ symbols: await run() }),
    round: async () => ({ units: await run() }),
    async finish() {
      await engine?.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Hybrid searches, one after the other. */
export function querySide(args: Arguments): Side {
  let engine: Engine
  let root = ''
  const run = async (latenciesUs: number[]): Promise<number> => {
    let hits = 0
    for (const query of QUERIES) {
      const begin = performance.now()
      hits += (await engine.search(query, { limit: 10 })).hits.length
      latenciesUs.push((performance.now() - begin) * 1e3)
    }
    return hits
  }
  return {
    packages: { 'ast-core-engine': enginePackage().version },
    threads: 1,
    async prepare() {
      ;({ engine, root } = await indexed(args))
    },
    answers: async () => ({ queries: QUERIES.length, hits: await run([]) }),
    async round() {
      const latenciesUs: number[] = []
      await run(latenciesUs)
      return { units: QUERIES.length, latenciesUs }
    },
    async finish() {
      await engine?.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

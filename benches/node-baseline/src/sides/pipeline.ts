// A tree on disk to an index on disk, and an index brought up to a tree, by web-tree-sitter, better-sqlite3 with FTS5, a
// hashing embedder, and a graph of hnswlib-node or none.

import { appendFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, treeOf } from '../corpus.js'
import { type IndexReport, updateIndex } from '../index/pipeline.js'
import { IndexStore } from '../index/store.js'
import { versions } from '../modules.js'
import { type Arguments, type Side, stopwatch } from '../protocol.js'
import { packagesOf } from './parse.js'

export type PipelineWork = 'cold' | 'warm' | 'warm-1pct'

/** One file of so many is changed. */
const CHANGED = 100

export function pipelineSide(args: Arguments, vectors: 'graph' | 'flat', work: PipelineWork): Side {
  const files = listFiles(args)
  const database = join(args.scratch, 'index.db')
  let root = ''
  let changes = 0
  const update = (): Promise<IndexReport> => updateIndex({ root, database, threads: args.threads, vectors })
  const clear = (): void => {
    for (const suffix of ['', '-wal', '-shm', '.hnsw']) rmSync(database + suffix, { force: true })
  }
  const counts = (): Record<string, number> => {
    const store = new IndexStore(database)
    const { files: indexed, symbols, refs, chunks } = store.counts()
    store.close()
    return { files: indexed, definitions: symbols, references: refs, chunks }
  }
  /** Adds a function to one file of a hundred, another one each time. */
  const change = (): void => {
    changes++
    for (let at = changes % CHANGED; at < files.length; at += CHANGED) {
      const path = join(root, files[at].path)
      appendFileSync(path, `\n${addition(files[at].language, changes)}\n`)
      // Two changes may fall into one tick of the file system's clock.
      const time = Date.now() / 1e3 + changes
      utimesSync(path, time, time)
    }
  }
  return {
    packages: {
      ...packagesOf('web-tree-sitter', new Set(files.map((file) => file.language))),
      ...versions('better-sqlite3', ...(vectors === 'graph' ? ['hnswlib-node'] : [])),
    },
    threads: args.threads,
    async prepare() {
      root = treeOf(args, files, work === 'warm-1pct')
      if (work !== 'cold') await update()
    },
    async answers() {
      if (work === 'cold') {
        clear()
        const { bytes } = await update()
        return { ...counts(), bytes }
      }
      if (work === 'warm-1pct') change()
      const report = await update()
      return { files: report.files, changed: report.changed }
    },
    async round() {
      if (work === 'cold') clear()
      if (work === 'warm-1pct') change()
      globalThis.gc?.()
      const stop = stopwatch()
      const report = await update()
      return { units: work === 'cold' ? report.bytes : report.files, measured: stop() }
    },
    finish() {
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function addition(language: string, number: number): string {
  const name = `added_by_round_${number}`
  switch (language) {
    case 'rust':
      return `fn ${name}() -> u32 { ${number} }`
    case 'python':
      return `def ${name}():\n    return ${number}`
    case 'cpp':
      return `int ${name}() { return ${number}; }`
    case 'java':
      return `class Added${number} { int ${name}() { return ${number}; } }`
    default:
      return `function ${name}() { return ${number} }`
  }
}

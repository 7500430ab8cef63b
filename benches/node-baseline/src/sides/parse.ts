// Text in memory to definitions and mentions.

import { Worker } from 'node:worker_threads'
import { type LoadedFile, loadFiles } from '../corpus.js'
import type { LanguageName } from '../languages/index.js'
import { modulesFolder, versions } from '../modules.js'
import type { Arguments, Round, Side } from '../protocol.js'
import { read } from '../read.js'
import { type TreeReader, grammarPackage, nodeTreeSitter, webTreeSitter } from '../syntax/parsers.js'

export type Binding = 'web-tree-sitter' | 'node-tree-sitter'
export type Access = 'cursor' | 'nodes'

export async function readerOf(binding: Binding, languages: Iterable<LanguageName>, by: Access): Promise<TreeReader> {
  return binding === 'web-tree-sitter' ? webTreeSitter(languages, by) : nodeTreeSitter(languages, by)
}

export function packagesOf(binding: Binding, languages: Iterable<LanguageName>): Record<string, string> {
  const name = binding === 'web-tree-sitter' ? binding : 'tree-sitter'
  return versions(name, ...new Set(Array.from(languages, grammarPackage)))
}

export function parseSide(args: Arguments, binding: Binding, by: Access): Side {
  const files = loadFiles(args)
  const languages = new Set(files.map((file) => file.language))
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0)
  const work =
    args.threads > 1 ? onWorkers(files, binding, by, args.threads) : onThisThread(files, languages, binding, by)
  return {
    packages: packagesOf(binding, languages),
    threads: args.threads,
    prepare: work.prepare,
    async answers() {
      return { files: files.length, bytes, ...(await work.run()) }
    },
    async round(): Promise<Round> {
      await work.run()
      return { units: bytes }
    },
    finish: work.finish,
  }
}

interface Counts {
  definitions: number
  references: number
}

interface Work {
  prepare(): Promise<void>
  run(): Promise<Counts>
  finish(): Promise<void>
}

function onThisThread(files: readonly LoadedFile[], languages: Set<LanguageName>, binding: Binding, by: Access): Work {
  let reader: TreeReader
  return {
    async prepare() {
      reader = await readerOf(binding, languages, by)
    },
    async run() {
      const counts = { definitions: 0, references: 0 }
      for (const { bytes, language, path } of files) {
        const { symbols, references } = read(reader, path, language, bytes.toString())
        counts.definitions += symbols.length
        counts.references += references.length
      }
      return counts
    },
    async finish() {},
  }
}

/** What a worker is given: all files in one piece of memory, and the number of the next one. */
export interface ParseWorkerData {
  modules: string
  binding: Binding
  by: Access
  files: readonly { path: string; language: LanguageName; start: number; end: number }[]
  bytes: SharedArrayBuffer
  next: SharedArrayBuffer
}

/** Workers that live from round to round and take the next file each. */
function onWorkers(files: readonly LoadedFile[], binding: Binding, by: Access, threads: number): Work {
  const workers: Worker[] = []
  const next = new SharedArrayBuffer(4)
  return {
    async prepare() {
      const bytes = new SharedArrayBuffer(files.reduce((sum, file) => sum + file.bytes.length, 0))
      let at = 0
      const list = files.map(({ path, language, bytes: own }) => {
        new Uint8Array(bytes).set(own, at)
        return { path, language, start: at, end: (at += own.length) }
      })
      // A large file at the end would keep one worker busy alone.
      list.sort((a, b) => b.end - b.start - (a.end - a.start))
      const workerData: ParseWorkerData = { modules: modulesFolder(), binding, by, files: list, bytes, next }
      const ready = Array.from({ length: threads }, async () => {
        const worker = new Worker(new URL('./parse-worker.js', import.meta.url), { workerData })
        workers.push(worker)
        await answer(worker)
      })
      await Promise.all(ready)
    },
    async run() {
      new Int32Array(next)[0] = 0
      const counts = { definitions: 0, references: 0 }
      await Promise.all(
        workers.map(async (worker) => {
          worker.postMessage('go')
          const { definitions, references } = await answer(worker)
          counts.definitions += definitions
          counts.references += references
        }),
      )
      return counts
    },
    async finish() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function answer(worker: Worker): Promise<Counts> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (counts: Counts) => {
      worker.off('error', reject)
      resolve(counts)
    })
  })
}

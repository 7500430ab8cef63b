// A tree on disk to an index on disk, and an index brought up to a tree.

import { hash as hashOf } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type FoundFile, walk } from '../corpus.js'
import { LANGUAGE_NAMES } from '../languages/index.js'
import { modulesFolder } from '../modules.js'
import { type TreeReader, webTreeSitter } from '../syntax/parsers.js'
import { type AnalysedFile, type ChunkTexts, type ReadFile, analyse, extract } from './analyse.js'
import { VectorGraph } from './graph.js'
import { IndexStore, type KnownFile } from './store.js'

export interface IndexOptions {
  root: string
  /** The database; the graph is beside it. */
  database: string
  threads: number
  /** Where vectors are: in a graph of hnswlib, or in the database, to be compared one by one. */
  vectors: 'graph' | 'flat'
}

export interface IndexReport {
  /** Files of the tree. */
  files: number
  /** Of those, files that were analysed. */
  changed: number
  bytes: number
}

/** A file that may have to be analysed, and what the index has of it. */
export interface Task {
  file: FoundFile
  before: KnownFile | undefined
}

/** Files that are read while others are analysed. */
const READ_AHEAD = 8
/** Bytes of source a transaction. */
const TRANSACTION_BYTES = 8 << 20

/** Reads a file; its text is left out if the content is as it was. */
export async function readSource(root: string, { file, before }: Task): Promise<ReadFile | { same: KnownFile; modifiedMs: number }> {
  const bytes = await readFile(join(root, file.path))
  const hash = hashOf('sha256', bytes, 'buffer')
  if (before !== undefined && before.hash.equals(hash)) return { same: before, modifiedMs: file.modifiedMs }
  return { ...file, hash, text: bytes.toString() }
}

/** What is to be done: files that are new, or of another size or time than they were; and those that are gone. */
function plan(root: string, known: Map<string, KnownFile>): { tasks: Task[]; gone: KnownFile[]; files: FoundFile[] } {
  const files = walk(root)
  const tasks: Task[] = []
  for (const file of files) {
    const before = known.get(file.path)
    known.delete(file.path)
    if (before === undefined || before.size !== file.size || before.modifiedMs !== file.modifiedMs) tasks.push({ file, before })
  }
  return { tasks, gone: [...known.values()], files }
}

/** Brings an index up to a tree; makes it if it is not there. */
export async function updateIndex(options: IndexOptions): Promise<IndexReport> {
  const store = new IndexStore(options.database)
  try {
    const { tasks, gone, files } = plan(options.root, store.known())
    const bytes = files.reduce((sum, file) => sum + file.size, 0)
    if (tasks.length > 0 || gone.length > 0) {
      const sink = new Sink(store, options)
      for (const file of gone) sink.remove(file)
      if (options.threads > 1 && tasks.length > options.threads) await analyseByWorkers(tasks, options, sink)
      else await analyseHere(tasks, options.root, sink)
      await sink.finish()
      store.makeIndexes()
    }
    return { files: files.length, changed: tasks.length, bytes }
  } finally {
    store.close()
  }
}

let reader: TreeReader | undefined

async function analyseHere(tasks: readonly Task[], root: string, sink: Sink): Promise<void> {
  reader ??= await webTreeSitter(LANGUAGE_NAMES, 'cursor')
  const ahead: ReturnType<typeof readSource>[] = []
  let next = 0
  for (let at = 0; at < tasks.length; at++) {
    while (next < tasks.length && next < at + READ_AHEAD) ahead.push(readSource(root, tasks[next++]))
    const read = await (ahead.shift() as ReturnType<typeof readSource>)
    if ('same' in read) sink.touch(read.same, read.modifiedMs)
    else sink.add(analyse(reader, read), tasks[at].before)
  }
}

/** What workers are given. */
export interface WorkerData {
  modules: string
  root: string
  tasks: readonly Task[]
  /** The number of the next task; and how many files the main thread has still to write. */
  shared: SharedArrayBuffer
  maxWaiting: number
}

/** What a worker sends: analysed files with the numbers of their tasks. */
export type WorkerMessage = { at: number; file: AnalysedFile | { same: KnownFile; modifiedMs: number } }[]

export const NEXT = 0
export const WAITING = 1

/** Workers take the next task each, and wait while too many files are not written yet. */
async function analyseByWorkers(tasks: readonly Task[], { root, threads }: IndexOptions, sink: Sink): Promise<void> {
  const shared = new SharedArrayBuffer(8)
  const counters = new Int32Array(shared)
  const workerData: WorkerData = { modules: modulesFolder(), root, tasks, shared, maxWaiting: 128 * threads }
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData })
      worker.on('message', (message: WorkerMessage) => {
        for (const { at, file } of message) {
          if ('same' in file) sink.touch(file.same, file.modifiedMs)
          else sink.add(file, tasks[at].before)
        }
        Atomics.sub(counters, WAITING, message.length)
        Atomics.notify(counters, WAITING)
      })
      worker.on('error', reject)
      worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))))
    })
  await Promise.all(Array.from({ length: threads }, run))
}

/** Takes files into the index, some megabytes a transaction. */
class Sink {
  private waiting: { file: AnalysedFile; before: KnownFile | undefined }[] = []
  private bytes = 0
  private graph: VectorGraph | undefined

  constructor(
    private readonly store: IndexStore,
    private readonly options: IndexOptions,
  ) {}

  private get openGraph(): VectorGraph {
    return (this.graph ??= new VectorGraph(`${this.options.database}.hnsw`))
  }

  add(file: AnalysedFile, before: KnownFile | undefined): void {
    this.waiting.push({ file, before })
    this.bytes += file.size
    if (this.bytes >= TRANSACTION_BYTES) this.write()
  }

  touch(file: KnownFile, modifiedMs: number): void {
    this.store.touch(file.id, modifiedMs)
  }

  remove(file: KnownFile): void {
    const chunks = this.store.transaction(() => this.store.remove(file.id))
    if (this.options.vectors === 'graph') this.openGraph.remove(chunks)
  }

  private write(): void {
    const { store } = this
    const isGraph = this.options.vectors === 'graph'
    const added = store.transaction(() => {
      const firsts = this.waiting.map(({ file, before }) => {
        const removed = before === undefined ? [] : store.remove(before.id)
        if (isGraph && removed.length > 0) this.openGraph.remove(removed)
        return store.add(file, !isGraph)
      })
      store.flush()
      return firsts
    })
    if (isGraph) this.waiting.forEach(({ file }, at) => this.openGraph.add(added[at], file.vectors))
    this.waiting = []
    this.bytes = 0
  }

  finish(): void {
    this.write()
    this.graph?.save()
  }
}

/** All chunks of a tree with their texts, for what is kept in memory. */
export async function chunksOf(root: string, files: readonly { path: string; language: FoundFile['language'] }[]) {
  reader ??= await webTreeSitter(LANGUAGE_NAMES, 'cursor')
  const chunks: (ChunkTexts & { path: string })[] = []
  for (const { path, language } of files) {
    const text = (await readFile(join(root, path))).toString()
    for (const chunk of extract(reader, path, language, text).chunks) chunks.push({ ...chunk, path })
  }
  return chunks
}

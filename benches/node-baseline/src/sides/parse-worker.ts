// A worker of a parsing side: parses the next file until there are none, and tells how much it found. What it found stays
// where it is, which is kinder to it than a program could be that needs it on its main thread.

import { parentPort, workerData } from 'node:worker_threads'
import { useModules } from '../modules.js'
import { read } from '../read.js'
import { type ParseWorkerData, readerOf } from './parse.js'

const { modules, binding, by, files, bytes, next } = workerData as ParseWorkerData
useModules(modules)
const reader = await readerOf(binding, new Set(files.map((file) => file.language)), by)
const counter = new Int32Array(next)
const all = Buffer.from(bytes)

parentPort?.on('message', () => {
  const counts = { definitions: 0, references: 0 }
  for (let at = Atomics.add(counter, 0, 1); at < files.length; at = Atomics.add(counter, 0, 1)) {
    const { path, language, start, end } = files[at]
    const { symbols, references } = read(reader, path, language, all.toString('utf8', start, end))
    counts.definitions += symbols.length
    counts.references += references.length
  }
  parentPort?.postMessage(counts)
})
parentPort?.postMessage({ definitions: 0, references: 0 })

// A worker of the pipeline: reads and analyses the next file until there are none.

import { parentPort, workerData } from 'node:worker_threads'
import { LANGUAGE_NAMES } from '../languages/index.js'
import { useModules } from '../modules.js'
import { webTreeSitter } from '../syntax/parsers.js'
import { analyse } from './analyse.js'
import { NEXT, WAITING, type WorkerData, type WorkerMessage, readSource } from './pipeline.js'

/** Files a message: each costs both threads a wake-up. */
const FILES_A_MESSAGE = 8
const READ_AHEAD = 4

const { modules, root, tasks, shared, maxWaiting } = workerData as WorkerData
const counters = new Int32Array(shared)
useModules(modules)
const reader = await webTreeSitter(LANGUAGE_NAMES, 'cursor')

let message: WorkerMessage = []
let buffers: ArrayBuffer[] = []

function send(): void {
  if (message.length === 0) return
  Atomics.add(counters, WAITING, message.length)
  parentPort?.postMessage(message, buffers)
  message = []
  buffers = []
  for (let waiting = Atomics.load(counters, WAITING); waiting > maxWaiting; waiting = Atomics.load(counters, WAITING)) {
    Atomics.wait(counters, WAITING, waiting)
  }
}

const ahead: { at: number; read: ReturnType<typeof readSource> }[] = []
for (;;) {
  while (ahead.length < READ_AHEAD) {
    const at = Atomics.add(counters, NEXT, 1)
    if (at >= tasks.length) break
    ahead.push({ at, read: readSource(root, tasks[at]) })
  }
  const next = ahead.shift()
  if (next === undefined) break
  const read = await next.read
  if ('same' in read) message.push({ at: next.at, file: read })
  else {
    const file = analyse(reader, read)
    for (const { buffer } of [file.symbols, file.references, file.chunks, file.vectors]) buffers.push(buffer as ArrayBuffer)
    message.push({ at: next.at, file })
  }
  if (message.length >= FILES_A_MESSAGE) send()
}
send()

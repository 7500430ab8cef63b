// Vector indexes from npm, and plain loops, driven line by line: libraries.mjs LIBRARY FOLDER MODULES.
//
// Speaks the protocol that docs/performance.md describes: one JSON object a line in, one a line out. FOLDER is what
// vectors.py describes, MODULES where the packages are installed. M = 16, efConstruction = 200, inner product of unit vectors.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const K = 10
const M = 16
const EF_CONSTRUCTION = 200

const [library, folder, modules] = process.argv.slice(2)
const require = createRequire(join(modules, 'package.json'))
const { dimension } = JSON.parse(readFileSync(join(folder, 'data.json'), 'utf8'))

function vectors(name) {
  const bytes = readFileSync(join(folder, `${name}.f32`))
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

function rows(values) {
  return Array.from({ length: values.length / dimension }, (_, row) =>
    values.subarray(row * dimension, (row + 1) * dimension),
  )
}

function version(name) {
  return JSON.parse(readFileSync(join(modules, 'node_modules', name, 'package.json'), 'utf8')).version
}

// Takes plain arrays only, so they are made before the time is taken.
class HnswlibNode {
  constructor() {
    this.module = require('hnswlib-node')
    this.about = { version: version('hnswlib-node'), build: 'compiled by npm' }
  }

  prepare(row) {
    return Array.from(row)
  }

  build(base) {
    this.index = new this.module.HierarchicalNSW('ip', dimension)
    this.index.initIndex({ maxElements: base.length, m: M, efConstruction: EF_CONSTRUCTION })
    for (let row = 0; row < base.length; row++) this.index.addPoint(base[row], row)
  }

  tune(ef) {
    this.index.setEf(ef)
  }

  search(query) {
    return this.index.searchKnn(query, K).neighbors
  }
}

// The width of a search can be given to the constructor only: the graph goes through a file to change it.
class UsearchNode {
  constructor() {
    this.module = require('usearch')
    this.about = { version: version('usearch'), build: 'its prebuilt library' }
    this.file = join(tmpdir(), `vector-bench-${process.pid}.usearch`)
    process.on('exit', () => rmSync(this.file, { force: true }))
  }

  prepare(row) {
    return row
  }

  make(ef) {
    return new this.module.Index({
      metric: 'ip',
      quantization: 'f32',
      connectivity: M,
      dimensions: dimension,
      expansion_add: EF_CONSTRUCTION,
      expansion_search: ef,
    })
  }

  build(base) {
    this.index = this.make(64)
    for (let row = 0; row < base.length; row++) this.index.add(BigInt(row), base[row], 1)
    this.fresh = true
  }

  tune(ef) {
    if (this.fresh) this.index.save(this.file)
    if (this.ef !== ef || this.fresh) {
      this.index = this.make(ef)
      this.index.load(this.file)
    }
    this.fresh = false
    this.ef = ef
  }

  search(query) {
    return this.index.search(query, K, 1).keys
  }
}

// Exact, as one writes it without a library: score all, keep the best in a sorted list.
class Loop {
  constructor(dot) {
    this.dot = dot
    this.about = { version: process.version, build: 'Float32Array' }
  }

  prepare(row) {
    return row
  }

  build(base) {
    this.base = base
  }

  tune() {}

  search(query) {
    const scores = new Float32Array(K).fill(-Infinity)
    const ids = new Uint32Array(K)
    const { base, dot } = this
    for (let row = 0; row < base.length; row++) {
      const score = dot(query, base[row])
      if (score <= scores[K - 1]) continue
      let at = K - 1
      for (; at > 0 && scores[at - 1] < score; at--) {
        scores[at] = scores[at - 1]
        ids[at] = ids[at - 1]
      }
      scores[at] = score
      ids[at] = row
    }
    return ids
  }
}

function dotNaive(a, b) {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

// Independent sums, so that one addition need not wait for the one before.
function dotUnrolled(a, b) {
  let [s, t, u, v] = [0, 0, 0, 0]
  for (let i = 0; i < dimension; i += 4) {
    s += a[i] * b[i]
    t += a[i + 1] * b[i + 1]
    u += a[i + 2] * b[i + 2]
    v += a[i + 3] * b[i + 3]
  }
  return s + t + u + v
}

const LIBRARIES = {
  'hnswlib-node': () => new HnswlibNode(),
  'usearch-npm': () => new UsearchNode(),
  'js-naive': () => new Loop(dotNaive),
  'js-unrolled': () => new Loop(dotUnrolled),
}

// Node has no clock of the thread's CPU time; this is the process's, in seconds.
function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

// Bytes of memory that the process holds, files aside where the system tells them apart.
function resident() {
  try {
    return Number(/RssAnon:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.memoryUsage.rss()
  }
}

const subject = LIBRARIES[library]()
let base = rows(vectors('base')).map((row) => subject.prepare(row))
const queries = {}
for (const name of ['code', 'nl']) queries[name] = rows(vectors(name)).map((row) => subject.prepare(row))
let before

function build() {
  subject.index = null
  before ??= resident()
  const [wall, used] = [performance.now(), cpu()]
  subject.build(base)
  const reply = { wall: (performance.now() - wall) / 1e3, cpu: cpu() - used }
  return { ...reply, resident: resident() - before }
}

function search({ queries: set, ef, mode, limit, into }) {
  const asked = queries[set].slice(0, limit ?? queries[set].length)
  const ids = new Uint32Array(asked.length * K)
  const times = mode === 'each' ? new Uint32Array(asked.length) : null
  subject.tune(ef)
  subject.search(asked[0])
  const [wall, used] = [performance.now(), cpu()]
  for (let row = 0; row < asked.length; row++) {
    const begin = times ? cpu() : 0
    const found = subject.search(asked[row])
    if (times) times[row] = (cpu() - begin) * 1e9
    for (let at = 0; at < found.length; at++) ids[row * K + at] = Number(found[at])
  }
  const reply = { wall: (performance.now() - wall) / 1e3, cpu: cpu() - used }
  writeFileSync(`${into}.ids`, ids)
  if (times) writeFileSync(`${into}.ns`, times)
  return reply
}

console.log(JSON.stringify(subject.about))
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  console.log(JSON.stringify(command.do === 'build' ? build() : search(command)))
}

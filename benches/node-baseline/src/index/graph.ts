// The vectors of chunks in a graph of hnswlib, in a file.

import { existsSync, statSync } from 'node:fs'
import type { HierarchicalNSW } from 'hnswlib-node'
import { load } from '../modules.js'
import { DIMENSION } from '../terms.js'

const M = 16
const EF_CONSTRUCTION = 200

export class VectorGraph {
  private readonly index: HierarchicalNSW
  private capacity: number
  private changed = false

  /** Opens the graph at this path, or begins a new one. */
  constructor(private readonly path: string) {
    const { HierarchicalNSW } = load<typeof import('hnswlib-node')>('hnswlib-node')
    this.index = new HierarchicalNSW('ip', DIMENSION)
    if (existsSync(path) && statSync(path).size > 0) {
      this.index.readIndexSync(path, true)
      this.capacity = this.index.getMaxElements()
    } else {
      this.capacity = 1 << 14
      this.index.initIndex({ maxElements: this.capacity, m: M, efConstruction: EF_CONSTRUCTION, allowReplaceDeleted: true })
    }
  }

  /** Adds the vectors of chunks that are numbered from `first` on. */
  add(first: number, vectors: Float32Array): void {
    const count = vectors.length / DIMENSION
    while (this.index.getCurrentCount() + count > this.capacity) {
      this.capacity *= 2
      this.index.resizeIndex(this.capacity)
    }
    for (let at = 0; at < count; at++) {
      // It takes plain arrays only.
      this.index.addPoint(Array.from(vectors.subarray(at * DIMENSION, (at + 1) * DIMENSION)), first + at, true)
    }
    this.changed ||= count > 0
  }

  remove(chunks: readonly number[]): void {
    for (const chunk of chunks) this.index.markDelete(chunk)
    this.changed ||= chunks.length > 0
  }

  /** The ids of the nearest chunks, best first. */
  search(query: Float32Array, count: number, ef: number): number[] {
    this.index.setEf(ef)
    return this.index.searchKnn(Array.from(query), Math.min(count, this.index.getCurrentCount())).neighbors
  }

  save(): void {
    if (this.changed) this.index.writeIndexSync(this.path)
    this.changed = false
  }
}

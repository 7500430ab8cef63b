// Hybrid search in memory: MiniSearch or FlexSearch for words, a loop over vectors, and reciprocal ranks to join them.

import type MiniSearchType from 'minisearch'
import type { ChunkTexts } from '../index/analyse.js'
import { chunksOf } from '../index/pipeline.js'
import { embed, embedQuery } from '../hash-embedder.js'
import { listFiles } from '../corpus.js'
import { load, versions } from '../modules.js'
import type { Arguments, Side } from '../protocol.js'
import { QUERIES } from '../queries.js'
import { DIMENSION, isStopWord, termsOf } from '../terms.js'
import { packagesOf } from './parse.js'

/** Candidates of each way to search. */
const CANDIDATES = 200
const LIMIT = 10
const RECIPROCAL_RANK_K = 10

interface Hit {
  path: string
  firstLine: number
  lastLine: number
  text: string
}

/** A chunk and the file that it is of. */
export type PlacedChunk = ChunkTexts & { path: string }

/** Finds the numbers of chunks by words, best first. */
type Words = (query: string) => number[]

/** Chunks in memory, found by words and by vectors. */
export class MemoryIndex {
  private readonly words: Words

  constructor(
    readonly chunks: readonly PlacedChunk[],
    private readonly vectors: Float32Array,
    library: 'minisearch' | 'flexsearch',
  ) {
    this.words = library === 'minisearch' ? miniSearch(chunks) : flexSearch(chunks)
  }

  /** The chunks that match best, by their words and by the vector of the query. */
  search(query: string, vector: Float32Array, limit: number): Hit[] {
    const scores = new Map<number, number>()
    const addAll = (ranking: ArrayLike<number>): void => {
      for (let rank = 0; rank < ranking.length; rank++) {
        scores.set(ranking[rank], (scores.get(ranking[rank]) ?? 0) + 1 / (RECIPROCAL_RANK_K + rank + 1))
      }
    }
    addAll(this.words(query))
    addAll(nearest(this.vectors, vector, CANDIDATES))
    const best = [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, limit)
    return best.map(([at]) => {
      const { path, firstLine, lastLine, code } = this.chunks[at]
      return { path, firstLine, lastLine, text: code }
    })
  }
}

function wordsOf(text: string): string[] {
  return termsOf(text).split(' ')
}

function queryWords(query: string): string[] {
  return [...new Set(wordsOf(query))].filter((term) => term !== '' && !isStopWord(term))
}

function miniSearch(chunks: readonly PlacedChunk[]): Words {
  const MiniSearch = load<typeof MiniSearchType>('minisearch')
  const index = new MiniSearch<{ id: number; names: string; place: string; code: string }>({
    fields: ['names', 'place', 'code'],
    tokenize: wordsOf,
    processTerm: (term) => term || null,
  })
  chunks.forEach(({ names, place, code }, id) => index.add({ id, names, place, code }))
  const options = { boost: { names: 8 }, combineWith: 'OR' as const, tokenize: queryWords }
  return (query) => index.search(query, options).slice(0, CANDIDATES).map(({ id }) => id as number)
}

/** One index a field, as its ranking knows none; their results are joined by rank, names first. */
function flexSearch(chunks: readonly PlacedChunk[]): Words {
  interface Index {
    add(id: number, text: string): unknown
    search(query: string, options: { limit: number; suggest: boolean }): (number | string)[]
  }
  const { Index } = load<{ Index: new (options: object) => Index }>('flexsearch')
  const make = (): Index => new Index({ tokenize: 'strict', encode: wordsOf, resolution: 9 })
  const fields = { names: make(), place: make(), code: make() }
  chunks.forEach(({ names, place, code }, id) => {
    fields.names.add(id, names)
    fields.place.add(id, place)
    fields.code.add(id, code)
  })
  return (query) => {
    const text = queryWords(query).join(' ')
    const scores = new Map<number, number>()
    for (const [index, weight] of [[fields.names, 4], [fields.place, 1], [fields.code, 2]] as const) {
      index.search(text, { limit: CANDIDATES, suggest: true }).forEach((id, rank) => {
        scores.set(Number(id), (scores.get(Number(id)) ?? 0) + weight / (RECIPROCAL_RANK_K + rank + 1))
      })
    }
    return [...scores].sort((a, b) => b[1] - a[1]).slice(0, CANDIDATES).map(([id]) => id)
  }
}

/** The rows of the vectors with the largest products, best first. */
function nearest(vectors: Float32Array, query: Float32Array, count: number): Uint32Array {
  const dimension = query.length
  const scores = new Float32Array(count).fill(-Infinity)
  const rows = new Uint32Array(count)
  let found = 0
  for (let row = 0, at = 0; at < vectors.length; row++, at += dimension) {
    // Independent sums, so that one addition need not wait for the one before.
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = 0; i < dimension; i += 4) {
      a += vectors[at + i] * query[i]
      b += vectors[at + i + 1] * query[i + 1]
      c += vectors[at + i + 2] * query[i + 2]
      d += vectors[at + i + 3] * query[i + 3]
    }
    const score = a + b + c + d
    if (score <= scores[count - 1]) continue
    let place = Math.min(found, count - 1)
    for (; place > 0 && scores[place - 1] < score; place--) {
      scores[place] = scores[place - 1]
      rows[place] = rows[place - 1]
    }
    scores[place] = score
    rows[place] = row
    if (found < count) found++
  }
  return rows.slice(0, found)
}

export function memoryQuerySide(args: Arguments, library: 'minisearch' | 'flexsearch'): Side {
  const files = listFiles(args)
  let index: MemoryIndex
  const run = (latenciesUs: number[]): number => {
    let hits = 0
    for (const query of QUERIES) {
      const begin = performance.now()
      hits += index.search(query, embedQuery(query), LIMIT).length
      latenciesUs.push((performance.now() - begin) * 1e3)
    }
    return hits
  }
  return {
    packages: { ...packagesOf('web-tree-sitter', new Set(files.map((file) => file.language))), ...versions(library) },
    threads: 1,
    async prepare() {
      const chunks = await chunksOf(args.corpus, files)
      const vectors = new Float32Array(chunks.length * DIMENSION)
      chunks.forEach((chunk, at) => embed(chunk, vectors, at * DIMENSION))
      index = new MemoryIndex(chunks, vectors, library)
    },
    answers: () => ({ queries: QUERIES.length, chunks: index.chunks.length, hits: run([]) }),
    round() {
      const latenciesUs: number[] = []
      run(latenciesUs)
      return { units: QUERIES.length, latenciesUs }
    },
  }
}

// One file: parsed, its definitions, mentions, chunks, their terms and vectors. All in columns, which cross from a worker
// to the main thread for a fraction of what objects cost.

import { type Chunk, cut, cutByLines } from '../chunks.js'
import { embed } from '../hash-embedder.js'
import type { LanguageName } from '../languages/index.js'
import { type CodeSymbol, REFERENCE_KINDS, SYMBOL_KINDS } from '../outline.js'
import { read } from '../read.js'
import type { TreeReader } from '../syntax/parsers.js'
import { DIMENSION, termsOf } from '../terms.js'

/** Numbers of a definition: kind, parent, start, end, first line, last line. */
export const SYMBOL_WIDTH = 6
/** Numbers of a mention: kind, start, end, line, symbol. */
export const REFERENCE_WIDTH = 5
/** Numbers of a chunk: start, end, first line, last line, symbol. */
export const CHUNK_WIDTH = 5

export interface AnalysedFile {
  path: string
  language: LanguageName
  size: number
  modifiedMs: number
  hash: Uint8Array
  lines: number
  symbols: Int32Array
  /** Name and signature of each definition. */
  symbolTexts: string[]
  references: Int32Array
  referenceNames: string[]
  chunks: Int32Array
  /** Of each chunk the terms of its names, its place and its text. */
  chunkTerms: string[]
  /** One after the other; empty if they are made elsewhere. */
  vectors: Float32Array
}

/** What a file is before it is analysed. */
export interface ReadFile {
  path: string
  language: LanguageName
  size: number
  modifiedMs: number
  hash: Uint8Array
  text: string
}

/** A chunk with its texts. */
export interface ChunkTexts extends Chunk {
  names: string
  place: string
  code: string
}

/** The definitions, mentions and chunks of a text. */
export function extract(reader: TreeReader, path: string, language: LanguageName, text: string) {
  const { symbols, references, lines, tree } = read(reader, path, language, text)
  const named = namesOfChunks(symbols)
  const cuts = tree === undefined ? cutByLines(text) : cut(tree, symbols)
  const chunks = cuts.map(
    (chunk): ChunkTexts => ({
      ...chunk,
      names: named(chunk),
      place: [path, ...scopeOf(symbols, chunk.symbol)].join(' '),
      code: text.slice(chunk.start, chunk.end),
    }),
  )
  return { symbols, references, chunks, lines }
}

/** Analyses a file, and embeds its chunks by hashing. */
export function analyse(reader: TreeReader, file: ReadFile): AnalysedFile {
  const extracted = extract(reader, file.path, file.language, file.text)
  const analysed = columnsOf(file, extracted)
  analysed.vectors = new Float32Array(extracted.chunks.length * DIMENSION)
  extracted.chunks.forEach((chunk, at) => embed(chunk, analysed.vectors, at * DIMENSION))
  return analysed
}

/** A file in columns, without vectors. */
export function columnsOf(file: ReadFile, { symbols, references, chunks, lines }: ReturnType<typeof extract>): AnalysedFile {
  const { text: _, ...record } = file
  const analysed: AnalysedFile = {
    ...record,
    lines,
    symbols: new Int32Array(symbols.length * SYMBOL_WIDTH),
    symbolTexts: new Array<string>(symbols.length * 2),
    references: new Int32Array(references.length * REFERENCE_WIDTH),
    referenceNames: references.map((reference) => reference.name),
    chunks: new Int32Array(chunks.length * CHUNK_WIDTH),
    chunkTerms: new Array<string>(chunks.length * 3),
    vectors: new Float32Array(0),
  }
  symbols.forEach(({ kind, parent, start, end, firstLine, lastLine, name, signature }, at) => {
    analysed.symbols.set([SYMBOL_KINDS.indexOf(kind), parent, start, end, firstLine, lastLine], at * SYMBOL_WIDTH)
    analysed.symbolTexts[2 * at] = name
    analysed.symbolTexts[2 * at + 1] = signature
  })
  references.forEach(({ kind, start, end, line, symbol }, at) => {
    analysed.references.set([REFERENCE_KINDS.indexOf(kind), start, end, line, symbol], at * REFERENCE_WIDTH)
  })
  chunks.forEach((chunk, at) => {
    const { start, end, firstLine, lastLine, symbol, names, place, code } = chunk
    analysed.chunks.set([start, end, firstLine, lastLine, symbol], at * CHUNK_WIDTH)
    analysed.chunkTerms[3 * at] = termsOf(names)
    analysed.chunkTerms[3 * at + 1] = termsOf(place)
    analysed.chunkTerms[3 * at + 2] = termsOf(code)
  })
  return analysed
}

/** The names round a definition, outermost first. */
function scopeOf(symbols: readonly CodeSymbol[], index: number): string[] {
  const scope: string[] = []
  for (let at = symbols[index]?.parent ?? -1; at >= 0; at = symbols[at].parent) scope.push(symbols[at].name)
  return scope.reverse()
}

/** For a chunk the name of what it is about, the names that are defined in it, and the names round it. */
function namesOfChunks(symbols: readonly CodeSymbol[]): (chunk: Chunk) => string {
  const byName = symbols.map((_, index) => index).sort((a, b) => symbols[a].nameStart - symbols[b].nameStart)
  let at = 0
  return ({ start, end, symbol }) => {
    const names: string[] = symbol >= 0 ? [symbols[symbol].name] : []
    // Chunks come in order.
    while (at < byName.length && symbols[byName[at]].nameStart < start) at++
    for (; at < byName.length && symbols[byName[at]].nameStart < end; at++) {
      if (byName[at] !== symbol) names.push(symbols[byName[at]].name)
    }
    return [...names, ...scopeOf(symbols, symbol)].join(' ')
  }
}

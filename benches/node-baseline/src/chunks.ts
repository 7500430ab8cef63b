// Cutting a file into chunks along its syntax tree: nodes that are too large are replaced by their children, small
// neighbours are merged until a chunk is full, and a definition of some size stands alone.

import { type CodeSymbol, type SymbolKind, lineOf, linesOf } from './outline.js'
import type { SyntaxTree } from './syntax/tree.js'

export interface Chunk {
  start: number
  end: number
  firstLine: number
  lastLine: number
  /** The index of the definition that it is about, or -1. */
  symbol: number
}

const MAX_TOKENS = 400
const SOLO_TOKENS = 60
/** How much a chunk may exceed its budget so that nothing is torn. */
const SLACK = 16
/** What is shorter is no chunk, but the head of what comes. */
const MIN_CHUNK = 64
const UNIT = 16
const MAX_UNITS_PER_TOKEN = 8

/** What a unit is: 0 space, 1 line break, 2 small letter, 3 capital, 4 digit, 5 punctuation, 6 beyond ASCII. */
const CLASSES = Uint8Array.from({ length: 128 }, (_, unit) => {
  const text = String.fromCharCode(unit)
  if (text === '\n') return 1
  if (/[a-z]/.test(text)) return 2
  if (/[A-Z]/.test(text)) return 3
  if (/[0-9]/.test(text)) return 4
  return /[!-/:-@[-`{-~]/.test(text) ? 5 : 0
})

/** Sixteenths of a token that a unit adds after another one, by their classes: 8 x 8. */
const WEIGHTS = (() => {
  const weights = new Uint8Array(64)
  for (let before = 0; before < 8; before++) weights.set([0, 13, 15, 15, 12, 16, 4, 0], before * 8)
  for (const [before, unit] of [[2, 2], [3, 2], [3, 3], [5, 5]] as const) weights[before * 8 + unit] = 0
  return weights
})()

/** Estimates how many tokens of a language model stretches of a text are. */
class TokenCounter {
  private sums = new Uint32Array(1 << 16)

  read(text: string): void {
    if (this.sums.length <= text.length) this.sums = new Uint32Array(2 * text.length)
    const { sums } = this
    let sum = 0
    let before = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      const kind = unit < 128 ? CLASSES[unit] : 6
      sum += WEIGHTS[before * 8 + kind]
      before = kind
      sums[at + 1] = sum
    }
  }

  count(start: number, end: number): number {
    const weight = this.sums[end] - this.sums[start]
    return Math.max(Math.ceil(weight / UNIT), Math.floor((end - start) / MAX_UNITS_PER_TOKEN))
  }

  exceeds(start: number, end: number, max: number): boolean {
    return end - start > max && this.count(start, end) > max
  }

  /** The last place up to which a stretch has no more than `max` tokens. */
  reach(start: number, end: number, max: number): number {
    let [low, high] = [start, Math.min(end, start + max * MAX_UNITS_PER_TOKEN + 7)]
    while (low < high) {
      const middle = high - ((high - low) >>> 1)
      if (this.count(start, middle) > max) high = middle - 1
      else low = middle
    }
    return low
  }
}

const PARTS: ReadonlySet<SymbolKind> = new Set([
  'field', 'property', 'enum_member', 'constant', 'static', 'variable', 'module', 'namespace',
])

const tokens = new TokenCounter()

/** Cuts a file. The symbols are those of its tree. */
export function cut(tree: SyntaxTree, symbols: readonly CodeSymbol[]): Chunk[] {
  tokens.read(tree.text)
  return between(tree.text, merge(tree.text, atomsOf(tree, symbols)), symbols)
}

/** Cuts a text at line breaks. */
export function cutByLines(text: string): Chunk[] {
  tokens.read(text)
  const cuts: number[] = []
  cutLarge(text, 0, text.length, cuts)
  return between(text, cuts, [])
}

/** The stretches between the cuts, without blank ends. */
function between(text: string, cuts: readonly number[], symbols: readonly CodeSymbol[]): Chunk[] {
  const lines = linesOf(text)
  const chunks: Chunk[] = []
  for (let at = 0; at < cuts.length; at++) {
    let start = cuts[at]
    let end = cuts[at + 1] ?? text.length
    while (start < end && text.charCodeAt(start) <= 32) start++
    while (end > start && text.charCodeAt(end - 1) <= 32) end--
    if (start === end) continue
    chunks.push({
      start,
      end,
      firstLine: lineOf(lines, start),
      lastLine: lineOf(lines, end - 1),
      symbol: mainSymbol(symbols, start, end),
    })
  }
  return chunks
}

interface Atom {
  start: number
  mayBegin: boolean
  /** The size of the definition that begins here; 0 if none does. */
  definition: number
}

/** The largest nodes that fit in a chunk, in order. */
function atomsOf(tree: SyntaxTree, symbols: readonly CodeSymbol[]): Atom[] {
  const { starts, ends, nexts } = tree
  const atoms: Atom[] = []
  const definitions = symbols.filter((symbol) => !PARTS.has(symbol.kind))
  let at = 0
  let headUntil = 0
  let wholeUntil = 0
  let opened = -1
  for (let row = 0; row < tree.length; ) {
    const start = starts[row]
    const end = ends[row]
    const next = nexts[row]
    while (at < definitions.length && definitions[at].extentStart < start) at++
    const ahead = definitions[at]
    const holds =
      ahead !== undefined && start >= wholeUntil && ahead.extentStart < end && ahead.end - ahead.extentStart < end - start
    if (next > row + 1 && (holds || tokens.exceeds(start, end, MAX_TOKENS))) {
      if (opened < 0) opened = start
      row++
      continue
    }
    row = next
    if (end === start) continue
    let definition = 0
    for (; definitions[at]?.extentStart === start; at++) {
      const symbol = definitions[at]
      definition = Math.max(definition, symbol.end - symbol.extentStart)
      headUntil = Math.max(headUntil, symbol.start)
      if (!tokens.exceeds(symbol.extentStart, symbol.end, MAX_TOKENS)) wholeUntil = Math.max(wholeUntil, symbol.end)
    }
    const begin = opened < 0 ? start : opened
    opened = -1
    atoms.push({ start: begin, mayBegin: definition > 0 || begin > headUntil || headUntil === 0, definition })
  }
  return atoms
}

/** Where chunks begin. */
function merge(text: string, atoms: readonly Atom[]): number[] {
  const cuts = [0]
  let chunkStart = 0
  const begin = atoms[0]?.start ?? text.length
  if (tokens.exceeds(0, begin, MAX_TOKENS + SLACK)) chunkStart = cutLarge(text, 0, begin, cuts)
  let aloneUntil = -1
  for (let at = 0; at < atoms.length; at++) {
    const atom = atoms[at]
    const end = atoms[at + 1]?.start ?? text.length
    const full = tokens.exceeds(chunkStart, end, MAX_TOKENS)
    const afterDefinition = aloneUntil >= 0 && atom.start >= aloneUntil
    const isSolo = atom.definition > 0 && tokens.count(atom.start, atom.start + atom.definition) >= SOLO_TOKENS
    const beginsDefinition = isSolo && atom.start - chunkStart >= MIN_CHUNK
    const hard = full && tokens.exceeds(chunkStart, end, MAX_TOKENS + SLACK)
    if (atom.start > chunkStart && ((atom.mayBegin && (full || afterDefinition || beginsDefinition)) || hard)) {
      cuts.push(atom.start)
      chunkStart = atom.start
    }
    if (afterDefinition) aloneUntil = -1
    if (isSolo) aloneUntil = atom.start + atom.definition
    if (tokens.exceeds(chunkStart, end, MAX_TOKENS + SLACK)) chunkStart = cutLarge(text, chunkStart, end, cuts)
  }
  return cuts
}

/** Cuts a stretch at the last line break that fits, else at the last unit that does; where the last piece begins. */
function cutLarge(text: string, start: number, end: number, cuts: number[]): number {
  if (cuts.at(-1) !== start) cuts.push(start)
  let at = start
  while (tokens.exceeds(at, end, MAX_TOKENS)) {
    const limit = tokens.reach(at, text.length, MAX_TOKENS)
    const line = text.lastIndexOf('\n', limit - 1) + 1
    at = line > at ? line : limit
    cuts.push(at)
  }
  return at
}

/**
 * The definition that a chunk is about: the largest that is all in it and makes up three fifths of it, else the smallest
 * that covers as much of it, else the largest that begins in it.
 */
function mainSymbol(symbols: readonly CodeSymbol[], start: number, end: number): number {
  let [low, high] = [0, symbols.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (symbols[middle].extentStart < start) low = middle + 1
    else high = middle
  }
  const after = low
  const size = end - start
  const overlap = (symbol: CodeSymbol): number => Math.min(symbol.end, end) - Math.max(symbol.extentStart, start)
  const covers = (symbol: CodeSymbol): boolean => 5 * overlap(symbol) >= 3 * size
  let [whole, wholeSize, covering, coveringSize, largest, largestSize] = [-1, 0, -1, Infinity, -1, 0]
  for (let index = after; index < symbols.length && symbols[index].extentStart < end; index++) {
    const symbol = symbols[index]
    const length = symbol.end - symbol.extentStart
    if (covers(symbol)) {
      if (symbol.end <= end && length > wholeSize && !PARTS.has(symbol.kind)) [whole, wholeSize] = [index, length]
      if (length < coveringSize) [covering, coveringSize] = [index, length]
    }
    if (overlap(symbol) > largestSize) [largest, largestSize] = [index, overlap(symbol)]
  }
  if (whole >= 0) return whole
  let round = after - 1
  while (round >= 0 && (symbols[round].end <= start || !covers(symbols[round]))) round = symbols[round].parent
  if (round >= 0 && symbols[round].end - symbols[round].extentStart < coveringSize) covering = round
  return covering >= 0 ? covering : largest
}

// The words of code: identifiers cut at their humps and underscores, lower-cased, lightly stemmed; and their hashes.

const MAX_TERM = 64
const MAX_WORD = 512
/** Words whose terms are kept; then it is begun anew. */
const MAX_CACHED = 500_000

const STOP_WORDS = new Set(
  (
    'all also an and any are as at be been but by can could def did do doe els fn for from function had has hav how if in int ' +
    'into is it its let mut my no non not of on or our pub return should so str such tak than that the their then there these ' +
    'they thi this to us use var want was we were what when wher where which whil who why will with would you your'
  ).split(' '),
)

/** The terms of a word. */
export interface Word {
  /** All of them, with a space between. */
  readonly text: string
  /** The numbers of those that say something. */
  readonly terms: Int32Array
}

const cache = new Map<string, Word>()
const numbers = new Map<string, number>()
/** Of each term its two places in a vector of a hashing embedder, each as place * 2 + sign. */
let slots = new Int32Array(1 << 16)

export const DIMENSION = 256

const WORDS = /[A-Za-z0-9_$\u0080-\uffff]+/g

/** Calls back with the terms of each word of a text. */
export function eachWord(text: string, use: (word: Word) => void): void {
  WORDS.lastIndex = 0
  for (let found = WORDS.exec(text); found !== null; found = WORDS.exec(text)) {
    const written = found[0]
    if (written.length > MAX_WORD) continue
    let word = cache.get(written)
    if (word === undefined) {
      word = wordOf(written)
      if (cache.size >= MAX_CACHED) cache.clear()
      // A slice of a text would keep the whole of it.
      cache.set(Buffer.from(written).toString(), word)
    }
    use(word)
  }
}

/** The terms of a text, with a space between. */
export function termsOf(text: string): string {
  const parts: string[] = []
  eachWord(text, (word) => {
    if (word.text !== '') parts.push(word.text)
  })
  return parts.join(' ')
}

/** Whether a term is in everything and says nothing. */
export function isStopWord(term: string): boolean {
  return STOP_WORDS.has(term)
}

/** The places of a term in a vector, each doubled, plus one if it counts negative. */
export function placesOf(term: number): readonly [number, number] {
  return [slots[2 * term], slots[2 * term + 1]]
}

function wordOf(written: string): Word {
  const terms: string[] = []
  const parts = written.match(/[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z0-9]+|[0-9]+|[^\x00-\x7f]+/g) ?? []
  for (const part of parts) {
    const term = part.toLowerCase().slice(0, MAX_TERM)
    if (/^\d+$/.test(term)) {
      if (term.length > 1 && term.length <= 10) terms.push(term)
    } else if (term.length > 1) terms.push(stem(term))
  }
  if (parts.length > 1) {
    const whole = parts.join('').toLowerCase().slice(0, MAX_TERM)
    if (!/^\d*$/.test(whole)) terms.push(whole)
  }
  return {
    text: terms.join(' '),
    terms: Int32Array.from(terms.filter((term) => !STOP_WORDS.has(term)), numberOf),
  }
}

function numberOf(term: string): number {
  let number = numbers.get(term)
  if (number === undefined) {
    number = numbers.size
    numbers.set(term, number)
    if (2 * number + 2 > slots.length) {
      const larger = new Int32Array(2 * slots.length)
      larger.set(slots)
      slots = larger
    }
    hashPlaces(term, slots, 2 * number)
  }
  return number
}

/** Strips a lower-case word of common English endings, so that at least three letters are left. */
function stem(word: string): string {
  if (word.length < 4 || !/^[\x00-\x7f]*[a-z]$/.test(word)) return word
  let left = withoutPlural(word)
  for (const ending of ['ing', 'ed']) {
    const shorter = left.slice(0, -ending.length)
    if (left.endsWith(ending) && isStem(shorter)) {
      left = /([^lszeo])\1$/.test(shorter) && shorter.length > 3 ? shorter.slice(0, -1) : shorter
      break
    }
  }
  if (left.endsWith('e') || /[^aeiou]y$/.test(left)) {
    const shorter = left.slice(0, -1)
    if (isStem(shorter)) return shorter
  }
  return left
}

function isStem(text: string): boolean {
  return text.length >= 3 && /[aeiouy]/.test(text)
}

function withoutPlural(word: string): string {
  if (/(ies|ied)$/.test(word) && word.length >= 6) return word.slice(0, -3)
  if (/(ss|us|is)$/.test(word)) return word
  const ending = /(sses|shes|ches|xes|zzes)$/.exec(word)?.[0]
  if (ending !== undefined && word.length > ending.length + 1) return word.slice(0, -2)
  return word.endsWith('s') && word.length >= 4 ? word.slice(0, -1) : word
}

const encoder = new TextEncoder()

// 64 bits as two halves: a bigint of each byte would be far slower.
let high = 0
let low = 0

function multiply(byHigh: number, byLow: number): void {
  const [a0, a1] = [low & 0xffff, low >>> 16]
  const [b0, b1] = [byLow & 0xffff, byLow >>> 16]
  const bottom = a0 * b0
  const middle = a1 * b0 + (bottom >>> 16)
  const other = a0 * b1 + (middle & 0xffff)
  const carry = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
  high = (carry + Math.imul(low, byHigh) + Math.imul(high, byLow)) >>> 0
  low = (((other & 0xffff) << 16) | (bottom & 0xffff)) >>> 0
}

function shiftXor(by: number): void {
  const shiftedLow = ((low >>> by) | (high << (32 - by))) >>> 0
  high = (high ^ (high >>> by)) >>> 0
  low = (low ^ shiftedLow) >>> 0
}

/** The finaliser of SplitMix64. */
function mix(): void {
  low += 0x7f4a7c15
  high = (high + 0x9e3779b9 + (low > 0xffffffff ? 1 : 0)) >>> 0
  low >>>= 0
  shiftXor(30)
  multiply(0xbf58476d, 0x1ce4e5b9)
  shiftXor(27)
  multiply(0x94d049bb, 0x133111eb)
  shiftXor(31)
}

/** Writes the two places that a term adds to, by its FNV-1a hash. */
function hashPlaces(term: string, into: Int32Array, at: number): void {
  high = 0xcbf29ce4
  low = 0x84222325
  for (const byte of encoder.encode(term)) {
    low = (low ^ byte) >>> 0
    multiply(0x100, 0x1b3)
  }
  mix()
  for (let place = 0; place < 2; place++) {
    // Bits 33 and up, modulo the dimension.
    into[at + place] = ((high >>> 1) % DIMENSION) * 2 + (low & 1)
    mix()
  }
}

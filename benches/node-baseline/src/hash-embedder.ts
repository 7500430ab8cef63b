// Texts to vectors by signed feature hashing: each distinct term adds plus or minus ln(1 + count) at two places that its
// hash names, and the sum is brought to length 1.

import { DIMENSION, eachWord, placesOf } from './terms.js'

/** What is embedded of a chunk. */
export interface EmbedInput {
  names: string
  place: string
  code: string
}

const NAME_WEIGHT = 3

/** By the number of a term, how often it was met in the text at hand. */
let counts = new Float64Array(1 << 16)
let met = new Int32Array(1 << 12)
let metCount = 0

function add(text: string, weight: number): void {
  eachWord(text, ({ terms }) => {
    for (let at = 0; at < terms.length; at++) {
      const term = terms[at]
      if (term >= counts.length) {
        const larger = new Float64Array(2 * Math.max(term, counts.length))
        larger.set(counts)
        counts = larger
      }
      if (counts[term] === 0) {
        if (metCount === met.length) {
          const larger = new Int32Array(2 * met.length)
          larger.set(met)
          met = larger
        }
        met[metCount++] = term
      }
      counts[term] += weight
    }
  })
}

/** Writes the vector of a chunk into `vectors`. */
export function embed(input: EmbedInput, vectors: Float32Array, offset: number): void {
  metCount = 0
  add(input.code, 1)
  add(input.names, NAME_WEIGHT)
  add(input.place, 1)
  const vector = new Float64Array(DIMENSION)
  for (let at = 0; at < metCount; at++) {
    const term = met[at]
    const weight = Math.log(1 + counts[term])
    counts[term] = 0
    for (const place of placesOf(term)) vector[place >> 1] += place & 1 ? -weight : weight
  }
  let sum = 0
  for (const value of vector) sum += value * value
  const norm = sum > 0 ? 1 / Math.sqrt(sum) : 0
  for (let at = 0; at < DIMENSION; at++) vectors[offset + at] = vector[at] * norm
}

/** The vector of what somebody looks for. */
export function embedQuery(text: string): Float32Array {
  const vector = new Float32Array(DIMENSION)
  embed({ names: '', place: '', code: text }, vector, 0)
  return vector
}

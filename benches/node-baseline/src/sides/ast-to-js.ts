// What JavaScript gets of syntax: definitions as objects, and every node of a tree.

import { loadFiles } from '../corpus.js'
import type { LanguageName } from '../languages/index.js'
import { fileOf, load } from '../modules.js'
import type { CodeSymbol } from '../outline.js'
import type { Arguments, Side } from '../protocol.js'
import { read } from '../read.js'
import { type TreeReader, grammarPackage, webTreeSitter } from '../syntax/parsers.js'
import type { Cursor } from '../syntax/tree.js'
import { type Binding, packagesOf } from './parse.js'

/** As many definitions are asked for. */
export const SYMBOLS = 100_000

/** Definitions as objects, from texts in memory: there is no index that has them. */
export function objectsSide(args: Arguments): Side {
  const files = loadFiles(args)
  const languages = new Set(files.map((file) => file.language))
  let reader: TreeReader
  let enough = files.length
  const run = (): CodeSymbol[] => {
    const all: CodeSymbol[] = []
    for (let at = 0; at < enough && all.length < SYMBOLS; at++) {
      const { bytes, language, path } = files[at]
      for (const symbol of read(reader, path, language, bytes.toString()).symbols) all.push(symbol)
    }
    if (all.length > SYMBOLS) all.length = SYMBOLS
    return all
  }
  return {
    packages: packagesOf('web-tree-sitter', languages),
    threads: 1,
    async prepare() {
      reader = await webTreeSitter(languages, 'cursor')
      // Of all languages alike.
      let state = 1
      for (let at = files.length - 1; at > 0; at--) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        const other = state % (at + 1)
        ;[files[at], files[other]] = [files[other], files[at]]
      }
      enough = files.length
    },
    answers: () => ({ symbols: run().length }),
    round: () => ({ units: run().length }),
  }
}

/** Every node of trees that are parsed before, by a cursor: its kind, range and field. */
export function walkSide(args: Arguments, binding: Binding): Side {
  const files = loadFiles({ ...args, limitFiles: args.limitFiles || 400, share: Math.min(args.share, 0.05) })
  const languages = new Set(files.map((file) => file.language))
  const cursors: (() => Cursor)[] = []
  const run = (): { nodes: number; sum: number } => {
    let nodes = 0
    let sum = 0
    for (const walk of cursors) {
      const cursor = walk()
      walking: for (;;) {
        nodes++
        sum = (sum + cursor.nodeTypeId + cursor.startIndex + cursor.endIndex + cursor.currentFieldId) | 0
        if (cursor.gotoFirstChild()) continue
        while (!cursor.gotoNextSibling()) if (!cursor.gotoParent()) break walking
      }
      ;(cursor as { delete?(): void }).delete?.()
    }
    return { nodes, sum }
  }
  return {
    packages: packagesOf(binding, languages),
    threads: 1,
    async prepare() {
      const parse = binding === 'web-tree-sitter' ? await webTrees(languages) : nativeTrees()
      for (const { bytes, language } of files) cursors.push(parse(bytes.toString(), language))
    },
    answers: () => ({ files: files.length, ...run() }),
    round: () => ({ units: run().nodes }),
  }
}

type Parse = (text: string, language: LanguageName) => () => Cursor

async function webTrees(languages: Iterable<LanguageName>): Promise<Parse> {
  const { Language, Parser } = load<typeof import('web-tree-sitter')>('web-tree-sitter')
  await Parser.init()
  const parser = new Parser()
  const grammars = new Map<LanguageName, InstanceType<typeof Language>>()
  for (const name of languages) grammars.set(name, await Language.load(fileOf(grammarPackage(name), `tree-sitter-${name}.wasm`)))
  return (text, language) => {
    parser.setLanguage(grammars.get(language) ?? null)
    const tree = parser.parse(text)
    if (tree === null) throw new Error(`no tree for ${language}`)
    return () => tree.walk()
  }
}

function nativeTrees(): Parse {
  const Parser = load<typeof import('tree-sitter')>('tree-sitter')
  const parser = new Parser()
  return (text, language) => {
    const grammar = load<Record<string, unknown>>(grammarPackage(language))
    const isPair = language === 'typescript' || language === 'tsx'
    parser.setLanguage((isPair ? grammar[language] : grammar) as Parameters<typeof parser.setLanguage>[0])
    const tree = parser.parse(text, undefined, { bufferSize: Math.max(32 * 1024, 2 * text.length + 2) })
    return () => tree.walk() as unknown as Cursor
  }
}

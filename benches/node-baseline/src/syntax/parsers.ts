// The bindings of tree-sitter, each reading texts into rows.

import type { LanguageName } from '../languages/index.js'
import { rulesOf } from '../languages/index.js'
import { fileOf, load } from '../modules.js'
import { NodeTree, SyntaxTree } from './tree.js'

/** Parses texts, one after the other: each takes the place of the one before. */
export interface TreeReader {
  read(text: string, language: LanguageName): SyntaxTree
}

/** The package of a language's grammar, which carries it compiled for both bindings. */
export function grammarPackage(language: LanguageName): string {
  return `tree-sitter-${language === 'tsx' ? 'typescript' : language}`
}

/** Units that a parser in WebAssembly takes at a time; more than its buffer has room for would be lost. */
const WASM_CHUNK = 5_000

/** web-tree-sitter with these languages, reading trees by a cursor or by node objects. */
export async function webTreeSitter(languages: Iterable<LanguageName>, by: 'cursor' | 'nodes'): Promise<TreeReader> {
  const { Language, Parser } = load<typeof import('web-tree-sitter')>('web-tree-sitter')
  await Parser.init()
  const parsers = new Map<LanguageName, InstanceType<typeof Parser>>()
  for (const name of languages) {
    const parser = new Parser()
    parser.setLanguage(await Language.load(fileOf(grammarPackage(name), `tree-sitter-${name}.wasm`)))
    parsers.set(name, parser)
  }
  const byCursor = new SyntaxTree()
  const byNodes = new NodeTree()
  let before: { delete(): void } | undefined
  return {
    read(text, language) {
      const tree = parsers.get(language)?.parse((index) => text.slice(index, index + WASM_CHUNK))
      if (!tree) throw new Error(`web-tree-sitter gave no tree for ${language}`)
      const { grammar } = rulesOf(language)
      if (by === 'nodes') {
        byNodes.readNodes(grammar, text, tree.rootNode)
        // Memory of WebAssembly is not collected, and nodes are asked as long as theirs is read.
        before?.delete()
        before = tree
        return byNodes
      }
      const cursor = tree.walk()
      byCursor.readCursor(grammar, text, cursor)
      cursor.delete()
      tree.delete()
      return byCursor
    },
  }
}

/** The native binding of tree-sitter. */
export function nodeTreeSitter(languages: Iterable<LanguageName>, by: 'cursor' | 'nodes'): TreeReader {
  const Parser = load<typeof import('tree-sitter')>('tree-sitter')
  const parsers = new Map<LanguageName, InstanceType<typeof Parser>>()
  for (const name of languages) {
    const parser = new Parser()
    const grammar = load<Record<string, unknown>>(grammarPackage(name))
    const isPair = name === 'typescript' || name === 'tsx'
    parser.setLanguage((isPair ? grammar[name] : grammar) as Parameters<typeof parser.setLanguage>[0])
    parsers.set(name, parser)
  }
  const byCursor = new SyntaxTree()
  const byNodes = new NodeTree()
  return {
    read(text, language) {
      const parser = parsers.get(language)
      if (parser === undefined) throw new Error(`tree-sitter was not given ${language}`)
      // A text longer than the buffer, which is of 32 KiB by default, is refused or read in pieces.
      const tree = parser.parse(text, undefined, { bufferSize: Math.max(32 * 1024, 2 * text.length + 2) })
      const { grammar } = rulesOf(language)
      if (by === 'nodes') {
        byNodes.readNodes(grammar, text, tree.rootNode as never)
        return byNodes
      }
      byCursor.readCursor(grammar, text, tree.walk() as never)
      return byCursor
    },
  }
}

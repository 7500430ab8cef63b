// A text to what is in it.

import { stemOf } from './corpus.js'
import { type LanguageName, rulesOf } from './languages/index.js'
import { isMinified } from './minified.js'
import { type Outline, lineCount, linesOf, outline } from './outline.js'
import type { TreeReader } from './syntax/parsers.js'
import type { SyntaxTree } from './syntax/tree.js'

/** The definitions and mentions of a text, and its tree, which is good until the next one is read; none if it is minified. */
export function read(reader: TreeReader, path: string, language: LanguageName, text: string): Outline & { tree?: SyntaxTree } {
  if (isMinified(text)) return { symbols: [], references: [], lines: lineCount(text, linesOf(text)) }
  const tree = reader.read(text, language)
  return { ...outline(tree, rulesOf(language), stemOf(path)), tree }
}

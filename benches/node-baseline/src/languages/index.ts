// The languages, and how files are told apart.

import { Language, type Rules } from '../outline.js'
import { cpp } from './cpp.js'
import { java } from './java.js'
import { javascript } from './javascript.js'
import { python } from './python.js'
import { rust } from './rust.js'
import { typescript } from './typescript.js'

export const LANGUAGE_NAMES = ['rust', 'typescript', 'tsx', 'javascript', 'python', 'java', 'cpp'] as const
export type LanguageName = (typeof LANGUAGE_NAMES)[number]

const RULES: Readonly<Record<LanguageName, Rules>> = {
  rust,
  typescript,
  tsx: typescript,
  javascript,
  python,
  java,
  cpp,
}

const EXTENSIONS = new Map<string, LanguageName>(
  (
    [
      ['rust', 'rs'],
      ['typescript', 'ts cts mts'],
      ['tsx', 'tsx'],
      ['javascript', 'js cjs jsx mjs'],
      ['python', 'py pyi pyw'],
      ['java', 'java'],
      ['cpp', 'cpp C H c++ cc cppm cxx h h++ hh hpp hxx inl ipp ixx tcc tpp'],
    ] as const
  ).flatMap(([language, extensions]) => extensions.split(' ').map((extension) => [extension, language] as const)),
)

/** The language of a file, by its extension. */
export function languageOf(path: string): LanguageName | undefined {
  const extension = path.slice(path.lastIndexOf('.') + 1)
  return EXTENSIONS.get(extension) ?? EXTENSIONS.get(extension.toLowerCase())
}

const loaded = new Map<LanguageName, Language>()

/** The rules of a language. */
export function rulesOf(name: LanguageName): Language {
  let language = loaded.get(name)
  if (language === undefined) loaded.set(name, (language = new Language(RULES[name])))
  return language
}

// The files of a row: those of the list that all sides are given.

import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LANGUAGE_NAMES, type LanguageName, languageOf } from './languages/index.js'
import type { Arguments } from './protocol.js'

export interface SourceFile {
  /** Relative to the corpus. */
  path: string
  language: LanguageName
}

/** A file as it is on disk. */
export interface FoundFile extends SourceFile {
  size: number
  modifiedMs: number
}

export interface LoadedFile extends SourceFile {
  bytes: Buffer
}

const MAX_BYTES = 1 << 20

/** The files of the list in the scratch folder; without a list, those of the corpus in our languages. */
export function listFiles(args: Arguments): SourceFile[] {
  const list = join(args.scratch, 'files.txt')
  let files: SourceFile[]
  if (existsSync(list)) {
    files = readFileSync(list, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [path = '', language = ''] = line.split('\t')
        if (!isLanguage(language)) throw new Error(`${list}: no language is ${JSON.stringify(language)}`)
        return { path, language }
      })
  } else {
    files = walk(args.corpus)
  }
  if (args.share < 1) {
    // Every so many files, so that all languages are there.
    files = files.filter((_, at) => Math.floor((at + 1) * args.share) > Math.floor(at * args.share))
  }
  return args.limitFiles > 0 ? files.slice(0, args.limitFiles) : files
}

function isLanguage(name: string): name is LanguageName {
  return (LANGUAGE_NAMES as readonly string[]).includes(name)
}

/** The source files below a directory, in order of their paths. */
export function walk(root: string): FoundFile[] {
  const files: FoundFile[] = []
  const directories = ['']
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.')) directories.push(path)
      } else if (entry.isFile()) {
        const language = languageOf(entry.name)
        if (language === undefined) continue
        const { size, mtimeMs } = statSync(join(root, path))
        if (size <= MAX_BYTES) files.push({ path, language, size, modifiedMs: mtimeMs })
      }
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The files with their bytes. */
export function loadFiles(args: Arguments): LoadedFile[] {
  return listFiles(args).map((file) => ({ ...file, bytes: readFileSync(join(args.corpus, file.path)) }))
}

/** The name of a file without folder and extension. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}

/**
 * A directory with nothing but the files of the row, as a tree of its own: links, or copies if they will be written to.
 */
export function treeOf(args: Arguments, files: readonly SourceFile[], writable: boolean): string {
  const root = join(args.scratch, `${args.side}-tree`)
  rmSync(root, { recursive: true, force: true })
  const made = new Set<string>()
  for (const { path } of files) {
    const target = join(root, path)
    const folder = dirname(target)
    if (!made.has(folder)) mkdirSync(folder, { recursive: true })
    made.add(folder)
    const source = join(args.corpus, path)
    if (writable) copyFileSync(source, target)
    else linkOrCopy(source, target)
  }
  return root
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target)
  }
}

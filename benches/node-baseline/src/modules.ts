// The packages that are measured, from the folder in which they are installed.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

let folder = process.cwd()
let requireFrom = createRequire(join(folder, 'package.json'))

/** Says where the packages are. */
export function useModules(path: string): void {
  folder = path
  requireFrom = createRequire(join(folder, 'package.json'))
}

export function modulesFolder(): string {
  return folder
}

/** Loads a package; `T` is what `import` of it would be. */
export function load<T>(name: string): T {
  return requireFrom(name) as T
}

/** The path of a file of a package. */
export function fileOf(name: string, file: string): string {
  return join(folder, 'node_modules', name, file)
}

/** The versions of packages, by their names. */
export function versions(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, (JSON.parse(readFileSync(fileOf(name, 'package.json'), 'utf8')) as { version: string }).version]),
  )
}

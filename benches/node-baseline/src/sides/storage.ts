// Definitions written as rows, and looked up by their names: better-sqlite3, and sqlite3 of npm.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { Database as AsyncDatabase, Statement as AsyncStatement } from 'sqlite3'
import { enginePackage } from '../engine.js'
import { listFiles } from '../corpus.js'
import { PRAGMAS } from '../index/store.js'
import { load, versions } from '../modules.js'
import { type Arguments, type Measured, type Side, stopwatch } from '../protocol.js'

/** Files a transaction, as an index run takes of ordinary size. */
const FILES_A_TRANSACTION = 512
const LOOKUPS = 10_000
/** The most definitions a lookup gives. */
const LIMIT = 20

const TABLES = `
  CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL) STRICT;
  CREATE TABLE symbols (
    id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, parent INTEGER,
    start INTEGER NOT NULL, end INTEGER NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    signature TEXT NOT NULL, doc TEXT
  ) STRICT;
  CREATE INDEX symbols_by_name ON symbols (name);
  CREATE INDEX symbols_by_file ON symbols (file_id);
`
const INSERT_FILE = 'INSERT INTO files VALUES (?, ?)'
const INSERT = 'INSERT INTO symbols VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const LOOK_UP = `
  SELECT path, symbols.* FROM symbols JOIN files ON files.id = file_id WHERE name = ? ORDER BY symbols.id LIMIT ${LIMIT}
`
const SUM = `
  SELECT count(*) AS rows,
    coalesce(sum(start + 3 * end + 5 * first_line + 7 * last_line + 11 * octet_length(name) + 13 * octet_length(signature)), 0) AS sum
  FROM symbols
`

interface File {
  path: string
  /** Name, kind, parent, start, end, first line, last line, signature, documentation. */
  rows: [string, string, number | null, number, number, number, number, string, string | null][]
}

interface Found {
  start: number
}

/** A library of SQLite, as it is best used. */
interface Library {
  open(path: string): Promise<void>
  write(files: readonly File[]): Promise<void>
  sum(): Promise<{ rows: number; sum: number }>
  lookUp(name: string): Promise<Found[]> | Found[]
  close(): Promise<void>
}

/** The definitions of the files as our parser finds them, so that all sides have the very same rows. */
async function rowsOf(args: Arguments): Promise<File[]> {
  const { AstCoreEngineApi } = enginePackage()
  const engine = await AstCoreEngineApi.open(join(args.scratch, 'rows.db'))
  const list = listFiles(args)
  const files: File[] = []
  for (let at = 0; at < list.length; at += FILES_A_TRANSACTION) {
    const part = list.slice(at, at + FILES_A_TRANSACTION)
    const reply = await engine.outline(part.map(({ path }) => join(args.corpus, path)))
    for (const { path, symbols } of reply.files) {
      files.push({
        path,
        rows: symbols.map((symbol) => [
          symbol.name, symbol.kind, symbol.parent, symbol.startByte, symbol.endByte, symbol.startLine, symbol.endLine,
          symbol.signature, symbol.doc,
        ]),
      })
    }
  }
  await engine.close()
  return files
}

export function storageSide(args: Arguments, name: 'better-sqlite3' | 'sqlite3', work: 'write' | 'lookup'): Side {
  const library = name === 'sqlite3' ? sqlite3() : betterSqlite3()
  const path = join(args.scratch, 'storage.db')
  let files: File[] = []
  let rows = 0
  let names: string[] = []
  const write = async (): Promise<Measured> => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    await library.open(path)
    const stop = stopwatch()
    await library.write(files)
    return stop()
  }
  const lookUpAll = async (latenciesUs?: number[]): Promise<{ rows: number; sum: number }> => {
    const total = { rows: 0, sum: 0 }
    for (const wanted of names) {
      const begin = performance.now()
      const answer = library.lookUp(wanted)
      const found = Array.isArray(answer) ? answer : await answer
      latenciesUs?.push((performance.now() - begin) * 1e3)
      total.rows += found.length
      for (const { start } of found) total.sum += start
    }
    return total
  }
  const told = ({ rows, sum }: { rows: number; sum: number }): Record<string, unknown> => ({ rows, sum: String(sum) })
  return {
    packages: versions(name),
    threads: 1,
    async prepare() {
      files = await rowsOf(args)
      const all = files.flatMap((file) => file.rows)
      rows = all.length
      const lookups = Math.min(LOOKUPS, rows)
      names = Array.from({ length: lookups }, (_, at) => all[Math.floor((at * rows) / lookups)][0])
      if (work === 'lookup') await write()
    },
    async answers() {
      if (work === 'lookup') return told(await lookUpAll())
      await write()
      const sum = await library.sum()
      await library.close()
      return told(sum)
    },
    async round() {
      if (work === 'write') {
        const measured = await write()
        await library.close()
        return { units: rows, measured }
      }
      const latenciesUs: number[] = []
      await lookUpAll(latenciesUs)
      return { units: names.length, latenciesUs }
    },
  }
}

function betterSqlite3(): Library {
  const Sqlite = load<typeof import('better-sqlite3')>('better-sqlite3')
  let database: Database.Database
  let select: Database.Statement
  return {
    async open(path) {
      database = new Sqlite(path)
      for (const pragma of PRAGMAS) database.pragma(pragma)
      database.exec(TABLES)
      select = database.prepare(LOOK_UP)
    },
    async write(files) {
      const putFile = database.prepare(INSERT_FILE)
      const put = database.prepare(INSERT)
      const commit = database.transaction((from: number, to: number) => {
        for (let file = from; file < to; file++) {
          putFile.run(file, files[file].path)
          for (const row of files[file].rows) put.run(file, ...row)
        }
      })
      for (let from = 0; from < files.length; from += FILES_A_TRANSACTION) {
        commit(from, Math.min(from + FILES_A_TRANSACTION, files.length))
      }
    },
    sum: async () => database.prepare(SUM).get() as { rows: number; sum: number },
    lookUp: (name) => select.all(name) as Found[],
    close: async () => void database.close(),
  }
}

function sqlite3(): Library {
  const { Database } = load<typeof import('sqlite3')>('sqlite3')
  let database: AsyncDatabase
  let select: AsyncStatement
  const run = (sql: string): Promise<void> =>
    new Promise((resolve, reject) => database.exec(sql, (error) => (error === null ? resolve() : reject(error))))
  const get = <T>(sql: string): Promise<T> =>
    new Promise((resolve, reject) => database.get<T>(sql, (error, row) => (error === null ? resolve(row) : reject(error))))
  return {
    async open(path) {
      await new Promise<void>((resolve, reject) => {
        database = new Database(path, (error) => (error === null ? resolve() : reject(error)))
      })
      for (const pragma of PRAGMAS) await run(`PRAGMA ${pragma}`)
      await run(TABLES)
      select = database.prepare(LOOK_UP)
    },
    async write(files) {
      const putFile = database.prepare(INSERT_FILE)
      const put = database.prepare(INSERT)
      for (let from = 0; from < files.length; from += FILES_A_TRANSACTION) {
        // Statements are queued in order; only the end of a transaction is waited for.
        const written = new Promise<void>((resolve, reject) => {
          database.serialize(() => {
            const failed = (error: Error | null): void => {
              if (error !== null) reject(error)
            }
            database.run('BEGIN IMMEDIATE', failed)
            for (let file = from; file < Math.min(from + FILES_A_TRANSACTION, files.length); file++) {
              putFile.run(file, files[file].path, failed)
              for (const row of files[file].rows) put.run(file, ...row, failed)
            }
            database.run('COMMIT', (error: Error | null) => (error === null ? resolve() : reject(error)))
          })
        })
        await written
      }
      await Promise.all([putFile, put].map((statement) => new Promise<void>((resolve) => statement.finalize(() => resolve()))))
    },
    sum: () => get(SUM),
    lookUp: (name) =>
      new Promise((resolve, reject) => {
        select.all<Found>(name, (error: Error | null, rows: Found[]) => (error === null ? resolve(rows) : reject(error)))
      }),
    close: async () => {
      await new Promise<void>((resolve) => select.finalize(() => resolve()))
      await new Promise<void>((resolve, reject) => database.close((error) => (error === null ? resolve() : reject(error))))
    },
  }
}

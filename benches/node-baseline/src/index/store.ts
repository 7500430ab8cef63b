// The index in SQLite: files, definitions, mentions, chunks, and their terms in FTS5.

import type Database from 'better-sqlite3'
import { load } from '../modules.js'
import { type AnalysedFile, CHUNK_WIDTH, REFERENCE_WIDTH, SYMBOL_WIDTH } from './analyse.js'

/** The same as the engine's store has. */
export const PRAGMAS = ['journal_mode = WAL', 'synchronous = NORMAL', 'cache_size = -16384', 'wal_autocheckpoint = 4000']

const TABLES = `
  CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, language TEXT NOT NULL, size INTEGER NOT NULL,
    modified_ms REAL NOT NULL, hash BLOB NOT NULL, lines INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE symbols (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, parent INTEGER NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  CREATE TABLE refs (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, start INTEGER NOT NULL,
    end INTEGER NOT NULL, line INTEGER NOT NULL, symbol INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    first_line INTEGER NOT NULL, last_line INTEGER NOT NULL, symbol INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE vectors (file INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
  CREATE VIRTUAL TABLE words USING fts5 (
    names, place, code, content = '', contentless_delete = 1, detail = column, tokenize = 'ascii'
  );
`

// Making them after the rows is faster.
const INDEXES = `
  CREATE INDEX IF NOT EXISTS symbols_by_name ON symbols (name);
  CREATE INDEX IF NOT EXISTS symbols_by_file ON symbols (file);
  CREATE INDEX IF NOT EXISTS refs_by_name ON refs (name);
  CREATE INDEX IF NOT EXISTS refs_by_file ON refs (file);
  CREATE INDEX IF NOT EXISTS chunks_by_file ON chunks (file);
`

/** How many rows a statement inserts where there are many: a call costs more than a row. */
const ROWS_A_STATEMENT = 16

/** A file that the index has. */
export interface KnownFile {
  id: number
  path: string
  size: number
  modifiedMs: number
  hash: Buffer
}

/** Inserts rows of one table, several a statement. */
class Rows {
  private readonly one: Database.Statement
  private readonly many: Database.Statement
  private values: unknown[] = []
  private readonly width: number
  private readonly full: number

  constructor(database: Database.Database, table: string, columns: string) {
    const width = columns.split(',').length
    const row = `(${new Array(width).fill('?').join(',')})`
    const insert = `INSERT INTO ${table} (${columns}) VALUES `
    this.full = width * ROWS_A_STATEMENT
    this.width = width
    this.one = database.prepare(insert + row)
    this.many = database.prepare(insert + new Array(ROWS_A_STATEMENT).fill(row).join(','))
  }

  push(...row: unknown[]): void {
    this.values.push(...row)
    if (this.values.length === this.full) {
      this.many.run(this.values)
      this.values = []
    }
  }

  flush(): void {
    for (let at = 0; at < this.values.length; at += this.width) this.one.run(this.values.slice(at, at + this.width))
    this.values = []
  }
}

export class IndexStore {
  readonly database: Database.Database
  private readonly symbols: Rows
  private readonly references: Rows
  private readonly chunks: Rows
  private readonly insertFile: Database.Statement
  private readonly insertWords: Database.Statement
  private readonly insertVectors: Database.Statement
  private nextFile: number
  private nextChunk: number

  constructor(path: string) {
    const Database = load<typeof import('better-sqlite3')>('better-sqlite3')
    this.database = new Database(path)
    for (const pragma of PRAGMAS) this.database.pragma(pragma)
    if (this.database.pragma('user_version', { simple: true }) === 0) {
      this.database.transaction(() => {
        this.database.exec(TABLES)
        this.database.pragma('user_version = 1')
      })()
    }
    const next = (table: string): number =>
      (this.database.prepare(`SELECT coalesce(max(id), 0) + 1 FROM ${table}`).pluck().get() as number) | 0
    this.nextFile = next('files')
    this.nextChunk = next('chunks')
    this.symbols = new Rows(
      this.database, 'symbols', 'file, name, kind, parent, start, end, first_line, last_line, signature',
    )
    this.references = new Rows(this.database, 'refs', 'file, name, kind, start, end, line, symbol')
    this.chunks = new Rows(this.database, 'chunks', 'id, file, start, end, first_line, last_line, symbol')
    this.insertFile = this.database.prepare('INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.insertWords = this.database.prepare('INSERT INTO words (rowid, names, place, code) VALUES (?, ?, ?, ?)')
    this.insertVectors = this.database.prepare('INSERT INTO vectors VALUES (?, ?)')
  }

  known(): Map<string, KnownFile> {
    const rows = this.database.prepare('SELECT id, path, size, modified_ms AS modifiedMs, hash FROM files').all() as KnownFile[]
    return new Map(rows.map((row) => [row.path, row]))
  }

  transaction<T>(work: () => T): T {
    return this.database.transaction(work).immediate()
  }

  /** Adds a file; the id of its first chunk. The vectors are stored if so told. */
  add(file: AnalysedFile, withVectors: boolean): number {
    const id = this.nextFile++
    const firstChunk = this.nextChunk
    this.insertFile.run(id, file.path, file.language, file.size, file.modifiedMs, file.hash, file.lines)
    const { symbols, symbolTexts, references, referenceNames, chunks, chunkTerms } = file
    for (let at = 0, row = 0; at < symbols.length; at += SYMBOL_WIDTH, row++) {
      this.symbols.push(
        id, symbolTexts[2 * row], symbols[at], symbols[at + 1], symbols[at + 2], symbols[at + 3], symbols[at + 4],
        symbols[at + 5], symbolTexts[2 * row + 1],
      )
    }
    for (let at = 0, row = 0; at < references.length; at += REFERENCE_WIDTH, row++) {
      this.references.push(
        id, referenceNames[row], references[at], references[at + 1], references[at + 2], references[at + 3], references[at + 4],
      )
    }
    for (let at = 0, row = 0; at < chunks.length; at += CHUNK_WIDTH, row++) {
      const chunk = this.nextChunk++
      this.chunks.push(chunk, id, chunks[at], chunks[at + 1], chunks[at + 2], chunks[at + 3], chunks[at + 4])
      this.insertWords.run(chunk, chunkTerms[3 * row], chunkTerms[3 * row + 1], chunkTerms[3 * row + 2])
    }
    if (withVectors) {
      const { buffer, byteOffset, byteLength } = file.vectors
      this.insertVectors.run(id, Buffer.from(buffer, byteOffset, byteLength))
    }
    return firstChunk
  }

  /** Writes what is left of rows that go several a statement; before the end of a transaction. */
  flush(): void {
    this.symbols.flush()
    this.references.flush()
    this.chunks.flush()
  }

  /** Takes a file out; the ids of its chunks. */
  remove(file: number): number[] {
    const prepare = (sql: string): Database.Statement => this.database.prepare(sql)
    const chunks = prepare('SELECT id FROM chunks WHERE file = ?').pluck().all(file) as number[]
    const removeWords = prepare('DELETE FROM words WHERE rowid = ?')
    for (const chunk of chunks) removeWords.run(chunk)
    for (const table of ['symbols', 'refs', 'chunks', 'vectors']) prepare(`DELETE FROM ${table} WHERE file = ?`).run(file)
    prepare('DELETE FROM files WHERE id = ?').run(file)
    return chunks
  }

  /** Notes that a file is the same though its time is another. */
  touch(file: number, modifiedMs: number): void {
    this.database.prepare('UPDATE files SET modified_ms = ? WHERE id = ?').run(modifiedMs, file)
  }

  makeIndexes(): void {
    this.database.exec(INDEXES)
  }

  counts(): Record<'files' | 'symbols' | 'refs' | 'chunks', number> {
    const count = (table: string): number => this.database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
    return { files: count('files'), symbols: count('symbols'), refs: count('refs'), chunks: count('chunks') }
  }

  close(): void {
    this.database.pragma('wal_checkpoint(TRUNCATE)')
    this.database.close()
  }
}

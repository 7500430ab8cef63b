// Inserts definitions as rows, by better-sqlite3: better-sqlite3.mjs ROWS MODULES.
//
// ROWS has one JSON array a line: the definitions of a file, each as the values of a row. MODULES is where the package is
// installed. Each line that comes in is the path of a database that is not there; each that goes out is {"wall", "cpu"} in
// seconds, from an open database with its tables to the last commit.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [rows, modules] = process.argv.slice(2)
const Database = createRequire(join(modules, 'package.json'))('better-sqlite3')
const files = readFileSync(rows, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))

// As many files a transaction as an index run takes of ordinary size.
const FILES_A_TRANSACTION = 512

function insert(path) {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.pragma('cache_size = -16384')
  database.pragma('wal_autocheckpoint = 4000')
  database.exec(`
    CREATE TABLE symbols (
      id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, parent INTEGER,
      start INTEGER NOT NULL, end INTEGER NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
      signature TEXT NOT NULL, doc TEXT
    ) STRICT;
    CREATE INDEX symbols_by_name ON symbols (name COLLATE NOCASE);
    CREATE INDEX symbols_by_file ON symbols (file_id);
  `)
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  const put = database.prepare('INSERT INTO symbols VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const commit = database.transaction((from, to) => {
    for (let file = from; file < to; file++) for (const symbol of files[file]) put.run(file, ...symbol)
  })
  for (let from = 0; from < files.length; from += FILES_A_TRANSACTION) {
    commit(from, Math.min(from + FILES_A_TRANSACTION, files.length))
  }
  const used = process.cpuUsage(cpu)
  const took = { wall: Number(process.hrtime.bigint() - wall) / 1e9, cpu: (used.user + used.system) / 1e6 }
  database.close()
  return took
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(insert(line)))

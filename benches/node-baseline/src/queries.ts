// What is searched for in the corpus: the list that `benches/src/queries.rs` reads, too.

import { readFileSync } from 'node:fs'

export const QUERIES: readonly string[] = readFileSync(new URL('../../queries.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')

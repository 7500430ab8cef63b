// How long an agent waits for search_code: `node latency.mjs TREE [FLAGS]` in this folder, after `cargo xtask mcp`. The tree is
// indexed first if it has no index.

import { connect, CLIENTS } from './clients.mjs'

const QUERIES = [
  'where is the configuration read',
  'retry a failed request',
  'parse the command line',
  'how are errors turned into messages',
  'open a connection to the database',
  'write a file atomically',
  'compare two versions',
  'hash a password',
  'cache with a limit',
  'split a path into parts',
  'read_line',
  'Parser.next',
  'to_string',
  'timeout',
  'escape html'
]
const ROUNDS = 40

const [tree, ...args] = process.argv.slice(2)
const session = await connect({ after() {} }, CLIENTS['@modelcontextprotocol/sdk'], tree, args)
const { structuredContent: before } = await session.call('index_status')
if (before.index.state === 'missing') {
  await session.call('index_workspace', {}, { timeout: 3_600_000 })
}
while ((await session.call('index_status')).structuredContent.index.state === 'updating') {
  await new Promise((resolve) => setTimeout(resolve, 100))
}
const { structuredContent: status } = await session.call('index_status')
console.log(`${status.files} files, ${status.chunks} chunks, follows the tree: ${status.follows}`)

const shapes = { rows: {}, 'rows and code': { bodies: true }, 'words alone': { mode: 'lexical' } }
for (const [name, shape] of Object.entries(shapes)) {
  for (const query of QUERIES) {
    await session.call('search_code', { query, ...shape })
  }
  const times = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const query of QUERIES) {
      const begin = performance.now()
      await session.call('search_code', { query, ...shape })
      times.push(performance.now() - begin)
    }
  }
  times.sort((a, b) => a - b)
  const at = (share) => times[Math.floor(times.length * share)].toFixed(1)
  console.log(`${name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, of ${times.length}`)
}
await session.close()

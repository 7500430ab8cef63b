// One side of a comparison: node side.js SIDE --corpus DIR --scratch DIR --modules DIR [--threads N] [--limit-files N]
// [--share F]. Speaks the protocol of protocol.ts.

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { useModules } from './modules.js'
import { type Arguments, type Side, serve } from './protocol.js'

// Indexes in memory are larger than V8 allows by default.
setFlagsFromString('--max-old-space-size=12288')

const parse = () => import('./sides/parse.js')
const pipeline = () => import('./sides/pipeline.js')
const storage = () => import('./sides/storage.js')
const toJs = () => import('./sides/ast-to-js.js')
const binding = () => import('./sides/binding.js')
const query = () => import('./sides/query.js')

const SIDES: Readonly<Record<string, (args: Arguments) => Promise<Side>>> = {
  'web-tree-sitter-cursor': async (args) => (await parse()).parseSide(args, 'web-tree-sitter', 'cursor'),
  'web-tree-sitter-nodes': async (args) => (await parse()).parseSide(args, 'web-tree-sitter', 'nodes'),
  'node-tree-sitter-cursor': async (args) => (await parse()).parseSide(args, 'node-tree-sitter', 'cursor'),
  'node-tree-sitter-nodes': async (args) => (await parse()).parseSide(args, 'node-tree-sitter', 'nodes'),
  typescript: async (args) => (await import('./sides/scripts.js')).typescriptSide(args),
  oxc: async (args) => (await import('./sides/scripts.js')).oxcSide(args),
  ctags: async (args) => (await import('./sides/ctags.js')).ctagsSide(args),
  'web-tree-sitter': async (args) => (await toJs()).objectsSide(args),
  'web-tree-sitter-walk': async (args) => (await toJs()).walkSide(args, 'web-tree-sitter'),
  'node-tree-sitter-walk': async (args) => (await toJs()).walkSide(args, 'node-tree-sitter'),
  'binding-symbols-columns': async (args) => (await binding()).symbolsSide(args, 'columns'),
  'binding-symbols-objects': async (args) => (await binding()).symbolsSide(args, 'objects'),
  'binding-query': async (args) => (await binding()).querySide(args),
  'better-sqlite3': async (args) => (await storage()).storageSide(args, 'better-sqlite3', 'write'),
  'better-sqlite3-lookup': async (args) => (await storage()).storageSide(args, 'better-sqlite3', 'lookup'),
  sqlite3: async (args) => (await storage()).storageSide(args, 'sqlite3', 'write'),
  'sqlite3-lookup': async (args) => (await storage()).storageSide(args, 'sqlite3', 'lookup'),
  'ts-pipeline': async (args) => (await pipeline()).pipelineSide(args, 'graph', 'cold'),
  'ts-pipeline-warm': async (args) => (await pipeline()).pipelineSide(args, 'graph', 'warm'),
  'ts-pipeline-warm-1pct': async (args) => (await pipeline()).pipelineSide(args, 'graph', 'warm-1pct'),
  'ts-pipeline-flat': async (args) => (await pipeline()).pipelineSide(args, 'flat', 'cold'),
  'ts-pipeline-flat-warm': async (args) => (await pipeline()).pipelineSide(args, 'flat', 'warm'),
  'ts-pipeline-flat-warm-1pct': async (args) => (await pipeline()).pipelineSide(args, 'flat', 'warm-1pct'),
  'ts-pipeline-transformer': async (args) => (await import('./sides/transformer.js')).transformerSide(args),
  'minisearch-vector': async (args) => (await query()).memoryQuerySide(args, 'minisearch'),
  'flexsearch-vector': async (args) => (await query()).memoryQuerySide(args, 'flexsearch'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    corpus: { type: 'string' },
    scratch: { type: 'string' },
    modules: { type: 'string' },
    threads: { type: 'string', default: '1' },
    'limit-files': { type: 'string', default: '0' },
    share: { type: 'string', default: '1' },
  },
})
const [name = ''] = positionals
const make = SIDES[name]
if (make === undefined || values.corpus === undefined || values.scratch === undefined || values.modules === undefined) {
  console.error('usage: side.js SIDE --corpus DIR --scratch DIR --modules DIR [--threads N] [--limit-files N] [--share F]')
  console.error(`sides: ${Object.keys(SIDES).join(' ')}`)
  process.exit(2)
}
const args: Arguments = {
  side: name,
  corpus: resolve(values.corpus),
  scratch: resolve(values.scratch),
  threads: Number(values.threads),
  limitFiles: Number(values['limit-files']),
  share: Number(values.share),
}
mkdirSync(args.scratch, { recursive: true })
useModules(resolve(values.modules))
await serve(args, await make(args))
process.exit(0)

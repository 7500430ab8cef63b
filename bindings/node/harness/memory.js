'use strict';

// Calls of every kind, many times, and what the process takes after half of them and after all: by then caches are full.
//
//     node --expose-gc harness/memory.js [CALLS]

const path = require('node:path');
const { AstCoreEngineApi } = require('ast-core-engine');
const { makeTree, manyFiles } = require('../__test__/tree.js');

const calls = Number(process.argv[2] ?? 10_000);
/** What it may take more at the end: allocators return memory when they like. */
const MOST_GROWTH_BYTES = 8 << 20;

async function settle() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage();
}

async function main() {
  const folders = [];
  const root = makeTree({ after: (clean) => folders.push(clean) }, manyFiles(60));
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  const vector = await engine.embed('function');
  const kinds = [
    () => engine.search('function_3_1'),
    () => engine.searchSimilar(vector),
    () => engine.symbols({ limit: 500 }),
    () => engine.processFile(path.join(root, 'package_1/module_1.py')),
    () => engine.references('function_3_1'),
    () => engine.embed(['one', 'two'], { as: 'code' }),
    (call) => engine.insertVector(`v${call % 10}`, [1, call]),
    () => engine.searchSimilar([1, 2], { collection: 'default' }),
    () => engine.search('x', { signal: AbortSignal.timeout(0) }).catch(() => {}),
    () => engine.processFile(path.join(root, 'none.py')).catch(() => {}),
    () => engine.status(),
  ];
  let before;
  for (let call = 0; call < calls; call++) {
    const result = await kinds[call % kinds.length](call);
    // What is made when it is asked for is made.
    if (result?.symbols) result.symbols.length;
    if (call === Math.floor(calls / 2)) before = await settle();
  }
  const after = await settle();
  await engine.close();
  for (const clean of folders) clean();
  const growth = (name) => after[name] - before[name];
  const shown = (name) => `${name} ${(after[name] / 2 ** 20).toFixed(1)} MiB (${(growth(name) / 2 ** 20).toFixed(1)} more)`;
  console.log(`${calls} calls: ${['rss', 'heapUsed', 'external', 'arrayBuffers'].map(shown).join(', ')}`);
  if (growth('rss') > MOST_GROWTH_BYTES || growth('heapUsed') > MOST_GROWTH_BYTES / 4) {
    console.log('it grows');
    process.exitCode = 1;
  }
}

main();

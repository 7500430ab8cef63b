// What has to go in every runtime; what it prints is to be the same in each:
//
//     node harness/smoke.mjs

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { AstCoreEngineApi, CancelledError, version } from 'ast-core-engine';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ast-core-engine-smoke-')));
for (let file = 0; file < 40; file++) {
  const body = Array.from({ length: 20 }, (_, n) => `def function_${file}_${n}(first):\n    return first + ${n}\n`);
  fs.writeFileSync(path.join(root, `module_${file}.py`), body.join('\n'));
}
const print = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);

assert.equal(createRequire(import.meta.url)('ast-core-engine').AstCoreEngineApi, AstCoreEngineApi);
print('version', version);
const engine = await AstCoreEngineApi.openTree(root);
const progress = [];
const { files } = await engine.index(root, { onProgress: (now) => progress.push(now) });
print('index', [files.indexed, progress.at(-1).filesDone]);
print('search', (await engine.search('function_7_3')).hits[0].path);
const { symbols, columns, timings } = await engine.processFile(path.join(root, 'module_1.py'));
assert.ok(timings.totalMs > 0);
print('file', [symbols.length, symbols[3].name, columns.symbols.lines.slice(0, 4).join()]);
const batch = await engine.processDirectory(root, { enableCaching: false });
let state;
for await (const event of engine.batchEvents(batch)) state = event.state;
print('batch', state);
const vector = await engine.embed('function_7_3');
print('similar', (await engine.searchSimilar(vector, { maxResults: 1 })).length);
await engine.insertVector('a', [1, 0], { metadata: { n: 1 } });
print('vectors', await engine.searchSimilar(new Float32Array([2, 0]), { collection: 'default' }));
await assert.rejects(engine.search('x', { signal: AbortSignal.abort(new Error('no')) }), CancelledError);
await assert.rejects(engine.searchSimilar([1]), { code: 'ERR_DIMENSION_MISMATCH' });
await assert.rejects(engine.processFile(path.join(root, 'none.py')), { code: 'ERR_FILE_NOT_FOUND' });
print('page', (await engine.symbols({ limit: 5 })).symbols.length);
await engine.close();

const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { AstCoreEngineApi } = require(workerData.library);
  AstCoreEngineApi.openTree(workerData.root).then(async (engine) => {
    const { hits } = await engine.search('function_7_3');
    await engine.close();
    parentPort.postMessage(hits[0].path);
  });`;
const library = createRequire(import.meta.url).resolve('ast-core-engine');
const worker = new Worker(source, { eval: true, workerData: { root, library } });
print('worker', await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)));
await worker.terminate();
fs.rmSync(root, { recursive: true });

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi } = require('ast-core-engine');
const { makeFolder, makeTree } = require('./tree.js');

async function opened(t, options) {
  const database = path.join(makeFolder(t), 'index.db');
  const engine = await AstCoreEngineApi.open(database, options);
  t.after(() => engine.close());
  return { engine, database };
}

test('vectors of one\'s own are kept, found, replaced and removed', async (t) => {
  const { engine, database } = await opened(t);
  const near = (vector, options) => engine.searchSimilar(vector, { collection: 'default', ...options });
  assert.deepEqual(await near([1, 0]), []);
  await engine.insertVector('a', new Float32Array([2, 0]), { metadata: { from: 'ä😀', list: [1, null] } });
  await engine.insertVectors([
    { id: 'b', vector: [1, 1], metadata: 'b' },
    { id: 'c', vector: Float64Array.of(0, 3) },
  ]);
  const round = (hits) => hits.map(({ id, score, metadata }) => [id, Math.round(score * 1000) / 1000, metadata]);
  assert.deepEqual(round(await near([10, 0])), [
    ['a', 1, { from: 'ä😀', list: [1, null] }],
    ['b', 0.707, 'b'],
    ['c', 0, null],
  ]);
  assert.deepEqual(round(await near([10, 0], { threshold: 0.5, maxResults: 1 })), [
    ['a', 1, { from: 'ä😀', list: [1, null] }],
  ]);
  assert.deepEqual(await engine.getVector('c'), { id: 'c', vector: Float32Array.of(0, 3), metadata: null });
  assert.equal(await engine.getVector('none'), null);
  await assert.rejects(near([1, 2, 3]), { code: 'ERR_DIMENSION_MISMATCH', name: 'InvalidArgumentError' });
  await assert.rejects(engine.insertVector('d', [1, 2, 3]), { code: 'ERR_DIMENSION_MISMATCH' });

  await engine.insertVector('a', [0, 1]);
  assert.deepEqual((await near([0, 1])).map((hit) => hit.id).sort(), ['a', 'b', 'c']);
  assert.equal(await engine.deleteVector('a'), true);
  assert.equal(await engine.deleteVector('a'), false);
  assert.equal(await engine.deleteVectors(['b', 'x']), 1);
  assert.deepEqual((await near([0, 1])).map((hit) => hit.id), ['c']);

  await engine.insertVector('z', [1], { collection: 'other' });
  assert.deepEqual(await engine.listCollections(), [
    { name: 'default', dimension: 2, vectors: 1 },
    { name: 'other', dimension: 1, vectors: 1 },
  ]);
  assert.equal(await engine.deleteCollection('other'), true);
  assert.equal(await engine.deleteCollection('other'), false);
  await engine.close();

  // They outlive the index.
  for (const file of fs.readdirSync(path.dirname(database))) {
    if (!file.includes('.user')) fs.rmSync(path.join(path.dirname(database), file));
  }
  const reader = await AstCoreEngineApi.open(database);
  assert.deepEqual((await reader.searchSimilar([0, 1], { collection: 'default' })).map((hit) => hit.id), ['c']);
  await reader.close();
});

test('an array may be written to as soon as the call was made', async (t) => {
  const { engine } = await opened(t);
  const vector = new Float32Array([1, 0]);
  const kept = engine.insertVector('a', vector);
  vector.fill(7);
  await kept;
  assert.deepEqual((await engine.getVector('a')).vector, Float32Array.of(1, 0));
});

test('many vectors are found by a graph', async (t) => {
  const { engine } = await opened(t);
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const items = Array.from({ length: 9000 }, (_, id) => ({
    id: `${id}`,
    vector: Float32Array.from({ length: 16 }, random),
    metadata: { id },
  }));
  await engine.insertVectors(items, { collection: 'many' });
  let found = 0;
  for (let at = 0; at < 100; at++) {
    const [hit] = await engine.searchSimilar(items[at * 89].vector, { collection: 'many', maxResults: 1 });
    found += Number(hit.metadata.id === at * 89);
  }
  assert.ok(found >= 98, `${found}`);
});

test('a reader sees what a writer wrote, and cannot write', async (t) => {
  const { engine, database } = await opened(t);
  const reader = await AstCoreEngineApi.open(database, { readOnly: true });
  t.after(() => reader.close());
  assert.deepEqual(await reader.listCollections(), []);
  await engine.insertVector('a', [1, 0]);
  assert.deepEqual((await reader.searchSimilar([1, 0], { collection: 'default' })).map((hit) => hit.id), ['a']);
  await assert.rejects(reader.insertVector('b', [1, 0]), { code: 'ERR_READ_ONLY' });
  await assert.rejects(reader.setFileMetadata('a.ts', 1), { code: 'ERR_READ_ONLY' });
});

test('metadata of files is kept by the path in the tree', async (t) => {
  const root = makeTree(t);
  const { engine } = await opened(t, { root });
  assert.equal(await engine.setFileMetadata('src/cache.ts', { owner: 'us' }), 'src/cache.ts');
  assert.equal(await engine.setFileMetadata(path.join(root, 'src/../src/retry.py'), [1]), 'src/retry.py');
  const { path: file, metadata, updatedAt } = await engine.getFileMetadata(path.join(root, 'src/cache.ts'));
  assert.deepEqual([file, metadata], ['src/cache.ts', { owner: 'us' }]);
  assert.ok(updatedAt instanceof Date && Math.abs(updatedAt - Date.now()) < 3_600_000);
  await engine.setFileMetadata('src/cache.ts', null);
  assert.equal((await engine.getFileMetadata('src/cache.ts')).metadata, null);
  assert.equal(await engine.getFileMetadata('src/none.ts'), null);
  const paths = async (options) => (await engine.listFileMetadata(options)).map((noted) => noted.path);
  assert.deepEqual(await paths(), ['src/cache.ts', 'src/retry.py']);
  assert.deepEqual(await paths({ prefix: 'src/r' }), ['src/retry.py']);
  assert.deepEqual(await paths({ limit: 1 }), ['src/cache.ts']);
  assert.deepEqual(await paths({ after: 'src/cache.ts' }), ['src/retry.py']);
  await engine.index(root, { rebuild: true });
  assert.equal(await engine.deleteFileMetadata('src/cache.ts'), true);
  assert.equal(await engine.deleteFileMetadata('src/cache.ts'), false);
  assert.deepEqual(await paths(), ['src/retry.py']);
  await assert.rejects(engine.setFileMetadata(path.join(root, '../x.ts'), 1), { code: 'ERR_OUTSIDE_TREE' });
});

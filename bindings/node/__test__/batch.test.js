'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi } = require('ast-core-engine');
const { growingTrees, makeTree, manyFiles } = require('./tree.js');

test('a batch goes on by itself, and tells how far it is', async (t) => {
  const root = makeTree(t, manyFiles(120));
  const engine = await AstCoreEngineApi.openTree(root);
  const paths = Object.keys(manyFiles(120)).map((name) => path.join(root, name));
  const seen = [];
  const batchId = await engine.processBatch(paths, {
    batchSize: 10,
    parallelWorkers: 2,
    onProgress: (progress) => seen.push(progress),
  });
  assert.ok(Number.isInteger(batchId) && batchId >= 1);
  const first = await engine.getBatchProgress(batchId);
  assert.deepEqual([first.batchId, first.totalFiles, first.root], [batchId, 120, root]);
  const last = await engine.waitForBatch(batchId);
  assert.deepEqual(
    [last.state, last.processedFiles, last.totalFiles, last.failedFiles, last.files.indexed],
    ['done', 120, 120, 0, 120],
  );
  // A commit of ten files at most makes a generation, and the run notes that it begins.
  assert.ok(last.generation >= 12, `${last.generation}`);
  assert.ok(seen.every((progress, at) => progress.processedFiles >= (seen[at - 1]?.processedFiles ?? 0)));
  assert.ok(last.startedMs >= last.createdMs && last.finishedMs >= last.startedMs);
  assert.equal((await engine.status()).files.indexed, 120);
  assert.equal((await engine.listBatches())[0].batchId, batchId);

  const again = await engine.waitForBatch(await engine.processBatch(paths));
  assert.deepEqual([again.state, again.processedFiles, again.files.indexed], ['done', 120, 0]);
  const anew = await engine.waitForBatch(await engine.processBatch(paths.slice(0, 5), { enableCaching: false }));
  assert.deepEqual([anew.processedFiles, anew.files.indexed], [5, 5]);
  await engine.close();
});

test('a file that is not there is a failure of the batch, and no more', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const paths = ['src/retry.py', 'src/none.py', 'notes.txt'].map((name) => path.join(root, name));
  const done = await engine.waitForBatch(await engine.processBatch(paths));
  assert.deepEqual([done.state, done.processedFiles, done.failedFiles], ['done', 3, 2]);
  assert.deepEqual(done.failures, [
    { path: 'notes.txt', reason: 'its language is not known' },
    { path: 'src/none.py', reason: 'no such file' },
  ]);
  await assert.rejects(engine.processBatch([path.join(root, '../elsewhere.py')]), {
    code: 'ERR_OUTSIDE_TREE',
    path: path.join(root, '../elsewhere.py'),
  });
  await engine.close();
});

test('a batch is held up, goes on, and is ended', async (t) => {
  for (const { root, count } of growingTrees(t)) {
    const engine = await AstCoreEngineApi.openTree(root);
    const batchId = await engine.processDirectory(root);
    await engine.pauseBatch(batchId);
    const paused = await engine.getBatchProgress(batchId);
    assert.equal(paused.state, 'paused');
    await engine.resumeBatch(batchId);
    await engine.cancelBatch(batchId);
    const cancelled = await engine.waitForBatch(batchId);
    if (cancelled.state === 'done') {
      await engine.close();
      continue;
    }
    assert.equal(cancelled.state, 'cancelled');
    await assert.rejects(engine.pauseBatch(batchId), { code: 'ERR_BATCH_STATE', name: 'BatchError' });
    await engine.resumeBatch(batchId);
    const done = await engine.waitForBatch(batchId);
    assert.equal(done.state, 'done');
    await assert.rejects(engine.resumeBatch(batchId), { code: 'ERR_BATCH_STATE' });
    assert.equal((await engine.status()).files.indexed, count);
    await engine.close();
    return;
  }
});

test('the events of a batch end with it, and may be left before', async (t) => {
  const root = makeTree(t, manyFiles(60));
  const engine = await AstCoreEngineApi.openTree(root);
  const batchId = await engine.processDirectory(root);
  const states = [];
  for await (const { state } of engine.batchEvents(batchId)) states.push(state);
  assert.equal(states.at(-1), 'done');
  // Of one that is over there is one.
  for await (const { state } of engine.batchEvents(batchId)) assert.equal(state, 'done');
  const other = await engine.processDirectory(root, { enableCaching: false });
  for await (const { batchId: id } of engine.batchEvents(other)) {
    assert.equal(id, other);
    break;
  }
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await assert.rejects(engine.waitForBatch(other, { signal: controller.signal }), (error) => {
    assert.deepEqual([error.code, error.cause.message], ['ERR_CANCELLED', 'enough']);
    return true;
  });
  assert.equal((await engine.waitForBatch(other)).state, 'done');
  await engine.close();
});

test('the signal of a batch cancels it', async (t) => {
  for (const { root } of growingTrees(t)) {
    const engine = await AstCoreEngineApi.openTree(root);
    const controller = new AbortController();
    const batchId = await engine.processDirectory(root, { signal: controller.signal });
    controller.abort();
    const { state } = await engine.waitForBatch(batchId);
    await engine.close();
    if (state === 'done') continue;
    assert.equal(state, 'cancelled');
    return;
  }
});

test('a batch that its engine did not outlive is resumed by the next', async (t) => {
  for (const { root, count } of growingTrees(t)) {
    const first = await AstCoreEngineApi.openTree(root);
    const batchId = await first.processDirectory(root);
    await first.close();
    const second = await AstCoreEngineApi.openTree(root);
    const { state } = await second.getBatchProgress(batchId);
    if (state !== 'done') {
      assert.equal(state, 'interrupted');
      await second.resumeBatch(batchId);
      assert.equal((await second.waitForBatch(batchId)).state, 'done');
    }
    assert.equal((await second.status()).files.indexed, count);
    await second.close();
    if (state !== 'done') return;
  }
});

test('a batch is of as many files as were named, however often', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const file = path.join(root, 'src/retry.py');
  const done = await engine.waitForBatch(await engine.processBatch([file, file, `${root}/src/../src/retry.py`]));
  assert.deepEqual([done.totalFiles, done.processedFiles], [1, 1]);
  assert.ok(fs.existsSync(path.join(root, '.ast-core/index.db')));
  await engine.close();
});

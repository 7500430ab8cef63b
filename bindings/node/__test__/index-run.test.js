'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { AstCoreEngineApi, AstCoreError } = require('ast-core-engine');
const { growingTrees, makeTree, manyFiles } = require('./tree.js');

const isCancelledBecause = (reason) => (error) => {
  assert.ok(error instanceof AstCoreError);
  assert.equal(error.code, 'ERR_CANCELLED');
  assert.equal(error.cause, reason);
  return true;
};

test('a signal that was aborted before begins nothing', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const reason = new Error('changed my mind');
  await assert.rejects(engine.index(root, { signal: AbortSignal.abort(reason) }), isCancelledBecause(reason));
  assert.equal((await engine.status()).root, null);
  await engine.close();
});

test('a run that is cancelled under way keeps what it had, and the next goes on', async (t) => {
  for (const { root, count } of growingTrees(t)) {
    const engine = await AstCoreEngineApi.openTree(root);
    const controller = new AbortController();
    const onProgress = ({ filesDone }) => {
      if (filesDone > 0) controller.abort();
    };
    const [{ reason }] = await Promise.allSettled([
      engine.index(root, { signal: controller.signal, onProgress }),
    ]);
    const { complete, files } = await engine.status();
    const rest = (await engine.index(root)).files;
    const completeAfter = (await engine.status()).complete;
    await engine.close();
    if (reason === undefined) continue;

    assert.ok(isCancelledBecause(controller.signal.reason)(reason));
    assert.equal(complete, false);
    assert.ok(files.indexed > 0 && files.indexed < count, `${files.indexed} of ${count}`);
    assert.deepEqual([rest.unchanged, rest.indexed], [files.indexed, count - files.indexed]);
    assert.equal(completeAfter, true);
    return;
  }
});

test('a signal that is aborted later changes nothing', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const controller = new AbortController();
  await engine.index(root, { signal: controller.signal });
  controller.abort();
  assert.equal((await engine.index(root)).files.unchanged, 2);
  await engine.close();
});

test('close cancels runs, those that wait for their turn too', async (t) => {
  const root = makeTree(t, manyFiles(100));
  const engine = await AstCoreEngineApi.openTree(root);
  const runs = [engine.index(root), engine.index(root)];
  const closed = engine.close();
  for (const result of await Promise.allSettled(runs)) {
    assert.equal(result.reason?.code, 'ERR_CANCELLED');
  }
  await closed;
  await (await AstCoreEngineApi.openTree(root)).close();
});

test('progress only grows, and ends with everything done', async (t) => {
  const count = 300;
  const root = makeTree(t, manyFiles(count));
  const engine = await AstCoreEngineApi.openTree(root);
  const seen = [];
  let settled = false;
  await engine.index(root, {
    onProgress: (progress) => {
      assert.equal(settled, false);
      seen.push(progress);
    },
  });
  settled = true;

  for (const [index, progress] of seen.entries()) {
    assert.deepEqual(Object.keys(progress).sort(), ['bytesDone', 'bytesTotal', 'elapsedMs', 'filesDone', 'filesFailed', 'filesTotal']);
    assert.equal(progress.filesTotal, count);
    assert.ok(progress.elapsedMs > 0);
    assert.ok(progress.filesDone >= (seen[index - 1]?.filesDone ?? 0));
  }
  const last = seen.at(-1);
  assert.deepEqual([last.filesDone, last.filesFailed], [count, 0]);
  assert.equal(last.bytesDone, last.bytesTotal);
  await engine.close();
});

test('a run that changes nothing tells that it is done as well', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  const seen = [];
  const { files } = await engine.index(root, { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual([files.indexed, files.unchanged], [0, 2]);
  // Files that were written just before the first run are read again, and found to be the same.
  const last = seen.at(-1);
  assert.equal(last.filesDone, last.filesTotal ?? 0);
  await engine.close();
});

for (const [what, onProgress] of [
  ['throws', () => { throw new Error('no bar'); }],
  ['rejects', async () => { throw new Error('no bar'); }],
]) {
  test(`an onProgress that ${what} is a warning, and the run goes on`, async (t) => {
    const root = makeTree(t);
    const engine = await AstCoreEngineApi.openTree(root);
    const warned = once(process, 'warning');
    const report = await engine.index(root, { onProgress });
    assert.equal(report.files.indexed, 2);
    const [warning] = await warned;
    assert.equal(warning.name, 'AstCoreWarning');
    assert.match(warning.message, /onProgress failed.*no bar/);
    await engine.close();
  });
}

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi } = require('ast-core-engine');
const { makeTree } = require('./tree.js');

test('a watch tells of changes once they can be found', { timeout: 120_000 }, async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const watcher = await engine.watch(root, { quietMs: 10, pollMs: 100 });
  const first = await watcher.next();
  assert.deepEqual([first.done, first.value.kind, first.value.report.files.indexed], [false, 'ready', 2]);
  fs.writeFileSync(path.join(root, 'src/clock.rs'), 'pub fn monotonic_now() -> u64 { 0 }\n');
  for await (const event of watcher) {
    assert.equal(event.kind, 'updated');
    if ((await engine.search('monotonic_now')).hits[0]?.path === 'src/clock.rs') break;
  }
  assert.deepEqual(await watcher.next(), { done: true, value: undefined });
  await engine.close();
});

test('who waits is told that a watch was closed', { timeout: 120_000 }, async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const watcher = await engine.watch(root);
  assert.equal((await watcher.next()).value.kind, 'ready');
  const waiting = watcher.next();
  await watcher.close();
  assert.deepEqual(await waiting, { done: true, value: undefined });

  const controller = new AbortController();
  const other = await engine.watch(root, { signal: controller.signal });
  const reason = new Error('enough');
  const waits = other.next().then(() => other.next());
  controller.abort(reason);
  await assert.rejects(waits, { code: 'ERR_CANCELLED', cause: reason });

  // And that the engine was.
  const last = await engine.watch(root);
  assert.equal((await last.next()).value.kind, 'ready');
  const end = last.next();
  await engine.close();
  assert.deepEqual(await end, { done: true, value: undefined });
});

test('a tree that is none is told by the first event', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const watcher = await engine.watch(path.join(root, 'none'));
  await assert.rejects(watcher.next(), { code: 'ERR_NOT_A_DIRECTORY' });
  assert.deepEqual(await watcher.next(), { done: true, value: undefined });
  await engine.close();
});

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi, AstCoreError, version } = require('ast-core-engine');
const { makeFolder, makeTree } = require('./tree.js');

test('a tree is indexed, searched and described', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const report = await engine.index(root);

  assert.deepEqual(report.files, {
    seen: 3,
    indexed: 2,
    unchanged: 0,
    removed: 0,
    ignored: 0,
    tooLarge: 0,
    binary: 0,
    unsupported: 1,
    timedOut: 0,
    failed: 0,
  });
  const size = (name) => fs.statSync(path.join(root, name)).size;
  assert.equal(report.bytes, size('src/retry.py') + size('src/cache.ts'));
  assert.equal(report.lines, 9);
  assert.equal(report.symbols, 3);
  assert.ok(report.chunks >= 2 && report.generation >= 1 && report.elapsedMs > 0);
  assert.ok(report.peakRssBytes === null || report.peakRssBytes > 1e6);
  assert.deepEqual(report.failures, []);

  const reply = await engine.search('how long to wait before the request is sent again');
  assert.equal(reply.generation, report.generation);
  assert.ok(reply.tookMs > 0);
  const [hit] = reply.hits;
  assert.equal(hit.path, 'src/retry.py');
  assert.equal(hit.language, 'python');
  const text = fs.readFileSync(path.join(root, hit.path));
  assert.equal(hit.snippet, text.subarray(hit.startByte, hit.endByte).toString());
  assert.equal(hit.snippet, text.toString().slice(hit.start, hit.end));
  assert.ok(hit.startLine >= 1 && hit.startLine <= hit.endLine && hit.endLine <= 4);
  assert.ok(hit.score > 0 && hit.score <= 1);
  assert.equal(typeof hit.why.lexical, 'number');
  assert.ok(hit.why.semantic > 0 && hit.why.semantic <= 1);
  assert.equal(hit.changed, false);

  const status = await engine.status();
  assert.equal(status.root, root);
  assert.equal(status.complete, true);
  assert.deepEqual([status.files.indexed, status.symbols, status.chunks], [2, report.symbols, report.chunks]);
  assert.ok(status.embedder.dimension > 0 && status.embedder.id !== '');
  assert.deepEqual(status.stale, []);
  await engine.close();
});

test('a second run does only what changed', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  fs.writeFileSync(path.join(root, 'src/clock.rs'), 'pub fn monotonic_now() -> u64 { 0 }\n');
  fs.rmSync(path.join(root, 'src/cache.ts'));
  assert.deepEqual((await engine.status()).stale, [
    { path: 'src/cache.ts', change: 'removed' },
    { path: 'src/clock.rs', change: 'new' },
  ]);

  const { files } = await engine.index(root);
  assert.deepEqual([files.indexed, files.unchanged, files.removed], [1, 1, 1]);
  assert.equal((await engine.search('monotonic_now')).hits[0].path, 'src/clock.rs');
  assert.equal((await engine.index(root, { rebuild: true })).files.indexed, 2);
  await engine.close();
});

test('what is found is narrowed by options', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  const paths = async (options) => {
    const { hits } = await engine.search('request cache', options);
    return [...new Set(hits.map((hit) => hit.path))].sort();
  };

  assert.deepEqual(await paths(), ['src/cache.ts', 'src/retry.py']);
  assert.deepEqual(await paths({ languages: ['typescript'] }), ['src/cache.ts']);
  assert.deepEqual(await paths({ paths: ['**/*.py'] }), ['src/retry.py']);
  assert.deepEqual(await paths({ kinds: ['function'] }), ['src/cache.ts']);
  assert.deepEqual(await paths({ limit: undefined, languages: [] }), ['src/cache.ts', 'src/retry.py']);
  assert.equal((await engine.search('request cache', { limit: 1 })).hits.length, 1);
  for (const hit of (await engine.search('request cache', { threshold: 0.9 })).hits) {
    assert.ok(hit.score >= 0.9);
  }
  const lexical = await engine.search('evictOldest', { mode: 'lexical' });
  assert.deepEqual(lexical.hits.map((hit) => [hit.name, hit.kind, hit.why.semantic]), [
    ['evictOldest', 'function', null],
  ]);
  const semantic = await engine.search('evictOldest', { mode: 'semantic' });
  assert.ok(semantic.hits.every((hit) => hit.why.lexical === null && hit.why.semantic <= 1));
  await engine.close();
});

test('an index may be anywhere, and be searched by many', async (t) => {
  const root = makeTree(t);
  const database = path.join(makeFolder(t), 'tree.db');
  const writer = await AstCoreEngineApi.open(database);
  await writer.index(root);
  const readers = await Promise.all([1, 2].map(() => AstCoreEngineApi.open(database, { readOnly: true })));
  for (const reader of readers) {
    assert.equal((await reader.search('evictOldest')).hits[0].name, 'evictOldest');
    await reader.close();
  }
  await writer.close();
  assert.ok(!fs.existsSync(path.join(root, '.ast-core')));
});

test('calls made before close are answered, and later ones refused', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  const searches = Array.from({ length: 20 }, () => engine.search('retry'));
  const closed = Promise.all([engine.close(), engine.close()]);
  const late = Promise.allSettled([engine.search('retry'), engine.status(), engine.index(root)]);
  for (const { hits } of await Promise.all(searches)) assert.ok(hits.length > 0);
  for (const { reason } of await late) {
    assert.equal(reason?.code, 'ERR_CLOSED');
    assert.match(reason.message, /closed.*initialize/);
  }
  await closed;
  await engine.close();

  const again = await AstCoreEngineApi.openTree(root);
  assert.ok((await again.search('retry')).hits.length > 0);
  await again.close();
});

test('an engine is disposed of by closing it', { skip: !Symbol.asyncDispose }, async (t) => {
  const engine = await AstCoreEngineApi.openTree(makeTree(t));
  await engine[Symbol.asyncDispose]();
  await assert.rejects(engine.status(), { code: 'ERR_CLOSED' });
});

test('require and import give the same objects', async () => {
  const imported = await import('ast-core-engine');
  assert.equal(imported.AstCoreEngineApi, AstCoreEngineApi);
  assert.equal(imported.AstCoreError, AstCoreError);
  assert.equal(imported.version, version);
  assert.equal(version, require('ast-core-engine/package.json').version);
});

test('calls wait while the engine is opened, and are refused before', async (t) => {
  const root = makeTree(t);
  const engine = new AstCoreEngineApi({ root });
  assert.equal(engine.isOpen, false);
  assert.equal(engine.configuration, null);
  await assert.rejects(engine.status(), { code: 'ERR_NOT_INITIALIZED', name: 'EngineStateError', message: /initialize/ });
  await engine.close();
  const database = path.join(makeFolder(t), 'index.db');
  const opening = engine.initialize(database, { parallelWorkers: 3 });
  const early = engine.status();
  await assert.rejects(engine.initialize(database), { code: 'ERR_ALREADY_INITIALIZED' });
  await opening;
  assert.equal((await early).root, null);
  assert.equal(engine.isOpen, true);
  const { database: at, root: tree, parallelWorkers, dimension } = engine.configuration;
  assert.deepEqual([at, tree, parallelWorkers], [database, root, 3]);
  assert.ok(dimension > 0);
  await engine.close();
  assert.equal(engine.isOpen, false);
  await assert.rejects(engine.status(), { code: 'ERR_CLOSED' });
  await engine.initialize(database);
  assert.equal((await engine.status()).root, null);
  await engine.close();
});

test('an engine that is closed while it is opened is closed', async (t) => {
  const engine = new AstCoreEngineApi();
  const database = path.join(makeFolder(t), 'index.db');
  const refused = assert.rejects(engine.initialize(database), { code: 'ERR_CLOSED' });
  await engine.close();
  await refused;
  await engine.initialize(database);
  await engine.close();
});

test('one that could not be opened may be opened again', async (t) => {
  const engine = new AstCoreEngineApi();
  const folder = makeFolder(t);
  await assert.rejects(engine.initialize(path.join(folder, 'none/index.db')), { code: 'ERR_INDEX_OPEN' });
  await engine.initialize(path.join(folder, 'index.db'));
  await engine.close();
});

test('health and metrics tell what is', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  const before = await engine.health();
  assert.deepEqual([before.ok, before.root, before.generation, before.verified], [false, null, 0, null]);
  await engine.index(root);
  await assert.rejects(engine.search('?!'));
  const health = await engine.health({ deep: true });
  assert.deepEqual([health.ok, health.root, health.searchableFiles], [true, root, 2]);
  assert.deepEqual([health.verified.sound, health.verified.findings, health.verified.files], [true, [], 2]);

  const { uptimeMs, calls, process: used } = engine.metrics();
  assert.ok(uptimeMs > 0);
  assert.deepEqual([calls.index.count, calls.index.failed], [1, 0]);
  assert.deepEqual([calls.search.count, calls.search.failed], [1, 1]);
  assert.ok(calls.index.maxMs <= calls.index.totalMs && calls.index.totalMs < uptimeMs);
  assert.ok(used.rssBytes === null || used.rssBytes > 1e6);
  await engine.close();
});

test('metrics have each stage of index runs and searches', async (t) => {
  const root = makeTree(t);
  const engine = new AstCoreEngineApi();
  assert.deepEqual([engine.metrics().engine, engine.prometheus()], [null, null]);
  await engine.initialize(path.join(makeFolder(t), 'index.db'));
  const { files, symbols, chunks } = await engine.index(root);
  const { hits } = await engine.search('retry');
  await assert.rejects(engine.search('?!'));

  const { engine: measured, system } = engine.metrics();
  const { index, search, stages } = measured;
  assert.deepEqual(
    [measured.enabled, index.runs.count, index.files, index.symbols, index.chunks, index.active],
    [true, 1, files.indexed, symbols, chunks, 0],
  );
  assert.deepEqual([search.searches.count, search.failed, search.hits, search.active], [1, 1, hits.length, 0]);
  const names = Object.keys(stages);
  for (const [stage, unit] of [['read', 'files'], ['parse', 'files'], ['chunk', 'chunks'], ['lexical', 'candidates']]) {
    assert.ok(names.includes(stage), stage);
    assert.equal(stages[stage].unit, unit);
  }
  assert.deepEqual(
    [stages.parse.items, stages.chunk.items, stages.hydrate.items, stages.rerank.items],
    [files.indexed, chunks, hits.length, 0],
  );
  for (const { work, times } of Object.values(stages)) {
    assert.ok(['index', 'search'].includes(work));
    assert.equal(times.count === 0, times.distribution === null);
    if (times.distribution) {
      const { minMs, p50Ms, p95Ms, maxMs } = times.distribution;
      assert.ok(minMs <= p50Ms && p50Ms <= p95Ms && p95Ms <= maxMs && maxMs <= times.totalMs);
    }
  }
  assert.ok(system.cpus === null || system.cpus >= 1);
  assert.match(engine.prometheus(), new RegExp(`^ast_core_stage_items_total{stage="parse"} ${files.indexed}$`, 'm'));
  await engine.close();
  assert.equal(engine.metrics().engine, null);
});

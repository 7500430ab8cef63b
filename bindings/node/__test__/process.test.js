'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi } = require('ast-core-engine');
const { makeFolder, makeTree } = require('./tree.js');

const SOURCE = `import { readFile as read } from 'node:fs/promises';

/** Grüße 😀 for all. */
export async function load<T>(path: string, depth = 1, ...rest: T[]): Promise<string> {
  if (depth > 2) return '😀';
  return await read(path, 'utf8');
}

class Cache extends Map {
  get(key) { return super.get(key); }
}
`;

test('a file is taken apart, and every place is that of the text', async (t) => {
  const root = makeTree(t, { 'src/load.ts': SOURCE });
  const file = path.join(root, 'src/load.ts');
  const engine = await AstCoreEngineApi.openTree(root);
  const processed = await engine.processFile(file, { batchSize: 100, parallelWorkers: 4, enableCaching: true });

  assert.deepEqual(
    [processed.path, processed.language, processed.encoding, processed.lines, processed.bytes, processed.fromCache],
    [file, 'typescript', 'utf-8', 12 - 1, Buffer.byteLength(SOURCE), false],
  );
  assert.deepEqual(processed.index, { state: 'indexed', path: 'src/load.ts', generation: 2, reason: null });
  assert.deepEqual(processed.diagnostics, []);
  const { symbols, annotations, references, chunks } = processed;
  const bytes = Buffer.from(SOURCE);
  for (const place of [...symbols, ...references, ...chunks]) {
    const text = SOURCE.slice(place.start, place.end);
    assert.equal(bytes.subarray(place.startByte, place.endByte).toString(), text);
    if (place.line) assert.equal(SOURCE.split('\n')[place.line - 1].includes(text), true);
  }
  assert.deepEqual(
    symbols.map(({ name, kind, scope, parent, startLine, endLine }) => [name, kind, scope, parent, startLine, endLine]),
    [
      ['load', 'function', [], null, 4, 7],
      ['Cache', 'class', [], null, 9, 11],
      ['get', 'method', ['Cache'], 1, 10, 10],
    ],
  );
  assert.equal(symbols[0].doc, 'Grüße 😀 for all.');
  assert.ok(symbols[0].signature.includes('load<T>(path: string'));
  assert.deepEqual(annotations[0], {
    modifiers: ['async', 'export'],
    typeParameters: '<T>',
    parameters: [
      { name: 'path', type: 'string', default: null, optional: false },
      { name: 'depth', type: null, default: '1', optional: true },
      { name: '...rest', type: 'T[]', default: null, optional: true },
    ],
    returnType: 'Promise<string>',
    complexity: { cyclomatic: 3, cognitive: 1, maxNesting: 1 },
  });
  assert.equal(annotations[1].complexity, null);
  const call = references.find((reference) => reference.kind === 'call' && reference.name === 'read');
  assert.deepEqual([call.line, call.symbol, SOURCE.slice(call.start, call.end)], [6, 0, 'read']);
  const imported = references.find((reference) => reference.kind === 'import');
  assert.deepEqual([imported.name, imported.qualifier, imported.alias], ['readFile', 'node:fs/promises', 'read']);
  assert.ok(references.some((reference) => reference.kind === 'inherit' && reference.name === 'Map'));
  assert.ok(chunks.length >= 1 && chunks[0].startLine === 1);
  assert.deepEqual(Object.keys(processed.timings), ['readMs', 'parseMs', 'indexMs', 'totalMs']);
  const { readMs, parseMs, indexMs, totalMs } = processed.timings;
  assert.ok(readMs > 0 && parseMs > 0 && indexMs > 0 && totalMs >= readMs + parseMs);

  const copy = JSON.parse(JSON.stringify(processed));
  assert.deepEqual(copy.symbols, symbols);
  assert.equal(processed.columns.symbols.length, 3);
  assert.equal((await engine.search('load')).hits[0].path, 'src/load.ts');
  await engine.close();
});

test('what is known is used while the file is the same, unless it must not be', async (t) => {
  const root = makeTree(t);
  const file = path.join(root, 'src/retry.py');
  const engine = await AstCoreEngineApi.openTree(root);
  const states = async (options) => {
    const { fromCache, index, timings, symbols } = await engine.processFile(file, options);
    assert.equal(timings.parseMs === 0, fromCache);
    return [fromCache, index.state, symbols.map((symbol) => symbol.name)];
  };
  const names = ['RetryPolicy', 'wait_before_retry'];
  assert.deepEqual(await states(), [false, 'indexed', names]);
  assert.deepEqual(await states(), [true, 'unchanged', names]);
  assert.deepEqual(await states({ enableCaching: false }), [false, 'indexed', names]);
  fs.writeFileSync(file, 'def other():\n    pass\n');
  assert.deepEqual(await states(), [false, 'indexed', ['other']]);
  assert.deepEqual(await states({ index: false }), [true, 'skipped', ['other']]);
  await engine.close();
});

test('the language may be named', async (t) => {
  const root = makeTree(t, { 'page.template': 'def render():\n    return 1\n' });
  const engine = await AstCoreEngineApi.openTree(root);
  const file = path.join(root, 'page.template');
  await assert.rejects(engine.processFile(file), { code: 'ERR_UNKNOWN_LANGUAGE' });
  const processed = await engine.processFile(file, { language: 'python' });
  assert.deepEqual([processed.language, processed.index.state], ['python', 'indexed']);
  assert.equal((await engine.search('render')).hits[0].path, 'page.template');
  await engine.close();
});

test('syntax errors are data', async (t) => {
  const root = makeTree(t, { 'broken.ts': 'function good() {}\nfunction ( {\n' });
  const engine = await AstCoreEngineApi.openTree(root);
  const { symbols, diagnostics, index } = await engine.processFile(path.join(root, 'broken.ts'));
  assert.equal(symbols[0].name, 'good');
  assert.ok(diagnostics.length > 0);
  assert.deepEqual([diagnostics[0].severity, diagnostics[0].message, diagnostics[0].line], ['error', 'syntax error', 2]);
  assert.ok(diagnostics[0].start >= 'function good() {}\n'.length);
  assert.equal(index.state, 'indexed');
  await engine.close();
});

test('a file that cannot be indexed is told of all the same', async (t) => {
  const [root, other] = [makeTree(t), makeTree(t)];
  const database = path.join(makeFolder(t), 'index.db');
  const engine = await AstCoreEngineApi.open(database, { root });
  await engine.index(root);
  const outside = await engine.processFile(path.join(other, 'src/cache.ts'));
  assert.deepEqual([outside.symbols[0].name, outside.index.state], ['evictOldest', 'skipped']);
  assert.match(outside.index.reason, /is not in .*; name files of that tree/);
  await engine.close();

  const reader = await AstCoreEngineApi.open(database, { readOnly: true });
  const { index, symbols } = await reader.processFile(path.join(root, 'src/cache.ts'));
  assert.deepEqual([symbols.length, index.state], [1, 'skipped']);
  assert.match(index.reason, /reading only/);
  await reader.close();
});

test('a file is of the tree that is found round it', async (t) => {
  const folder = makeTree(t, { 'repo/.git/HEAD': '', 'repo/src/a.py': 'x = 1\n', 'repo/b.py': 'y = 1\n' });
  const engine = await AstCoreEngineApi.open(path.join(makeFolder(t), 'index.db'));
  const { index } = await engine.processFile(path.join(folder, 'repo/src/a.py'));
  assert.equal(index.path, 'src/a.py');
  const batch = await engine.processBatch([path.join(folder, 'repo/b.py')]);
  assert.equal((await engine.waitForBatch(batch)).state, 'done');
  assert.equal((await engine.status()).root, path.join(folder, 'repo'));
  await engine.close();
});

test('outlines and annotations need no index', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.open(path.join(makeFolder(t), 'index.db'));
  const { files, failures } = await engine.outline(root);
  assert.deepEqual(
    files.map((file) => [path.relative(root, file.path), file.symbols.map((symbol) => symbol.name)]),
    [
      [path.join('src', 'cache.ts'), ['evictOldest']],
      [path.join('src', 'retry.py'), ['RetryPolicy', 'wait_before_retry']],
    ],
  );
  assert.deepEqual(failures, []);
  const annotated = await engine.annotate([path.join(root, 'src/retry.py'), path.join(root, 'none.py')]);
  const [, method] = annotated.files[0].symbols;
  assert.deepEqual(method.annotation.parameters.map((parameter) => parameter.name), ['self', 'attempt']);
  assert.equal(method.annotation.complexity.cyclomatic, 1);
  assert.equal(annotated.failures.length, 1);
  assert.equal((await engine.status()).generation, 0);
  await engine.close();
});

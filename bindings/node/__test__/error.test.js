'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const errors = require('ast-core-engine');
const { AstCoreEngineApi, AstCoreError } = errors;
const { makeFolder, makeTree } = require('./tree.js');

/** That the call rejects, and does not throw. */
async function rejects(call, code, message) {
  let promise;
  assert.doesNotThrow(() => (promise = call()));
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof AstCoreError && error instanceof Error);
    assert.equal(error.constructor, errors[error.name]);
    assert.ok(error.stack.startsWith(`${error.name}: `), error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('what is wrong with a database is told apart', async (t) => {
  const folder = makeFolder(t);
  const at = (name) => path.join(folder, name);
  const refused = (name, readOnly, code) =>
    rejects(() => AstCoreEngineApi.open(at(name), { readOnly }), code, new RegExp(`${name}`));

  await refused('none.db', true, 'ERR_INDEX_MISSING');
  await refused('nowhere/x.db', false, 'ERR_INDEX_OPEN');
  fs.writeFileSync(at('notes.db'), 'These are notes, and no database at all. '.repeat(50));
  await refused('notes.db', true, 'ERR_NOT_AN_INDEX');
  await refused('notes.db', false, 'ERR_NOT_AN_INDEX');

  const writer = await AstCoreEngineApi.open(at('tree.db'));
  await refused('tree.db', false, 'ERR_INDEX_LOCKED');
  await writer.close();
});

test('a damaged index is told from one that is not there', async (t) => {
  const root = makeTree(t);
  const database = path.join(makeFolder(t), 'tree.db');
  const engine = await AstCoreEngineApi.open(database);
  await engine.index(root);
  await engine.close();
  // The first page says whose file this is, and stays; the tables are behind it.
  const file = fs.openSync(database, 'r+');
  const { size } = fs.fstatSync(file);
  fs.writeSync(file, Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  fs.closeSync(file);

  const search = async () => {
    const damaged = await AstCoreEngineApi.open(database, { readOnly: true });
    try {
      return await damaged.search('retry');
    } finally {
      await damaged.close();
    }
  };
  await rejects(search, 'ERR_INDEX_CORRUPT', /tree\.db is damaged/);
});

test('an index is written only by who may, and only with its own tree', async (t) => {
  const [root, other] = [makeTree(t), makeTree(t)];
  const database = path.join(makeFolder(t), 'tree.db');
  const writer = await AstCoreEngineApi.open(database);
  await writer.index(root);
  await rejects(() => writer.index(other), 'ERR_OTHER_TREE', /holds the index of/);
  await rejects(() => writer.index(path.join(root, 'none')), 'ERR_NOT_A_DIRECTORY', /none/);
  await rejects(() => writer.index(path.join(root, 'notes.txt')), 'ERR_NOT_A_DIRECTORY', /not a directory/);
  await writer.close();

  const reader = await AstCoreEngineApi.open(database, { readOnly: true });
  await rejects(() => reader.index(root), 'ERR_READ_ONLY', /read-only/);
  await reader.close();
});

test('a bad argument is named, with what came and what was expected', async (t) => {
  const root = makeTree(t);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  const invalid = (call, message) => rejects(call, 'ERR_INVALID_ARGUMENT', message);

  await invalid(() => AstCoreEngineApi.open(), /^database is undefined; expected a path/);
  await invalid(() => AstCoreEngineApi.open({ database: 'x' }), /^database is .*; expected a path/);
  await invalid(() => AstCoreEngineApi.open(''), /^database is ''; expected a path/);
  await invalid(() => AstCoreEngineApi.open('a\0b'), /^database is 'a\\x00b'; expected a path/);
  await invalid(() => AstCoreEngineApi.open('x.db', { readOnly: 1 }), /^options\.readOnly is 1; expected a boolean/);
  await invalid(() => AstCoreEngineApi.open('x.db', { readonly: true }), /^options\.readonly is no option of this call/);
  await invalid(() => AstCoreEngineApi.open('x.db', { maxMemoryBytes: 1 }), /memory is too low/);

  await invalid(() => engine.index(), /^root is undefined; expected a path/);
  await invalid(() => engine.index(root, null), /^options is null; expected an object/);
  await invalid(() => engine.index(root, { rebuild: 'yes' }), /^options\.rebuild is 'yes'/);
  await invalid(() => engine.index(root, { onProgress: {} }), /^options\.onProgress is {}; expected a function/);
  await invalid(() => engine.index(root, { signal: 'x' }), /^options\.signal is 'x'; expected an AbortSignal/);

  await invalid(() => engine.search(), /^text is undefined; expected a string/);
  await invalid(() => engine.search('?!'), /holds no word to look for/);
  for (const limit of [0, 1.5, -1, NaN, '5', 2 ** 32]) {
    await invalid(() => engine.search('retry', { limit }), /^options\.limit is .*; expected an integer from 1 to/);
  }
  for (const threshold of [1.1, NaN, '0.5']) {
    await invalid(() => engine.search('retry', { threshold }), /^options\.threshold is .*; expected a number from 0 to 1/);
  }
  await invalid(() => engine.search('retry', { paths: '*.rs' }), /^options\.paths is '\*\.rs'; expected an array of strings/);
  await invalid(() => engine.search('retry', { paths: ['a{b'] }), /invalid path pattern "a{b"/);
  await invalid(() => engine.search('retry', { kinds: [1] }), /^options\.kinds is \[ 1 \]; expected an array of strings/);
  await invalid(() => engine.search('retry', { kinds: ['class', 'clas'] }), /^options\.kinds\[1\].*"clas".*function/);
  await invalid(() => engine.search('retry', { languages: ['cobol'] }), /^options\.languages\[0\].*"cobol".*python/);
  await invalid(() => engine.search('retry', { mode: 'fast' }), /^options\.mode.*"fast".*hybrid, lexical or semantic/);
  await engine.close();
});

test('vectors, numbers of batches and texts are checked before anything is done', async (t) => {
  const engine = await AstCoreEngineApi.open(path.join(makeFolder(t), 'index.db'));
  const invalid = (call, message) => rejects(call, 'ERR_INVALID_ARGUMENT', message);
  const { dimension } = engine.configuration;

  await invalid(() => engine.searchSimilar('x'), /^vector is 'x'; expected a Float32Array, a Float64Array or an array/);
  await invalid(() => engine.searchSimilar([1, '2']), /^vector is .*; expected a Float32Array/);
  await invalid(() => engine.searchSimilar(new Array(dimension).fill(0)), /zeros/);
  await invalid(() => engine.searchSimilar(new Array(dimension).fill(NaN)), /not a finite number/);
  await invalid(() => engine.searchSimilar([1], { maxResults: 0 }), /^options\.maxResults is 0; expected an integer/);
  await invalid(() => engine.searchSimilar([1], { threshold: 2 }), /^options\.threshold is 2; expected a number from -1/);
  await invalid(() => engine.searchSimilar([1], { collection: 'c', kinds: [] }), /^options\.kinds is no option/);
  await rejects(() => engine.searchSimilar([1, 2, 3]), 'ERR_DIMENSION_MISMATCH', new RegExp(`3 values.*have ${dimension}`));

  await invalid(() => engine.insertVector('', [1]), /^id is ''; expected a string that is not empty/);
  await invalid(() => engine.insertVector('a', []), /^vector is .*; expected a vector with one value at least/);
  await invalid(() => engine.insertVector('a', [0]), /"a" has no value but zeros/);
  await invalid(() => engine.insertVector('a', [1], { metadata: () => 1 }), /^metadata is .*; expected a value/);
  await invalid(() => engine.insertVectors({}), /^items is {}; expected an array/);
  await invalid(() => engine.insertVectors([{ id: 'a', vector: [1] }, 7]), /^items\[1\] is 7; expected an object/);
  const uneven = [{ id: 'a', vector: [1] }, { id: 'b', vector: [1, 2] }];
  await rejects(() => engine.insertVectors(uneven), 'ERR_DIMENSION_MISMATCH', /"b" has 2 values.*has 1/);

  for (const id of [0, 1.5, '1', -1]) {
    await invalid(() => engine.getBatchProgress(id), /^batchId is .*; expected an integer from 1/);
  }
  await rejects(() => engine.getBatchProgress(77), 'ERR_BATCH_NOT_FOUND', /no job 77/);
  await rejects(() => engine.waitForBatch(77), 'ERR_BATCH_NOT_FOUND', /no job 77/);
  await invalid(() => engine.processBatch([]), /^paths is \[\]; expected an array of paths, with one at least/);
  await invalid(() => engine.processBatch('a.ts'), /^paths is 'a\.ts'; expected an array/);
  await invalid(() => engine.processFile('a.ts', { parallelWorkers: 0 }), /^options\.parallelWorkers is 0/);
  await invalid(() => engine.processFile(__filename, { language: 'cobol' }), /^options\.language.*"cobol"/);
  await invalid(() => engine.embed(7), /^texts is 7; expected an array of strings/);
  await invalid(() => engine.symbols({ after: 'x' }), /^options\.after.*"x"/);
  await invalid(() => engine.setFileMetadata('a.ts', undefined), /^metadata is undefined; expected a value/);
  await engine.close();
});

test('an error about a file names it', async (t) => {
  const folder = makeFolder(t);
  const at = (name, content) => {
    const file = path.join(folder, name);
    if (content !== undefined) fs.writeFileSync(file, content);
    return file;
  };
  const engine = await AstCoreEngineApi.open(at('index.db'), { maxFileBytes: 1000 });
  for (const [file, code] of [
    [at('none.py'), 'ERR_FILE_NOT_FOUND'],
    [at('binary.py', 'a\0b'), 'ERR_FILE_BINARY'],
    [at('large.py', '#'.repeat(1001)), 'ERR_FILE_TOO_LARGE'],
    [at('text.unknown', 'x'), 'ERR_UNKNOWN_LANGUAGE'],
    [folder, 'ERR_FILE_UNREADABLE'],
  ]) {
    await assert.rejects(engine.processFile(file), (error) => {
      assert.deepEqual([error.code, error.path, error.constructor], [code, file, errors.FileError]);
      return true;
    });
  }
  await engine.close();
});

test('every code is declared, and every declared code is used', () => {
  const folder = path.dirname(require.resolve('ast-core-engine/package.json'));
  const codes = (files, pattern) => {
    const texts = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8'));
    return [...new Set(texts.join('\n').match(pattern))].sort();
  };
  const library = fs.readdirSync(path.join(folder, 'lib')).filter((file) => file !== 'error.js');
  const used = codes(['src/error.rs', ...library.map((file) => path.join('lib', file))], /(?<=['"])ERR_[A-Z_]+(?=['"])/g);
  const declared = codes(['index.d.ts'], /(?<=\| ')ERR_[A-Z_]+(?=')/g);
  const { CLASS_OF_CODE } = require(path.join(folder, 'lib/error.js'));
  assert.deepEqual(declared, used);
  assert.deepEqual(Object.keys(CLASS_OF_CODE).sort(), used);
});

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Engine, AstCoreError } = require('ast-core-engine');
const { makeFolder, makeTree } = require('./tree.js');

/** That the call rejects, and does not throw. */
async function rejects(call, code, message) {
  let promise;
  assert.doesNotThrow(() => (promise = call()));
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof AstCoreError && error instanceof Error);
    assert.equal(error.name, 'AstCoreError');
    assert.match(error.stack, /^AstCoreError: /);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('what is wrong with a database is told apart', async (t) => {
  const folder = makeFolder(t);
  const at = (name) => path.join(folder, name);
  const refused = (name, readOnly, code) =>
    rejects(() => Engine.open({ database: at(name), readOnly }), code, new RegExp(`${name}`));

  await refused('none.db', true, 'ERR_INDEX_MISSING');
  await refused('nowhere/x.db', false, 'ERR_INDEX_OPEN');
  fs.writeFileSync(at('notes.db'), 'These are notes, and no database at all. '.repeat(50));
  await refused('notes.db', true, 'ERR_NOT_AN_INDEX');
  await refused('notes.db', false, 'ERR_NOT_AN_INDEX');

  const writer = await Engine.open({ database: at('tree.db') });
  await refused('tree.db', false, 'ERR_INDEX_LOCKED');
  await writer.close();
});

test('a damaged index is told from one that is not there', async (t) => {
  const root = makeTree(t);
  const database = path.join(makeFolder(t), 'tree.db');
  const engine = await Engine.open({ database });
  await engine.index(root);
  await engine.close();
  // The first page says whose file this is, and stays; the tables are behind it.
  const file = fs.openSync(database, 'r+');
  const { size } = fs.fstatSync(file);
  fs.writeSync(file, Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  fs.closeSync(file);

  const search = async () => {
    const damaged = await Engine.open({ database, readOnly: true });
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
  const writer = await Engine.open({ database });
  await writer.index(root);
  await rejects(() => writer.index(other), 'ERR_OTHER_TREE', /holds the index of/);
  await rejects(() => writer.index(path.join(root, 'none')), 'ERR_NOT_A_DIRECTORY', /none/);
  await rejects(() => writer.index(path.join(root, 'notes.txt')), 'ERR_NOT_A_DIRECTORY', /not a directory/);
  await writer.close();

  const reader = await Engine.open({ database, readOnly: true });
  await rejects(() => reader.index(root), 'ERR_READ_ONLY', /read-only/);
  await reader.close();
});

test('a bad argument is named, with what came and what was expected', async (t) => {
  const root = makeTree(t);
  const engine = await Engine.open({ root });
  await engine.index(root);
  const invalid = (call, message) => rejects(call, 'ERR_INVALID_ARGUMENT', message);

  await invalid(() => Engine.open(), /options has neither of database and root; expected either/);
  await invalid(() => Engine.open({ root, database: 'x' }), /options has both/);
  await invalid(() => Engine.open({ root: 7 }), /^options\.root is 7; expected a path/);
  await invalid(() => Engine.open({ root: '' }), /^options\.root is ''; expected a path/);
  await invalid(() => Engine.open({ root: 'a\0b' }), /^options\.root is 'a\\x00b'; expected a path/);
  await invalid(() => Engine.open('x.db'), /^options is 'x\.db'; expected an object with database, root, readOnly/);
  await invalid(() => Engine.open({ root, readOnly: 1 }), /^options\.readOnly is 1; expected a boolean/);
  await invalid(() => Engine.open({ root, readonly: true }), /^options\.readonly is no option of this call/);

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

test('an engine is made by open alone', () => {
  assert.throws(() => new Engine(), { code: 'ERR_INVALID_ARGUMENT', message: /Engine\.open/ });
  assert.throws(() => new Engine({}), { code: 'ERR_INVALID_ARGUMENT' });
});

test('every code is declared, and every declared code is used', () => {
  const folder = path.dirname(require.resolve('ast-core-engine/package.json'));
  const codes = (files, pattern) => {
    const texts = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8'));
    return [...new Set(texts.join('\n').match(pattern))].sort();
  };
  const library = fs.readdirSync(path.join(folder, 'lib')).map((file) => path.join('lib', file));
  const used = codes(['src/error.rs', ...library], /(?<=['"])ERR_[A-Z_]+(?=['"])/g).filter((code) => code !== 'ERR_');
  const types = codes(['index.d.ts'], /(?<=\| ')ERR_[A-Z_]+(?=')/g);
  assert.deepEqual(types, used);
});

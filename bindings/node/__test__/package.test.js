'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { makeFolder, makeTree } = require('./tree.js');

const PACKAGE = path.dirname(require.resolve('ast-core-engine/package.json'));

/** A project with the package among its dependencies. */
function makeProject(t) {
  const project = makeFolder(t);
  fs.mkdirSync(path.join(project, 'node_modules'));
  fs.symlinkSync(PACKAGE, path.join(project, 'node_modules/ast-core-engine'), 'junction');
  return project;
}

test('the example of the README prints what it says', (t) => {
  const readme = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
  const [, program] = readme.match(/^```js\n(.*?)^```$/ms);
  const [, expected] = readme.match(/^```text\n(.*?)^```$/ms);
  const project = makeProject(t);
  const file = path.join(project, 'search.mjs');
  fs.writeFileSync(file, program);
  assert.equal(execFileSync(process.execPath, [file, makeTree(t)], { encoding: 'utf8' }), expected);
});

test('a native library that is missing or does not load is explained', (t) => {
  const copy = makeFolder(t);
  for (const name of ['package.json', 'index.js', 'lib']) {
    fs.cpSync(path.join(PACKAGE, name), path.join(copy, name), { recursive: true });
  }
  const load = () => require(path.join(copy, 'index.js'));
  const explained = (reason) => (error) => {
    assert.equal(error.name, 'AstCoreError');
    assert.equal(error.code, 'ERR_NATIVE_BINDING');
    for (const part of [process.platform, process.arch, copy, reason, 'cargo xtask node build']) {
      assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
    }
    if (process.platform === 'linux') assert.match(error.message, /libc (glibc|musl)/);
    return true;
  };
  assert.throws(load, explained('does not exist'));

  const name = fs.readdirSync(PACKAGE).find((file) => file.endsWith('.node'));
  fs.writeFileSync(path.join(copy, name), 'no library');
  assert.throws(load, explained('does not load'));
});

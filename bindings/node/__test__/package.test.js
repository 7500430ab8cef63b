'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { makeFolder, makeTree } = require('./tree.js');

const PACKAGE = path.dirname(require.resolve('ast-core-engine/package.json'));
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Where `cargo xtask node test` has put the package as it is published. */
const TARBALLS = process.env.AST_CORE_NODE_TARBALLS;

const run = (program, args, options) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });

/** A tool of the development dependencies. */
const tool = (name) => path.join(PACKAGE, 'node_modules/.bin', process.platform === 'win32' ? `${name}.cmd` : name);

function tarballs() {
  assert.ok(TARBALLS, 'no packages to test: run `cargo xtask node test`');
  const names = fs.readdirSync(TARBALLS).filter((name) => name.endsWith('.tgz'));
  assert.equal(names.length, 2, names.join());
  return names.map((name) => path.join(TARBALLS, name));
}

/** A project with the packed package installed, and nothing else, without any network. */
let project;
const cleanUp = [];
after(() => cleanUp.forEach((clean) => clean()));
before(() => {
  project = makeFolder({ after: (clean) => cleanUp.push(clean) });
  fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }');
  run(NPM, ['install', '--offline', '--no-audit', '--no-fund', ...tarballs()], { cwd: project });
  // What is needed to check types, of which none is needed to run.
  fs.cpSync(path.join(PACKAGE, 'node_modules/@types'), path.join(project, 'node_modules/@types'), { recursive: true });
  fs.cpSync(path.join(PACKAGE, 'node_modules/undici-types'), path.join(project, 'node_modules/undici-types'), {
    recursive: true,
  });
  for (const folder of ['consumer', '../examples']) {
    fs.cpSync(path.join(__dirname, folder), project, { recursive: true });
  }
});

const RUST = 'pub struct Retry {\n    times: u32,\n}\n\nimpl Retry {\n    pub fn wait(&self) -> u32 { self.times.pow(2) }\n}\n';

test('the first program that anybody writes type-checks, and does what it says', (t) => {
  run(tool('tsc'), ['-p', path.join(project, 'tsconfig.json')], { cwd: project });
  run(tool('tsc'), ['-p', 'tsconfig.json', '--noEmit', 'false', '--outDir', 'out'], { cwd: project });
  const tree = makeTree(t);
  fs.writeFileSync(path.join(tree, 'src/retry.rs'), RUST);
  const files = ['src/cache.ts', 'src/retry.py', 'src/retry.rs'].map((name) => path.join(tree, name));
  const program = path.join(project, 'out/program.mjs');
  const printed = run(process.execPath, [program, path.join(tree, 'database.db'), files[2], ...files], { cwd: project });
  const [file, progress, batch, ...similar] = printed.trimEnd().split('\n');
  assert.equal(file, '4 symbols, 2 references, indexed');
  assert.match(progress, /^Progress: [0-3]\/3$/);
  assert.equal(batch, 'Batch: done, 3/3');
  assert.match(similar[0], /^src\/retry\.py:1-4 \w+ 0\.\d\d$/);
});

test('the types are those of the native library, and of what is read from it', () => {
  run(tool('tsc'), ['-p', path.join(__dirname, 'types/tsconfig.json')]);
});

test('the types are sound for whoever requires or imports the package', () => {
  const [facade] = tarballs().filter((file) => /ast-core-engine-\d/.test(path.basename(file)));
  run(tool('publint'), ['--strict', facade]);
  run(tool('attw'), [facade]);
});

test('the examples of the README are those that are tested', (t) => {
  const readme = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
  const programs = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program);
  const example = (name) => fs.readFileSync(path.join(PACKAGE, 'examples', name), 'utf8');
  assert.deepEqual(programs, [example('quick-start.mjs'), example('vectors.mjs')]);
  const [, expected] = readme.match(/^```text\n(.*?)^```$/ms);
  const printed = run(process.execPath, ['quick-start.mjs', makeTree(t)], { cwd: project });
  assert.equal(printed, expected);
  const winds = run(process.execPath, ['vectors.mjs', path.join(makeFolder(t), 'index.db')], { cwd: project });
  assert.equal(winds, 'north 0\n');
});

test('the example that watches indexes, answers, and ends with its input', (t) => {
  const printed = run(process.execPath, ['watch.mjs', makeTree(t)], {
    cwd: project,
    input: 'evictOldest\n?!\n',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  assert.match(printed, /^\d\.\d\d {2}src\/cache\.ts:1 {2}function evictOldest\n/);
  assert.match(printed, /no word to look for/);
});

test('what is packed holds what it should, and no more', () => {
  const installed = path.join(project, 'node_modules/ast-core-engine');
  const files = fs.readdirSync(installed, { recursive: true }).map(String);
  assert.ok(files.includes('LICENSE-MIT') && files.includes('README.md') && files.includes('index.d.mts'));
  assert.ok(!files.some((file) => /\.node$|\.rs$|test|harness/.test(file)), files.join());
  const { version, optionalDependencies, dependencies, scripts } = require(path.join(installed, 'package.json'));
  assert.deepEqual([dependencies, scripts], [undefined, undefined]);
  assert.deepEqual([...new Set(Object.values(optionalDependencies))], [version]);
  assert.equal(Object.keys(optionalDependencies).length, 8);
  for (const name of fs.readdirSync(path.join(project, 'node_modules')).filter((name) => /^ast-core-engine-/.test(name))) {
    const platform = require(path.join(project, 'node_modules', name, 'package.json'));
    assert.deepEqual([platform.os, platform.cpu], [[process.platform], [process.arch]]);
    assert.ok(name in optionalDependencies);
  }
});

test('a native library that is missing or does not load is explained', (t) => {
  const copy = makeFolder(t);
  for (const name of ['package.json', 'index.js', 'lib']) {
    fs.cpSync(path.join(PACKAGE, name), path.join(copy, name), { recursive: true });
  }
  const load = () => require(path.join(copy, 'index.js'));
  const explained = (...reasons) => (error) => {
    assert.equal(error.name, 'NativeBindingError');
    assert.equal(error.code, 'ERR_NATIVE_BINDING');
    assert.ok(error.cause);
    for (const part of [process.platform, process.arch, ...reasons]) {
      assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
    }
    if (process.platform === 'linux') assert.match(error.message, /libc (glibc|musl)/);
    return true;
  };
  const name = fs.readdirSync(PACKAGE).find((file) => file.endsWith('.node'));
  const platform = name.slice('ast-core-engine.'.length, -'.node'.length);
  assert.throws(load, explained(`package ast-core-engine-${platform} is not installed`, 'npm/cli/issues/4828'));

  const other = path.join(copy, 'node_modules', `ast-core-engine-${platform}`);
  fs.mkdirSync(other, { recursive: true });
  fs.writeFileSync(path.join(other, 'index.js'), "exports.VERSION = '0.0.0';");
  assert.throws(load, (error) => error.message.includes('is of version 0.0.0'));

  fs.writeFileSync(path.join(copy, name), 'no library');
  assert.throws(load, explained(`${name} does not load`));
});

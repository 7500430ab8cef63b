'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { AstCoreEngineApi } = require('ast-core-engine');
const { growingTrees, makeTree, manyFiles } = require('./tree.js');

/** Runs a program in a process of its own, and gives what it printed and how it ended. */
async function run(program, root, flags = []) {
  const source = `const { AstCoreEngineApi } = require('ast-core-engine');
    const root = process.argv[1];
    (async () => { ${program} })();`;
  const child = spawn(process.execPath, [...flags, '--eval', source, root], {
    cwd: __dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A process that hangs fails the test instead of hanging it.
    timeout: 120_000,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code, signal] = await once(child, 'close');
  return { code, signal, output };
}

const ENDED = { code: 0, signal: null, output: 'done' };

test('a process with an open engine ends by itself', async (t) => {
  const program = `
    const engine = await AstCoreEngineApi.openTree(root);
    await engine.index(root, { onProgress() {}, signal: new AbortController().signal });
    await engine.search('retry');
    process.stdout.write('done');`;
  assert.deepEqual(await run(program, makeTree(t)), ENDED);
});

test('a process waits for a call that is under way', async (t) => {
  const program = `
    const engine = await AstCoreEngineApi.openTree(root);
    engine.index(root, { onProgress() {} }).then(() => process.stdout.write('done'));`;
  assert.deepEqual(await run(program, makeTree(t, manyFiles(50))), ENDED);
});

test('a process may exit while a run is under way', async (t) => {
  const program = `
    const engine = await AstCoreEngineApi.openTree(root);
    engine.index(root, { onProgress() { process.stdout.write('going', () => process.exit(7)); } });`;
  const { code, signal, output } = await run(program, makeTree(t, manyFiles(600)));
  assert.deepEqual([code, signal], [7, null]);
  assert.match(output, /^going/);
});

test('an engine that is forgotten gives back its index', async (t) => {
  // The lock of its file goes with it, so that who tries again gets it in the end.
  const program = `
    const use = async () => { await (await AstCoreEngineApi.openTree(root)).index(root); };
    await use();
    for (;;) {
      await new Promise(setImmediate);
      gc();
      try {
        await (await AstCoreEngineApi.openTree(root)).close();
        break;
      } catch (error) {
        if (error.code !== 'ERR_INDEX_LOCKED') throw error;
      }
    }
    process.stdout.write('done');`;
  assert.deepEqual(await run(program, makeTree(t), ['--expose-gc']), ENDED);
});

test('a run ends with the worker thread that it was begun on', { timeout: 120_000 }, async (t) => {
  const source = `
    const { parentPort, workerData: root } = require('node:worker_threads');
    const { AstCoreEngineApi } = require(${JSON.stringify(require.resolve('ast-core-engine'))});
    AstCoreEngineApi.openTree(root).then((engine) => {
      engine.index(root, { onProgress() {} });
      parentPort.postMessage('begun');
    });`;
  for (const { root, count } of growingTrees(t)) {
    const worker = new Worker(source, { eval: true, workerData: root });
    await once(worker, 'message');
    await worker.terminate();

    const engine = await openWhenFree(root);
    const { complete } = await engine.status();
    assert.equal((await engine.index(root)).files.seen, count);
    await engine.close();
    if (!complete) return;
  }
});

async function openWhenFree(root) {
  for (;;) {
    try {
      return await AstCoreEngineApi.openTree(root);
    } catch (error) {
      if (error.code !== 'ERR_INDEX_LOCKED') throw error;
    }
  }
}

test('neither a batch nor a watch keeps a process', async (t) => {
  const program = `
    const engine = await AstCoreEngineApi.openTree(root);
    const watcher = await engine.watch(root);
    await watcher.next();
    await engine.processDirectory(root, { enableCaching: false });
    process.stdout.write('done');`;
  assert.deepEqual(await run(program, makeTree(t, manyFiles(50))), ENDED);
});

test('several engines work in several threads of one process', { timeout: 120_000 }, async (t) => {
  const source = `
    const { parentPort, workerData: roots } = require('node:worker_threads');
    const { AstCoreEngineApi } = require(${JSON.stringify(require.resolve('ast-core-engine'))});
    Promise.all(roots.map(async (root) => {
      const engine = await AstCoreEngineApi.openTree(root);
      const { files } = await engine.index(root);
      const { hits } = await engine.search('function_1_1');
      await engine.close();
      return [files.indexed, hits.length > 0];
    })).then((found) => parentPort.postMessage(found));`;
  const trees = () => [makeTree(t, manyFiles(30)), makeTree(t, manyFiles(30))];
  const workers = [trees(), trees()].map((roots) => new Worker(source, { eval: true, workerData: roots }));
  for (const [found] of await Promise.all(workers.map((worker) => once(worker, 'message')))) {
    assert.deepEqual(found, [[30, true], [30, true]]);
  }
});

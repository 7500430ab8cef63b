'use strict';

// Ends in the middle of work, in one of several ways: see exit.js.

const { Worker } = require('node:worker_threads');
const { AstCoreEngineApi } = require('ast-core-engine');

const [how, root, delay] = [process.argv[2], process.argv[3], Number(process.argv[4])];

/** Begins work of every kind, and waits for none of it. */
const WORK = `
  async (engine, root) => {
    const quiet = (promise) => promise.catch((error) => {
      // Whatever else it is, the work was not done that is to be ended.
      if (['ERR_CANCELLED', 'ERR_CLOSED'].includes(error.code)) return;
      console.error(error);
      process.exit(3);
    });
    quiet(engine.index(root, { rebuild: true, onProgress() {} }));
    quiet(engine.processDirectory(root, { enableCaching: false }).then((id) => engine.waitForBatch(id)));
    quiet(engine.search('function'));
    quiet(engine.symbols({ limit: 100000 }));
    quiet(engine.embed(['one', 'two']).then((vectors) => engine.searchSimilar(vectors[0])));
    quiet(engine.insertVector('a', [1, 2]));
    quiet(engine.watch(root).then((watcher) => watcher.next()));
  }`;
const work = eval(WORK);

async function main() {
  if (how === 'terminate') {
    const source = `
      const { parentPort, workerData: root } = require('node:worker_threads');
      const { AstCoreEngineApi } = require(${JSON.stringify(require.resolve('ast-core-engine'))});
      AstCoreEngineApi.openTree(root).then((engine) => { (${WORK})(engine, root); parentPort.postMessage(0); });`;
    const worker = new Worker(source, { eval: true, workerData: root });
    await new Promise((resolve) => worker.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, delay));
    await worker.terminate();
    return;
  }
  if (how === 'collect') {
    await (async () => work(await AstCoreEngineApi.openTree(root), root))();
    const end = performance.now() + delay;
    while (performance.now() < end) {
      globalThis.gc();
      await new Promise(setImmediate);
    }
    process.exit(0);
  }
  const engine = await AstCoreEngineApi.openTree(root);
  work(engine, root);
  await new Promise((resolve) => setTimeout(resolve, delay));
  if (how === 'exit') process.exit(0);
  if (how === 'throw') {
    process.on('uncaughtException', () => process.exit(0));
    throw new Error('in the middle of work');
  }
  // Closing is the last way: what is under way ends, and then the process by itself.
  await engine.close();
}

main();

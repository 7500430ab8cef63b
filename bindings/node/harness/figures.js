'use strict';

// What the binding costs, on a tree:
//
//     node harness/figures.js FOLDER
//
// A call's own time is measured by the library, and the rest is the binding's: crossing over, and waking JavaScript.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const { AstCoreEngineApi } = require('ast-core-engine');

const root = process.argv[2];
const ROUNDS = 3;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const shown = (numbers, digits = 2) => `${median(numbers).toFixed(digits)} (${numbers.map((n) => n.toFixed(digits)).join(', ')})`;

async function timed(call) {
  const begin = performance.now();
  const result = await call();
  return [performance.now() - begin, result];
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ast-core-engine-figures-'));
  const library = require.resolve('ast-core-engine');

  const load = `const b = performance.now(); require(${JSON.stringify(library)}); console.log(performance.now() - b)`;
  const loads = Array.from({ length: 7 }, () => Number(execFileSync(process.execPath, ['-e', load], { encoding: 'utf8' })));
  console.log(`require: ${shown(loads)} ms`);

  const [overheads, delays, maxima, seconds] = [[], [], [], []];
  let engine;
  for (let round = 0; round < ROUNDS; round++) {
    await engine?.close();
    engine = await AstCoreEngineApi.open(path.join(folder, `index-${round}.db`));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const [tookMs, report] = await timed(() => engine.index(root, { onProgress() {} }));
    delay.disable();
    overheads.push((100 * (tookMs - report.elapsedMs)) / report.elapsedMs);
    delays.push(delay.percentile(99) / 1e6 - 1);
    maxima.push(delay.max / 1e6 - 1);
    seconds.push(report.elapsedMs / 1000);
    if (round === 0) console.log(`tree: ${report.files.indexed} files, ${report.bytes} bytes, ${report.symbols} symbols`);
  }
  console.log(`index: ${shown(seconds)} s, of which the binding adds ${shown(overheads)} %`);
  console.log(`event loop while indexing: p99 ${shown(delays)} ms late, at most ${shown(maxima)} ms`);

  for (const query of ['parse', 'how is a request retried', 'read file lines']) {
    for (let warm = 0; warm < 20; warm++) await engine.search(query);
    const rest = [];
    const own = [];
    for (let round = 0; round < 300; round++) {
      const [tookMs, reply] = await timed(() => engine.search(query));
      rest.push((tookMs - reply.tookMs) * 1000);
      own.push(reply.tookMs);
    }
    rest.sort((a, b) => a - b);
    console.log(
      `search ${JSON.stringify(query)}: ${median(own).toFixed(2)} ms, of which not of the engine ${median(rest).toFixed(0)} us ` +
        `(p95 ${rest[285].toFixed(0)} us)`,
    );
  }

  const columns = [];
  const objects = [];
  let length = 0;
  for (let round = 0; round < 7; round++) {
    const [tookMs, page] = await timed(() => engine.symbols({ limit: 100_000 }));
    columns.push(tookMs - page.tookMs);
    const begin = performance.now();
    length = page.symbols.length;
    objects.push(columns.at(-1) + performance.now() - begin);
  }
  console.log(`${length} symbols: to columns ${shown(columns, 1)} ms, to objects ${shown(objects, 1)} ms`);
  await engine.close();
  fs.rmSync(folder, { recursive: true });
}

main();

'use strict';

// What the binding costs, on a tree, beside the same calls in Rust:
//
//     node harness/figures.js FOLDER IN_RUST
//
// IN_RUST is the program of that name in `benches`. The two are asked by turns, each in a process of its own with the same
// index, and of each query the medians are held against each other.

const { execFileSync, spawn } = require('node:child_process');
const { randomFill } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const readline = require('node:readline');
const { promisify } = require('node:util');
const { AstCoreEngineApi } = require('ast-core-engine');

const [root, inRust] = process.argv.slice(2);
const INDEX_RUNS = 3;
const SEARCH_ROUNDS = 40;
const EMPTY_CALLS = 2000;
const LISTINGS = 9;
const LIMIT = 100_000;
const QUERIES = [
  'parse',
  'how is a request retried',
  'read file lines',
  'where are retries configured',
  'lru cache eviction',
  'getValue',
  'how is a connection pool closed',
  'sort',
  'convert a string to an integer',
  'error handling',
  'tokenizer',
  'iterate over the keys of a map in order',
  'schema migration',
  'regex match',
  'escape html',
];

const at = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.round((numbers.length - 1) * share)];
const median = (numbers) => at(numbers, 0.5);
const shown = (numbers, digits = 2) => `${median(numbers).toFixed(digits)} (${numbers.map((n) => n.toFixed(digits)).join(', ')})`;
const spread = (numbers, digits) => `p50 ${median(numbers).toFixed(digits)}, p95 ${at(numbers, 0.95).toFixed(digits)}`;

async function timed(call) {
  const begin = performance.now();
  const result = await call();
  return [performance.now() - begin, result];
}

/** Asks the program that calls the engine from Rust; milliseconds. */
function rust(database) {
  const program = spawn(inRust, [database], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const ask = async (call, argument) => {
    program.stdin.write(`${call} ${argument}\n`);
    const { done, value } = await lines.next();
    if (done) throw new Error(`${inRust} ended`);
    return Number(value) / 1e6;
  };
  return { ask, end: () => program.stdin.end() };
}

/** How long calls take, of which one begins when the one before has ended; microseconds. */
async function latency(call, calls) {
  const times = [];
  for (let round = 0; round < calls; round++) times.push((await timed(call))[0] * 1000);
  return times;
}

async function indexing(folder) {
  const [overheads, delays, maxima, seconds] = [[], [], [], []];
  let engine;
  for (let round = 0; round < INDEX_RUNS; round++) {
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
  const { database } = engine.configuration;
  await engine.close();
  return database;
}

async function searching(engine, program) {
  const fill = promisify(randomFill);
  const byte = Buffer.alloc(1);
  await latency(() => fill(byte), EMPTY_CALLS);
  console.log(`a call of Node's own that does nothing on another thread: ${spread(await latency(() => fill(byte), EMPTY_CALLS), 0)} us`);
  await latency(() => engine.embed([]), EMPTY_CALLS);
  console.log(`a call of the binding that does nothing: ${spread(await latency(() => engine.embed([]), EMPTY_CALLS), 0)} us`);
  const own = [];
  for (let round = 0; round < SEARCH_ROUNDS; round++) {
    for (const query of QUERIES) {
      const [tookMs, reply] = await timed(() => engine.search(query));
      own.push((tookMs - reply.tookMs) * 1000);
    }
  }
  console.log(`of a search not the engine's, by its own clock: ${spread(own, 0)} us`);

  const calls = {
    'from Node': async (query) => (await timed(() => engine.search(query)))[0],
    'from Rust, where it is called': (query) => program.ask('search', query),
    'from Rust, handed to another thread': (query) => program.ask('handed', query),
  };
  const sides = Object.values(calls).map((call) => ({ call, times: QUERIES.map(() => []) }));
  for (let round = -2; round < SEARCH_ROUNDS; round++) {
    for (const [which, query] of QUERIES.entries()) {
      for (let turn = 0; turn < sides.length; turn++) {
        const { call, times } = sides[(round + 2 + turn) % sides.length];
        const tookMs = await call(query);
        if (round >= 0) times[which].push(tookMs);
      }
    }
  }
  for (const [which, name] of Object.keys(calls).entries()) {
    const added = QUERIES.map((_, query) => (median(sides[0].times[query]) - median(sides[which].times[query])) * 1000);
    const less = which === 0 ? '' : `; of a query's median Node takes ${spread(added, 0)} us more`;
    console.log(`search ${name}: ${spread(sides[which].times.flat(), 3)} ms${less}`);
  }
}

async function listing(engine, program) {
  const [columns, crossing, objects, read, list] = [[], [], [], [], []];
  let length = 0;
  for (let round = -1; round < LISTINGS; round++) {
    const [columnsMs, page] = await timed(() => engine.symbols({ limit: LIMIT }));
    const [objectsMs] = await timed(() => (length = page.symbols.length));
    const [readMs, listMs] = [await program.ask('read', LIMIT), await program.ask('symbols', LIMIT)];
    if (round < 0) continue;
    columns.push(columnsMs);
    crossing.push(columnsMs - page.tookMs);
    objects.push(objectsMs);
    read.push(readMs);
    list.push(listMs);
  }
  console.log(`${length} symbols, in Rust: to read them ${shown(read, 1)} ms, as a list ${shown(list, 1)} ms`);
  console.log(`from Node: as columns ${shown(columns, 1)} ms, of which after reading ${shown(crossing, 1)} ms; as objects ${shown(objects, 1)} ms more`);
  const beside = median(columns) - median(read);
  console.log(`beside reading, of the medians: to columns ${beside.toFixed(1)} ms, to objects ${(beside + median(objects)).toFixed(1)} ms`);
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ast-core-engine-figures-'));
  const library = require.resolve('ast-core-engine');
  console.log(`Node ${process.versions.node}, ${os.availableParallelism()} processors: ${os.cpus()[0]?.model}`);

  const load = `const b = performance.now(); require(${JSON.stringify(library)}); console.log(performance.now() - b)`;
  const loads = Array.from({ length: 7 }, () => Number(execFileSync(process.execPath, ['-e', load], { encoding: 'utf8' })));
  console.log(`require: ${shown(loads)} ms`);

  const database = await indexing(folder);
  // As the other side has it: what was found while indexing is not in memory.
  const engine = await AstCoreEngineApi.open(database, { readOnly: true });
  const program = rust(database);
  await searching(engine, program);
  await listing(engine, program);
  program.end();
  await engine.close();
  fs.rmSync(folder, { recursive: true });
}

main();

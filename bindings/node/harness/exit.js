'use strict';

// Ends processes and threads in the middle of work, many times, and counts how they end:
//
//     node harness/exit.js [RUNS]

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { makeTree, manyFiles } = require('../__test__/tree.js');

const runs = Number(process.argv[2] ?? 1000);
const WAYS = ['exit', 'terminate', 'collect', 'close', 'throw'];
const AT_A_TIME = 2;
const LONGEST_MS = 60_000;

const folders = [];
const after = { after: (clean) => folders.push(clean) };

/** One run; how it ended. */
function end(how, root, delay) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--expose-gc', path.join(__dirname, 'exit-child.js'), how, root, delay], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    child.once('close', (code, signal) => resolve({ code, signal, said }));
  });
}

async function main() {
  const counts = Object.fromEntries(WAYS.map((how) => [how, { runs: 0, failed: 0 }]));
  // Each has a tree of its own, as an index is written by one at a time; it stays, so that indexes that were left in the
  // middle are opened, too.
  const roots = Array.from({ length: AT_A_TIME }, () => makeTree(after, manyFiles(40)));
  let next = 0;
  const failures = [];
  await Promise.all(
    roots.map(async (root) => {
      while (next < runs) {
        const run = next++;
        const how = WAYS[run % WAYS.length];
        // From before the first file to after the last.
        const { code, signal, said } = await end(how, root, String((run * 7) % 120));
        counts[how].runs++;
        if (code !== 0 || signal !== null) {
          counts[how].failed++;
          failures.push(`${how}: code ${code}, signal ${signal}: ${said.trim().split('\n').slice(-3).join(' | ')}`);
        }
        if ((run + 1) % 100 === 0) process.stderr.write(`${run + 1} runs, ${failures.length} failed\n`);
      }
    }),
  );
  for (const clean of folders) clean();
  for (const [how, { runs: count, failed }] of Object.entries(counts)) console.log(`${how}: ${count} runs, ${failed} failed`);
  for (const failure of failures.slice(0, 20)) console.log(failure);
  const cores = fs.readdirSync('.').filter((name) => /^core(\.\d+)?$/.test(name));
  console.log(`all: ${runs} runs, ${failures.length} failed, ${cores.length} core dumps`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

main();

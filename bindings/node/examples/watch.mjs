// Indexes a folder with a progress bar, then answers what is typed while the folder is watched.
//
//     node watch.mjs FOLDER

import { createInterface } from 'node:readline/promises';
import { AstCoreEngineApi, AstCoreError } from 'ast-core-engine';

const root = process.argv[2] ?? '.';
const WIDTH = 30;

function showProgress({ filesDone, filesTotal, elapsedMs }) {
  if (!process.stderr.isTTY || !filesTotal) return;
  const filled = Math.round((WIDTH * filesDone) / filesTotal);
  const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
  process.stderr.write(`\r${bar} ${filesDone}/${filesTotal} files, ${(elapsedMs / 1000).toFixed(1)} s`);
  if (filesDone === filesTotal) process.stderr.write('\n');
}

async function answer(engine, text) {
  try {
    const { hits, tookMs } = await engine.search(text, { limit: 5 });
    for (const { path, startLine, kind, name, score } of hits) {
      console.log(`${score.toFixed(2)}  ${path}:${startLine}  ${kind ?? ''} ${name ?? ''}`.trimEnd());
    }
    console.log(`${hits.length} hits in ${tookMs.toFixed(1)} ms`);
  } catch (error) {
    if (!(error instanceof AstCoreError)) throw error;
    console.log(error.message);
  }
}

async function follow(watcher) {
  for await (const event of watcher) {
    if (event.kind === 'updated') {
      const { indexed, removed } = event.report.files;
      console.error(`index brought up: ${indexed} files parsed, ${removed} gone`);
    } else if (event.kind === 'failed') {
      console.error(`index not brought up: ${event.reason}`);
    }
  }
}

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());

const engine = await AstCoreEngineApi.openTree(root);
try {
  const report = await engine.index(root, { onProgress: showProgress, signal: interrupt.signal });
  console.error(`${report.files.indexed} files parsed, ${report.files.unchanged} as they were`);
  const watcher = await engine.watch(root);
  const following = follow(watcher);
  const input = createInterface({ input: process.stdin });
  interrupt.signal.addEventListener('abort', () => input.close());
  for await (const line of input) if (line.trim()) await answer(engine, line);
  await watcher.close();
  await following;
} catch (error) {
  if (error.code !== 'ERR_CANCELLED') throw error;
  console.error('interrupted; what was indexed is kept');
} finally {
  await engine.close();
}

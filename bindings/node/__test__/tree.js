'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** A directory that is gone after the test. */
function makeFolder(t) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ast-core-engine-')));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A source tree of these files. */
function makeTree(t, files = SMALL) {
  const root = makeFolder(t);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  return root;
}

const SMALL = {
  'src/retry.py': [
    'class RetryPolicy:',
    '    def wait_before_retry(self, attempt):',
    "        '''How long to wait before the request is sent again.'''",
    '        return min(2 ** attempt, 60)',
    '',
  ].join('\n'),
  'src/cache.ts': [
    '/** Forgets what was used least recently. */',
    'export function evictOldest(cache: Map<string, string>): void {',
    '  const first = cache.keys().next();',
    '  if (!first.done) cache.delete(first.value);',
    '}',
    '',
  ].join('\n'),
  'notes.txt': 'not a language\n',
};

/** Files with some work in each. */
function manyFiles(count) {
  const body = (file, n) => `def function_${file}_${n}(first, second):\n    return [first + second, "${n}"]\n\n`;
  const files = {};
  for (let file = 0; file < count; file++) {
    files[`package_${file % 20}/module_${file}.py`] = Array.from({ length: 40 }, (_, n) => body(file, n)).join('');
  }
  return files;
}

/**
 * Larger and larger trees, for what has to happen while a run is under way: on a fast machine the run of a small one
 * is over before.
 */
function* growingTrees(t) {
  for (let count = 500; count <= 16_000; count *= 2) yield { count, root: makeTree(t, manyFiles(count)) };
  assert.fail('every run was over before it could be interrupted');
}

module.exports = { growingTrees, makeFolder, makeTree, manyFiles };

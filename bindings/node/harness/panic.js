'use strict';

// A panic of the library rejects, and the process lives. The library has to be built with the feature `failpoints`:
//
//     FAILPOINTS='search/found=1*panic(on purpose)' node harness/panic.js

const assert = require('node:assert/strict');
const { AstCoreEngineApi, InternalError } = require('ast-core-engine');
const { makeTree } = require('../__test__/tree.js');

async function main() {
  const folders = [];
  const root = makeTree({ after: (clean) => folders.push(clean) });
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  await assert.rejects(engine.search('retry'), (error) => {
    assert.ok(error instanceof InternalError);
    assert.equal(error.code, 'ERR_INTERNAL');
    assert.match(error.message, /on purpose/);
    return true;
  });
  assert.ok((await engine.search('retry')).hits.length > 0);
  await engine.close();
  for (const clean of folders) clean();
  console.log('a panic rejected with ERR_INTERNAL; the next call was answered');
}

main();

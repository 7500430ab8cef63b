import ast = require('ast-core-engine');
import type { IndexReport, SearchHit } from 'ast-core-engine';

async function main(root: string): Promise<void> {
  await using engine: ast.AstCoreEngineApi = await ast.AstCoreEngineApi.openTree(root, { readOnly: false });
  const report: IndexReport = await engine.index(root, { onProgress: ({ filesDone }) => filesDone.toFixed() });
  const hits: SearchHit[] = (await engine.search('retry', { kinds: ['function', 'method'], limit: 1 })).hits;
  const [match] = await engine.searchSimilar([1, 2], { collection: 'mine' });
  const name: string | null | undefined = hits[0]?.name;
  console.log(report.files.indexed, name, match?.id, ast.languages.length, ast.version);
}

main(process.argv[2] ?? '.').catch((error: unknown) => {
  if (error instanceof ast.CancelledError) return;
  if (error instanceof ast.AstCoreError) console.error(error.code, error.path ?? '');
  throw error;
});

import { AstCoreEngineApi } from 'ast-core-engine';

const [database, source, ...files] = process.argv.slice(2) as [string, string, ...string[]];

const engine = new AstCoreEngineApi();
await engine.initialize(database);

const result = await engine.processFile(source, {
  batchSize: 100,
  parallelWorkers: 4,
  enableCaching: true,
  language: 'rust',
});
console.log(`${result.symbols.length} symbols, ${result.references.length} references, ${result.index.state}`);

const batchId = await engine.processBatch(files);
const progress = await engine.getBatchProgress(batchId);
console.log(`Progress: ${progress.processedFiles}/${progress.totalFiles}`);
const done = await engine.waitForBatch(batchId);
console.log(`Batch: ${done.state}, ${done.processedFiles}/${done.totalFiles}`);

const vector = await engine.embed('how long until a request is sent again');
const similar = await engine.searchSimilar(vector, { maxResults: 10, threshold: 0.2 });
for (const { path, startLine, endLine, name, score } of similar) {
  console.log(`${path}:${startLine}-${endLine} ${name} ${score.toFixed(2)}`);
}

await engine.close();

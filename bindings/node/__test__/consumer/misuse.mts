import { AstCoreEngineApi, AstCoreError, type AstCoreErrorCode, type BatchProgress, type WatchEvent } from 'ast-core-engine';

const engine = new AstCoreEngineApi();

// @ts-expect-error: a database is named
await engine.initialize();
// @ts-expect-error: not an option
await engine.initialize('index.db', { readonly: true });
// @ts-expect-error: a number
await engine.processFile('a.ts', { parallelWorkers: '4' });
// @ts-expect-error: not a path
await engine.processBatch('a.ts');
// @ts-expect-error: batches have numbers
await engine.getBatchProgress('1');
// @ts-expect-error: one of three
await engine.search('x', { mode: 'fast' });
// @ts-expect-error: a kind of definition
await engine.search('x', { kinds: ['klass'] });
// @ts-expect-error: collections know no kinds
await engine.searchSimilar([1], { collection: 'mine', kinds: ['class'] });
// @ts-expect-error: numbers
await engine.insertVector('a', ['1']);
// @ts-expect-error: it may be null
(await engine.search('x')).hits[0]!.name.length;
// @ts-expect-error: it is known of a watch that is ready only
((event: WatchEvent) => event.watched)({ kind: 'failed', reason: '' });
// @ts-expect-error: there is no such state
((progress: BatchProgress) => progress.state === 'finished')(await engine.getBatchProgress(1));
// @ts-expect-error: not settable
engine.isOpen = true;
// @ts-expect-error: not a code
const code: AstCoreErrorCode = 'ERR_NONE';

const one: Float32Array = await engine.embed('x');
const two: Float32Array[] = await engine.embed(['x', 'y'], { as: 'code' });
const kept = await engine.getVector('a');
const values: Float32Array | undefined = kept?.vector;
for await (const { state } of engine.batchEvents(1)) state satisfies BatchProgress['state'];
for await (const event of await engine.watch('.')) if (event.kind === 'ready') event.report.files.indexed.toFixed();
for (const { annotation, name } of (await engine.annotate('.')).files[0]!.symbols) annotation.modifiers.includes(name);
export { code, one, two, values, AstCoreError };

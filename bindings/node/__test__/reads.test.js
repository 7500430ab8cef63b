'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { AstCoreEngineApi, languages } = require('ast-core-engine');
const { makeTree, manyFiles } = require('./tree.js');

const TREE = {
  'pump.ts': [
    '// Übergröße 😀',
    'export class Pump {',
    '  open(): void { this.prime(); }',
    '  private prime(): void {}',
    '}',
    '',
  ].join('\n'),
  'main.ts': [
    "import { Pump } from './pump';",
    '',
    'export function start(): Pump {',
    '  const pump = new Pump();',
    '  pump.open();',
    '  return pump;',
    '}',
    '',
  ].join('\n'),
  'other.py': 'def open_all(pumps):\n    for pump in pumps:\n        pump.open()\n',
};

async function indexed(t, files = TREE) {
  const root = makeTree(t, files);
  const engine = await AstCoreEngineApi.openTree(root);
  await engine.index(root);
  t.after(() => engine.close());
  return { engine, root };
}

test('neighbours of a vector are real, and have what they are', async (t) => {
  const { engine, root } = await indexed(t);
  const vector = await engine.embed('open the pump');
  assert.ok(vector instanceof Float32Array);
  assert.equal(vector.length, engine.configuration.dimension);
  const similar = await engine.searchSimilar(vector, { maxResults: 3, threshold: -1, collection: undefined });
  assert.ok(similar.length > 0 && similar.length <= 3);
  for (const [at, hit] of similar.entries()) {
    const text = fs.readFileSync(path.join(root, hit.path), 'utf8');
    assert.equal(hit.snippet, text.slice(hit.start, hit.end));
    assert.ok(hit.startLine >= 1 && hit.endLine >= hit.startLine);
    assert.ok(hit.score <= (similar[at - 1]?.score ?? 1) && hit.score === hit.why.semantic);
  }
  const near = await engine.searchSimilar(Array.from(vector), { threshold: similar[0].score - 1e-6 });
  assert.equal(near[0].path, similar[0].path);
  assert.ok(near.every((hit) => hit.score >= similar[0].score - 1e-6));
  const python = await engine.searchSimilar(Float64Array.from(vector), { languages: ['python'] });
  assert.deepEqual(python.map((hit) => [hit.path, hit.name]), [['other.py', 'open_all']]);
  // A piece of the tree is nearest to itself.
  const [code] = await engine.embed([TREE['other.py']], { as: 'code' });
  assert.equal((await engine.searchSimilar(code))[0].path, 'other.py');
});

test('copies in other names are found from a place and from a text', async (t) => {
  const clone = (name, list, item) =>
    `export function ${name}(${list}: number[]): number {\n  let sum = 0;\n  for (const ${item} of ${list}) {\n` +
    `    if (${item} > 10) sum += ${item} * 2;\n  }\n  return sum;\n}\n`;
  const { engine, root } = await indexed(t, {
    ...TREE,
    'a.ts': clone('sumOfPrices', 'prices', 'price'),
    'b.ts': clone('total', 'weights', 'weight'),
  });
  for (const file of ['a.ts', path.join(root, 'a.ts')]) {
    const { place, hits } = await engine.similarTo(file, 3);
    assert.deepEqual([place.path, place.name, place.unindexed], ['a.ts', 'sumOfPrices', false]);
    assert.deepEqual([hits[0].path, hits[0].name], ['b.ts', 'total']);
    assert.ok(hits[0].why.likeness.shape > 0.9 && hits.every((hit) => hit.path !== 'a.ts'));
  }
  const { place, hits } = await engine.similarToCode(clone('x', 'ys', 'y'), { language: 'typescript', limit: 2 });
  assert.equal(place, null);
  assert.deepEqual(hits.map((hit) => hit.path).sort(), ['a.ts', 'b.ts']);
  await assert.rejects(engine.similarTo('a.ts', 99), { code: 'ERR_INVALID_ARGUMENT', message: /no code at line 99/ });
  await assert.rejects(engine.similarTo('a.ts', 0), { code: 'ERR_INVALID_ARGUMENT' });
});

test('vectors of texts are those of each', async (t) => {
  const { engine } = await indexed(t);
  const texts = ['open the pump', '', 'paint the fence'];
  for (const as of ['query', 'code']) {
    const all = await engine.embed(texts, { as });
    assert.equal(all.length, 3);
    for (const [at, text] of texts.entries()) assert.deepEqual(all[at], await engine.embed(text, { as }));
    assert.ok(all[1].every((value) => value === 0));
    const length = Math.hypot(...all[0]);
    assert.ok(Math.abs(length - 1) < 1e-5, `${length}`);
  }
  assert.deepEqual(await engine.embed([]), []);
});

test('definitions are listed, a page at a time', async (t) => {
  const { engine, root } = await indexed(t);
  const page = await engine.symbols();
  assert.equal(page.next, null);
  const names = (symbols) => symbols.map(({ path, name, kind }) => `${path} ${kind} ${name}`).sort();
  assert.deepEqual(names(page.symbols), [
    'main.ts function start',
    'other.py function open_all',
    'pump.ts class Pump',
    'pump.ts method open',
    'pump.ts method prime',
  ]);
  for (const { path: file, name, start, end, startByte, endByte } of page.symbols) {
    const bytes = fs.readFileSync(path.join(root, file));
    assert.equal(bytes.toString().slice(start, end), bytes.subarray(startByte, endByte).toString());
    assert.ok(bytes.toString().slice(start, end).includes(name));
  }
  const prime = page.symbols.find((symbol) => symbol.name === 'prime');
  assert.deepEqual([prime.scope, prime.visibility, prime.language], [['Pump'], 'private', 'typescript']);

  const paged = [];
  let after;
  do {
    const { symbols, next } = await engine.symbols({ limit: 2, after });
    paged.push(...symbols);
    after = next ?? undefined;
  } while (after);
  assert.deepEqual(paged, page.symbols);

  const find = async (options) => names((await engine.symbols(options)).symbols);
  assert.deepEqual(await find({ name: 'open' }), ['pump.ts method open']);
  assert.equal((await find({ name: 'OPEN', matching: 'prefix' })).length, 2);
  assert.deepEqual(await find({ kinds: ['class'] }), ['pump.ts class Pump']);
  assert.deepEqual(await find({ languages: ['python'] }), ['other.py function open_all']);
  assert.deepEqual(await find({ paths: ['main.*'] }), ['main.ts function start']);
  assert.deepEqual(await find({ name: 'none' }), []);
});

test('texts are what they are, whatever characters are in those before and behind them', async (t) => {
  const docs = ['plain', 'Größe', 'plain again', 'naïve 😀 日本', 'last'];
  const named = (at) => (at === 2 ? 'größer' : `f${at}`);
  const body = (doc, at) => `/** ${doc} */\nfunction ${named(at)}(a = '${doc}') {\n  return ${named(at)}(a);\n}\n`;
  const { engine, root } = await indexed(t, { 'a.js': docs.map(body).join('\n') });
  const { symbols } = await engine.symbols();
  assert.deepEqual(symbols.map(({ name }) => name), docs.map((_, at) => named(at)));
  assert.deepEqual(symbols.map(({ doc }) => doc), docs);
  assert.deepEqual(symbols.map(({ signature }) => signature), docs.map((doc, at) => `function ${named(at)}(a = '${doc}')`));
  const [{ symbols: outlined }] = (await engine.outline(path.join(root, 'a.js'))).files;
  assert.deepEqual(outlined.map(({ doc }) => doc), docs);
  const { hits } = await engine.search('größer naïve plain last', { limit: 10 });
  const text = fs.readFileSync(path.join(root, 'a.js'), 'utf8');
  assert.deepEqual(hits.map(({ snippet }) => snippet), hits.map(({ start, end }) => text.slice(start, end)));
  assert.ok(hits.some(({ snippet }) => snippet.includes('日本')));
  const { mentions } = await engine.references('größer');
  assert.deepEqual(mentions.map(({ name, text, within }) => [name, text, within.name]), [
    ['größer', 'return größer(a);', 'größer'],
  ]);
});

test('mentions, callers and callees name their evidence', async (t) => {
  const { engine } = await indexed(t);
  const { definitions, mentions } = await engine.references('Pump');
  assert.deepEqual(definitions.map(({ path, kind }) => [path, kind]), [['pump.ts', 'class']]);
  const kinds = mentions.map(({ path, kind, evidence }) => `${path} ${kind} ${evidence}`);
  assert.ok(kinds.includes('main.ts import import') && kinds.includes('main.ts call import'), kinds.join());
  for (const { path: file, start, end, startByte, endByte, name } of mentions) {
    assert.equal(TREE[file].slice(start, end), name);
    assert.equal(Buffer.from(TREE[file]).subarray(startByte, endByte).toString(), name);
  }
  const callers = await engine.callers('Pump.open');
  const from = callers.mentions.map(({ path, line, within }) => [path, line, within.name]);
  assert.ok(from.some(([path, line, name]) => path === 'main.ts' && line === 5 && name === 'start'), `${from}`);
  const { mentions: python } = await engine.callers('open', { languages: ['python'], limit: 1 });
  assert.deepEqual(python.map(({ path, line, evidence }) => [path, line, evidence]), [['other.py', 3, 'name']]);
  const { callees } = await engine.callees('start');
  assert.deepEqual(callees.map(({ name, lines }) => [name, lines]), [['Pump', [4]], ['open', [5]]]);
  assert.equal(callees[0].targets[0].path, 'pump.ts');
});

test('a signal gives up whatever reads, and nothing else', async (t) => {
  const { engine } = await indexed(t, manyFiles(200));
  const reason = new Error('changed my mind');
  const aborted = { signal: AbortSignal.abort(reason) };
  const vector = await engine.embed('function');
  const calls = {
    search: (options) => engine.search('function', options),
    searchSimilar: (options) => engine.searchSimilar(vector, options),
    symbols: (options) => engine.symbols(options),
    references: (options) => engine.references('function_1_1', options),
    callees: (options) => engine.callees('function_1_1', options),
    status: (options) => engine.status(options),
    embed: (options) => engine.embed('x', options),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call(aborted), { code: 'ERR_CANCELLED', name: 'CancelledError', cause: reason }, name);
    const controller = new AbortController();
    const pending = call({ signal: controller.signal });
    controller.abort(reason);
    const [{ status, reason: error }] = await Promise.allSettled([pending]);
    if (status === 'rejected') assert.deepEqual([error.code, error.cause], ['ERR_CANCELLED', reason], name);
    await call({ signal: new AbortController().signal });
  }
});

test('the languages are told', () => {
  const rust = languages.find((language) => language.name === 'rust');
  assert.deepEqual(rust.extensions, ['rs']);
  assert.ok(languages.length >= 15);
});

'use strict';

const shape = require('./argument.js');
const options = require('./options.js');
const { cancelled, settled, until } = require('./call.js');
const { fileOf, listOf } = require('./columns.js');
const { errorOf } = require('./error.js');
const { Events } = require('./events.js');
const { native } = require('./native.js');
const { ProgressListener } = require('./progress.js');
const { calleeReplyOf, referenceReplyOf, searchReplyOf, similarReplyOf } = require('./record.js');

/** The collection of vectors that are inserted without naming one. */
const DEFAULT_COLLECTION = 'default';

const BATCH_ID = shape.integer(1, Number.MAX_SAFE_INTEGER);

const LINE = shape.integer(1, 2 ** 32 - 1);

const isOver = (state) => !['queued', 'running', 'paused'].includes(state);

const parsed = (metadata) => (metadata === null ? null : JSON.parse(metadata));

// Every method is async, so that whatever is wrong rejects and nothing throws. `index.d.ts` documents them.
class AstCoreEngineApi {
  #options;
  /** A promise of the native engine while it is opened, and then. */
  #opening = null;
  /** The native engine once it is open. */
  #native = null;
  #isClosed = false;
  #closing = null;
  #openedAt = 0;
  #calls = new Map();

  constructor(engineOptions) {
    this.#options = shape.checkOptions(engineOptions, options.ENGINE);
  }

  static async open(database, engineOptions) {
    const engine = new AstCoreEngineApi(engineOptions);
    await engine.initialize(database);
    return engine;
  }

  static async openTree(root, engineOptions) {
    const engine = new AstCoreEngineApi(engineOptions);
    shape.check('root', root, shape.path);
    await engine.#open({ ...engine.#options, tree: root, root: engine.#options.root ?? root });
    return engine;
  }

  async initialize(database, engineOptions) {
    shape.check('database', database, shape.path);
    const checked = shape.checkOptions(engineOptions, options.ENGINE);
    await this.#open({ ...this.#options, ...checked, database });
  }

  async #open(all) {
    if (this.#opening) {
      throw errorOf('ERR_ALREADY_INITIALIZED', 'the engine is open already; close it before it is opened again');
    }
    this.#isClosed = false;
    this.#opening = settled(() => native.Engine.open(all));
    try {
      const engine = await this.#opening;
      if (this.#isClosed) throw closed();
      this.#native = engine;
      this.#openedAt = performance.now();
    } catch (error) {
      if (!this.#isClosed) this.#opening = null;
      throw error;
    }
  }

  get isOpen() {
    return this.#native !== null;
  }

  get configuration() {
    return this.#native?.configuration() ?? null;
  }

  async index(root, indexOptions) {
    shape.check('root', root, shape.path);
    const { onProgress, signal, ...run } = shape.checkOptions(indexOptions, options.INDEX);
    const listener = onProgress && new ProgressListener(onProgress);
    try {
      const { report, progress } = await this.#call('index', signal, 'the index run', (engine, cancellation) =>
        engine.index(root, run, cancellation, listener?.tell),
      );
      listener?.finish(progress);
      return report;
    } finally {
      listener?.finish();
    }
  }

  async processFile(path, processOptions) {
    shape.check('path', path, shape.path);
    const checked = shape.checkOptions(processOptions, options.PROCESS);
    const { signal, language, enableCaching = true, index = true, ...run } = checked;
    const processed = await this.#call('processFile', signal, `processing ${path}`, (engine, cancellation) =>
      engine.processFile(path, { language, enableCaching, index, run }, cancellation),
    );
    const { bytes, hash, fromCache, indexState, indexPath, indexGeneration, indexReason } = processed;
    const { readMs, parseMs, indexMs, totalMs } = processed;
    return Object.assign(fileOf(processed.file), {
      bytes,
      hash,
      fromCache,
      index: { state: indexState, path: indexPath, generation: indexGeneration, reason: indexReason },
      timings: { readMs, parseMs, indexMs, totalMs },
    });
  }

  async processBatch(paths, batchOptions) {
    shape.check('paths', paths, shape.paths);
    const checked = shape.checkOptions(batchOptions, options.BATCH);
    const root = await this.#call('processBatch', checked.signal, 'the batch', (engine) => engine.treeOf(paths));
    return await this.#submit({ root, files: paths }, checked);
  }

  async processDirectory(root, batchOptions) {
    shape.check('root', root, shape.path);
    return await this.#submit({ root }, shape.checkOptions(batchOptions, options.BATCH));
  }

  async #submit(request, { signal, onProgress, enableCaching = true, ...run }) {
    if (signal?.aborted) throw cancelled(signal, 'the batch');
    const all = { ...request, run: { ...run, rebuild: !enableCaching } };
    const batchId = await this.#call('submit', signal, 'the batch', (engine) => engine.submit(all));
    if (signal || onProgress) {
      // It goes on by itself; how it ends is told by its progress.
      this.waitForBatch(batchId, { onProgress }).then(finish, finish);
    }
    const abort = () => this.cancelBatch(batchId).catch(() => {});
    function finish() {
      signal?.removeEventListener('abort', abort);
    }
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    return batchId;
  }

  async getBatchProgress(batchId) {
    shape.check('batchId', batchId, BATCH_ID);
    return await this.#call('getBatchProgress', undefined, '', (engine) => engine.job(batchId));
  }

  async listBatches() {
    return await this.#call('listBatches', undefined, '', (engine) => engine.jobs());
  }

  async pauseBatch(batchId) {
    shape.check('batchId', batchId, BATCH_ID);
    await this.#call('pauseBatch', undefined, '', (engine) => engine.pauseJob(batchId));
  }

  async resumeBatch(batchId) {
    shape.check('batchId', batchId, BATCH_ID);
    await this.#call('resumeBatch', undefined, '', (engine) => engine.resumeJob(batchId));
  }

  async cancelBatch(batchId) {
    shape.check('batchId', batchId, BATCH_ID);
    await this.#call('cancelBatch', undefined, '', (engine) => engine.cancelJob(batchId));
  }

  async waitForBatch(batchId, waitOptions) {
    const { onProgress, signal } = shape.checkOptions(waitOptions, options.WAIT);
    const listener = onProgress && new ProgressListener(onProgress);
    let last;
    for await (const progress of this.batchEvents(batchId, { signal })) {
      listener?.tell(progress);
      last = progress;
    }
    return last && isOver(last.state) ? last : await this.getBatchProgress(batchId);
  }

  async *batchEvents(batchId, eventOptions) {
    shape.check('batchId', batchId, BATCH_ID);
    const { signal } = shape.checkOptions(eventOptions, options.SIGNAL);
    const what = `waiting for batch ${batchId}`;
    const events = await this.#call('batchEvents', signal, what, async (engine) => {
      const found = await engine.jobEvents(batchId);
      return new Events(found, engine.cancellation(), { signal, what, convert: (event) => event });
    });
    yield* events;
  }

  async search(text, searchOptions) {
    shape.check('text', text, shape.string);
    const { signal, ...checked } = shape.checkOptions(searchOptions, options.SEARCH);
    const found = await this.#call('search', signal, 'the search', (engine, cancellation) =>
      engine.search(text, checked, cancellation),
    );
    return searchReplyOf(found);
  }

  async searchSimilar(vector, searchOptions) {
    const values = shape.vector('vector', vector);
    if (searchOptions?.collection !== undefined) return await this.#searchCollection(values, searchOptions);
    const { signal, maxResults, ...checked } = shape.checkOptions(searchOptions, options.NEIGHBORS);
    const found = await this.#call('searchSimilar', signal, 'the search', (engine, cancellation) =>
      engine.searchVector(values, { ...checked, limit: maxResults }, cancellation),
    );
    return searchReplyOf(found).hits;
  }

  async similarTo(path, line, similarOptions) {
    shape.check('path', path, shape.path);
    shape.check('line', line, LINE);
    const { signal, ...checked } = shape.checkOptions(similarOptions, options.SIMILAR_TO);
    const found = await this.#call('similarTo', signal, 'the search', (engine, cancellation) =>
      engine.similarTo(path, line, checked, cancellation),
    );
    return similarReplyOf(found);
  }

  async similarToCode(text, similarOptions) {
    shape.check('text', text, shape.name);
    const { signal, language, ...checked } = shape.checkOptions(similarOptions, options.SIMILAR_CODE);
    const found = await this.#call('similarToCode', signal, 'the search', (engine, cancellation) =>
      engine.similarToCode(text, language, checked, cancellation),
    );
    return similarReplyOf(found);
  }

  async #searchCollection(values, searchOptions) {
    const checked = shape.checkOptions(searchOptions, options.COLLECTION_SEARCH);
    const { collection, maxResults = 10, threshold = -1, signal } = checked;
    const hits = await this.#call('searchSimilar', signal, 'the search', (engine, cancellation) =>
      engine.searchCollection(collection, values, maxResults, threshold, cancellation),
    );
    return hits.map(({ id, score, metadata }) => ({ id, score, metadata: parsed(metadata) }));
  }

  async symbols(symbolOptions) {
    const { signal, ...checked } = shape.checkOptions(symbolOptions, options.SYMBOLS);
    const reply = await this.#call('symbols', signal, 'the listing', (engine, cancellation) =>
      engine.symbols(checked, cancellation),
    );
    return listOf(reply);
  }

  async references(name, referenceOptions) {
    shape.check('name', name, shape.name);
    const { signal, ...checked } = shape.checkOptions(referenceOptions, options.REFERENCES);
    const found = await this.#call('references', signal, 'the look-up', (engine, cancellation) =>
      engine.references(name, checked, cancellation),
    );
    return referenceReplyOf(found);
  }

  async callers(name, callOptions) {
    shape.check('name', name, shape.name);
    const { signal, ...checked } = shape.checkOptions(callOptions, options.CALLS);
    const found = await this.#call('callers', signal, 'the look-up', (engine, cancellation) =>
      engine.references(name, { ...checked, kinds: ['call'] }, cancellation),
    );
    return referenceReplyOf(found);
  }

  async callees(name, callOptions) {
    shape.check('name', name, shape.name);
    const { signal, ...checked } = shape.checkOptions(callOptions, options.CALLS);
    const found = await this.#call('callees', signal, 'the look-up', (engine, cancellation) =>
      engine.callees(name, checked, cancellation),
    );
    return calleeReplyOf(found);
  }

  async outline(paths, outlineOptions) {
    return await this.#outline('outline', paths, outlineOptions);
  }

  async annotate(paths, outlineOptions) {
    return await this.#outline('annotate', paths, outlineOptions);
  }

  async #outline(call, paths, outlineOptions) {
    const all = typeof paths === 'string' ? [paths] : paths;
    shape.check('paths', all, shape.paths);
    const { signal, language } = shape.checkOptions(outlineOptions, options.OUTLINE);
    const { files, failures } = await this.#call(call, signal, 'the outline', (engine, cancellation) =>
      engine.outline(all, language, cancellation),
    );
    return { files: files.map((file) => fileOf(file, call === 'annotate')), failures };
  }

  async embed(texts, embedOptions) {
    const isOne = typeof texts === 'string';
    if (!isOne) shape.check('texts', texts, shape.strings);
    const { as = 'query', signal } = shape.checkOptions(embedOptions, options.EMBED);
    const { vectors, dimension } = await this.#call('embed', signal, 'embedding', (engine, cancellation) =>
      engine.embed(isOne ? [texts] : texts, as === 'code', cancellation),
    );
    if (isOne) return vectors;
    return texts.map((_, at) => vectors.subarray(at * dimension, (at + 1) * dimension));
  }

  async insertVector(id, vector, insertOptions) {
    const { collection, metadata } = shape.checkOptions(insertOptions, options.INSERT);
    await this.insertVectors([{ id, vector, metadata }], { collection });
  }

  async insertVectors(items, insertOptions) {
    const { collection = DEFAULT_COLLECTION } = shape.checkOptions(insertOptions, options.COLLECTION);
    if (!Array.isArray(items)) throw shape.refusal('items', items, 'an array of { id, vector, metadata }');
    if (items.length === 0) return;
    const rows = items.map((item, at) => {
      const place = items.length === 1 ? '' : `items[${at}].`;
      if (typeof item !== 'object' || item === null) {
        throw shape.refusal(`items[${at}]`, item, 'an object with id, vector and metadata');
      }
      shape.check(`${place}id`, item.id, shape.name);
      return {
        id: item.id,
        vector: shape.vector(`${place}vector`, item.vector),
        metadata: shape.json(`${place}metadata`, item.metadata),
      };
    });
    const dimension = rows[0].vector.length;
    const values = new Float32Array(rows.length * dimension);
    for (const [at, { id, vector }] of rows.entries()) {
      if (vector.length !== dimension) {
        throw errorOf(
          'ERR_DIMENSION_MISMATCH',
          `the vector ${JSON.stringify(id)} has ${vector.length} values; the first of the call has ${dimension}`,
        );
      }
      values.set(vector, at * dimension);
    }
    if (dimension === 0) throw shape.refusal('vector', rows[0].vector, 'a vector with one value at least');
    const [ids, metadata] = [rows.map((row) => row.id), rows.map((row) => row.metadata)];
    await this.#call('insertVectors', undefined, '', (engine) =>
      engine.putVectors(collection, ids, values, metadata),
    );
  }

  async getVector(id, vectorOptions) {
    shape.check('id', id, shape.name);
    const { collection = DEFAULT_COLLECTION } = shape.checkOptions(vectorOptions, options.COLLECTION);
    const found = await this.#call('getVector', undefined, '', (engine) => engine.userVector(collection, id));
    return found && { id, vector: found.vector, metadata: parsed(found.metadata) };
  }

  async deleteVector(id, vectorOptions) {
    shape.check('id', id, shape.name);
    return (await this.deleteVectors([id], vectorOptions)) === 1;
  }

  async deleteVectors(ids, vectorOptions) {
    shape.check('ids', ids, shape.strings);
    const { collection = DEFAULT_COLLECTION } = shape.checkOptions(vectorOptions, options.COLLECTION);
    return await this.#call('deleteVectors', undefined, '', (engine) => engine.deleteVectors(collection, ids));
  }

  async listCollections() {
    return await this.#call('listCollections', undefined, '', (engine) => engine.collections());
  }

  async deleteCollection(collection) {
    shape.check('collection', collection, shape.name);
    return await this.#call('deleteCollection', undefined, '', (engine) => engine.deleteCollection(collection));
  }

  async setFileMetadata(path, metadata) {
    shape.check('path', path, shape.path);
    const text = shape.json('metadata', metadata);
    if (text === null) throw shape.refusal('metadata', metadata, 'a value that can be written as JSON');
    return await this.#call('setFileMetadata', undefined, '', (engine) => engine.putFileMetadata(path, text));
  }

  async getFileMetadata(path) {
    shape.check('path', path, shape.path);
    const found = await this.#call('getFileMetadata', undefined, '', (engine) => engine.fileMetadata(path));
    return found && noted(found);
  }

  async deleteFileMetadata(path) {
    shape.check('path', path, shape.path);
    return await this.#call('deleteFileMetadata', undefined, '', (engine) => engine.deleteFileMetadata(path));
  }

  async listFileMetadata(listOptions) {
    const { prefix = '', after, limit = 1000 } = shape.checkOptions(listOptions, options.LIST_METADATA);
    const listed = await this.#call('listFileMetadata', undefined, '', (engine) =>
      engine.listFileMetadata(prefix, after, limit),
    );
    return listed.map(noted);
  }

  async watch(root, watchOptions) {
    shape.check('root', root, shape.path);
    const { signal, ...checked } = shape.checkOptions(watchOptions, options.WATCH);
    const what = `watching ${root}`;
    return await this.#call('watch', signal, what, async (engine) => {
      const watch = await engine.watch(root, checked);
      const convert = ({ kind, report, watched, reason }) =>
        ({ ready: { kind, report, watched }, updated: { kind, report }, failed: { kind, reason } })[kind];
      return new Events(watch, engine.cancellation(), { signal, what, convert });
    });
  }

  async status(statusOptions) {
    const { signal } = shape.checkOptions(statusOptions, options.SIGNAL);
    return await this.#call('status', signal, 'the status', (engine, cancellation) => engine.status(cancellation));
  }

  async health(healthOptions) {
    const { deep = false, signal } = shape.checkOptions(healthOptions, options.HEALTH);
    return await this.#call('health', signal, 'the check', async (engine, cancellation) => {
      const health = await engine.health();
      if (!deep) return { ...health, verified: null };
      const verified = await engine.verify(cancellation);
      return { ...health, ok: health.ok && verified.sound, verified };
    });
  }

  metrics() {
    const uptimeMs = this.isOpen ? performance.now() - this.#openedAt : null;
    const calls = {};
    for (const [name, measured] of this.#calls) calls[name] = { ...measured };
    const measured = this.#native?.metrics() ?? null;
    const stages = {};
    for (const { stage, ...metrics } of measured?.stages ?? []) stages[stage] = metrics;
    return { uptimeMs, calls, engine: measured && { ...measured, stages }, ...native.figures() };
  }

  prometheus() {
    return this.#native?.prometheus() ?? null;
  }

  async close() {
    const opening = this.#opening;
    if (!opening) return;
    // From now on calls are refused; those that were made before are waited for.
    this.#isClosed = true;
    this.#native = null;
    this.#closing ??= opening
      .then((engine) => settled(() => engine.close()), () => {})
      .finally(() => {
        this.#opening = null;
        this.#closing = null;
      });
    await this.#closing;
  }

  /** What a call of the native engine comes to, measured under a name. */
  async #call(name, signal, what, call) {
    const engine = await this.#opened(name);
    let measured = this.#calls.get(name);
    if (!measured) this.#calls.set(name, (measured = { count: 0, failed: 0, totalMs: 0, maxMs: 0 }));
    const begin = performance.now();
    try {
      return await until(engine, signal, what, (cancellation) => call(engine, cancellation));
    } catch (error) {
      measured.failed++;
      throw error;
    } finally {
      const took = performance.now() - begin;
      measured.count++;
      measured.totalMs += took;
      measured.maxMs = Math.max(measured.maxMs, took);
    }
  }

  /** The native engine, which is waited for while it is opened. */
  async #opened(name) {
    if (this.#native) return this.#native;
    if (this.#isClosed) throw closed();
    if (this.#opening) return await this.#opening;
    throw errorOf('ERR_NOT_INITIALIZED', `${name} was called before initialize; await engine.initialize(database) first`);
  }
}

function closed() {
  return errorOf('ERR_CLOSED', 'the engine is closed; open it again with initialize');
}

function noted({ path, metadata, updatedMs }) {
  return { path, metadata: JSON.parse(metadata), updatedAt: new Date(updatedMs) };
}

// Node has it since 20.4.
if (Symbol.asyncDispose) {
  Object.defineProperty(AstCoreEngineApi.prototype, Symbol.asyncDispose, {
    value: AstCoreEngineApi.prototype.close,
    configurable: true,
    writable: true,
  });
}

module.exports = { AstCoreEngineApi };

'use strict';

const shape = require('./argument.js');

const MOST = 2 ** 32 - 1;

const FILTERS = { languages: shape.strings, paths: shape.strings, kinds: shape.strings };

const RUN = { parallelWorkers: shape.integer(1, 1024), batchSize: shape.integer(1, 1_000_000) };

/** What each call takes. */
module.exports = {
  ENGINE: {
    root: shape.path,
    readOnly: shape.boolean,
    parallelWorkers: shape.integer(1, 1024),
    maxMemoryBytes: shape.integer(1, Number.MAX_SAFE_INTEGER),
    maxFileBytes: shape.integer(1, MOST),
    fileTimeLimitMs: shape.number(1, 86_400_000),
  },
  INDEX: { ...RUN, rebuild: shape.boolean, onProgress: shape.callback, signal: shape.signal },
  PROCESS: {
    ...RUN,
    enableCaching: shape.boolean,
    language: shape.string,
    index: shape.boolean,
    signal: shape.signal,
  },
  BATCH: { ...RUN, enableCaching: shape.boolean, onProgress: shape.callback, signal: shape.signal },
  WAIT: { onProgress: shape.callback, signal: shape.signal },
  SEARCH: {
    ...FILTERS,
    limit: shape.integer(1, MOST),
    mode: shape.string,
    threshold: shape.number(0, 1),
    context: shape.integer(0, 10_000),
    signal: shape.signal,
  },
  NEIGHBORS: {
    ...FILTERS,
    // Where it is set, COLLECTION_SEARCH holds.
    collection: shape.name,
    maxResults: shape.integer(1, MOST),
    threshold: shape.number(-1, 1),
    context: shape.integer(0, 10_000),
    signal: shape.signal,
  },
  SIMILAR_TO: {
    ...FILTERS,
    limit: shape.integer(1, MOST),
    threshold: shape.number(0, 1),
    context: shape.integer(0, 10_000),
    signal: shape.signal,
  },
  SIMILAR_CODE: {
    ...FILTERS,
    language: shape.string,
    limit: shape.integer(1, MOST),
    threshold: shape.number(0, 1),
    context: shape.integer(0, 10_000),
    signal: shape.signal,
  },
  COLLECTION_SEARCH: {
    collection: shape.name,
    maxResults: shape.integer(1, MOST),
    threshold: shape.number(-1, 1),
    signal: shape.signal,
  },
  REFERENCES: { ...FILTERS, limit: shape.integer(1, MOST), signal: shape.signal },
  CALLS: { languages: shape.strings, paths: shape.strings, limit: shape.integer(1, MOST), signal: shape.signal },
  SYMBOLS: {
    ...FILTERS,
    name: shape.name,
    matching: shape.oneOf('exact', 'ignore-case', 'prefix', 'substring'),
    limit: shape.integer(1, MOST),
    after: shape.string,
    signal: shape.signal,
  },
  OUTLINE: { language: shape.string, signal: shape.signal },
  EMBED: { as: shape.oneOf('query', 'code'), signal: shape.signal },
  COLLECTION: { collection: shape.name },
  INSERT: { collection: shape.name, metadata: { expected: 'anything', accepts: () => true } },
  LIST_METADATA: { prefix: shape.string, after: shape.string, limit: shape.integer(1, MOST) },
  WATCH: {
    quietMs: shape.number(1, 3_600_000),
    maxWaitMs: shape.number(1, 3_600_000),
    pollMs: shape.number(10, 3_600_000),
    signal: shape.signal,
  },
  HEALTH: { deep: shape.boolean, signal: shape.signal },
  SIGNAL: { signal: shape.signal },
};

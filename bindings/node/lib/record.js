// @ts-check
'use strict';

const { vocabulary } = require('./native.js');

const { symbolKinds, referenceKinds } = vocabulary;

/** Reads a record of the native library, part by part, in the order in which `src/record.rs` writes them. */
class Reader {
  #numbers;
  #text;
  /** The next number. */
  #at = 0;
  /** Where the next text begins. */
  #from = 0;

  /** @param {import('../native.js').ReplyRecord} record */
  constructor({ numbers, text }) {
    this.#numbers = numbers;
    this.#text = text;
  }

  number() {
    return this.#numbers[this.#at++];
  }

  optionalNumber() {
    const number = this.number();
    return Number.isNaN(number) ? null : number;
  }

  boolean() {
    return this.number() === 1;
  }

  optionalBoolean() {
    const answer = this.number();
    return answer < 0 ? null : answer === 1;
  }

  text() {
    const from = this.#from;
    this.#from += this.number();
    return this.#text.slice(from, this.#from);
  }

  optionalText() {
    const length = this.number();
    if (length < 0) return null;
    const from = this.#from;
    this.#from += length;
    return this.#text.slice(from, this.#from);
  }

  /**
   * A word of a list that the library numbers.
   *
   * @param {string[]} words
   * @returns {any}
   */
  word(words) {
    return words[this.number()];
  }

  /**
   * @param {string[]} words
   * @returns {any}
   */
  optionalWord(words) {
    const place = this.number();
    return place < 0 ? null : words[place];
  }

  /** @returns {import('../index.js').Evidence} */
  evidence() {
    return /** @type {any} */ (this.text());
  }

  numbers() {
    return this.list(number);
  }

  texts() {
    return this.list(text);
  }

  /**
   * As many as there are of what a function reads.
   *
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T[]}
   */
  list(read) {
    const list = new Array(this.number());
    for (let item = 0; item < list.length; item++) list[item] = read(this);
    return list;
  }

  /**
   * What a function reads, or `null` if there is nothing to be read.
   *
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T | null}
   */
  optional(read) {
    return this.boolean() ? read(this) : null;
  }
}

/** @param {Reader} reader */
const number = (reader) => reader.number();

/** @param {Reader} reader */
const text = (reader) => reader.text();

// The properties of a literal are read in the order in which they are written here.

/** @param {Reader} reader */
const hit = (reader) => ({
  path: reader.text(),
  language: reader.text(),
  startLine: reader.number(),
  endLine: reader.number(),
  start: reader.number(),
  end: reader.number(),
  startByte: reader.number(),
  endByte: reader.number(),
  name: reader.optionalText(),
  kind: reader.optionalWord(symbolKinds),
  scope: reader.texts(),
  score: reader.number(),
  snippet: reader.text(),
  snippetStartLine: reader.number(),
  why: {
    lexical: reader.optionalNumber(),
    semantic: reader.optionalNumber(),
    boosts: reader.list(boost),
    likeness: reader.optional(likeness),
  },
  changed: reader.optionalBoolean(),
});

/** @param {Reader} reader */
const boost = (reader) => ({ name: reader.text(), value: reader.number() });

/** @param {Reader} reader */
const likeness = (reader) => ({
  meaning: reader.optionalNumber(),
  shape: reader.number(),
  words: reader.number(),
});

/** @param {Reader} reader */
const place = (reader) => ({
  path: reader.text(),
  language: reader.optionalText(),
  startLine: reader.number(),
  endLine: reader.number(),
  name: reader.optionalText(),
  kind: reader.optionalWord(symbolKinds),
  scope: reader.texts(),
  unindexed: reader.boolean(),
});

/** @param {Reader} reader */
const definition = (reader) => ({
  path: reader.text(),
  language: reader.text(),
  kind: reader.word(symbolKinds),
  name: reader.text(),
  scope: reader.texts(),
  startLine: reader.number(),
  endLine: reader.number(),
  signature: reader.text(),
});

/** @param {Reader} reader */
const mention = (reader) => ({
  path: reader.text(),
  language: reader.text(),
  kind: reader.word(referenceKinds),
  name: reader.text(),
  qualifier: reader.optionalText(),
  alias: reader.optionalText(),
  line: reader.number(),
  start: reader.number(),
  end: reader.number(),
  startByte: reader.number(),
  endByte: reader.number(),
  text: reader.text(),
  within: reader.optional(definition),
  evidence: reader.evidence(),
  targets: reader.numbers(),
  changed: reader.optionalBoolean(),
});

/** @param {Reader} reader */
const callee = (reader) => ({
  caller: reader.number(),
  name: reader.text(),
  qualifier: reader.optionalText(),
  lines: reader.numbers(),
  evidence: reader.evidence(),
  targets: reader.list(definition),
  targetCount: reader.number(),
});

/**
 * What a search found.
 *
 * @param {import('../native.js').ReplyRecord} record
 * @returns {import('../index.js').SearchReply}
 */
function searchReplyOf(record) {
  const reader = new Reader(record);
  return {
    hits: reader.list(hit),
    notices: reader.texts(),
    generation: reader.number(),
    complete: reader.boolean(),
    tookMs: reader.number(),
  };
}

/**
 * What is like something.
 *
 * @param {import('../native.js').ReplyRecord} record
 * @returns {import('../index.js').SimilarReply}
 */
function similarReplyOf(record) {
  const reader = new Reader(record);
  return {
    place: reader.optional(place),
    hits: reader.list(hit),
    notices: reader.texts(),
    generation: reader.number(),
    complete: reader.boolean(),
    tookMs: reader.number(),
  };
}

/**
 * Who mentions something.
 *
 * @param {import('../native.js').ReplyRecord} record
 * @returns {import('../index.js').ReferenceReply}
 */
function referenceReplyOf(record) {
  const reader = new Reader(record);
  return {
    definitions: reader.list(definition),
    moreDefinitions: reader.boolean(),
    mentions: reader.list(mention),
    unreadFiles: reader.number(),
    generation: reader.number(),
    complete: reader.boolean(),
    tookMs: reader.number(),
  };
}

/**
 * What something calls.
 *
 * @param {import('../native.js').ReplyRecord} record
 * @returns {import('../index.js').CalleeReply}
 */
function calleeReplyOf(record) {
  const reader = new Reader(record);
  return {
    definitions: reader.list(definition),
    moreDefinitions: reader.boolean(),
    callees: reader.list(callee),
    more: reader.boolean(),
    generation: reader.number(),
    complete: reader.boolean(),
    tookMs: reader.number(),
  };
}

module.exports = { calleeReplyOf, referenceReplyOf, searchReplyOf, similarReplyOf };

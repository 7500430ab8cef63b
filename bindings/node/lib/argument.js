'use strict';

const { inspect } = require('node:util');
const { InvalidArgumentError } = require('./error.js');

/**
 * What an argument may be.
 * @typedef {{ expected: string, accepts: (value: unknown) => boolean }} Shape
 */

/** @type {Shape} */
const boolean = { expected: 'a boolean', accepts: (value) => typeof value === 'boolean' };

/** @type {Shape} */
const string = { expected: 'a string', accepts: (value) => typeof value === 'string' };

/** @type {Shape} */
const name = {
  expected: 'a string that is not empty',
  accepts: (value) => typeof value === 'string' && value !== '',
};

/** @type {Shape} */
const path = {
  expected: 'a path: a string that is not empty and has no NUL character',
  accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
};

/** @type {Shape} */
const strings = {
  expected: 'an array of strings',
  accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/** @type {Shape} */
const paths = {
  expected: 'an array of paths, with one at least: strings that are not empty and have no NUL character',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(path.accepts),
};

/** @type {Shape} */
const callback = { expected: 'a function', accepts: (value) => typeof value === 'function' };

/** @type {Shape} */
const signal = {
  expected: 'an AbortSignal',
  // Not by `instanceof`: polyfills and other realms have classes of their own.
  accepts: (value) =>
    typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function',
};

/** @returns {Shape} */
function integer(minimum, maximum) {
  return {
    expected: `an integer from ${minimum} to ${maximum}`,
    accepts: (value) => Number.isInteger(value) && value >= minimum && value <= maximum,
  };
}

/** @returns {Shape} */
function number(minimum, maximum) {
  return {
    expected: `a number from ${minimum} to ${maximum}`,
    accepts: (value) => typeof value === 'number' && value >= minimum && value <= maximum,
  };
}

/** @returns {Shape} */
function oneOf(...values) {
  return { expected: values.map((value) => `'${value}'`).join(' or '), accepts: (value) => values.includes(value) };
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Shape} shape
 */
function check(name, value, shape) {
  if (!shape.accepts(value)) throw refusal(name, value, shape.expected);
}

/**
 * The options that are set, after all of them were checked. One that is not in the list is refused: it would have no
 * effect, and nobody would notice.
 *
 * @param {unknown} options
 * @param {Record<string, Shape>} shapes
 */
function checkOptions(options, shapes) {
  if (options === undefined) return {};
  const names = Object.keys(shapes);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refusal('options', options, `an object with ${names.join(', ')}`);
  }
  const checked = {};
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(shapes, name)) {
      throw new InvalidArgumentError(
        'ERR_INVALID_ARGUMENT',
        `options.${name} is no option of this call; expected ${names.join(', ')}`,
      );
    }
    if (value === undefined) continue;
    check(`options.${name}`, value, shapes[name]);
    checked[name] = value;
  }
  return checked;
}

/**
 * A vector as the native library takes it, which copies it before the call returns.
 *
 * @param {string} name
 * @param {unknown} value
 * @returns {Float32Array}
 */
function vector(name, value) {
  if (value instanceof Float32Array) return value;
  const isNumbers =
    value instanceof Float64Array ||
    (Array.isArray(value) && value.every((item) => typeof item === 'number'));
  if (!isNumbers) throw refusal(name, value, 'a Float32Array, a Float64Array or an array of numbers');
  return Float32Array.from(value);
}

/**
 * JSON of what a user notes; `null` for `undefined`.
 *
 * @param {string} name
 * @param {unknown} value
 */
function json(name, value) {
  if (value === undefined) return null;
  let text;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw refusal(name, value, 'a value that can be written as JSON', { cause });
  }
  if (text === undefined) throw refusal(name, value, 'a value that can be written as JSON');
  return text;
}

function refusal(name, value, expected, options) {
  const received = inspect(value, { depth: 0, maxArrayLength: 5, maxStringLength: 80, breakLength: Infinity });
  return new InvalidArgumentError(
    'ERR_INVALID_ARGUMENT',
    `${name} is ${received}; expected ${expected}`,
    options,
  );
}

module.exports = {
  boolean,
  callback,
  check,
  checkOptions,
  integer,
  json,
  name,
  number,
  oneOf,
  path,
  paths,
  refusal,
  signal,
  string,
  strings,
  vector,
};

// @ts-check
'use strict';

const { vocabulary } = require('./native.js');

/** Stands for nothing in a column of texts. */
const NONE = 0xffff_ffff;

const { symbolKinds, visibilities, referenceKinds } = vocabulary;

/**
 * The text of a row; `null` if there is none.
 *
 * @param {string} text
 * @param {Uint32Array} column
 * @param {number} row
 */
function textAt(text, column, row) {
  const begin = column[2 * row];
  return begin === NONE ? null : text.slice(begin, column[2 * row + 1]);
}

/**
 * The words of a row, which have NUL characters between them.
 *
 * @param {string} text
 * @param {Uint32Array} column
 * @param {number} row
 */
function wordsAt(text, column, row) {
  const words = textAt(text, column, row);
  return words ? words.split('\0') : [];
}

/**
 * Definitions as objects.
 *
 * @param {import('../native.js').SymbolColumns} columns
 * @param {string} text
 * @returns {import('../index.js').CodeSymbol[]}
 */
function symbolsOf(columns, text) {
  const { length, name, kind, visibility, scope, signature, doc, parent, lines, bytes, range } = columns;
  const symbols = new Array(length);
  // Those inside of the same definition share a list.
  let scopeBegin = -1;
  /** @type {string[]} */
  let scopeWords = [];
  for (let row = 0; row < length; row++) {
    if (scope[2 * row] !== scopeBegin) {
      scopeBegin = scope[2 * row];
      scopeWords = wordsAt(text, scope, row);
    }
    symbols[row] = {
      name: text.slice(name[2 * row], name[2 * row + 1]),
      kind: symbolKinds[kind[row]],
      scope: scopeWords,
      parent: parent[row] < 0 ? null : parent[row],
      startLine: lines[2 * row],
      endLine: lines[2 * row + 1],
      start: range[2 * row],
      end: range[2 * row + 1],
      startByte: bytes[2 * row],
      endByte: bytes[2 * row + 1],
      signature: text.slice(signature[2 * row], signature[2 * row + 1]),
      doc: textAt(text, doc, row),
      visibility: visibilities[visibility[row]] ?? null,
    };
  }
  return symbols;
}

/**
 * Definitions of many files as objects.
 *
 * @param {import('../native.js').ListedColumns} columns
 * @returns {import('../index.js').ListedSymbol[]}
 */
function listedOf({ paths, languages, file, symbols: columns, text, docs }) {
  const { length, name, kind, visibility, scope, signature, doc, lines, bytes, range } = columns;
  const symbols = new Array(length);
  let scopeBegin = -1;
  /** @type {string[]} */
  let scopeWords = [];
  for (let row = 0; row < length; row++) {
    if (scope[2 * row] !== scopeBegin) {
      scopeBegin = scope[2 * row];
      scopeWords = wordsAt(text, scope, row);
    }
    symbols[row] = {
      path: paths[file[row]],
      language: languages[file[row]],
      name: text.slice(name[2 * row], name[2 * row + 1]),
      kind: symbolKinds[kind[row]],
      scope: scopeWords,
      startLine: lines[2 * row],
      endLine: lines[2 * row + 1],
      start: range[2 * row],
      end: range[2 * row + 1],
      startByte: bytes[2 * row],
      endByte: bytes[2 * row + 1],
      signature: text.slice(signature[2 * row], signature[2 * row + 1]),
      doc: textAt(docs, doc, row),
      visibility: visibilities[visibility[row]] ?? null,
    };
  }
  return symbols;
}

/**
 * What the syntax says of each definition, as objects.
 *
 * @param {import('../native.js').AnnotationColumns} columns
 * @param {string} text
 * @returns {import('../index.js').Annotation[]}
 */
function annotationsOf(columns, text) {
  const { modifiers, typeParameters, returnType, complexity, firstParameter } = columns;
  const { parameterName, parameterType, parameterDefault, parameterOptional } = columns;
  const annotations = new Array(firstParameter.length - 1);
  for (let row = 0; row < annotations.length; row++) {
    /** @type {import('../index.js').Parameter[]} */
    const parameters = [];
    for (let at = firstParameter[row]; at < firstParameter[row + 1]; at++) {
      parameters.push({
        name: text.slice(parameterName[2 * at], parameterName[2 * at + 1]),
        type: textAt(text, parameterType, at),
        default: textAt(text, parameterDefault, at),
        optional: parameterOptional[at] === 1,
      });
    }
    const [cyclomatic, cognitive, maxNesting] = complexity.subarray(3 * row, 3 * row + 3);
    annotations[row] = {
      modifiers: wordsAt(text, modifiers, row),
      typeParameters: textAt(text, typeParameters, row),
      parameters,
      returnType: textAt(text, returnType, row),
      complexity: cyclomatic < 0 ? null : { cyclomatic, cognitive, maxNesting },
    };
  }
  return annotations;
}

/**
 * Mentions as objects.
 *
 * @param {import('../native.js').ReferenceColumns} columns
 * @param {string} text
 * @returns {import('../index.js').CodeReference[]}
 */
function referencesOf(columns, text) {
  const { length, kind, name, qualifier, alias, symbol, line, bytes, range } = columns;
  const references = new Array(length);
  for (let row = 0; row < length; row++) {
    references[row] = {
      kind: referenceKinds[kind[row]],
      name: text.slice(name[2 * row], name[2 * row + 1]),
      qualifier: textAt(text, qualifier, row),
      alias: textAt(text, alias, row),
      symbol: symbol[row] < 0 ? null : symbol[row],
      line: line[row],
      start: range[2 * row],
      end: range[2 * row + 1],
      startByte: bytes[2 * row],
      endByte: bytes[2 * row + 1],
    };
  }
  return references;
}

/**
 * Pieces as objects.
 *
 * @param {import('../native.js').ChunkColumns} columns
 * @returns {import('../index.js').CodeChunk[]}
 */
function chunksOf(columns) {
  const { length, symbol, lines, bytes, range } = columns;
  const chunks = new Array(length);
  for (let row = 0; row < length; row++) {
    chunks[row] = {
      symbol: symbol[row] < 0 ? null : symbol[row],
      startLine: lines[2 * row],
      endLine: lines[2 * row + 1],
      start: range[2 * row],
      end: range[2 * row + 1],
      startByte: bytes[2 * row],
      endByte: bytes[2 * row + 1],
    };
  }
  return chunks;
}

/**
 * What of a file was not understood.
 *
 * @param {import('../native.js').FileColumns} file
 * @returns {import('../index.js').Diagnostic[]}
 */
function diagnosticsOf(file) {
  const { coverage, hasSymbols, syntaxErrors, firstErrorLine, errorBytes, errorRange } = file;
  /** @type {import('../index.js').Diagnostic[]} */
  const diagnostics = [];
  if (coverage !== null) {
    diagnostics.push({
      severity: hasSymbols ? 'warning' : 'error',
      message: hasSymbols ? coverage : `${coverage}; it has no symbols`,
      line: null,
      start: null,
      end: null,
      startByte: null,
      endByte: null,
    });
  }
  const places = errorBytes.length / 2;
  for (let place = 0; place < places; place++) {
    const rest = syntaxErrors - places;
    const isLast = place === places - 1;
    diagnostics.push({
      severity: 'error',
      message: isLast && rest > 0 ? `syntax error; ${rest} more are not listed` : 'syntax error',
      line: place === 0 ? firstErrorLine : null,
      start: errorRange[2 * place],
      end: errorRange[2 * place + 1],
      startByte: errorBytes[2 * place],
      endByte: errorBytes[2 * place + 1],
    });
  }
  return diagnostics;
}

/**
 * A property that is made when it is first read, and then stays. It is enumerable: what copies or prints the object has
 * it, too.
 *
 * @param {object} target
 * @param {string} name
 * @param {() => unknown} make
 */
function defineLazy(target, name, make) {
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
      return value;
    },
  });
}

/**
 * What is in a file, with its rows as objects where they are asked for; definitions with their annotations, if so.
 *
 * @param {import('../native.js').FileColumns} file
 * @returns {import('../index.js').FileOutline}
 */
function fileOf(file, isAnnotated = false) {
  const { path, language, encoding, lines, generated, text } = file;
  const { symbols, annotations, references, chunks } = file;
  /** @type {any} */
  const view = { path, language, encoding, lines, generated, diagnostics: diagnosticsOf(file) };
  defineLazy(view, 'symbols', () => {
    const plain = symbolsOf(symbols, text);
    return isAnnotated ? plain.map((symbol, at) => ({ ...symbol, annotation: view.annotations[at] })) : plain;
  });
  defineLazy(view, 'annotations', () => annotationsOf(annotations, text));
  defineLazy(view, 'references', () => referencesOf(references, text));
  defineLazy(view, 'chunks', () => chunksOf(chunks));
  // Not enumerable: it is the same once more.
  Object.defineProperty(view, 'columns', { value: { text, symbols, annotations, references, chunks } });
  return view;
}

/**
 * Definitions of many files, with rows as objects where they are asked for.
 *
 * @param {import('../native.js').SymbolReply} reply
 * @returns {import('../index.js').SymbolPage}
 */
function listOf({ columns, next, generation, complete, tookMs }) {
  /** @type {any} */
  const view = { next, generation, complete, tookMs };
  defineLazy(view, 'symbols', () => listedOf(columns));
  Object.defineProperty(view, 'columns', { value: columns });
  return view;
}

module.exports = { fileOf, listOf };

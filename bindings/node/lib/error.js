'use strict';

/** What every call of this package rejects with. `code` is stable; the message is for people and may change. */
class AstCoreError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions & { path?: string }} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
    if (options?.path !== undefined) this.path = options.path;
  }
}

/** A call was made in a way that cannot go well. */
class InvalidArgumentError extends AstCoreError {}

/** The engine is not open. */
class EngineStateError extends AstCoreError {}

/** A file or a directory is not what it would have to be. */
class FileError extends AstCoreError {}

/** The index cannot be opened, read or written. */
class IndexError extends AstCoreError {}

/** A batch is not there, or not where it would have to be. */
class BatchError extends AstCoreError {}

/** A call was given up, by its signal or because the engine was closed. */
class CancelledError extends AstCoreError {}

/** The native library is missing or does not load. */
class NativeBindingError extends AstCoreError {}

/** A defect of this package, or something that the machine does not have enough of. */
class InternalError extends AstCoreError {}

const CLASSES = {
  AstCoreError,
  InvalidArgumentError,
  EngineStateError,
  FileError,
  IndexError,
  BatchError,
  CancelledError,
  NativeBindingError,
  InternalError,
};

// On the prototype, as the names of built-in errors are: it is no property of each error.
for (const [name, type] of Object.entries(CLASSES)) {
  Object.defineProperty(type.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** The class of each code. */
const CLASS_OF_CODE = {
  ERR_INVALID_ARGUMENT: InvalidArgumentError,
  ERR_DIMENSION_MISMATCH: InvalidArgumentError,
  ERR_NOT_INITIALIZED: EngineStateError,
  ERR_ALREADY_INITIALIZED: EngineStateError,
  ERR_CLOSED: EngineStateError,
  ERR_FILE_NOT_FOUND: FileError,
  ERR_FILE_UNREADABLE: FileError,
  ERR_FILE_TOO_LARGE: FileError,
  ERR_FILE_BINARY: FileError,
  ERR_UNKNOWN_LANGUAGE: FileError,
  ERR_NOT_A_DIRECTORY: FileError,
  ERR_OUTSIDE_TREE: FileError,
  ERR_INDEX_MISSING: IndexError,
  ERR_INDEX_OPEN: IndexError,
  ERR_NOT_AN_INDEX: IndexError,
  ERR_INDEX_VERSION: IndexError,
  ERR_INDEX_CORRUPT: IndexError,
  ERR_INDEX_LOCKED: IndexError,
  ERR_INDEX_FENCED: IndexError,
  ERR_INDEX_OUTDATED: IndexError,
  ERR_OTHER_TREE: IndexError,
  ERR_READ_ONLY: IndexError,
  ERR_DISK_FULL: IndexError,
  ERR_BATCH_NOT_FOUND: BatchError,
  ERR_BATCH_STATE: BatchError,
  ERR_CANCELLED: CancelledError,
  ERR_NATIVE_BINDING: NativeBindingError,
  ERR_EMBEDDER: InternalError,
  ERR_THREADS: InternalError,
  ERR_INTERNAL: InternalError,
};

/**
 * The error of a code.
 *
 * @param {string} code
 * @param {string} message
 * @param {ErrorOptions & { path?: string }} [options]
 */
function errorOf(code, message, options) {
  return new CLASS_OF_CODE[code](code, message, options);
}

/** What the native library threw, as an `AstCoreError`. */
function fromNative(error) {
  if (error instanceof AstCoreError) return error;
  if (typeof error?.code === 'string' && Object.hasOwn(CLASS_OF_CODE, error.code)) {
    return errorOf(error.code, error.message, { path: error.path });
  }
  // Anything else is a panic, or a call that the checks of arguments should have refused.
  return errorOf('ERR_INTERNAL', `internal error: ${error?.message ?? error}`, { cause: error });
}

module.exports = { ...CLASSES, CLASS_OF_CODE, errorOf, fromNative };

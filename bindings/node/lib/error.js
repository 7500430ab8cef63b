'use strict';

/** What every call of this package rejects with. `code` is stable; the message is for people and may change. */
class AstCoreError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
}

// On the prototype, as the names of built-in errors are: it is no property of each error.
Object.defineProperty(AstCoreError.prototype, 'name', {
  value: 'AstCoreError',
  configurable: true,
  writable: true,
});

/** What the native library threw, as an `AstCoreError`. */
function fromNative(error) {
  if (error instanceof AstCoreError) return error;
  const ours = typeof error?.code === 'string' && error.code.startsWith('ERR_');
  // Anything else is a panic, or a call that the checks of arguments should have refused.
  return ours
    ? new AstCoreError(error.code, error.message)
    : new AstCoreError('ERR_INTERNAL', `internal error: ${error?.message ?? error}`, { cause: error });
}

module.exports = { AstCoreError, fromNative };

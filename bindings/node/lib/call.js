'use strict';

const { errorOf, fromNative } = require('./error.js');

/** What a native call comes to; what it throws or rejects with is an `AstCoreError`. */
async function settled(call) {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error);
  }
}

/**
 * What a native call comes to, unless the signal is aborted before.
 *
 * @template T
 * @param {{ cancellation(): { cancel(): void } }} engine
 * @param {AbortSignal | undefined} signal
 * @param {string} what
 * @param {(cancellation?: object) => Promise<T>} call
 */
async function until(engine, signal, what, call) {
  if (!signal) return await settled(() => call());
  if (signal.aborted) throw cancelled(signal, what);
  const cancellation = engine.cancellation();
  const abort = () => cancellation.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await settled(() => call(cancellation));
  } catch (error) {
    throw error.code === 'ERR_CANCELLED' && signal.aborted ? cancelled(signal, what) : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function cancelled(signal, what) {
  return errorOf('ERR_CANCELLED', `${what} was cancelled by its signal`, { cause: signal.reason });
}

module.exports = { cancelled, settled, until };

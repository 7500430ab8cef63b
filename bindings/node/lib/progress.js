'use strict';

/**
 * Stands between the native library and the caller's `onProgress`: what the caller's function throws does not reach
 * the run, and nothing is told after the end.
 */
class ProgressListener {
  #callback;
  #finished = false;
  #warned = false;

  constructor(callback) {
    this.#callback = callback;
  }

  /** @param {import('../index.js').IndexProgress} progress */
  tell = (progress) => {
    if (this.#finished) return;
    try {
      // It may well be an async function.
      this.#callback(progress)?.then?.(undefined, this.#warn);
    } catch (error) {
      this.#warn(error);
    }
  };

  /** Calls that are still on their way are dropped. */
  finish(progress) {
    if (progress) this.tell(progress);
    this.#finished = true;
  }

  #warn = (error) => {
    if (this.#warned) return;
    this.#warned = true;
    const text = error instanceof Error ? error.stack : String(error);
    process.emitWarning(`onProgress failed, and the call goes on: ${text}`, 'AstCoreWarning');
  };
}

module.exports = { ProgressListener };

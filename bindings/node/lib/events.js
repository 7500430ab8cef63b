'use strict';

const { cancelled, settled } = require('./call.js');

/**
 * Events as they come. Who waits for the next one keeps the process alive; the events themselves do not.
 *
 * @template T
 */
class Events {
  #native;
  #cancellation;
  #signal;
  #what;
  #isClosed = false;
  #convert;

  constructor(native, cancellation, { signal, what, convert }) {
    this.#native = native;
    this.#cancellation = cancellation;
    this.#signal = signal;
    this.#what = what;
    this.#convert = convert;
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted) this.#abort();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** The next event. */
  async next() {
    if (this.#isClosed) return { done: true, value: undefined };
    try {
      const event = await settled(() => this.#native.next(this.#cancellation));
      if (event !== null && !this.#isClosed) return { done: false, value: this.#convert(event) };
    } catch (error) {
      if (this.#signal?.aborted) {
        this.#end();
        throw cancelled(this.#signal, this.#what);
      }
      if (!(this.#isClosed && error.code === 'ERR_CANCELLED')) {
        this.#end();
        throw error;
      }
    }
    this.#end();
    return { done: true, value: undefined };
  }

  /** What a loop calls that is left early. */
  async return() {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Ends them. Whoever waits for the next one is told that there is none. */
  async close() {
    this.#end();
  }

  #end() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#native.close?.();
    this.#cancellation.cancel();
  }

  // It is told of by `next`.
  #abort = () => {
    this.#native.close?.();
    this.#cancellation.cancel();
  };
}

if (Symbol.asyncDispose) {
  Object.defineProperty(Events.prototype, Symbol.asyncDispose, {
    value: Events.prototype.close,
    configurable: true,
    writable: true,
  });
}

module.exports = { Events };

'use strict';

const shape = require('./argument.js');
const { AstCoreError, fromNative } = require('./error.js');
const { native } = require('./native.js');
const { ProgressListener } = require('./progress.js');

const OPEN_OPTIONS = { database: shape.path, root: shape.path, readOnly: shape.boolean };

const INDEX_OPTIONS = { rebuild: shape.boolean, onProgress: shape.callback, signal: shape.signal };

const SEARCH_OPTIONS = {
  limit: shape.integer(1, 2 ** 32 - 1),
  mode: shape.string,
  languages: shape.strings,
  paths: shape.strings,
  kinds: shape.strings,
  threshold: shape.number(0, 1),
  context: shape.integer(0, 10_000),
};

// Every method is async, so that whatever is wrong rejects and nothing throws. `index.d.ts` documents them.
class Engine {
  #native;

  constructor(opened) {
    if (!(opened instanceof native.Engine)) {
      throw new AstCoreError('ERR_INVALID_ARGUMENT', 'an Engine is not made by new: use Engine.open');
    }
    this.#native = opened;
  }

  static async open(options) {
    const checked = shape.checkOptions(options, OPEN_OPTIONS);
    if ((checked.database === undefined) === (checked.root === undefined)) {
      const received = checked.root === undefined ? 'neither' : 'both';
      throw new AstCoreError(
        'ERR_INVALID_ARGUMENT',
        `options has ${received} of database and root; expected either { database: path of the index } ` +
          'or { root: path of the tree }',
      );
    }
    return new Engine(await settled(() => native.Engine.open(checked)));
  }

  async index(root, options) {
    shape.check('root', root, shape.path);
    const { rebuild, onProgress, signal } = shape.checkOptions(options, INDEX_OPTIONS);
    if (signal?.aborted) throw cancelled(signal);
    const cancellation = this.#native.cancellation();
    const abort = () => cancellation.cancel();
    const listener = onProgress && new ProgressListener(onProgress);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const run = await settled(() => this.#native.index(root, { rebuild }, cancellation, listener?.tell));
      listener?.finish(run.progress);
      return run.report;
    } catch (error) {
      throw error.code === 'ERR_CANCELLED' && signal?.aborted ? cancelled(signal) : error;
    } finally {
      listener?.finish();
      signal?.removeEventListener('abort', abort);
    }
  }

  async search(text, options) {
    shape.check('text', text, shape.string);
    const checked = shape.checkOptions(options, SEARCH_OPTIONS);
    return await settled(() => this.#native.search(text, checked));
  }

  async status() {
    return await settled(() => this.#native.status());
  }

  async close() {
    await settled(() => this.#native.close());
  }
}

// Node has it since 20.4.
if (Symbol.asyncDispose) {
  Object.defineProperty(Engine.prototype, Symbol.asyncDispose, {
    value: Engine.prototype.close,
    configurable: true,
    writable: true,
  });
}

async function settled(call) {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error);
  }
}

function cancelled(signal) {
  return new AstCoreError('ERR_CANCELLED', 'the index run was cancelled by its signal; what was committed is kept', {
    cause: signal.reason,
  });
}

module.exports = { Engine };

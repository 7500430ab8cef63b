'use strict';

const { AstCoreEngineApi } = require('./lib/engine.js');
const errors = require('./lib/error.js');
const { native, vocabulary } = require('./lib/native.js');

module.exports = {
  AstCoreEngineApi,
  AstCoreError: errors.AstCoreError,
  InvalidArgumentError: errors.InvalidArgumentError,
  EngineStateError: errors.EngineStateError,
  FileError: errors.FileError,
  IndexError: errors.IndexError,
  BatchError: errors.BatchError,
  CancelledError: errors.CancelledError,
  NativeBindingError: errors.NativeBindingError,
  InternalError: errors.InternalError,
  languages: vocabulary.languages,
  version: native.VERSION,
};

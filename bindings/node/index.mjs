// The same objects as `require` gives, so that both may be used in one program.
import api from './index.js';

export const {
  AstCoreEngineApi,
  AstCoreError,
  InvalidArgumentError,
  EngineStateError,
  FileError,
  IndexError,
  BatchError,
  CancelledError,
  NativeBindingError,
  InternalError,
  languages,
  version,
} = api;

// The same objects as `require` gives, so that both may be used in one program.
import api from './index.js';

export const { Engine, AstCoreError, version } = api;

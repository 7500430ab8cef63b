'use strict';

const { Engine } = require('./lib/engine.js');
const { AstCoreError } = require('./lib/error.js');
const { native } = require('./lib/native.js');

module.exports = { Engine, AstCoreError, version: native.VERSION };

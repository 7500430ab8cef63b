'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { AstCoreError } = require('./error.js');

const folder = path.dirname(__dirname);

/** The C library that this Node is linked with; `null` where there is only one. */
function libc() {
  if (process.platform !== 'linux') return null;
  const { report } = process;
  const { excludeNetwork } = report;
  // Otherwise the report waits for the names of all network peers.
  report.excludeNetwork = true;
  try {
    return report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** The platform as the names of native libraries have it. */
function platformName(libc) {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${libc === 'glibc' ? 'gnu' : 'musl'}`;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  return `${platform}-${arch}`;
}

function load() {
  const found = libc();
  const file = path.join(folder, `ast-core-engine.${platformName(found)}.node`);
  try {
    return require(file);
  } catch (cause) {
    const what = fs.existsSync(file) ? `it does not load: ${cause.message}` : 'it does not exist';
    const machine = `platform ${process.platform}, arch ${process.arch}${found ? `, libc ${found}` : ''}`;
    throw new AstCoreError(
      'ERR_NATIVE_BINDING',
      `cannot load the native library of ast-core-engine for ${machine}, Node ${process.versions.node}. ` +
        `Looked for ${file}: ${what}. ` +
        'To build it, run `cargo xtask node build` in a checkout of the repository.',
      { cause },
    );
  }
}

module.exports = { native: load() };

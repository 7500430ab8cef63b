'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { NativeBindingError } = require('./error.js');

const folder = path.dirname(__dirname);

/** Names a file to be loaded in place of what was installed. */
const OVERRIDE = 'NAPI_RS_NATIVE_LIBRARY_PATH';

/** The C library that this Node is linked with; `null` where there is only one. */
function libc() {
  if (process.platform !== 'linux') return null;
  // Deno and Bun may have no report; then it is told by the file that programs of musl are linked with.
  const report = process.report?.getReport ? reportWithoutNetwork() : null;
  if (report?.header?.glibcVersionRuntime) return 'glibc';
  if (report?.sharedObjects?.some((file) => file.includes('libc.musl-') || file.includes('ld-musl-'))) return 'musl';
  return fs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
}

function reportWithoutNetwork() {
  const { report } = process;
  const { excludeNetwork } = report;
  // Otherwise the report waits for the names of all network peers.
  report.excludeNetwork = true;
  try {
    const made = report.getReport();
    return typeof made === 'string' ? JSON.parse(made) : made;
  } catch {
    return null;
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
  const override = process.env[OVERRIDE];
  const found = libc();
  const platform = platformName(found);
  const file = override || path.join(folder, `ast-core-engine.${platform}.node`);
  const name = `ast-core-engine-${platform}`;
  let what;
  let cause;
  try {
    // A library that was built here comes first, for who works on this package.
    if (override || fs.existsSync(file)) return require(file);
    const native = require(name);
    const { version } = require('../package.json');
    if (native.VERSION === version) return native;
    what = `${name} is of version ${native.VERSION}, and ast-core-engine of ${version}: install them anew`;
  } catch (error) {
    cause = error;
    const isMissing = error?.code === 'MODULE_NOT_FOUND' && error.message.includes(name);
    what = isMissing
      ? `The package ${name} is not installed. It is an optional dependency of ast-core-engine: npm leaves it out ` +
        'with --omit=optional, if the machine that wrote the lock file was another one ' +
        '(https://github.com/npm/cli/issues/4828), or if there is none for this platform. ' +
        `Remove node_modules and the lock file and install again, or add ${name} itself.`
      : `${override || fs.existsSync(file) ? file : name} does not load: ${error?.message ?? error}`;
  }
  const machine = `platform ${process.platform}, arch ${process.arch}${found ? `, libc ${found}` : ''}`;
  throw new NativeBindingError(
    'ERR_NATIVE_BINDING',
    `cannot load the native library of ast-core-engine for ${machine}, Node ${process.versions.node}. ${what}`,
    { cause, path: file },
  );
}

const native = load();

module.exports = { native, vocabulary: native.vocabulary() };

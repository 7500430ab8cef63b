// Our own package, as its users have it.

import { createRequire } from 'node:module'
import type * as Package from '../../../bindings/node/index.js'

/** The package in this repository, whose native library `cargo xtask node build` makes. */
export function enginePackage(): typeof Package {
  return createRequire(import.meta.url)('../../../bindings/node/index.js') as typeof Package
}

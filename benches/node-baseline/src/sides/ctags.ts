// Universal Ctags over the same files, as a program of its own.

import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../corpus.js'
import type { Arguments, Side } from '../protocol.js'

export function ctagsSide(args: Arguments): Side {
  const files = listFiles(args)
  const list = join(args.scratch, 'ctags-files.txt')
  const tags = join(args.scratch, 'tags')
  const bytes = files.reduce((sum, { path }) => sum + statSync(join(args.corpus, path)).size, 0)
  const version = /Universal Ctags ([^,]+)/.exec(spawnSync('ctags', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1]
  if (version === undefined) throw new Error('Universal Ctags is not installed')
  const run = (): void => {
    const { status, stderr } = spawnSync('ctags', ['--sort=no', '--fields=neS', '-L', list, '-f', tags], {
      cwd: args.corpus,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`ctags: ${stderr}`)
  }
  return {
    packages: { 'universal-ctags': version },
    threads: 1,
    prepare() {
      writeFileSync(list, files.map(({ path }) => `${path}\n`).join(''))
    },
    answers() {
      run()
      const definitions = readFileSync(tags, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('!')).length
      return { files: files.length, bytes, definitions }
    },
    round() {
      // The processor time is that of another process, which the system tells of children that have ended.
      const cpu = childCpu()
      const begin = performance.now()
      run()
      return { units: bytes, measured: { wall: (performance.now() - begin) / 1e3, cpu: childCpu() - cpu } }
    },
  }
}

/** The processor time of children that have ended, in seconds. */
function childCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  // Clock ticks of 10 ms, as Linux tells them: cutime and cstime.
  return (Number(fields[13]) + Number(fields[14])) / 100
}

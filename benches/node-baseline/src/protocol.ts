// How a side is asked: one JSON object a line in, one a line out.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { performance } from 'node:perf_hooks'

/** What a side was started with. */
export interface Arguments {
  side: string
  /** The source files. */
  corpus: string
  /** A folder for what is made on the way. */
  scratch: string
  threads: number
  /** Only so many files; all if 0. */
  limitFiles: number
  /** Only this share of the files, spread over all of them. */
  share: number
}

/** What a round of work was. */
export interface Round {
  /** How much was done: bytes, symbols, queries or rows; the same for each side of a row. */
  units: number
  /** Of each query, where there are many. */
  latenciesUs?: number[]
  /** Seconds and processor seconds of the part that counts, where that is not the whole call. */
  measured?: Measured
}

/** What took how long, in seconds. */
export interface Measured {
  wall: number
  cpu: number
}

/** Something that is measured. */
export interface Side {
  /** The packages it is about, with their versions. */
  packages: Record<string, string>
  /** How many threads work. */
  threads: number
  /** Does what is not timed. */
  prepare(): Promise<void> | void
  /** What is compared between sides. */
  answers(): Promise<Record<string, unknown>> | Record<string, unknown>
  /** Does the work once. */
  round(): Promise<Round> | Round
  /** Other commands, by their names. */
  commands?: Record<string, (command: Record<string, unknown>) => Promise<Record<string, unknown>>>
  finish?(): Promise<void> | void
}

/** Measures the wall and the processor time of this process, all threads, in seconds. */
export function stopwatch(): () => Measured {
  const wall = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 }
  }
}

/** The most memory that the process ever had, in bytes. */
function peakMemory(): number {
  try {
    const line = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line?.[1] !== undefined) return Number(line[1]) * 1024
  } catch {
    // Only Linux tells it there.
  }
  return process.resourceUsage().maxRSS * 1024
}

/** Answers commands until there are no more, or one is `finish`. */
export async function serve(args: Arguments, side: Side): Promise<void> {
  const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)
  say({ about: { side: args.side, packages: side.packages, node: process.version }, threads: side.threads })
  let prepared = false
  const prepare = async (): Promise<void> => {
    if (!prepared) await side.prepare()
    prepared = true
  }
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    try {
      const command = JSON.parse(line) as Record<string, unknown>
      switch (command.do) {
        case 'prepare': {
          const stop = stopwatch()
          await prepare()
          say({ prepared_s: stop().wall })
          break
        }
        case 'answers':
          await prepare()
          say({ answers: await side.answers() })
          break
        case 'round': {
          await prepare()
          const stop = stopwatch()
          const { units, latenciesUs, measured } = await side.round()
          const { wall, cpu } = measured ?? stop()
          say({ wall_s: wall, cpu_s: cpu, units, ...(latenciesUs && { latencies_us: latenciesUs }) })
          break
        }
        case 'finish':
          await side.finish?.()
          say({ peak_rss_bytes: peakMemory() })
          return
        default: {
          const other = side.commands?.[String(command.do)]
          if (other === undefined) throw new Error(`unknown command ${line}`)
          await prepare()
          say(await other(command))
        }
      }
    } catch (error) {
      say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a demonstration has made: passwords of its people, for its owner's eyes alone, beside first-run.json. */
export const DEMO_FILE = 'demo.json'

export interface Demo {
  /** False while it is being filled. */
  readonly isFilled: boolean
  readonly domain: string
  readonly accounts: readonly {
    readonly username: string
    readonly address: string
    readonly password: string
  }[]
}

export function keepDemo(dir: string, demo: Demo): void {
  writeFileSync(join(dir, DEMO_FILE), `${JSON.stringify(demo, undefined, 2)}\n`, { mode: 0o600 })
}

/** Undefined where there is none. */
export function readDemo(dir: string): Demo | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, DEMO_FILE), 'utf8')) as Demo
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

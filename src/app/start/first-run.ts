import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Fault, messageOf } from '#base/outcome.ts'

/** What the first start tells its owner, once, in DIR/first-run.json (mode 0600). */
export interface FirstRun {
  readonly domain: string
  readonly accounts: readonly {
    readonly username: string
    readonly address: string
    readonly password: string
    readonly admin: boolean
  }[]
  readonly apiToken: string
}

export const FIRST_DOMAIN = 'campus.example'
/** A sub-domain that is converted to the first domain: mail to it arrives there. */
export const FIRST_SUBDOMAIN = 'lab.campus.example'
export const FIRST_RUN_FILE = 'first-run.json'

/** The first accounts for control to enter, while the file is still there. */
export function readFirstRun(dir: string): FirstRun | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, FIRST_RUN_FILE), 'utf8')) as FirstRun
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Fault('config', `${join(dir, FIRST_RUN_FILE)}: ${messageOf(cause)}`)
  }
}

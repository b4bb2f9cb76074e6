import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { Fault } from '#base/outcome.ts'

/** sysexits EX_DATAERR, as look.ts ends. */
const REFUSED = 65
const SCRIPT = join(import.meta.dirname, 'look.ts')
/** A disk that does not answer keeps nobody from starting: the roles open their doors and say 4xx. */
const LOOK_MS_MAX = 4_000

/**
 * Throws Fault `config` with one line where a file of the data folder is damaged or newer than this
 * program, before any role has touched one. In a child, since it reads the data disk.
 */
export function lookFirst(dir: string): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, dir], { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      child.stderr.destroy()
      child.unref()
      resolve()
    }, LOOK_MS_MAX)
    child.once('error', () => resolve())
    child.once('close', (status) => {
      clearTimeout(timer)
      if (status === REFUSED) reject(new Fault('config', words.trim()))
      else resolve()
    })
  })
}

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const SCRIPT = join(import.meta.dirname, 'warm.ts')
const WARM_MS_MAX = 20_000

/**
 * Fills Node's compile cache where it is empty, before the roles start: each process of a first
 * start would else keep some 20 MiB for compiling the same code. Never fails a start.
 */
export async function warmCompileCache(): Promise<void> {
  const dir = process.env['NODE_COMPILE_CACHE']
  if (dir === undefined || !isEmpty(dir)) return
  const child = spawn(process.execPath, [SCRIPT], {
    stdio: 'ignore',
    env: { ...process.env, WATARI_WARM: '1' },
    timeout: WARM_MS_MAX,
  })
  await new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
}

function isEmpty(dir: string): boolean {
  try {
    return readdirSync(dir).every((name) => readdirSync(join(dir, name)).length < FILES_MIN)
  } catch {
    return true
  }
}

/** The few files of the supervisor alone are no warm cache. */
const FILES_MIN = 150

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CARRIES_OCTETS, HANDS_OUT_OCTETS, heapFlags } from '#app/heap.ts'

const SOURCES = join(import.meta.dirname, '../..')
const SCRIPT = join(import.meta.dirname, 'warm.ts')
const WARM_MS_MAX = 30_000
/** What is compiled under one of V8's limits is of no use under others, but that of young objects. */
const FLAGS: readonly (readonly string[])[] = [
  [],
  heapFlags(CARRIES_OCTETS),
  heapFlags(HANDS_OUT_OCTETS),
]
/** Tells for which sources the cache was filled; lies in its folder. */
const STAMP_FILE = 'warmed'

/**
 * Fills Node's compile cache where it was not filled for these sources, before the roles start:
 * each process would else keep some 20 MiB for compiling the same code. Where the cache cannot be
 * written, one is made in `spare`. Never fails a start.
 */
export async function warmCompileCache(spare: string): Promise<void> {
  const wanted = process.env['NODE_COMPILE_CACHE']
  if (wanted === undefined) return
  const dir = isWritable(wanted) ? wanted : join(spare, 'compile')
  process.env['NODE_COMPILE_CACHE'] = dir
  const stamp = join(dir, STAMP_FILE)
  const sources = stampOf(SOURCES)
  if (read(stamp) === sources) return
  const filled = await Promise.all(FLAGS.map(fill))
  if (filled.every(Boolean)) await writeFile(stamp, sources).catch(() => undefined)
}

/** Whether all was loaded by a process with these flags. */
function fill(flags: readonly string[]): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [...flags, SCRIPT, ...(flags.length > 0 ? ['octets'] : [])],
    {
      stdio: 'ignore',
      env: { ...process.env, WATARI_WARM: '1' },
      timeout: WARM_MS_MAX,
    },
  )
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (status) => resolve(status === 0))
  })
}

function isWritable(dir: string): boolean {
  try {
    mkdirSync(dir, { recursive: true })
    accessSync(dir, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Differs where a source file has come, gone or changed, or Node is another one. */
function stampOf(dir: string): string {
  const hash = createHash('sha256').update(`${process.version} ${FLAGS.join(';')}`)
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!name.endsWith('.ts')) continue
    const { mtimeMs, size } = statSync(join(dir, name))
    hash.update(`${name} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

import { failureOf } from '#app/web/serve-pages.ts'
import { systemClock, sleep } from '#base/time.ts'

const ROOT = join(import.meta.dirname, '../../..')
const CACHE = join(ROOT, '.cache', 'pages')
const SCRIPT = join(import.meta.dirname, 'build-pages.ts')
/** All that the built pages depend on. */
const SOURCES = ['src/web/**/*', 'src/contract/**/*.ts', 'src/model/**/*.ts'] as const
const SINGLE_SOURCES = [
  'src/app/start/build-pages.ts',
  'package-lock.json',
  'tsconfig.json',
] as const
const BUILD_MS_MAX = 180_000
const POLL_MS = 250
const REASON_LENGTH_MAX = 2_000
const REMEDY =
  "watari: mail goes on without them; bring the program's files back to what was delivered (git status, npm ci) and start again\n"

/** Where the web pages of this program stand, or will. */
export interface Pages {
  /** Appears when they are whole. */
  readonly folder: string
  /** Resolves when they stand there, or with the reason why they could not be built; never rejects. */
  readonly built: Promise<string | undefined>
}

/**
 * Builds the web pages with vite in a child process where these very sources have not been built
 * before; asks no network. Whoever starts mail does not wait for it.
 */
export function preparePages(say: (text: string) => void): Pages {
  const folder = join(CACHE, sourcesHash())
  return { folder, built: existsSync(folder) ? Promise.resolve(undefined) : build(folder, say) }
}

function sourcesHash(): string {
  const hash = createHash('sha256')
  const paths = [...SOURCES.flatMap((glob) => globSync(glob, { cwd: ROOT })), ...SINGLE_SOURCES]
  for (const path of paths.toSorted()) {
    const file = join(ROOT, path)
    if (!statSync(file).isFile() || /\.test\.tsx?$/.test(path)) continue
    hash.update(`${path}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex').slice(0, 32)
}

async function build(folder: string, say: (text: string) => void): Promise<string | undefined> {
  const lock = `${folder}.lock`
  try {
    mkdirSync(CACHE, { recursive: true })
    while (!takeLock(lock)) {
      await sleep(systemClock, POLL_MS)
      if (existsSync(folder)) return undefined
    }
  } catch (cause) {
    return `${CACHE} cannot be written: ${String(cause)}`
  }
  const free = (): void => rmSync(lock, { recursive: true, force: true })
  process.once('exit', free)
  try {
    if (existsSync(folder)) return undefined
    say('watari: building the web pages (once for each version; mail does not wait for it)\n')
    rmSync(failureOf(folder), { force: true })
    const reason = await runBuild(folder)
    if (reason === undefined) return undefined
    // The pages' own addresses tell it too: whoever opens one reads no output of a start.
    writeFileSync(failureOf(folder), reason)
    say(`watari: the web pages could not be built: ${reason}\n${REMEDY}`)
    return reason
  } finally {
    free()
    process.off('exit', free)
  }
}

/** One process builds, the others wait for it; a lock older than any build is of one that died. */
function takeLock(lock: string): boolean {
  try {
    if (Date.now() - statSync(lock).mtimeMs > BUILD_MS_MAX) rmSync(lock, { recursive: true })
  } catch {
    // there is none
  }
  try {
    mkdirSync(lock)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

function runBuild(folder: string): Promise<string | undefined> {
  const child = spawn(process.execPath, [SCRIPT, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
    timeout: BUILD_MS_MAX,
  })
  const end = (): void => void child.kill()
  process.once('exit', end)
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(0, REASON_LENGTH_MAX)
  })
  return new Promise((resolve) => {
    const done = (reason: string | undefined): void => {
      process.off('exit', end)
      resolve(reason)
    }
    child.once('error', (cause) => done(cause.message))
    child.once('close', (status, signal) =>
      done(
        status === 0 ? undefined : reasonOf(words) || `the build ended ${signal ?? String(status)}`,
      ),
    )
  })
}

/** Strangers read it too: no colours, no stack, no path of this machine. */
const reasonOf = (words: string): string =>
  stripVTControlCharacters(words)
    .replaceAll(`${ROOT}/`, '')
    .split('\n')
    .filter((line) => !/^\s+(?:at |\d+: )|^(?:Stack backtrace|✗)/.test(line))
    .join('\n')
    .trim()

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { FirstRun } from '#app/start/first-run.ts'

/** A whole installation of a test's own: its own data folder, its own ports. */
export interface Installation {
  readonly dir: string
  readonly offset: number
  /** Where it listens. */
  readonly host: string
  readonly firstRun: FirstRun
  readonly ca: string
  /** The real port of a well-known one. */
  port(wellKnown: number): number
  password(username: string): string
  /** What it has printed up to now. */
  output(): string
  pid(): number
  /** Runs the command line on it. */
  watari(args: readonly string[], input?: string | Buffer): Promise<Ran>
  stop(): Promise<number | null>
  start(): Promise<void>
  /** Stops and removes it. */
  remove(): Promise<void>
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const READY_MS = 60_000

export interface InstallOptions {
  readonly dir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly bind?: readonly string[]
  /** The one that the folder has already; absent: a free one. */
  readonly offset?: number
  /** One role on a machine of its own, joined to a control centre; what it lets in is that one's word. */
  readonly joined?: {
    readonly role: string
    readonly url: string
    readonly tokenFile: string
    readonly firstRun: FirstRun
  }
  /** Further words for `npm start`: --demo. */
  readonly args?: readonly string[]
  /** One role alone, not joined: control. */
  readonly role?: string
  /** Words in front of the program: `ip netns exec NAME`. */
  readonly within?: readonly string[]
}

/** Starts `npm start`'s own program and resolves at `watari ready`. */
export async function install(options: InstallOptions = {}): Promise<Installation> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'watari-e2e-'))
  let offset = options.offset ?? (await freeOffset())
  let run: Running | undefined
  const start = async (): Promise<void> => {
    run = launch(dir, offset, options)
    await run.ready
  }
  const isNew = !existsSync(dir) || readdirSync(dir).length === 0
  // Another test may have taken a port since it was looked at.
  for (let attempt = 1; ; attempt++)
    try {
      await start()
      break
    } catch (thrown) {
      if (attempt >= 5 || options.offset !== undefined || !String(thrown).includes('it is taken'))
        throw thrown
      // The start may have come as far as to write down its ports.
      if (isNew) rmSync(dir, { recursive: true, force: true })
      offset = await freeOffset()
    }
  const firstRun =
    options.joined?.firstRun ??
    (JSON.parse(readFileSync(join(dir, 'first-run.json'), 'utf8')) as FirstRun)
  const stop = async (): Promise<number | null> => (run === undefined ? 0 : run.stop())
  return {
    dir,
    offset,
    host: options.bind?.[0] ?? '127.0.0.1',
    firstRun,
    ca: readFileSync(join(dir, 'tls', 'ca.pem'), 'utf8'),
    port: (wellKnown) => wellKnown + offset,
    password: (username) =>
      firstRun.accounts.find((account) => account.username === username)?.password ?? '',
    output: () => run?.output() ?? '',
    pid: () => run?.child.pid ?? 0,
    watari: (args, input) =>
      runProgram(process.execPath, [join(ROOT, 'bin/watari.mjs'), ...args, '--data', dir], input),
    stop,
    start,
    remove: async () => {
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

interface Running {
  readonly child: ChildProcess
  readonly ready: Promise<void>
  output(): string
  stop(): Promise<number | null>
}

function launch(dir: string, offset: number, options: InstallOptions): Running {
  const bind = (options.bind ?? ['127.0.0.1', '::1']).flatMap((address) => ['--bind', address])
  const [program, ...args] = [
    ...(options.within ?? []),
    process.execPath,
    join(ROOT, 'bin/start.mjs'),
    '--data',
    dir,
    '--port-offset',
    String(offset),
    ...bind,
    ...roleArgs(options),
    ...(options.args ?? []),
  ]
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let text = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`no "watari ready" in ${READY_MS} ms:\n${text}`))
    }, READY_MS)
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      if (!text.includes('watari ready')) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void ended.then((status) => {
      clearTimeout(timer)
      reject(new Error(`ended with status ${status} before it was ready:\n${text}`))
    })
  })
  ready.catch(() => undefined)
  return {
    child,
    ready,
    output: () => text,
    stop: () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      return ended
    },
  }
}

function roleArgs({ joined, role }: InstallOptions): readonly string[] {
  if (joined === undefined) return role === undefined ? [] : ['--role', role]
  return ['--role', joined.role, '--join', joined.url, '--token-file', joined.tokenFile]
}

/** Runs a program to its end. */
export function runProgram(
  file: string,
  args: readonly string[],
  input?: string | Buffer,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe' })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
    child.stdin.end(input)
  })
}

const WELL_KNOWN = [24, 25, 26, 110, 143, 443, 465, 587, 993, 995, 6443, 9443]
/** Offsets from here to 23,000: 9443 too keeps clear of the kernel's ephemeral ports (from 32,768). */
const OFFSET_MIN = 11_000
const OFFSETS = 1_200
let nextOffset = process.pid

/** An offset at which none of our ports is taken now; differs between test processes. */
export async function freeOffset(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    nextOffset = (nextOffset + 37) % OFFSETS
    const offset = OFFSET_MIN + nextOffset * 10
    const free = await Promise.all(WELL_KNOWN.map((port) => isFree(port + offset)))
    if (free.every(Boolean)) return offset
  }
  throw new Error('no free ports')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Polls `check` until it is true; the condition is a fact of another process, so no event tells it. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface FileResult {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What the file printed, the middle left out where it was long. */
  readonly output: string
  /** Reasons of skipped tests. */
  readonly skips: readonly string[]
  readonly seconds: number
  /** Of processor, with all its children that somebody waited for. */
  readonly cpuSeconds: number
}

/** Leaves what the test and its children took of the processor in the file $0. */
const TIMED = '"$@"; status=$?; times >"$0"; exit $status'

const OUTPUT_CHARS_MAX = 200_000
/** Every process of a test file carries this in its environment, so that none outlives the file. */
const MARK = 'WATARI_TEST_FILE'

const running = new Set<{ readonly pid: number; readonly mark: string }>()

/** Runs one test file in a process of its own. A file that runs no test has failed. */
export async function runTestFile(
  root: string,
  path: string,
  options: { readonly timeoutMs: number },
): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), 'wt-report-'))
  const tap = join(folder, 'tap')
  const times = join(folder, 'times')
  const mark = `${process.pid}-${folder.slice(-6)}`
  const began = performance.now()
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      TIMED,
      times,
      process.execPath,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
      path,
    ],
    {
      cwd: root,
      detached: true, // a group of its own, to be killed as one
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, [MARK]: mark, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined },
    },
  )
  const self = { pid: child.pid ?? 0, mark }
  running.add(self)
  let output = ''
  const keep = (chunk: string): void => {
    output += chunk
    if (output.length > 2 * OUTPUT_CHARS_MAX) output = shorten(output)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killTree(self)
  }, options.timeoutMs)
  const status = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    // 'exit', not 'close': a process left behind may hold the pipes open.
    child.on('exit', (code, signal) => setImmediate(() => resolve(signal ?? code ?? 1)))
  })
  clearTimeout(timer)
  const left = killTree(self)
  running.delete(self)
  const report = readReport(tap)
  const cpuSeconds = readTimes(times)
  rmSync(folder, { recursive: true, force: true })
  let { failed } = report
  if (timedOut)
    keep(`\nthe file did not end within ${options.timeoutMs / 1_000} s and was killed\n`)
  if (report.tests === 0 && status === 0) keep('\nthe file ran no test\n')
  if ((timedOut || status !== 0 || report.tests === 0) && failed === 0) failed = 1
  if (status !== 0) keep(`\nended with ${status}\n`)
  if (left.length > 0) keep(`\nleft behind, and killed: ${left.join(', ')}\n`)
  return {
    passed: report.passed,
    failed,
    skipped: report.skipped,
    skips: report.skips,
    output: shorten(output),
    seconds: (performance.now() - began) / 1_000,
    cpuSeconds,
  }
}

/** Ends what still runs: when the runner itself is told to stop. */
export function killRunning(): void {
  for (const self of running) killTree(self)
}

interface Report {
  readonly tests: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly skips: readonly string[]
}

function readReport(tap: string): Report {
  let text = ''
  try {
    text = readFileSync(tap, 'utf8')
  } catch {
    // the file died before it ran a test
  }
  const count = (word: string): number =>
    Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  return {
    tests: count('tests'),
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
    skips: [...text.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map(
      (match) => match[2] || match[1] || '',
    ),
  }
}

/** The sum of what `times` of a shell tells: `0m1.50s 0m0.20s`, of the shell and of its children. */
function readTimes(path: string): number {
  try {
    const all = readFileSync(path, 'utf8').matchAll(/(\d+)m([\d.]+)s/g)
    return all.reduce(
      (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
      0,
    )
  } catch {
    return 0 // killed with its shell
  }
}

const shorten = (text: string): string =>
  text.length <= OUTPUT_CHARS_MAX
    ? text
    : `${text.slice(0, OUTPUT_CHARS_MAX / 2)}\n[… ${text.length - OUTPUT_CHARS_MAX} characters left out …]\n${text.slice(-OUTPUT_CHARS_MAX / 2)}`

/** Kills the group and every process that carries the mark; names those that were still there. */
function killTree(self: { readonly pid: number; readonly mark: string }): string[] {
  if (self.pid === 0) return []
  try {
    process.kill(-self.pid, 'SIGKILL')
  } catch {
    // all gone
  }
  const left: string[] = []
  for (const pid of markedProcesses(self.mark)) {
    if (pid === self.pid) continue
    left.push(commandOf(pid))
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // went by itself
    }
  }
  return left
}

function markedProcesses(mark: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')) return false
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`)
      } catch {
        return false
      }
    })
    .map(Number)
}

function commandOf(pid: number): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return `${pid} ${line.slice(0, 120) || readlinkSync(`/proc/${pid}/exe`)}`
  } catch {
    return String(pid)
  }
}

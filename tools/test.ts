// npm test [-- [--no-peers] FILE|FOLDER...]: runs every test of the tree, or those named.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preparePages } from '#app/start/pages-folder.ts'
import { preparePeers } from '#test/peers/root.ts'
import { coresIdle, machineMs } from './testing/idle-cores.ts'
import { longestFirst } from './testing/longest-first.ts'
import { killRunning, runTestFile, type FileResult } from './testing/run-file.ts'
import { runPlan } from './testing/schedule.ts'
import { testFiles, type TestFile, type TestKind } from './testing/test-files.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const FILE_TIMEOUT_MS = 300_000
const WIDTH = 2
/** Some journeys wait more than they work: so many more run while that leaves a core idle. */
const EXTRA_WIDTH = 2
const SLOWEST_SHOWN = 10

interface Ran {
  readonly file: TestFile
  readonly result: FileResult
}

async function main(args: readonly string[]): Promise<number> {
  const filters = args.filter((arg) => !arg.startsWith('--'))
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--no-peers')
  if (unknown !== undefined) {
    say(`unknown option ${unknown}: npm test [-- [--no-peers] FILE|FOLDER...]`)
    return 2
  }
  const files = testFiles(ROOT, filters)
  if (files.length === 0) {
    say(`no test file matches ${filters.join(' ') || 'src, tools, test'}`)
    return 1
  }
  const [began, before] = [performance.now(), machineMs()]
  say(`${files.length} test files, Node ${process.versions.node}`)
  const isJourney = (file: TestFile): boolean => file.kind === 'e2e' || file.kind === 'interop'
  const long = longestFirst(files.filter(isJourney))
  const short = files.filter((file) => !isJourney(file))
  const prepare = async (): Promise<void> => {
    if (long.length === 0) return
    const pages = preparePages((text) => say(text.trim())).built
    if (!args.includes('--no-peers')) await preparePeers(say)
    await pages
  }
  let done = 0
  const run = async (file: TestFile): Promise<Ran> => {
    const result = await runTestFile(ROOT, file.path, { timeoutMs: FILE_TIMEOUT_MS })
    done++
    say(line(`${done}/${files.length}`, file, result))
    return { file, result }
  }
  const extra = { width: EXTRA_WIDTH, idle: coresIdle }
  const first = await runPlan({ long, short, ready: prepare(), width: WIDTH, extra }, run)
  const failures = first.filter(({ result }) => result.failed > 0)
  const final = first.filter(({ result }) => result.failed === 0)
  let flaky = 0
  for (const { file, result } of failures) {
    say(`\n${file.path} failed; once more, alone`)
    const again = await runTestFile(ROOT, file.path, { timeoutMs: FILE_TIMEOUT_MS })
    final.push({ file, result: again })
    if (again.failed === 0) {
      flaky++
      say(`flaky: ${file.path} (failed once, passed alone):\n${result.output}`)
    } else say(`failed: ${file.path}:\n${again.output}`)
  }
  sayTimes(final, { began, before })
  return summary(final, flaky)
}

/** Where the time went: the slowest files, all together, and how busy the machine was meanwhile. */
function sayTimes(
  ran: readonly Ran[],
  { began, before }: { readonly began: number; readonly before: ReturnType<typeof machineMs> },
): void {
  const sum = (of: (result: FileResult) => number): number =>
    Math.round(ran.reduce((all, { result }) => all + of(result), 0))
  say('\nslowest:')
  const slowest = ran.toSorted((a, b) => b.result.seconds - a.result.seconds)
  for (const { file, result } of slowest.slice(0, SLOWEST_SHOWN))
    say(
      `${result.seconds.toFixed(1).padStart(6)} s, ${result.cpuSeconds.toFixed(1)} s of processor: ${file.path}`,
    )
  const now = machineMs()
  const worked = now.worked - before.worked
  const share = worked / Math.max(1, worked + now.idle - before.idle)
  say(
    `all: ${sum(({ seconds }) => seconds)} s one after another, ${sum(({ cpuSeconds }) => cpuSeconds)} s of processor; the machine was ${Math.round(100 * share)} % busy`,
  )
  say(`${Math.round((performance.now() - began) / 1_000)} s`)
}

/** Totals by kind, and as the very last line those of all. */
function summary(ran: readonly Ran[], flaky: number): number {
  const total = (kind: TestKind | undefined, word: 'passed' | 'failed' | 'skipped'): number =>
    ran
      .filter(({ file }) => kind === undefined || file.kind === kind)
      .reduce((sum, { result }) => sum + result[word], 0)
  say('')
  const reasons = Map.groupBy(
    ran.flatMap(({ result }) => result.skips),
    (reason) => reason,
  )
  for (const [reason, each] of reasons) say(`skipped ${each.length}: ${reason}`)
  for (const { file, result } of ran.filter((each) => each.result.failed > 0))
    say(`failed ${result.failed}: ${file.path}`)
  for (const kind of ['unit', 'property', 'contract', 'interop', 'e2e'] as const) {
    const files = ran.filter(({ file }) => file.kind === kind).length
    if (files > 0)
      say(
        `${kind}: ${files} files, ${total(kind, 'passed')} passed, ${total(kind, 'failed')} failed, ${total(kind, 'skipped')} skipped`,
      )
  }
  if (flaky > 0) say(`${flaky} flaky (failed once, passed alone)`)
  const all = (word: 'passed' | 'failed' | 'skipped'): number => total(undefined, word)
  say(`${all('passed')} passed, ${all('failed')} failed, ${all('skipped')} skipped`)
  return all('failed') === 0 ? 0 : 1
}

function line(count: string, file: TestFile, result: FileResult): string {
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : ''
  const word = result.failed > 0 ? `FAILED ${result.failed}` : 'ok'
  return `${count} ${word} ${file.path} (${result.passed} passed${skipped}, ${result.seconds.toFixed(1)} s, ${result.cpuSeconds.toFixed(1)} s of processor)`
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    killRunning()
    process.exit(130)
  })
process.exitCode = await main(process.argv.slice(2))

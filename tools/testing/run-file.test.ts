import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runTestFile } from './run-file.ts'
import { testFiles } from './test-files.ts'

const root = mkdtempSync(join(tmpdir(), 'wt-runner-'))
after(() => rmSync(root, { recursive: true, force: true }))
const options = { timeoutMs: 60_000 }

function plant(name: string, lines: readonly string[]): string {
  writeFileSync(join(root, name), ["import { test } from 'node:test'", ...lines, ''].join('\n'))
  return name
}

test('passed, failed and skipped tests are counted and a failure is shown whole', async () => {
  const file = plant('a.test.ts', [
    "test('通る', () => {})",
    "test('壊れる', () => { throw new Error('渡りの失敗') })",
    "test('飛ばす', { skip: 'not root' }, () => {})",
  ])
  const result = await runTestFile(root, file, options)
  assert.deepEqual([result.passed, result.failed, result.skipped], [1, 1, 1])
  assert.match(result.output, /渡りの失敗/)
  assert.deepEqual(result.skips, ['not root'])
})

test('a file that runs no test has failed', async () => {
  const result = await runTestFile(root, plant('empty.test.ts', ['export {}']), options)
  assert.equal(result.failed, 1)
  assert.match(result.output, /ran no test/)
})

test('a file that dies while it loads has failed', async () => {
  const result = await runTestFile(root, plant('dies.test.ts', ['process.exit(0)']), options)
  assert.equal(result.failed, 1)
  const thrown = await runTestFile(root, plant('t.test.ts', ["throw new Error('x')"]), options)
  assert.equal(thrown.failed, 1)
})

test('a file that does not end is killed with all its children, detached ones too', async () => {
  const pidFile = join(root, 'pid')
  const file = plant('hangs.test.ts', [
    "import { spawn } from 'node:child_process'",
    "import { writeFileSync } from 'node:fs'",
    "test('hangs', async () => {",
    "  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })",
    `  writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))`,
    '  await new Promise(() => setInterval(() => {}, 1000))',
    '})',
  ])
  const result = await runTestFile(root, file, { timeoutMs: 5_000 })
  assert.equal(result.failed, 1)
  assert.match(result.output, /did not end within 5 s/)
  const state = (): string => {
    try {
      return readFileSync(`/proc/${readFileSync(pidFile, 'utf8')}/stat`, 'latin1')
    } catch {
      return 'gone'
    }
  }
  assert.match(state(), /gone|\) [ZX] /)
})

test('what a file and its children took of the processor is told', async () => {
  const file = plant('busy.test.ts', [
    "import { spawnSync } from 'node:child_process'",
    "test('busy', () => {",
    "  const busy = 'while (process.cpuUsage().user < 400_000);'",
    "  spawnSync(process.execPath, ['-e', busy])",
    '})',
  ])
  const { cpuSeconds } = await runTestFile(root, file, options)
  assert.ok(cpuSeconds >= 0.4, String(cpuSeconds))
})

test('files are found by their names and told apart by kind', () => {
  for (const path of ['src/a/x.test.ts', 'src/a/x.fuzz.ts', 'test/e2e/y.test.ts', 'src/a/x.ts']) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), '')
  }
  assert.deepEqual(testFiles(root, []), [
    { path: 'src/a/x.fuzz.ts', kind: 'property' },
    { path: 'src/a/x.test.ts', kind: 'unit' },
    { path: 'test/e2e/y.test.ts', kind: 'e2e' },
  ])
  assert.deepEqual(
    testFiles(root, ['src/a/']).map((file) => file.path),
    ['src/a/x.fuzz.ts', 'src/a/x.test.ts'],
  )
})

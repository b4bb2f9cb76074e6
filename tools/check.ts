// npm run check [-- NAME...]: every check of the tree, or those named; one line each.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CheckResult } from './checking/sources.ts'
import { docs, ourTruth } from './docs.ts'
import { lock } from './lock.ts'
import { reach } from './reach.ts'
import { rfc } from './rfc.ts'
import { tidy } from './tidy.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** UPDATE=1 rewrites what is made from the code. */
const isUpdating = process.env['UPDATE'] === '1'

interface Check {
  readonly name: string
  readonly run: () => Promise<{ readonly note: string; readonly faults: readonly string[] }>
}

const tool = (name: string, program: string, args: readonly string[]): Check => ({
  name,
  run: async () => {
    const { status, output } = await runTool(program, args)
    return { note: '', faults: status === 0 ? [] : [output.trim(), `${program} ended ${status}`] }
  },
})

const own = (name: string, check: () => CheckResult, mayBeEmpty = false): Check => ({
  name,
  run: async () => {
    const { looked, of, faults } = check()
    const blind = looked === 0 && !mayBeEmpty ? [`looked at nothing (${of})`] : []
    return { note: `${looked} ${of}`, faults: [...faults, ...blind] }
  },
})

/** The slow ones first: they run side by side, two at a time. */
const CHECKS: readonly Check[] = [
  tool('types', 'tsc', ['-p', '.']),
  tool('web types', 'tsc', ['-p', 'src/web']),
  tool('lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']),
  tool('dead code', 'knip', ['--no-progress']),
  tool('format', 'oxfmt', ['--check', '.']),
  own('tidy', () => tidy(ROOT)),
  own('lock', () => lock(ROOT)),
  own('rfc', () => rfc(ROOT)),
  own('docs', () => docs(ROOT, ourTruth(), isUpdating)),
  own('reach', () => reach(ROOT, isUpdating), !existsSync(join(ROOT, 'src/app/gateway.ts'))),
]

async function main(names: readonly string[]): Promise<number> {
  const wanted = CHECKS.filter(({ name }) => names.length === 0 || names.includes(name))
  if (wanted.length === 0) {
    process.stdout.write(`checks: ${CHECKS.map(({ name }) => name).join(', ')}\n`)
    return 2
  }
  let failed = 0
  const queue = wanted.values()
  const worker = async (): Promise<void> => {
    for (const { name, run } of queue) {
      const began = performance.now()
      const { note, faults } = await run()
      const seconds = ((performance.now() - began) / 1_000).toFixed(1)
      if (faults.length > 0) failed++
      const word = faults.length === 0 ? 'ok    ' : 'FAILED'
      process.stdout.write(
        `${word} ${name} (${note}${note === '' ? '' : ', '}${seconds} s)\n${faults.map((fault) => `  ${fault}\n`).join('')}`,
      )
    }
  }
  await Promise.all([worker(), worker()])
  process.stdout.write(
    failed === 0 ? `all ${wanted.length} checks passed\n` : `${failed} checks failed\n`,
  )
  return failed === 0 ? 0 : 1
}

/** Runs a program of node_modules/.bin under this Node. */
function runTool(
  program: string,
  args: readonly string[],
): Promise<{ readonly status: string; readonly output: string } | { status: 0; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(join(ROOT, 'node_modules/.bin', program), args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', (error) => resolve({ status: error.message, output }))
    child.on('close', (code, signal) =>
      resolve(
        code === 0 ? { status: 0, output } : { status: `with ${signal ?? String(code)}`, output },
      ),
    )
  })
}

process.exitCode = await main(process.argv.slice(2))

import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = mkdtempSync(join(tmpdir(), 'wt-launch-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly text: string
}

function launch(
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly said: () => Promise<unknown>
} {
  const child = spawn(process.execPath, [join(root, 'bin/run.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, npm_execpath: undefined, ...env },
  })
  let text = ''
  const keep = (chunk: Buffer): void => void (text += chunk.toString())
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return {
    child,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, text })),
    said: () => once(child.stdout, 'data'),
  }
}

test('arguments, output and exit code go through', async () => {
  const file = join(folder, 'echo.ts')
  writeFileSync(
    file,
    'const words: string[] = process.argv.slice(2)\nconsole.log(process.version, ...words)\nprocess.exitCode = 7\n',
  )
  const { code, text } = await launch(ROOT, [file, '渡り', 'a b']).ended
  assert.equal(code, 7)
  assert.match(text, /^v(2[6-9]|[3-9]\d)\.\S+ 渡り a b$/m)
})

test('our modules are found where Node itself would find them', async () => {
  const names = [
    '#base/log.ts',
    '#app/storage/kinds.ts',
    './tidy.ts',
    '../src/app/role.ts',
    'fastify',
    'node:fs',
  ]
  const file = join(ROOT, 'tools', 'reach.ts')
  const ask = `import { pathToFileURL } from 'node:url'
    const at = pathToFileURL(${JSON.stringify(file)}).href
    for (const name of ${JSON.stringify(names)}) console.log(name, import.meta.resolve(name, at))
    console.log(typeof (await import(new URL('../src/base/log.ts', at).href)).silentLog)`
  const flags = ['--experimental-import-meta-resolve', '--input-type=module', '-e', ask]
  const answers = [[], [`--import=${join(ROOT, 'bin', 'resolve.mjs')}`]].map((hooks) => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined }
    const { status, stdout, stderr } = spawnSync(process.execPath, [...hooks, ...flags], {
      env,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    return stdout
  })
  assert.match(answers[0]!, /#base\/log\.ts file:.*\/src\/base\/log\.ts\n/)
  assert.equal(answers[1], answers[0])
})

test('SIGTERM reaches the program, which ends as it likes', async () => {
  const file = join(folder, 'wait.ts')
  writeFileSync(
    file,
    "process.on('SIGTERM', () => process.exit(9))\nsetInterval(() => {}, 1000)\nconsole.log('there')\n",
  )
  const { child, ended, said } = launch(ROOT, [file])
  await said()
  child.kill('SIGTERM')
  assert.equal((await ended).code, 9)
})

test('a program that a signal ends is told as a shell tells it', async () => {
  const file = join(folder, 'dies.ts')
  writeFileSync(file, "process.kill(process.pid, 'SIGKILL')\n")
  assert.equal((await launch(ROOT, [file]).ended).code, 137)
})

test('without network and without node_modules one line says what to do, and nothing is left locked', async () => {
  const root = join(folder, 'fresh')
  for (const path of ['bin', 'package.json', 'package-lock.json'])
    cpSync(join(ROOT, path), join(root, path), { recursive: true })
  const { code, text } = await launch(root, ['x.ts'], {
    npm_config_registry: 'http://127.0.0.1:1/',
    npm_config_cache: join(folder, 'cache'),
    npm_config_fetch_retries: '0',
  }).ended
  assert.equal(code, 1)
  assert.match(
    text,
    /^watari: (the npm registry cannot be reached|npm is not in PATH).*start again$/m,
  )
  assert.equal(existsSync(join(root, '.cache/install.lock')), false)
})

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { jsonLog } from '#base/log.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS, sleep, systemClock } from '#base/time.ts'

import { prepareDataFolder } from './data-folder.ts'
import type { FolderOptions } from './data-folder.ts'
import { FIRST_RUN_FILE } from './first-run.ts'
import { summedHealth } from './health.ts'
import { HeldWords } from './held-words.ts'
import { DEMO_FILE } from '#app/demo/demo-file.ts'
import { CARRIES_OCTETS, HANDS_OUT_OCTETS, heapFlags } from '#app/heap.ts'
import type { HeapLimits } from '#app/heap.ts'
import { HOST_FILE, listenersOf, portOf } from './host.ts'
import type { Host } from './host.ts'
import type { Listened } from '#app/role.ts'
import { preparePages } from './pages-folder.ts'
import type { RoleName } from '#app/role-names.ts'
import { startSupervisor } from './supervisor.ts'
import { warmCompileCache } from './warm-cache.ts'

export interface SingleOptions extends FolderOptions {
  /** Filled with what there is to learn with, once all listen. */
  readonly demo: boolean
  /** The data folder stands and is ours. */
  readonly prepared: () => void
}

/** Where the command line finds this installation's sockets. */
const RUNTIME_FILE = 'runtime.json'

const HEAP: Readonly<Record<RoleName, HeapLimits>> = {
  control: { youngMiB: 4 },
  store: HANDS_OUT_OCTETS,
  gateway: CARRIES_OCTETS,
  deliver: CARRIES_OCTETS,
  serve: HANDS_OUT_OCTETS,
}

const flagsOf = (role: RoleName): readonly string[] => [
  ...heapFlags(HEAP[role]),
  '--disable-warning=ExperimentalWarning',
]

const DEMO = join(import.meta.dirname, '../demo/demo.ts')

const NO_PAGES = { folder: '', built: Promise.resolve(undefined) }
/** `watari ready` waits so long for pages that are being built. */
const PAGES_MS_MAX = 20 * SECOND_MS

/** Runs every role on this machine; resolves once all listen. `ended` resolves after SIGTERM or SIGINT. */
export async function runSingle(
  options: SingleOptions,
): Promise<{ readonly ended: Promise<void> }> {
  if (options.demo) refuseOthersDemo(options.dir)
  const { host, first } = await prepareDataFolder({ ...options, clock: systemClock })
  options.prepared()
  const words = new HeldWords({ clock: systemClock, write: (text) => process.stderr.write(text) })
  const say = (text: string): void => words.say(text)
  if (process.env['WATARI_LOG'] !== undefined) words.release()
  const log = jsonLog(systemClock, say, { role: 'supervisor' })
  const runDir = mkdtempSync(join(tmpdir(), 'watari-'))
  await warmCompileCache(runDir)
  const runtimeFile = join(options.dir, RUNTIME_FILE)
  writeFileSync(
    runtimeFile,
    `${JSON.stringify({ runDir, adminSocket: join(runDir, 'admin.sock') })}\n`,
  )
  const hasPages = host.roles.some((role) => role !== 'gateway' && role !== 'deliver')
  const pages = hasPages ? preparePages((text) => process.stderr.write(text)) : NO_PAGES
  const place = { dir: options.dir, runDir, pages: pages.folder }
  const supervisor = startSupervisor({
    place,
    clock: systemClock,
    log,
    say,
    flags: flagsOf,
    roles: host.roles,
  })
  const ended = Promise.withResolvers<void>()
  let health: { close(): void } | undefined
  let demo: ChildProcess | undefined
  let isEnding = false
  const close = async (): Promise<void> => {
    isEnding = true
    demo?.kill()
    await supervisor.stop()
    health?.close()
    rmSync(runtimeFile, { force: true })
    rmSync(runDir, { recursive: true, force: true })
  }
  const end = (): void => {
    if (!isEnding) void close().finally(() => ended.resolve())
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  try {
    const listening = await supervisor.ready
    // Everybody is served by now; the pages may take some seconds more.
    await Promise.race([pages.built, sleep(systemClock, PAGES_MS_MAX)])
    health = await serveHealth(options.dir, host, () => supervisor.status())
    words.release()
    process.stdout.write(welcome(options.dir, host, listening, first))
    if (options.demo) demo = spawn(process.execPath, [DEMO, options.dir], { stdio: 'inherit' })
  } catch (thrown) {
    if (!isEnding) {
      // What a role has said of its own accord is enough; of another end the log may tell more.
      if (isFault(thrown)) words.drop()
      else words.release()
      await close()
      throw thrown
    }
  }
  return { ended: ended.promise }
}

/** People live in an installation that is there: nobody is put between them. */
function refuseOthersDemo(dir: string): void {
  if (existsSync(join(dir, HOST_FILE)) && !existsSync(join(dir, DEMO_FILE)))
    throw new Fault(
      'config',
      `${dir} is an installation already; give --demo a new folder: --data DIR`,
    )
}

/** The health of all roles on the health port, TLS like every listener. */
async function serveHealth(
  dir: string,
  host: Host,
  status: Parameters<typeof summedHealth>[0],
): Promise<{ close(): void }> {
  const handler = summedHealth(status, systemClock)
  const tls = {
    cert: readFileSync(join(dir, 'tls', 'server.pem')),
    key: readFileSync(join(dir, 'tls', 'server.key')),
  }
  const servers = await Promise.all(
    listenersOf(host, 'health').map(async (listener) => {
      const server = createServer(tls, handler)
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause: NodeJS.ErrnoException) => {
          if (cause.code === 'EADDRNOTAVAIL') return resolve()
          const why = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.message
          reject(
            new Fault(
              'config',
              `cannot listen on ${listener.address} port ${listener.port}: ${why}`,
            ),
          )
        })
        server.listen(listener.port, listener.address, resolve)
      })
      return server
    }),
  )
  return {
    close: () => {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

const webText = (host: Host): string =>
  `  web          https://localhost:${portOf(host, 'https')}/  API https://localhost:${portOf(host, 'https')}/api/v1`

function welcome(dir: string, host: Host, listening: readonly Listened[], first: boolean): string {
  const byProtocol = Map.groupBy(listening, (each) => each.protocol)
  const lines = [...byProtocol].map(
    ([protocol, places]) =>
      `  ${protocol.padEnd(12)} ${places.map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`).join('  ')}`,
  )
  return [
    'watari ready',
    ...(host.control === undefined ? [webText(host)] : []),
    `  health       https://localhost:${portOf(host, 'health')}/healthz`,
    ...lines,
    `  data         ${dir}`,
    host.control !== undefined
      ? `  ${host.node} has joined the control centre at ${host.control.address} port ${host.control.port}`
      : first
        ? `  First start: accounts, passwords and the API token stand in ${join(dir, FIRST_RUN_FILE)}`
        : `  Accounts of the first start: ${join(dir, FIRST_RUN_FILE)}`,
    '  Stop with Ctrl-C. Command line: npx watari --help',
    '',
  ].join('\n')
}

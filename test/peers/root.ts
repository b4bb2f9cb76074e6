import { spawn, type ChildProcess } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Peers exclude one another as packages of a machine; in a root of their own these can stand side by side. */
const PACKAGES = [
  'postfix',
  'dovecot-core',
  'dovecot-imapd',
  'dovecot-lmtpd',
  'dovecot-pop3d',
  'openssl',
  'slapd',
  // What people read and send mail with, test/peers/clients.ts, and ask directories with.
  'curl',
  'isync',
  'ldap-utils',
  'libio-socket-inet6-perl',
  'libnet-ssleay-perl',
  'libsasl2-modules',
  'mpop',
  'perl-openssl-defaults', // debootstrap does not know what is only provided
  'python3',
  'swaks',
]
/** Changes whenever PACKAGES or the recipe do: an older root is left alone. */
const ROOT_NAME = 'base-3'
/** Names for one family each: some programs compare certificates with names only. */
const HOSTS = '127.0.0.1 localhost pop.campus.example\n::1 imap.campus.example\n'
const BUILD_MS_MAX = 5 * 60_000
const PEER_START_MS_MAX = 60_000

const SHARED_CACHE = '/var/cache/watari-peers'

/** Why peers cannot run here, for a test to skip with; undefined where they can. */
export function peersMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'peers need root on Debian'
  if (existsSync(peerRoot())) return undefined
  if (!existsSync('/etc/debian_version')) return 'peers need Debian'
  if (!existsSync('/usr/sbin/debootstrap')) return 'peers need debootstrap'
  return 'the root of the peers could not be made: see what npm test printed at its start'
}

/** The folder that holds the peers' programs; they run there by chroot. */
export const peerRoot = (): string => join(cacheFolder(), ROOT_NAME)

function cacheFolder(): string {
  try {
    mkdirSync(SHARED_CACHE, { recursive: true })
    accessSync(SHARED_CACHE, constants.W_OK)
    return SHARED_CACHE
  } catch {
    return join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), '.cache', 'peers')
  }
}

/**
 * Makes the root once for this machine; returns why not, where that fails. Two that ask at once do not meet:
 * each builds beside and the first to be done renames its own into place.
 */
export async function preparePeers(say: (line: string) => void): Promise<string | undefined> {
  if (existsSync(peerRoot())) return undefined
  const missing = peersMissing()
  if (missing !== undefined && !missing.startsWith('the root')) return missing
  const building = `${peerRoot()}.making-${process.pid}`
  mkdirSync(dirname(building), { recursive: true })
  removeStale()
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (suite === undefined) return 'no VERSION_CODENAME in /etc/os-release'
  say(`making a root for peers from ${mirror()} (${suite}; once, one to two minutes)`)
  try {
    await command('debootstrap', [
      '--foreign',
      '--variant=minbase',
      `--include=${PACKAGES.join(',')}`,
      suite,
      building,
      mirror(),
    ])
    // No package may start its service while it is set up.
    const policy = join(building, 'usr/sbin/policy-rc.d')
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    say('peers are fetched; setting them up')
    await command('chroot', [building, '/debootstrap/debootstrap', '--second-stage'])
    writeFileSync(join(building, 'etc/hosts'), HOSTS)
    rmSync(join(building, 'var/cache/apt/archives'), { recursive: true, force: true })
    if (!existsSync(peerRoot())) renameSync(building, peerRoot())
    say('peers are ready')
    return undefined
  } catch (error) {
    const reason = `debootstrap failed: ${error instanceof Error ? error.message : String(error)}`
    say(`${reason}; tests that need peers are skipped`)
    return reason
  } finally {
    if (existsSync(building)) rmSync(building, { recursive: true, force: true })
  }
}

/** What a killed predecessor left half-made. */
function removeStale(): void {
  for (const folder of globSync(`${peerRoot()}.making-*`)) {
    const pid = Number(folder.split('-').at(-1))
    const isOld = performance.timeOrigin - statSync(folder).mtimeMs > BUILD_MS_MAX
    if (isOld || !existsSync(`/proc/${pid}`)) rmSync(folder, { recursive: true, force: true })
  }
}

/** The mirror that apt itself uses. */
function mirror(): string {
  const files = globSync('/etc/apt/{sources.list,sources.list.d/*.{list,sources}}')
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  for (const line of lines) {
    const uri = /^(?:deb\s+(?:\[.*?\]\s*)?|URIs:\s*)(https?:\/\/\S*\/debian)\/?(?:\s|$)/.exec(line)
    if (uri?.[1] !== undefined) return uri[1]
  }
  return 'http://deb.debian.org/debian'
}

/** Runs to the end; what it printed last is the error's message. */
async function command(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_MS_MAX,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
  await ended(child, program)
}

/** Runs a program of the root to its end and gives what it printed; a status other than 0 throws. */
export async function runInRoot(program: string, args: readonly string[]): Promise<string> {
  return await ended(spawnInRoot(program, args), program)
}

/** Starts a program of the root. */
export const spawnInRoot = (program: string, args: readonly string[]): ChildProcess =>
  spawn('chroot', [peerRoot(), program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The test runner's mark goes along: it ends what a killed test leaves behind.
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      WATARI_TEST_FILE: process.env['WATARI_TEST_FILE'],
    },
  })

async function ended(child: ChildProcess, program: string): Promise<string> {
  let output = ''
  const keep = (text: string): void => {
    output = (output + text).slice(-100_000)
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  const status = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(String(signal ?? code)))
  })
  if (status === '0') return output
  throw new Error(`${program} ended with ${status}: ${output.trim().slice(-2_000)}`)
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Resolves once the port accepts; throws with `lastWords` where the process ends first or the time is over. */
export async function accepting(
  port: number,
  child: ChildProcess,
  lastWords: () => string,
): Promise<void> {
  const end = performance.now() + PEER_START_MS_MAX
  for (;;) {
    if (await accepts(port)) return
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > end)
      throw new Error(`port ${port} does not accept: ${lastWords()}`)
    await sleep(50)
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** Asks the process to end, and makes it after a while. */
export async function endPeer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(timer)
}

let counter = 0
/** A name for a peer's own folders inside the root. */
export const peerName = (kind: string): string => `${kind}-${process.pid}-${++counter}`

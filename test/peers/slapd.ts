import { spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { fakeCertificate } from '#test/fake/identity.ts'
import { accepting, endPeer, freePorts, peerName, peerRoot, spawnInRoot } from './root.ts'

interface SlapdOptions {
  readonly suffix: string
  /** What lies there at the start, in LDIF. */
  readonly ldif: string
  /** Further lines behind those of the database: overlays, limits, syncrepl. */
  readonly settings?: string
  /** The certificate that every client has to show. */
  readonly clientCertificate?: string
  /** Tells each entry that it sends in its log. */
  readonly tellsEntries?: true
  /** As one of several that write; replicas need one too. */
  readonly serverId?: number
}

export interface Slapd {
  readonly port: number
  readonly tlsPort: number
  /** What its clients have to trust. */
  readonly ca: string
  readonly rootDn: string
  readonly rootPassword: string
  /** Standing still, as a machine that hangs: connections are taken and nothing is answered. */
  pause(): void
  resume(): void
  kill(): void
  /** What has come of its log so far; it runs behind what was answered. */
  log(): string
  /** A place in its log behind all that it has done until now. */
  mark(): Promise<number>
  /** What it told between that place and now, all of it. */
  since(mark: number): Promise<string>
  stop(): Promise<void>
}

const LOG_MAX = 4_000_000
const ANSWER_MS_MAX = 30_000
const ROOT_PASSWORD = 'R00t & Söhne <渡り>'

/** Starts an OpenLDAP with a database and ports of its own inside the peers' root. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const name = peerName('slapd')
  const root = peerRoot()
  const [port = 0, tlsPort = 0] = await freePorts(2)
  const folders = [`/etc/${name}`, `/var/lib/${name}`]
  const [etc = '', data = ''] = folders
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
  const { certificate, key } = await fakeCertificate()
  writeFileSync(join(root, etc, 'cert.pem'), certificate)
  writeFileSync(join(root, etc, 'key.pem'), key)
  if (options.clientCertificate !== undefined)
    writeFileSync(join(root, etc, 'clients.pem'), options.clientCertificate)
  const rootDn = `cn=root,${options.suffix}`
  const conf = `${etc}/slapd.conf`
  writeFileSync(join(root, etc, 'root.ldif'), options.ldif)
  writeFileSync(
    join(root, conf),
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile ${data}/pid
TLSCertificateFile ${etc}/cert.pem
TLSCertificateKeyFile ${etc}/key.pem
${options.clientCertificate === undefined ? 'TLSVerifyClient never' : `TLSCACertificateFile ${etc}/clients.pem\nTLSVerifyClient demand`}
sasl-auxprops slapd
sasl-secprops none
authz-regexp uid=([^,]*),cn=plain,cn=auth ldap:///${options.suffix}??sub?(uid=$1)
sizelimit unlimited
idletimeout 0
${options.serverId === undefined ? '' : `serverID ${options.serverId}`}
database mdb
maxsize 1073741824
suffix "${options.suffix}"
rootdn "${rootDn}"
rootpw "${ROOT_PASSWORD}"
directory ${data}
index objectClass,entryUUID,entryCSN eq
index uid,mail eq
access to attrs=userPassword by anonymous auth by * none
access to * by * read
${options.settings ?? ''}
`,
  )
  const remove = (): void => {
    for (const path of folders) rmSync(join(root, path), { recursive: true, force: true })
  }
  const load = ['-f', conf, '-q', '-w', '-l', `${etc}/root.ldif`]
  if (options.ldif !== '') {
    const loaded = spawnSync('chroot', [root, '/usr/sbin/slapadd', ...load], { encoding: 'utf8' })
    if (loaded.status !== 0) {
      remove()
      throw new Error(`slapadd: ${loaded.stderr}`)
    }
  }
  const listen = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${tlsPort}/`
  const child = spawnInRoot('/usr/sbin/slapd', [
    '-f',
    conf,
    '-h',
    listen,
    '-d',
    options.tellsEntries === true ? 'stats,stats2,sync' : 'stats,sync',
  ])
  let words = ''
  let dropped = 0
  const heard = new EventEmitter()
  const keep = (chunk: Buffer): void => {
    words += chunk.toString()
    const over = Math.max(0, words.length - LOG_MAX)
    words = words.slice(over)
    dropped += over
    heard.emit('more')
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  /** A connection of its own is told of behind everything before it. */
  const mark = async (): Promise<number> => {
    const { socket, from } = await connectedTo(port)
    try {
      const line = `IP=127.0.0.1:${from} `
      const signal = AbortSignal.timeout(ANSWER_MS_MAX)
      while (!words.includes(line)) await once(heard, 'more', { signal })
      return dropped + words.indexOf(line)
    } finally {
      socket.destroy()
    }
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT')
    await endPeer(child)
    remove()
  }
  try {
    await accepting(port, child, () => words)
  } catch (thrown) {
    await stop()
    throw thrown
  }
  return {
    port,
    tlsPort,
    ca: certificate,
    rootDn,
    rootPassword: ROOT_PASSWORD,
    pause: () => {
      child.kill('SIGSTOP')
      while (!standsStill(child.pid)) continue
    },
    resume: () => void child.kill('SIGCONT'),
    kill: () => void child.kill('SIGKILL'),
    log: () => words,
    mark,
    since: async (from) => {
      const until = await mark()
      if (from < dropped) throw new Error('that part of the log is gone')
      return words.slice(from - dropped, until - dropped)
    },
    stop,
  }
}

async function connectedTo(port: number): Promise<{ socket: Socket; from: number }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, from: socket.localPort! }
}

/** A signal takes each thread of a process at a moment of its own; one of them may answer until then. */
const standsStill = (pid: number | undefined): boolean =>
  readdirSync(`/proc/${pid}/task`).every((thread) =>
    /\) [TtZ] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
  )

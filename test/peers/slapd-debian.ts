import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fakeCertificate } from '#test/fake/identity.ts'
import { accepting, endPeer, freePorts, peerName, peerRoot, spawnInRoot } from './root.ts'

/** Debian's slapd as it is when it was just installed: configured by cn=config, with one database. */
export interface DebianSlapd {
  readonly port: number
  /** Its socket, as this process sees it: whoever is root there may change everything. */
  readonly socket: string
  readonly ca: string
  /** Where its peers in the same root find it, and the file of the certificate that they may trust. */
  readonly url: string
  readonly caFile: string
  readonly configDn: string
  readonly configPassword: string
  pause(): void
  resume(): void
  /** Its process is gone at once, with what it had not written. */
  kill(): Promise<void>
  /** On the same port and data again. */
  start(): Promise<void>
  /** Keeps its data as they are while its process is gone; what it answers puts them back, likewise. */
  backUp(): () => void
  log(): string
  stop(): Promise<void>
}

/** For peers in the same root: libldap asks a certificate of `localhost` for the machine's own name. */
const HOST = 'pop.campus.example'
const CONFIG_PASSWORD = 'C0nfig & 渡り'

export async function startDebianSlapd(suffix: string): Promise<DebianSlapd> {
  const name = peerName('slapd')
  const root = peerRoot()
  const [port = 0] = await freePorts(1)
  const [etc, data] = [`/etc/${name}`, `/var/lib/${name}`]
  for (const folder of [`${etc}/slapd.d`, data]) mkdirSync(join(root, folder), { recursive: true })
  const { certificate, key } = await fakeCertificate('localhost', HOST)
  writeFileSync(join(root, etc, 'cert.pem'), certificate)
  writeFileSync(join(root, etc, 'key.pem'), key)
  const init = readFileSync(join(root, '/usr/share/slapd/slapd.init.ldif'), 'utf8')
    .replaceAll('@SUFFIX@', suffix)
    .replaceAll('@PASSWORD@', 'unused')
    .replace('/var/lib/ldap', data)
    .replaceAll('/var/run/slapd/', `${data}/`)
    .replace(
      'cn: config\n',
      `cn: config\nolcTLSCertificateFile: ${etc}/cert.pem\nolcTLSCertificateKeyFile: ${etc}/key.pem\n`,
    )
    .replace(
      'olcRootDN: cn=admin,cn=config',
      `olcRootDN: cn=admin,cn=config\nolcRootPW:: ${Buffer.from(CONFIG_PASSWORD).toString('base64')}`,
    )
  const [, dc = ''] = /^dc=([^,]*)/.exec(suffix) ?? []
  const first = `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: ${dc}\no: ${dc}\n`
  for (const [number, ldif] of [
    ['0', init],
    ['1', first],
  ] as const) {
    writeFileSync(join(root, etc, 'load.ldif'), ldif)
    const args = ['-n', number, '-F', `${etc}/slapd.d`, '-l', `${etc}/load.ldif`]
    const loaded = spawnSync('chroot', [root, '/usr/sbin/slapadd', ...args], { encoding: 'utf8' })
    if (loaded.status !== 0) throw new Error(`slapadd: ${loaded.stderr}`)
  }
  let words = ''
  const keep = (chunk: Buffer): void => void (words = (words + chunk.toString()).slice(-100_000))
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const socket = encodeURIComponent(`${data}/ldapi`)
    const listen = `ldap://127.0.0.1:${port}/ ldapi://${socket}/`
    const args = ['-F', `${etc}/slapd.d`, '-h', listen, '-d', 'stats,stats2,sync']
    child = spawnInRoot('/usr/sbin/slapd', args)
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    await accepting(port, child, () => words)
  }
  const signal = (name: NodeJS.Signals): void => void child?.kill(name)
  const stop = async (): Promise<void> => {
    signal('SIGCONT')
    if (child !== undefined) await endPeer(child)
    for (const path of [etc, data, `${data}.backup`])
      rmSync(join(root, path), { recursive: true, force: true })
  }
  await start().catch(async (thrown: unknown) => {
    await stop()
    throw thrown
  })
  return {
    port,
    socket: join(root, data, 'ldapi'),
    ca: certificate,
    url: `ldap://${HOST}:${port}`,
    caFile: `${etc}/cert.pem`,
    configDn: 'cn=admin,cn=config',
    configPassword: CONFIG_PASSWORD,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill: async () => {
      const gone = new Promise((resolve) => child!.once('exit', resolve))
      signal('SIGKILL')
      await gone
    },
    start,
    backUp: () => {
      const [now, then] = [join(root, data), join(root, `${data}.backup`)]
      rmSync(then, { recursive: true, force: true })
      cpSync(now, then, { recursive: true, filter: isNoSocket })
      return () => {
        rmSync(now, { recursive: true })
        cpSync(then, now, { recursive: true })
      }
    },
    log: () => words,
    stop,
  }
}

const isNoSocket = (path: string): boolean => !statSync(path).isSocket()

import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  accepting,
  endPeer,
  freePorts,
  peerName,
  peerRoot,
  runInRoot,
  spawnInRoot,
} from './root.ts'

interface PostfixOptions {
  /** Next hop by recipient domain, as transport(5) writes it: `lmtp:inet:127.0.0.1:10024`, `smtp:[127.0.0.1]:10025`, `discard:`. */
  readonly transports?: Readonly<Record<string, string>>
  /** Further lines of main.cf. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface Postfix {
  /** SMTP on 127.0.0.1; takes mail for any domain. */
  readonly port: number
  readonly version: string
  /** Its configuration as it stands, for benchmarks to print. */
  readonly settings: string
  /** What it has logged so far. */
  log(): string
  /** Runs one of its commands (`postqueue -p`) with this configuration. */
  run(program: string, args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts a Postfix with folders and a port of its own inside the peers' root. */
export async function startPostfix(options: PostfixOptions = {}): Promise<Postfix> {
  const name = peerName('postfix')
  const root = peerRoot()
  const [port = 0] = await freePorts(1)
  const etc = `/etc/${name}`
  const folders = [etc, `/var/spool/${name}`, `/var/lib/${name}`]
  const logFile = `/var/log/${name}.log`
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
  chownSync(join(root, `/var/lib/${name}`), ...ownerOf(root))
  const remove = (): void => {
    for (const path of [...folders, logFile])
      rmSync(join(root, path), { recursive: true, force: true })
  }
  const main: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: `/var/spool/${name}`,
    data_directory: `/var/lib/${name}`,
    maillog_file: logFile,
    myhostname: 'postfix.peer.example',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    lmtp_host_lookup: 'native',
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    message_size_limit: '52428800',
    mailbox_size_limit: '0',
    smtpd_recipient_restrictions: 'permit_mynetworks, reject',
    transport_maps: `inline:{ ${Object.entries(options.transports ?? {})
      .map(([domain, hop]) => `{ ${domain} = ${hop} }`)
      .join(', ')} }`,
    ...options.settings,
  }
  if (Object.keys(options.transports ?? {}).length === 0) main['transport_maps'] = ''
  const text = Object.entries(main)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
  writeFileSync(join(root, etc, 'main.cf'), text)
  writeFileSync(join(root, etc, 'master.cf'), masterOf(port))
  try {
    await runInRoot('/usr/sbin/postfix', ['-c', etc, 'check'])
    const child = spawnInRoot('/usr/lib/postfix/sbin/master', ['-c', etc, '-d'])
    let words = ''
    const keep = (chunk: Buffer): void => void (words += chunk.toString())
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const log = (): string =>
      existsSync(join(root, logFile)) ? readFileSync(join(root, logFile), 'utf8') : ''
    const stop = async (): Promise<void> => {
      await endPeer(child)
      remove()
    }
    try {
      await accepting(port, child, () => words + log())
    } catch (error) {
      await stop()
      throw error
    }
    const version = (await runInRoot('/usr/sbin/postconf', ['-h', 'mail_version'])).trim()
    return {
      port,
      version: `Postfix ${version}`,
      settings: text,
      log,
      run: (program, args) => runInRoot(program, ['-c', etc, ...args]),
      stop,
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** Numbers of the root's user postfix: the machine itself need not have one. */
function ownerOf(root: string): [number, number] {
  const passwd = readFileSync(join(root, 'etc/passwd'), 'utf8')
  const [, uid, gid] = /^postfix:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? []
  return [Number(uid), Number(gid)]
}

/** Nothing runs in a chroot of its own below the root: that would need copies of its libraries' files. */
const masterOf = (port: number): string =>
  `127.0.0.1:${port} inet n - n - 200 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** Runs smtp-source to its end: `args` as in smtp-source(1), without the target. */
export const smtpSource = (port: number, args: readonly string[]): Promise<string> =>
  runInRoot('/usr/sbin/smtp-source', [...args, `inet:127.0.0.1:${port}`])

/** Starts smtp-sink, which takes all mail by SMTP or LMTP and forgets it. */
export async function startSmtpSink(): Promise<{
  readonly port: number
  stop(): Promise<void>
}> {
  const [port = 0] = await freePorts(1)
  const child = spawnInRoot('/usr/sbin/smtp-sink', ['-u', 'nobody', `127.0.0.1:${port}`, '1000'])
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()))
  child.stdout?.resume()
  try {
    await accepting(port, child, () => words)
  } catch (error) {
    await endPeer(child)
    throw error
  }
  return { port, stop: () => endPeer(child) }
}

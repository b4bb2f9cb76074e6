import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fakeCertificate } from '#test/fake/identity.ts'
import {
  accepting,
  endPeer,
  freePorts,
  peerName,
  peerRoot,
  runInRoot,
  spawnInRoot,
} from './root.ts'

interface DovecotOptions {
  /** Passwords by login; the login is also the address that LMTP takes. */
  readonly accounts: Readonly<Record<string, string>>
  /** Further lines of dovecot.conf. */
  readonly settings?: string
}

export interface Dovecot {
  readonly lmtpPort: number
  readonly imapPort: number
  readonly imapsPort: number
  readonly pop3Port: number
  /** Its master process; all others descend from it. */
  readonly pid: number
  readonly version: string
  /** Where the homes of its users lie on this machine. */
  readonly mailFolder: string
  /** Its configuration as it stands, for benchmarks to print. */
  readonly settings: string
  log(): string
  stop(): Promise<void>
}

/** The numbers of Debian's user and group `mail`, who owns the mailboxes. */
const MAIL_ID = 8

/** Starts a Dovecot with folders and ports of its own inside the peers' root. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const name = peerName('dovecot')
  const root = peerRoot()
  const [lmtpPort = 0, imapPort = 0, imapsPort = 0, pop3Port = 0] = await freePorts(4)
  const folders = [`/etc/${name}`, `/run/${name}`, `/var/lib/${name}`, `/var/mail/${name}`]
  const [etc = '', run = '', state = '', mail = ''] = folders
  const logFile = `/var/log/${name}.log`
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
  chownSync(join(root, mail), MAIL_ID, MAIL_ID)
  const remove = (): void => {
    for (const path of [...folders, logFile])
      rmSync(join(root, path), { recursive: true, force: true })
  }
  const { certificate, key } = await fakeCertificate()
  writeFileSync(join(root, etc, 'cert.pem'), certificate)
  writeFileSync(join(root, etc, 'key.pem'), key)
  const users = Object.entries(options.accounts).map(
    ([login, secret]) => `${login}:{PLAIN}${secret}`,
  )
  writeFileSync(join(root, etc, 'users'), `${users.join('\n')}\n`)
  const text = `protocols = imap lmtp pop3
base_dir = ${run}
state_dir = ${state}
log_path = ${logFile}
listen = 127.0.0.1
ssl = yes
ssl_cert = <${etc}/cert.pem
ssl_key = <${etc}/key.pem
disable_plaintext_auth = no
first_valid_uid = ${MAIL_ID}
mail_location = maildir:${mail}/%u
mail_fsync = always
postmaster_address = postmaster@peer.example
auth_username_chars =
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${etc}/users
}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${mail}/%u
}
service lmtp {
  inet_listener lmtp {
    port = ${lmtpPort}
  }
}
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = ${imapsPort}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${pop3Port}
  }
  inet_listener pop3s {
    port = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
}
${options.settings ?? ''}
`
  writeFileSync(join(root, etc, 'dovecot.conf'), text)
  const child = spawnInRoot('/usr/sbin/dovecot', ['-F', '-c', `${etc}/dovecot.conf`])
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
    for (const port of [lmtpPort, imapPort, imapsPort, pop3Port])
      await accepting(port, child, () => words + log())
    const version = (await runInRoot('/usr/sbin/dovecot', ['--version'])).split(' ')[0]?.trim()
    return {
      lmtpPort,
      imapPort,
      imapsPort,
      pop3Port,
      pid: child.pid ?? 0,
      mailFolder: join(root, mail),
      settings: text,
      log,
      stop,
      version: `Dovecot ${version}`,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

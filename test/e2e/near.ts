import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import type { ClientRoom, RanProgram } from '#test/peers/clients.ts'
import { toCrlf } from './mails.ts'

export interface Filed {
  readonly file: string
  readonly flags: string
  /** With CRLF, as they stand in IMAP. */
  readonly octets: Buffer
}

/** A whole account as mbsync keeps it on this side. */
export class Near {
  readonly folder: string
  readonly #room: ClientRoom
  readonly #config: string

  constructor(
    room: ClientRoom,
    name: string,
    far: { host: string; port: number; password: string; tls: 'IMAPS' | 'STARTTLS' },
  ) {
    this.#room = room
    this.folder = join(room.folder, name)
    this.#config = join(room.inside, `${name}.conf`)
    mkdirSync(this.folder)
    const inside = join(room.inside, name)
    const lines = [
      `IMAPAccount watari\nHost ${far.host}\nPort ${far.port}\nSSLType ${far.tls}`,
      `User hanako\nPass "${far.password}"\nCertificateFile ${join(room.inside, 'ca.pem')}\n`,
      'IMAPStore far\nAccount watari\n',
      `MaildirStore near\nPath ${inside}/\nInbox ${inside}/INBOX\nSubFolders Verbatim\n`,
      'Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both',
      'SyncState *\nCopyArrivalDate yes\n',
    ]
    writeFileSync(join(room.folder, `${name}.conf`), lines.join('\n'), { mode: 0o600 })
  }

  /** Runs mbsync; the commands that it sent. */
  async sync(): Promise<string[]> {
    const ran = await this.#room.run('mbsync', ['-c', this.#config, '-Dn', 'all'])
    return [...succeeded(ran).matchAll(/^[NF]?:? ?>>> (\d+ .*)$/gm)].map((match) => match[1] ?? '')
  }

  filed(mailbox: string): Filed[] {
    return ['new', 'cur'].flatMap((kind) =>
      readdirSync(join(this.folder, mailbox, kind)).map((name) => {
        const file = join(this.folder, mailbox, kind, name)
        return { file, flags: name.split(':2,')[1] ?? '', octets: toCrlf(readFileSync(file)) }
      }),
    )
  }

  /** Gives a message other flags, as a mail program does. */
  flag({ file }: Filed, flags: string): void {
    const name = basename(file).split(':2,')[0] ?? ''
    renameSync(file, join(dirname(dirname(file)), 'cur', `${name}:2,${flags}`))
  }

  put(mailbox: string, name: string, octets: Buffer): void {
    for (const kind of ['tmp', 'new', 'cur'])
      mkdirSync(join(this.folder, mailbox, kind), { recursive: true })
    const text = octets.toString('latin1').replaceAll('\r\n', '\n')
    writeFileSync(join(this.folder, mailbox, 'new', name), text, 'latin1')
  }
}

/** What a program printed; it must have ended well. */
export const succeeded = (ran: RanProgram): string => {
  const text = ran.stdout.toString() + ran.stderr
  assert.equal(ran.status, 0, text.slice(-2_000))
  return text
}

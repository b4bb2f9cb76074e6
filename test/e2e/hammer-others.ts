import assert from 'node:assert/strict'

import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { utf8 } from './mails.ts'
import { ask, pop3 } from './pop3.ts'
import { random } from './random.ts'
import { smtpSession, transact } from './wire.ts'
import type { Wire } from './wire.ts'

interface Email {
  readonly id: string
  readonly keywords: Readonly<Record<string, boolean>>
  readonly mailboxIds: Readonly<Record<string, boolean>>
}

const PROPERTIES = ['keywords', 'mailboxIds']

/** A JMAP client that keeps all emails of the account by Email/changes. */
export class HammerJmap {
  readonly emails = new Map<string, Email>()
  boxes: Readonly<Record<string, string>> = {}
  readonly #client: JmapClient
  readonly #next: (below: number) => number
  #state = ''

  private constructor(client: JmapClient, seed: number) {
    this.#client = client
    this.#next = random(seed)
  }

  static async open(watari: Installation, seed: number): Promise<HammerJmap> {
    const client = new HammerJmap(await jmap(watari, 'hanako'), seed)
    const { list } = await client.#client.call('Mailbox/get', { properties: ['name'] })
    client.boxes = Object.fromEntries(
      (list as { id: string; name: string }[]).map(({ id, name }) => [name.toUpperCase(), id]),
    )
    client.#state = (await client.#client.call('Email/get', { ids: [] })).state
    for (const email of await client.all()) client.emails.set(email.id, email)
    return client
  }

  /** All emails as they are now, asked anew. */
  async all(): Promise<Email[]> {
    const { ids } = await this.#client.call('Email/query', { limit: 500 })
    return this.#get(ids as string[])
  }

  async once(): Promise<void> {
    await this.follow()
    const ids = [...this.emails.keys()]
    const id = ids[this.#next(Math.max(1, ids.length))]
    if (id === undefined) return
    const on = this.#next(2) === 0 ? true : null
    const keyword = ['$seen', '$flagged', 'label1', '$answered'][this.#next(4)]!
    const acts = [
      { update: { [id]: { [`keywords/${keyword}`]: on } } },
      { update: { [id]: { [`keywords/${keyword}`]: on } } },
      { update: { [id]: { mailboxIds: { [this.boxes['INBOX']!]: true } } } },
      { update: { [id]: { [`mailboxIds/${this.boxes['会議']!}`]: true } } },
      { destroy: [id] },
    ]
    const answer = await this.#client.call('Email/set', acts[this.#next(acts.length)])
    const refused = Object.values({ ...answer.notUpdated, ...answer.notDestroyed })
    for (const { type } of refused as { type: string }[]) assert.equal(type, 'notFound')
  }

  /** Takes what has changed since it last looked (RFC 8620 §5.2). */
  async follow(): Promise<void> {
    for (let more = true; more;) {
      const changes = await this.#client.call('Email/changes', { sinceState: this.#state })
      for (const id of changes.destroyed as string[]) this.emails.delete(id)
      const ids = [...changes.created, ...changes.updated] as string[]
      const found = new Map((await this.#get(ids)).map((email) => [email.id, email]))
      for (const id of ids) {
        const email = found.get(id)
        if (email === undefined) this.emails.delete(id)
        else this.emails.set(id, email)
      }
      this.#state = changes.newState
      more = changes.hasMoreChanges
    }
  }

  async #get(ids: readonly string[]): Promise<Email[]> {
    if (ids.length === 0) return []
    return (await this.#client.call('Email/get', { ids, properties: PROPERTIES })).list
  }
}

/** A POP3 client that takes a few messages away in each session. */
export class HammerPop3 {
  deleted = 0
  readonly #watari: Installation
  readonly #next: (below: number) => number
  readonly #gone = new Set<string>()

  constructor(watari: Installation, seed: number) {
    this.#watari = watari
    this.#next = random(seed)
  }

  async once(): Promise<void> {
    const pop = await pop3(this.#watari)
    const uidls = await this.#uidls(pop)
    for (const uidl of uidls) assert.ok(!this.#gone.has(uidl), `${uidl} came back`)
    assert.match(await ask(pop, 'STAT'), new RegExp(`^\\+OK ${uidls.length} `))
    const chosen = new Set(uidls.length === 0 ? [] : [0, 1].map(() => this.#next(uidls.length)))
    for (const index of chosen) {
      assert.match(await ask(pop, `DELE ${index + 1}`), /^\+OK/)
      this.#gone.add(uidls[index]!)
      this.deleted++
    }
    assert.match(await ask(pop, 'QUIT'), /^\+OK/)
    pop.close()
  }

  /** Messages of INBOX now. */
  async count(): Promise<number> {
    const pop = await pop3(this.#watari)
    const { length } = await this.#uidls(pop)
    await ask(pop, 'QUIT')
    pop.close()
    return length
  }

  async #uidls(pop: Wire): Promise<string[]> {
    assert.match(await ask(pop, 'UIDL'), /^\+OK/)
    const lines = (await pop.until(/(?:^|\r\n)\.\r\n/)).split('\r\n').slice(0, -2)
    return lines.map((line, index) => {
      assert.match(line, new RegExp(`^${index + 1} `))
      return line.split(' ')[1]!
    })
  }
}

/** Mail from outside; what names 会議 is filed there by the account's script. */
export class HammerLmtp {
  readonly #session: Wire
  readonly #next: (below: number) => number

  private constructor(session: Wire, seed: number) {
    this.#session = session
    this.#next = random(seed)
  }

  static async open(watari: Installation, seed: number): Promise<HammerLmtp> {
    const script = 'require "fileinto"; if header :contains "Subject" "会議" { fileinto "会議"; }'
    for (const [args, input] of [
      [['sieve', 'put', 'hanako', '振り分け', '-'], script],
      [['sieve', 'activate', 'hanako', '振り分け'], undefined],
    ] as const) {
      const ran = await watari.watari(args, input)
      assert.equal(ran.status, 0, ran.stderr)
    }
    const way = { port: watari.port(24), greeting: 'LHLO' } as const
    return new HammerLmtp(await smtpSession(way), seed)
  }

  async once(): Promise<void> {
    const number = this.#next(1_000_000)
    const content =
      this.#next(2) === 0
        ? utf8(`${number}\r\n`)
        : Buffer.from(`Subject: ${number}\r\n\r\n渡り\r\n`)
    const mail = { from: 'student@other.example', to: 'hanako@campus.example', content }
    let reply = await transact(this.#session, mail)
    // The mailbox had another name just then: the sender comes again.
    while (/^452 .*No such mailbox/.test(reply)) reply = await transact(this.#session, mail)
    assert.match(reply, /^250 /)
  }

  close(): void {
    this.#session.close()
  }
}

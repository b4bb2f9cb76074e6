import assert from 'node:assert/strict'

import type { Installation } from './installation.ts'
import { utf8 } from './mails.ts'
import { random } from './random.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { Told, flagsText, numbersOf } from './told.ts'
import type { Facts, Known, Speaks } from './told.ts'

/** What kind of mail program this is. */
export interface Kind extends Speaks {
  readonly name: string
  readonly compress?: true
  readonly idles?: true
  /** Its connection dies now and then, amid a command. */
  readonly dies?: true
}

/** 会議 and 渡り as both forms of the protocol write them. */
export const BOXES = { 会議: ['&TxqLcA-', '"会議"'], INBOX: ['INBOX', 'INBOX'] } as const
export type Box = keyof typeof BOXES

const FLAGS = ['\\Seen', '\\Flagged', '\\Deleted', '\\Answered', '\\Draft', '$Forwarded', 'Label1']
/** What never changes of a message. */
const LASTING =
  'INTERNALDATE SAVEDATE ENVELOPE BODYSTRUCTURE PREVIEW THREADID BINARY.PEEK[1] BODY.PEEK[HEADER.FIELDS (Subject)]'
const LOG_LINES = 80
/** Above this many messages nothing is added. */
const MESSAGES_MAX = 60

const isDone = (answer: string): boolean => / OK /.test(answer)

/** One mail program: random commands, and what it was told by them. */
export class HammerImap {
  readonly kind: Kind
  told: Told
  /** What went out and came in, the latest last. */
  readonly log: string[] = []
  commands = 0
  responses = 0
  #raw: RawImap | undefined
  #pending: Promise<Buffer> | undefined
  #tags = 0
  readonly #watari: Installation
  readonly #facts: Facts
  readonly #next: (below: number) => number

  constructor(watari: Installation, kind: Kind, shared: { facts: Facts; seed: number }) {
    this.#watari = watari
    this.kind = kind
    this.#facts = shared.facts
    this.#next = random(shared.seed)
    this.told = new Told('会議', shared.facts, kind)
  }

  async open(box: Box = '会議'): Promise<void> {
    await this.#connect()
    await this.select(box)
  }

  close(): void {
    this.#raw?.close()
    this.#pending = undefined
  }

  async select(box: Box): Promise<void> {
    this.told = new Told(box, this.#facts, this.kind)
    const command = `SELECT ${this.name(box)}${this.kind.condStore ? ' (CONDSTORE)' : ''}`
    // Another one may just have given it another name.
    while (!isDone(await this.run(command))) continue
    await this.look()
  }

  name(box: Box): string {
    return BOXES[box][this.kind.rev2 ? 1 : 0]
  }

  /** Asks for all that it does not know. */
  async look(): Promise<void> {
    if (this.told.messages.length === 0) return
    await this.run(`FETCH 1:* (UID FLAGS${this.kind.condStore ? ' MODSEQ' : ''})`)
  }

  /** EMAILIDs in the order of their numbers. */
  async emailIds(): Promise<string[]> {
    if (this.told.messages.length > 0) await this.run('FETCH 1:* (EMAILID)')
    return this.told.messages.map(({ uid }) => this.told.emailId(uid))
  }

  /** Runs a command to its tagged answer; what is told on the way is held to the rules. */
  async run(command: string, content?: Buffer, behind = ''): Promise<string> {
    const tag = `h${++this.#tags}`
    const raw = this.#raw!
    const text = content === undefined ? command : `${command} {${content.length}}`
    this.#note(`> ${tag} ${text}`)
    this.told.begin(command)
    raw.send(`${tag} ${text}\r\n`)
    this.commands++
    for (;;) {
      const line = await this.#hear()
      if (line.startsWith('+ ') && content !== undefined) {
        raw.send(content)
        raw.send(`${behind}\r\n`)
      }
      if (!line.startsWith(`${tag} `)) continue
      this.told.end(line)
      assert.match(line, /^\w+ (?:OK|NO \[(?:EXPUNGEISSUED|NONEXISTENT|TRYCREATE)\])/, line)
      return line
    }
  }

  /** Waits in IDLE for some news, until the others have ended. */
  async idle(othersEnd: Promise<void>): Promise<void> {
    const tag = `h${++this.#tags}`
    this.#note(`> ${tag} IDLE`)
    this.told.begin('IDLE')
    this.#raw!.send(`${tag} IDLE\r\n`)
    while (!(await this.#hear()).startsWith('+ ')) continue
    for (let news = 1 + this.#next(5); news > 0; news--) {
      const first = await Promise.race([this.#response(), othersEnd])
      if (first === undefined) break
      await this.#hear()
    }
    this.#raw!.send('DONE\r\n')
    let line: string
    do line = await this.#hear()
    while (!line.startsWith(`${tag} `))
    this.told.end(line)
  }

  /** One command of the kinds that mail programs send. */
  async once(): Promise<void> {
    const { messages } = this.told
    const { kind } = this
    if (kind.dies === true && this.#next(25) === 0) return this.#die()
    if (messages.length === 0 || (messages.length < MESSAGES_MAX && this.#next(5) === 0))
      return this.#append()
    const acts = [
      () => this.run('NOOP'),
      () => this.run(`FETCH ${this.#seqs()} (UID FLAGS)`),
      () => this.run(`UID FETCH ${this.#uids()} (FLAGS RFC822.SIZE)`),
      () => this.run(`FETCH ${this.#seq()} (UID BODY.PEEK[])`),
      () => this.run(`UID FETCH ${this.#uid()} (BODY[TEXT]<0.4>)`),
      () => this.run(`UID FETCH ${this.#uids()} (${LASTING})`),
      () => this.run(`STATUS ${this.name('INBOX')} (MESSAGES UNSEEN UIDNEXT)`),
      () => this.#store(),
      () => this.#store(),
      () => this.#store(),
      () => this.run('EXPUNGE'),
      () => this.run(`UID EXPUNGE ${this.#uids()}`),
      () => this.#transfer(),
      () => this.#transfer(),
      () => this.#search(),
      () => this.#saved(),
      () => this.#replace(),
      () => this.#leave(),
      () => this.#order(),
      ...(this.#next(4) === 0 ? [() => this.#rename()] : []),
      ...(kind.qresync ? [() => this.#since(), () => this.#since()] : []),
    ]
    await acts[this.#next(acts.length)]!()
  }

  /** What it believes, against what a session that has just come is told. */
  compare(fresh: Told): void {
    const one = (known: Known | undefined, truth: Known | undefined): string | undefined => {
      const same =
        known !== undefined &&
        truth !== undefined &&
        (known.uid === 0 || known.uid === truth.uid) &&
        (known.flags === undefined || known.flags === truth.flags) &&
        (known.modSeq === 0 || known.modSeq === truth.modSeq || !this.kind.condStore)
      return same ? undefined : `${JSON.stringify(known)} should be ${JSON.stringify(truth)}`
    }
    const differences = Array.from(
      { length: Math.max(fresh.messages.length, this.told.messages.length) },
      (_, index) => one(this.told.messages[index], fresh.messages[index]),
    )
    const wrong = differences.flatMap((text, index) =>
      text === undefined ? [] : [`${index + 1}: ${text}`],
    )
    assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'))
  }

  async #connect(): Promise<void> {
    this.#pending = undefined
    this.#raw = await rawImap(this.#watari, 'hanako')
    if (this.kind.compress === true) await this.#raw.compress()
    const wanted = [
      ...(this.kind.rev2 ? ['IMAP4rev2'] : []),
      ...(this.kind.qresync ? ['QRESYNC'] : this.kind.condStore ? ['CONDSTORE'] : []),
    ]
    if (wanted.length > 0) await this.#raw.command(`ENABLE ${wanted.join(' ')}`)
  }

  /** The connection ends amid a command; the next one goes on from what was known. */
  async #die(): Promise<void> {
    const last = [`UID MOVE 1:* ${this.name('INBOX')}`, 'EXPUNGE', 'UID FETCH 1:* BODY[]']
    this.#note('> (dies)')
    this.#raw!.send(`x ${last[this.#next(3)]}\r\n`)
    this.close()
    await this.#connect()
    return this.#resume()
  }

  /** Selects the mailbox again, from what is known (RFC 7162 §3.2.5). */
  async #resume(): Promise<void> {
    const { told } = this
    if (!this.kind.qresync || told.synced === 0) return this.select(told.box as Box)
    told.messages = told.messages.filter(({ uid, flags }) => uid > 0 && flags !== undefined)
    const uids = told.messages.map(({ uid }) => uid)
    const all = uids.length === 0 ? '' : ` 1:${uids.at(-1)!}`
    const half = uids[uids.length >> 1]
    const pair = half === undefined ? '' : ` (${(uids.length >> 1) + 1} ${half})`
    const known = ['', all, all === '' ? '' : `${all}${pair}`][this.#next(3)]!
    const { uidValidity, synced } = told
    const answer = await this.run(
      `SELECT ${this.name(told.box as Box)} (QRESYNC (${uidValidity} ${synced}${known}))`,
    )
    if (!isDone(answer)) return this.select(told.box as Box)
    const { highest } = told
    const before = told.messages.map(({ uid, flags }) => ({ uid, flags }))
    await this.look()
    // What has not changed since SELECT is as the resynchronisation had it (RFC 7162 §3.2.5).
    for (const [index, { uid, flags }] of before.entries()) {
      const now = told.messages[index]
      if (now === undefined || now.uid !== uid || now.modSeq > highest) continue
      assert.equal(flags, now.flags, `UID ${uid} was not brought up to date`)
    }
  }

  async #append(): Promise<void> {
    const box = this.#next(4) === 0 ? 'INBOX' : '会議'
    const greatest = this.told.messages.at(-1)?.uid ?? 0
    const flags = flagsText([FLAGS[this.#next(FLAGS.length)]!])
    const isDouble = this.#next(3) === 0
    const second = `鳥 ${this.#next(1_000_000)}\r\n`
    const answer = await this.run(
      `APPEND ${this.name(box)} (${flags})`,
      utf8(`${this.kind.name} 渡り ${this.#next(1_000_000)}\r\n`),
      isDouble ? ` (Label1) {${Buffer.byteLength(second)}+}\r\n${second}` : '',
    )
    if (!isDone(answer)) return
    const uids = numbersOf(/\[APPENDUID \d+ ([\d:,]+)\]/.exec(answer)?.[1] ?? '')
    assert.equal(uids.length, isDouble ? 2 : 1, answer) // RFC 3502 §6.3.11
    assert.ok(box !== this.told.box || uids[0]! > greatest, answer)
  }

  /** SORT and THREAD tell each message once, and none that the client does not know. */
  async #order(): Promise<void> {
    const commands = ['SORT (REVERSE ARRIVAL)', 'SORT (SUBJECT SIZE)', 'THREAD REFERENCES']
    const before = this.responses
    await this.run(`${commands[this.#next(3)]!} UTF-8 UNDRAFT`)
    const lines = this.log.slice(before - this.responses)
    const found = lines.find((line) => /^\* (?:SORT|THREAD)/.test(line)) ?? ''
    const seqs = Array.from(found.matchAll(/\d+/g), ([number]) => Number(number))
    assert.equal(new Set(seqs).size, seqs.length, found)
    assert.ok(Math.max(0, ...seqs) <= this.told.messages.length, found)
  }

  /** Another name and the old one again, while others have the mailbox open. */
  async #rename(): Promise<void> {
    const [old, other] = [this.name('会議'), `away-${this.kind.name.replace(/\W/g, '')}`]
    // Where two do so at once, the mailbox comes back with the second.
    if (isDone(await this.run(`RENAME ${old} ${other}`))) await this.run(`RENAME ${other} ${old}`)
  }

  /** STORE in all its forms; what it sets silently it knows without being told. */
  async #store(): Promise<void> {
    const byUid = this.#next(2) === 0
    const silent = this.#next(2) === 0
    const sign = ['+', '-', ''][this.#next(3)]!
    const flag = FLAGS[this.#next(FLAGS.length)]!
    const seqs = numbersOf(this.#seqs())
    const uids = seqs.map((seq) => this.told.messages[seq - 1]!.uid)
    const useUids = byUid && uids.every((uid) => uid > 0)
    const limit = this.kind.condStore && this.#next(3) === 0
    const since = Math.max(1, this.told.highest - this.#next(40))
    const before = this.told.messages.slice()
    const [was, set] = [before.map(({ flags }) => flags), useUids ? uids : seqs]
    const command = [
      `${useUids ? 'UID ' : ''}STORE ${set.join()}`,
      ...(limit ? [`(UNCHANGEDSINCE ${since})`] : []),
      `${sign}FLAGS${silent ? '.SILENT' : ''} (${flag})`,
    ].join(' ')
    const gone = seqs.map((seq) => before[seq - 1]!)
    if (silent)
      for (const seq of seqs)
        this.told.become(seq, (flags) =>
          sign === '' ? [flag] : sign === '+' ? [...flags, flag] : flags.filter((f) => f !== flag),
        )
    const answer = await this.run(command)
    const modified = /\[MODIFIED ([\d:,]+)\]/.exec(answer)?.[1]
    if (modified === undefined || !silent) return
    // What was not stored is as it was, but for what has been told meanwhile.
    const failed = new Set(numbersOf(modified))
    for (const [index, known] of gone.entries()) {
      const seqNow = this.told.messages.indexOf(known) + 1
      if (!failed.has(set[index]!) || this.told.flagsTold.has(seqNow)) continue
      known.flags = was[seqs[index]! - 1]
    }
  }

  async #transfer(): Promise<void> {
    const { box } = this.told
    const verb = this.#next(2) === 0 ? 'COPY' : 'MOVE'
    const full = this.told.messages.length >= MESSAGES_MAX
    const to: Box = verb === 'COPY' && !full && this.#next(2) === 0 ? '会議' : 'INBOX'
    const target: Box = box === 'INBOX' ? '会議' : to
    const known = this.#next(2) === 0 ? `UID ${verb} ${this.#uids()}` : `${verb} ${this.#seq()}`
    const before = this.responses
    const answer = await this.run(`${known} ${this.name(target)}`)
    const lines = this.log.slice(before - this.responses).join('\n')
    const code = /\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]/.exec(lines)
    if (code === null) return
    const [sources, targets] = [numbersOf(code[1]!), numbersOf(code[2]!)]
    assert.equal(sources.length, targets.length, answer)
  }

  async #search(): Promise<void> {
    const keys = ['UNSEEN', 'DELETED', 'KEYWORD Label1', 'OR SEEN NOT FLAGGED', 'ALL']
    const key = keys[this.#next(keys.length)]!
    const { length } = this.told.messages
    const before = this.responses
    await this.run(`SEARCH RETURN (MIN MAX COUNT ALL) ${key}`)
    const lines = this.log.slice(before - this.responses)
    const found = lines.find((line) => line.startsWith('* ESEARCH')) ?? ''
    const of = (name: string): string | undefined =>
      new RegExp(` ${name} ([\\d:,]+)`).exec(found)?.[1]
    const all = of('ALL') === undefined ? [] : numbersOf(of('ALL')!)
    assert.equal(Number(of('COUNT')), all.length, found)
    if (all.length === 0) return
    assert.deepEqual([Number(of('MIN')), Number(of('MAX'))], [all[0], all.at(-1)], found)
    // Numbers that the client knows: none may stand for what it was not told of.
    assert.ok(all.at(-1)! <= Math.max(length, this.told.messages.length), found)
  }

  /** RFC 5182: what was found is used without its numbers ever being told. */
  async #saved(): Promise<void> {
    await this.run('UID SEARCH RETURN (SAVE) FLAGGED UNDELETED')
    const acts = ['UID FETCH $ (FLAGS)', 'UID STORE $ -FLAGS (\\Flagged)', 'FETCH $ (UID FLAGS)']
    await this.run(acts[this.#next(acts.length)]!)
  }

  async #replace(): Promise<void> {
    const uid = this.#uid()
    const command = uid === '*' ? `REPLACE ${this.#seq()}` : `UID REPLACE ${uid}`
    await this.run(
      `${command} ${this.name(this.told.box as Box)} (\\Draft)`,
      utf8(`下書き ${this.#next(1_000_000)}\r\n`),
    ).catch((thrown: unknown) => {
      // RFC 8508 §3.1 leaves no other answer where the UID has gone meanwhile.
      if (!/ BAD No such message/.test(String(thrown))) throw thrown
    })
  }

  /** Leaves the mailbox in one of three ways, for the other or the same. */
  async #leave(): Promise<void> {
    const ways = ['CLOSE', 'UNSELECT', undefined]
    const way = ways[this.#next(3)]
    const answer = way === undefined ? '' : await this.run(way)
    if (/\[HIGHESTMODSEQ /.test(answer) && this.#next(2) === 0) return this.#closed()
    await this.select(this.#next(3) === 0 ? 'INBOX' : '会議')
  }

  /** RFC 7162 §3.2.8: what was \Deleted is gone, and all else is known up to the MODSEQ of CLOSE. */
  #closed(): Promise<void> {
    const { told } = this
    told.messages = told.messages.filter(({ flags }) => flags?.includes('\\Deleted') === false)
    return this.#resume()
  }

  async #since(): Promise<void> {
    const { synced } = this.told
    await this.run(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${Math.max(1, synced)} VANISHED)`)
  }

  #seq(): number {
    return 1 + this.#next(this.told.messages.length)
  }

  #seqs(): string {
    const [a, b] = [this.#seq(), this.#seq()].toSorted((x, y) => x - y)
    return this.#next(2) === 0 ? `${a}` : `${a}:${Math.min(b!, a! + 6)}`
  }

  #uid(): string {
    const { uid } = this.told.messages[this.#seq() - 1]!
    return uid === 0 ? '*' : String(uid)
  }

  #uids(): string {
    const uids = [this.#uid(), this.#uid(), this.#uid()].slice(0, 1 + this.#next(3))
    return [...new Set(uids)].join()
  }

  #response(): Promise<Buffer> {
    return (this.#pending ??= this.#raw!.response())
  }

  async #hear(): Promise<string> {
    const line = (await this.#response()).toString('latin1')
    this.#pending = undefined
    this.responses++
    this.#note(line)
    this.told.hear(line)
    return line
  }

  #note(line: string): void {
    this.log.push(line.length > 2_000 ? `${line.slice(0, 2_000)}…` : line)
    if (this.log.length > LOG_LINES * 2) this.log.splice(0, LOG_LINES)
  }
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

/** A message as a client knows it; 0 and undefined where it was not told yet. */
export interface Known {
  uid: number
  /** Sorted, joined by blanks. */
  flags: string | undefined
  modSeq: number
}

/** What one client enabled, and what the server may therefore tell it. */
export interface Speaks {
  readonly rev2: boolean
  readonly condStore: boolean
  readonly qresync: boolean
}

/**
 * What never changes, as all clients together have seen it: octets of a UID, and the flags of a UID
 * at one MODSEQ.
 */
export class Facts {
  readonly #facts = new Map<string, string>()
  #selections = 0
  /** UIDs by mailbox that somebody was told to have gone. */
  readonly gone = new Set<string>()

  agree(key: string, value: string): void {
    const known = this.#facts.get(key)
    if (known === undefined) this.#facts.set(key, value)
    else assert.equal(value, known, `${key} was something else before`)
  }

  nextSelection(): number {
    return ++this.#selections
  }

  of(key: string): string | undefined {
    return this.#facts.get(key)
  }
}

/** Numbers of a set as the server writes it. */
export function numbersOf(set: string): number[] {
  return set.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split(':').map(Number)
    assert.ok(from > 0 && to >= from, `a set that is none: ${set}`)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}

export const flagsText = (flags: Iterable<string>): string =>
  [...new Set(flags)].filter(Boolean).toSorted().join(' ')

/** One client's mailbox: nothing but what it was told, held to the protocol's rules. */
export class Told {
  messages: Known[] = []
  uidValidity = 0
  uidNext = 0
  /** The greatest HIGHESTMODSEQ. */
  highest = 0
  /** That up to which nothing was missed: where a resynchronisation begins (RFC 7162 §3.2.5). */
  synced = 0
  /** Messages of the last FETCH responses of the command under way. */
  readonly fetched = new Set<number>()
  /** Those whose flags were told by it. */
  readonly flagsTold = new Set<number>()
  /** What was known before a resynchronisation, by UID, and was not said to have vanished. */
  #earlier: Map<number, Known> | undefined
  #command = ''
  /** Of FLAGS: what a message may have (RFC 9051 §7.3.5). */
  #mayHave = new Set<string>()
  /** Which of all selected mailboxes this is. */
  #selection = 0
  /** Messages as SELECT told them, before what came meanwhile. */
  #selected: number | undefined
  readonly box: string
  readonly #facts: Facts
  readonly #speaks: Speaks

  constructor(box: string, facts: Facts, speaks: Speaks) {
    this.box = box
    this.#facts = facts
    this.#speaks = speaks
  }

  get complete(): boolean {
    return this.messages.every(({ uid, flags }) => uid > 0 && flags !== undefined)
  }

  /** As FETCH has told it to anybody (RFC 8474 §5.1). */
  emailId(uid: number): string {
    return this.#facts.of(`EMAILID of ${this.box} ${this.uidValidity} ${uid}`) ?? ''
  }

  /** From here on what is heard belongs to this command; '' while none is under way. */
  begin(command: string): void {
    this.#command = command
    this.fetched.clear()
    this.flagsTold.clear()
    if (/^SELECT .*QRESYNC/.test(command)) {
      this.#earlier = new Map(this.messages.map((message) => [message.uid, message]))
      this.#earlier.delete(0)
    }
    if (command.startsWith('SELECT ')) {
      this.messages = []
      this.#selection = this.#facts.nextSelection()
    }
    this.#selected = undefined
  }

  /** One response, without its tag. */
  hear(line: string): void {
    const [, number = '', what = '', rest = ''] =
      /^\* (\d+) (EXISTS|EXPUNGE|FETCH|RECENT)(.*)/s.exec(line) ?? []
    const seq = Number(number)
    if (what === 'EXISTS') this.#exists(seq)
    else if (what === 'RECENT') {
      assert.ok(!this.#speaks.rev2, 'RECENT in rev2 (RFC 9051 appendix E)')
      assert.ok(seq <= this.messages.length)
    } else if (what === 'EXPUNGE') this.#expunge(seq)
    else if (what === 'FETCH') this.#fetch(seq, rest)
    const may = /^\* FLAGS \((.*)\)$/.exec(line)?.[1]
    if (may !== undefined) this.#mayHave = new Set(may.toLowerCase().split(' '))
    const vanished = /^\* VANISHED (\(EARLIER\) )?([\d:,]+)$/.exec(line)
    if (vanished?.[1] !== undefined) this.#vanishedEarlier(numbersOf(vanished[2]!))
    else if (vanished !== null) this.#vanished(numbersOf(vanished[2]!))
    const code = /^(?:\*|\w+) OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]/.exec(line)
    if (code?.[1] === 'UIDVALIDITY') {
      assert.ok(this.uidValidity === 0 || this.uidValidity === Number(code[2]))
      this.uidValidity = Number(code[2])
    } else if (code?.[1] === 'UIDNEXT') {
      assert.ok(Number(code[2]) >= this.uidNext, 'UIDNEXT went back')
      this.uidNext = Number(code[2])
    } else if (code?.[1] === 'HIGHESTMODSEQ') this.#highest(Number(code[2]))
  }

  /** After the tagged answer of a command. */
  end(answer: string): void {
    if (this.#earlier !== undefined && / OK /.test(answer)) this.#resynced(this.#earlier)
    this.#earlier = undefined
    const isSelect = this.#command.startsWith('SELECT ')
    const told = /\[HIGHESTMODSEQ (\d+)\]/.exec(answer)?.[1]
    // All that led to it was told before it (RFC 7162 §3.2.5, §3.2.7).
    if (this.complete && (told !== undefined || isSelect)) this.synced = this.highest
    this.#command = ''
  }

  /** What a silent STORE does, as far as the client can tell. */
  become(seq: number, change: (flags: readonly string[]) => readonly string[]): void {
    const known = this.messages[seq - 1]
    if (known?.flags === undefined) return
    known.flags = flagsText(change(known.flags.split(' ')))
  }

  #exists(count: number): void {
    this.#selected ??= count
    assert.ok(count >= this.messages.length, 'EXISTS shrank without EXPUNGE')
    while (this.messages.length < count) this.messages.push({ uid: 0, flags: undefined, modSeq: 0 })
  }

  /** RFC 9051 §7.5.1: numbers stay while a command works with them, and while there is none. */
  #mayGo(): void {
    assert.ok(this.#command !== '', 'an expunge while no command was under way')
    assert.doesNotMatch(this.#command, /^(?:FETCH|STORE|SEARCH|SORT) /, 'an expunge amid numbers')
  }

  #expunge(seq: number): void {
    this.#mayGo()
    assert.ok(!this.#speaks.qresync, 'EXPUNGE in QRESYNC (RFC 7162 §3.2.10)')
    const known = this.messages[seq - 1]
    assert.ok(known !== undefined, 'EXPUNGE of a number that there is not')
    if (known.uid > 0) this.#facts.gone.add(`${this.box} ${known.uid}`)
    this.messages.splice(seq - 1, 1)
  }

  #vanished(uids: readonly number[]): void {
    this.#mayGo()
    assert.ok(this.#speaks.qresync, 'VANISHED without QRESYNC')
    for (const uid of uids) {
      // Gone while SELECT was under way, which had counted it.
      if (this.#earlier !== undefined) {
        this.#earlier.delete(uid)
        this.#selected = (this.#selected ?? 0) - 1
      }
      let at = this.messages.findIndex((message) => message.uid === uid)
      // Told as EXISTS only: one of those that lie there.
      if (at < 0)
        at = this.messages.findIndex(
          (message, index) =>
            message.uid === 0 &&
            this.messages.slice(index).every((later) => later.uid === 0 || later.uid > uid),
        )
      assert.ok(at >= 0, `VANISHED ${uid}, which was not there`)
      this.#facts.gone.add(`${this.box} ${uid}`)
      this.messages.splice(at, 1)
    }
  }

  #vanishedEarlier(uids: readonly number[]): void {
    assert.match(this.#command, /^SELECT .*QRESYNC|^UID FETCH .*VANISHED/)
    for (const uid of uids) {
      assert.ok(!this.messages.some((message) => message.uid === uid), `${uid} has a number`)
      this.#earlier?.delete(uid)
    }
  }

  #fetch(seq: number, rest: string): void {
    const known = this.messages[seq - 1]
    assert.ok(known !== undefined, 'FETCH of a number that there is not')
    const [head = '', ...literals] = rest.split(/\{\d+\}\r\n/)
    const text = literals.length === 0 ? rest : `${head} ${literals.at(-1)!.slice(-400)}`
    const uid = Number(/\bUID (\d+)/.exec(text)?.[1] ?? known.uid)
    assert.ok(known.uid === 0 || known.uid === uid, `number ${seq} was UID ${known.uid}`)
    const before = this.messages.slice(0, seq - 1).findLast((message) => message.uid > 0)
    const after = this.messages.slice(seq).find((message) => message.uid > 0)
    assert.ok(
      uid === 0 || ((before?.uid ?? 0) < uid && uid < (after?.uid ?? Infinity)),
      'UIDs do not ascend',
    )
    if (this.#command.startsWith('UID ')) assert.match(text, /\bUID /, 'no UID') // RFC 9051 §6.4.9
    known.uid = uid
    this.fetched.add(seq)
    const modSeq = Number(/MODSEQ \((\d+)\)/.exec(text)?.[1] ?? 0)
    assert.ok(modSeq === 0 || modSeq >= known.modSeq, 'MODSEQ went back')
    if (modSeq > 0) known.modSeq = modSeq
    const flags = /FLAGS \((.*?)\)/.exec(text)?.[1]
    const names = flags?.split(' ') ?? []
    // RFC 3501 §2.3.2: in one session, and of no MODSEQ.
    const isRecent = names.includes('\\Recent')
    assert.ok(!isRecent || !this.#speaks.rev2, '\\Recent in rev2 (RFC 9051 appendix E)')
    if (flags !== undefined) {
      known.flags = flagsText(names.filter((name) => name !== '\\Recent'))
      for (const name of known.flags.toLowerCase().split(' ').filter(Boolean))
        assert.ok(this.#mayHave.has(name), `${name} was not announced by FLAGS`)
      this.flagsTold.add(seq)
      const isAsked = /^(?:UID )?FETCH .*FLAGS/.test(this.#command)
      // RFC 7162 §3.2: what is told unasked has MODSEQ, and with QRESYNC the UID.
      if (this.#speaks.condStore && !isAsked) assert.ok(modSeq > 0, 'flags without MODSEQ')
      if (this.#speaks.qresync && !isAsked) assert.match(text, /\bUID /, 'flags without UID')
    }
    if (uid === 0) return
    const name = `${this.box} ${this.uidValidity} ${uid}`
    if (isRecent) this.#facts.agree(`who has ${name} as recent`, String(this.#selection))
    if (flags !== undefined && modSeq > 0)
      this.#facts.agree(`flags of ${name} at ${modSeq}`, known.flags!)
    const size = /RFC822\.SIZE (\d+)/.exec(text)?.[1]
    if (size !== undefined) this.#facts.agree(`size of ${name}`, size)
    // Asked together, whoever asks: as it was for whoever asked before.
    if (/ENVELOPE \(/.test(rest))
      this.#facts.agree(`what lasts of ${name}`, rest.replace(/ ?(?:FLAGS|MODSEQ) \([^)]*\)/g, ''))
    const emailId = /EMAILID \((.*?)\)/.exec(text)?.[1]
    if (emailId !== undefined) this.#facts.agree(`EMAILID of ${name}`, emailId)
    const octets = /BODY\[\] \{(\d+)\}\r\n/.exec(rest)
    if (octets === null) return
    const at = octets.index + octets[0].length
    const content = Buffer.from(rest.slice(at, at + Number(octets[1])), 'latin1')
    this.#facts.agree(`octets of ${name}`, createHash('sha256').update(content).digest('hex'))
    this.#facts.agree(`size of ${name}`, String(content.length))
  }

  #highest(modSeq: number): void {
    assert.ok(modSeq >= this.highest, 'HIGHESTMODSEQ went back')
    for (const message of this.messages)
      assert.ok(message.modSeq <= modSeq, `HIGHESTMODSEQ is below that of UID ${message.uid}`)
    this.highest = modSeq
  }

  /** What was known, less what has vanished, with what was told, is the whole mailbox. */
  #resynced(earlier: ReadonlyMap<number, Known>): void {
    const all = new Map(earlier)
    for (const message of this.messages) if (message.uid > 0) all.set(message.uid, message)
    const uids = [...all.keys()].toSorted((a, b) => a - b)
    // Of new ones nothing is told where the client named the UIDs that it asks about.
    const isLimited = /QRESYNC \(\d+ \d+ /.test(this.#command)
    const { length } = uids
    const selected = this.#selected ?? 0
    assert.ok(
      length === selected || (isLimited && length < selected),
      `resynchronised to ${uids.join()}`,
    )
    // Of those only some may be told, as they change meanwhile, by their numbers.
    const last = isLimited ? Math.max(0, ...earlier.keys()) : Infinity
    for (const [index, uid] of uids.entries()) {
      if (uid > last) break
      const { uid: told } = this.messages[index]!
      assert.ok(told === 0 || told === uid, `number ${index + 1} should be UID ${uid}`)
      this.messages[index] = all.get(uid)!
    }
  }
}

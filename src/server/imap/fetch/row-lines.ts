import { concatOctets, fromLatin1 } from '#base/octets.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { formatFlags, formatRecentFlags } from '#codec/imap/flags.ts'
import { localDateTime } from '#server/imap/view/fetch-lines.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** What a view tells of a row without storage. */
const VIEW_KINDS = ['uid', 'flags', 'internalDate', 'saveDate', 'size', 'modSeq'] as const
type ViewKind = (typeof VIEW_KINDS)[number]

const isViewKind = (kind: FetchItem['kind']): kind is ViewKind =>
  (VIEW_KINDS as readonly string[]).includes(kind)

const PIECE_BYTES = 64 * 1024
/** A line without its flags is shorter. */
const LINE_BYTES_MAX = 256
/** Different sets of flags whose text is kept for one answer. */
const FLAG_TEXTS_MAX = 1_024
/** A bit above all flags of a row. */
const RECENT = 2 ** 32

/**
 * FETCH responses of what needs no storage: a million rows become octets straight from the view's
 * arrays, 64 KiB at a time. No string is made for a row.
 */
export async function writeRows(
  session: ImapSession,
  selected: Selected,
  ask: { readonly items: readonly FetchItem[]; readonly rows: readonly number[] },
): Promise<void> {
  const lines = new RowLines(selected, ask.items)
  for (const row of ask.rows) {
    lines.add(row)
    if (lines.full) await session.out.octets(lines.take())
  }
  await session.out.octets(lines.take())
}

class RowLines {
  readonly #selected: Selected
  readonly #kinds: readonly ViewKind[]
  readonly #leads: readonly Uint8Array[]
  /** With what leads to them. */
  readonly #flagTexts = new Map<number, Uint8Array>()
  #lastFlags = Number.NaN
  #lastFlagText: Uint8Array = new Uint8Array(0)
  #octets = newPiece()
  #at = 0

  constructor(selected: Selected, items: readonly FetchItem[]) {
    this.#selected = selected
    this.#kinds = items.map(({ kind }) => kind).filter(isViewKind)
    this.#leads = this.#kinds.map((kind, index) =>
      fromLatin1(
        `${index === 0 ? ' FETCH (' : ' '}${LABELS[kind]} ${kind === 'modSeq' ? '(' : ''}`,
      ),
    )
  }

  get full(): boolean {
    return this.#at > PIECE_BYTES - LINE_BYTES_MAX
  }

  add(row: number): void {
    const selected = this.#selected
    const { view } = selected
    this.#octet(0x2a) // *
    this.#octet(0x20)
    this.#number(selected.seqOfRow(row))
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i]!
      if (kind === 'flags') {
        this.#put(this.#flags(view.flags[row]!, selected.isRecentRow(row), this.#leads[i]!))
        continue
      }
      this.#put(this.#leads[i]!)
      switch (kind) {
        case 'uid':
          this.#number(view.uids[row]!)
          break
        case 'size':
          this.#number(view.sizes[row]!)
          break
        case 'modSeq':
          this.#number(view.modSeqs[row]!)
          this.#octet(0x29) // )
          break
        case 'saveDate':
          this.#put(fromLatin1(localDateTime(view.savedAtMs[row]!)))
          break
        case 'internalDate':
          this.#put(fromLatin1(localDateTime(view.internalDatesMs[row]!)))
          break
      }
    }
    this.#octet(0x29)
    this.#octet(0x0d)
    this.#octet(0x0a)
  }

  /** What has been gathered; the next lines go elsewhere, since a slow reader still holds these. */
  take(): Uint8Array {
    const taken = this.#octets.subarray(0, this.#at)
    this.#octets = newPiece()
    this.#at = 0
    return taken
  }

  #flags(flags: number, isRecent: boolean, lead: Uint8Array): Uint8Array {
    const key = isRecent ? flags + RECENT : flags
    if (key === this.#lastFlags) return this.#lastFlagText
    let text = this.#flagTexts.get(key)
    if (text === undefined) {
      const format = isRecent ? formatRecentFlags : formatFlags
      const shown = fromLatin1(format(flags, this.#selected.view.mailbox.keywords))
      text = concatOctets([lead, shown])
      if (this.#flagTexts.size >= FLAG_TEXTS_MAX) this.#flagTexts.clear()
      this.#flagTexts.set(key, text)
    }
    this.#lastFlags = key
    this.#lastFlagText = text
    return text
  }

  #octet(octet: number): void {
    this.#octets[this.#at++] = octet
  }

  #put(text: Uint8Array): void {
    // 27 keywords of 255 octets may stand in one line.
    if (this.#at + text.length + LINE_BYTES_MAX > this.#octets.length) this.#grow(text.length)
    const octets = this.#octets
    let at = this.#at
    for (let i = 0; i < text.length; i++) octets[at++] = text[i]!
    this.#at = at
  }

  /** The decimal digits of a whole number; above 2^53 nothing is counted. */
  #number(value: number): void {
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    const octets = this.#octets
    let at = this.#at + digits
    this.#at = at
    let rest = value
    while (rest > INT_MAX) {
      const next = Math.floor(rest / 10)
      octets[--at] = ZERO + (rest - next * 10)
      rest = next
    }
    // The rest is a small integer, which divides in a tenth of the time.
    for (let small = rest | 0; at > this.#at - digits; small = (small / 10) | 0)
      octets[--at] = ZERO + (small % 10)
  }

  #grow(more: number): void {
    const octets = new Uint8Array(2 * this.#octets.length + more)
    octets.set(this.#octets)
    this.#octets = octets
  }
}

/** Room for a line behind what makes a piece full, and for one more whose length nobody has looked at. */
const newPiece = (): Uint8Array => new Uint8Array(PIECE_BYTES + 2 * LINE_BYTES_MAX)

const LABELS: Readonly<Record<ViewKind, string>> = {
  uid: 'UID',
  flags: 'FLAGS',
  internalDate: 'INTERNALDATE',
  saveDate: 'SAVEDATE',
  size: 'RFC822.SIZE',
  modSeq: 'MODSEQ',
}

const ZERO = 0x30
const INT_MAX = 2 ** 31 - 1

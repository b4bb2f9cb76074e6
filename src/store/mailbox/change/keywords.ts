import { asciiLower } from '#base/text.ts'
import { KEYWORDS_PER_MAILBOX_MAX } from '#store/mailbox/mailbox-view.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** The bit of a keyword's slot; flags are 32 bits without a sign. */
const slotBit = (slot: number): number => 2 ** (5 + slot)

const KEYWORD_BYTES_MAX = 255
// RFC 9051 §9: flag-keyword is an atom; a backslash would make it a system flag.
const KEYWORD = /^[^\u0000-\u0020\u007f-\u{10ffff}(){%*"\\\]]+$/u

/** Bits of the keywords; those that the mailbox does not know get a slot, or are left out where `allocate` is false. */
export function keywordBits(
  work: AccountWork,
  row: Mailbox,
  ask: { readonly keywords: readonly string[]; readonly allocate: boolean },
): number {
  if (ask.keywords.length === 0) return 0
  const known = [...(mailboxByMid(work, row.mid)?.keywords ?? [])]
  const before = known.length
  let bits = 0
  for (const keyword of new Set(ask.keywords)) {
    let slot = known.findIndex((other) => asciiLower(other) === asciiLower(keyword))
    if (slot < 0) {
      if (!ask.allocate) continue
      if (!KEYWORD.test(keyword) || keyword.length > KEYWORD_BYTES_MAX)
        throw new Refusal('badName', 'A keyword is an atom of at most 255 octets')
      if (known.length >= KEYWORDS_PER_MAILBOX_MAX)
        throw new Refusal(
          'limit',
          `A mailbox has at most ${KEYWORDS_PER_MAILBOX_MAX} different keywords`,
        )
      slot = known.push(keyword) - 1
    }
    const bit = slotBit(slot)
    if (Math.floor(bits / bit) % 2 === 0) bits += bit
  }
  if (known.length > before)
    work.sql.run(
      'UPDATE mailbox SET keywords = ? WHERE aid = ? AND mid = ?',
      JSON.stringify(known),
      work.aid,
      row.mid,
    )
  return bits
}

/**
 * SQL that turns `m.flags` of what is picked in one mailbox into flags of the other, whose slots
 * may lie elsewhere. Keywords that no picked row has claim no slot.
 */
export function mappedFlags(work: AccountWork, from: Mailbox, to: Mailbox): string {
  if (from.mid === to.mid || from.keywords.length === 0) return 'm.flags'
  const sums = from.keywords.map((_, slot) => `max(m.flags & ${slotBit(slot)})`)
  const used = work.sql.get<(number | null)[]>(
    `SELECT ${sums.join(', ')} FROM picked p
     CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid`,
    work.aid,
    from.mid,
  )
  const terms = ['(m.flags & 31)']
  from.keywords.forEach((keyword, slot) => {
    if ((used?.[slot] ?? 0) === 0) return
    const bit = keywordBits(work, to, { keywords: [keyword], allocate: true })
    terms.push(`(CASE WHEN m.flags & ${slotBit(slot)} THEN ${bit} ELSE 0 END)`)
  })
  return terms.join(' | ')
}

import { createHash } from 'node:crypto'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { MessageMeta } from '#model/message.ts'
import type { AccountWork } from './work.ts'

/** Of a long thread the first references and the last ones tie a message to it. */
const REFERENCES_FIRST = 3
const REFERENCES_LAST = 17

/**
 * What ties a message to its thread: each Message-ID that it has or names, together with its base
 * subject (RFC 8621 §3). A JSON array of numbers.
 */
export function threadKeys(meta: MessageMeta): string {
  const { references } = meta
  const ids = new Set(
    [
      ...(meta.envelope.messageId === undefined ? [] : [meta.envelope.messageId]),
      ...references.slice(0, REFERENCES_FIRST),
      ...references.slice(-REFERENCES_LAST),
    ].map(bareId),
  )
  ids.delete('')
  const subject = baseSubject(meta.envelope.subject ?? '')
  return JSON.stringify(Array.from(ids, (id) => keyOf(`${id}\n${subject}`)))
}

const bareId = (text: string): string => /<([^<>]+)>/.exec(text)?.[1] ?? text.trim()

/** 53 bits: what a number holds exactly. */
function keyOf(text: string): number {
  const hash = createHash('sha256').update(text).digest()
  return hash.readUIntBE(0, 6) * 32 + (hash[6]! & 31)
}

// Replies and forwards as programs write them, Japanese and other ones too; `[list 123]` in front.
const LEADERS =
  /^(?:\s+|\[[^[\]]{0,80}\]|(?:re|fwd?|fw|aw|antw|wg|sv|vs|vl|vb|tr|rv|res|enc|odp|pd|返信|転送|回复|答复|转发|回覆|轉寄)(?:\s*[[(]\d{1,4}[\])]|\^\d{1,4}|\*\d{1,4})?\s*[:：])/iu
const TRAILERS = /\(fwd\)\s*$/iu

/** What is longer is cut: leaders are taken off one by one, each time through the whole text. */
const SUBJECT_CHARS_MAX = 1_000

/** The subject without what replying adds to it (RFC 5256 §2.1), white space and case folded. */
function baseSubject(raw: string): string {
  const folded = decodeWords(raw).normalize('NFKC').replace(/\s+/gu, ' ')
  let text = folded.slice(0, SUBJECT_CHARS_MAX).trim()
  for (let before = ''; before !== text;) {
    before = text
    const cut = text.replace(LEADERS, '').replace(TRAILERS, '').trim()
    if (cut !== '') text = cut
  }
  return text.toLowerCase()
}

/** The thread that one of the keys belongs to, or a new one named after the email; keys join it. */
export function threadOf(work: AccountWork, keys: string, eid: number): number {
  if (keys === '[]') return eid
  const { sql, aid } = work
  const only = ONE_KEY.exec(keys)?.[1]
  if (only !== undefined) return threadOfKey(work, Number(only), eid)
  const [found] = sql.get<[number | null]>(
    `SELECT min(tid) FROM thread WHERE aid = ? AND key IN (SELECT value FROM json_each(?))`,
    aid,
    keys,
  ) ?? [null]
  const tid = found ?? eid
  sql.run(
    `INSERT INTO thread SELECT ?, value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
    aid,
    tid,
    keys,
  )
  return tid
}

/** Most mail starts a thread: one key, which nothing else has. */
const ONE_KEY = /^\[(\d+)\]$/

function threadOfKey({ sql, aid }: AccountWork, key: number, eid: number): number {
  const found = sql.get<[number]>('SELECT tid FROM thread WHERE aid = ? AND key = ?', aid, key)
  if (found !== undefined) return found[0]
  sql.run('INSERT INTO thread VALUES (?, ?, ?)', aid, key, eid)
  return eid
}

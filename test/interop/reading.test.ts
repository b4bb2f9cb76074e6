import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromLatin1 } from '#base/octets.ts'
import { realMails } from '#test/corpus/mails.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { startDovecot } from '#test/peers/dovecot.ts'
import { peersMissing } from '#test/peers/root.ts'
import { wire } from '#test/e2e/wire.ts'
import { parseTree } from './imap-tree.ts'
import type { Tree } from './imap-tree.ts'

const SECTIONS =
  'HEADER|TEXT|HEADER.FIELDS (SUBJECT FROM TO)|1|1.MIME|1.HEADER|1.TEXT|1.1|1.1.1|1.2|2|2.MIME|' +
  '2.HEADER|2.HEADER.FIELDS.NOT (SUBJECT)|2.TEXT|2.1|2.1.MIME|3|3.MIME|3.1|3.1.MIME|4'
const ITEMS = SECTIONS.split('|').map((section) => `BODY.PEEK[${section}]`)

/** Lines end in CRLF: Dovecot keeps no others. NUL cannot travel in a literal. */
const MAILS = realMails().map(({ name, octets }) => ({
  name,
  octets: fromLatin1(
    octets
      .toString('latin1')
      .replaceAll('\0', '')
      .replace(/\r?\n|\r/g, '\r\n'),
  ),
}))

test('real mails are read as Dovecot reads them', { skip: peersMissing() ?? false }, async (t) => {
  const room = await imapRoom(t, { passwords: { hanako: 'x' } })
  const dovecot = await startDovecot({ accounts: { hanako: 'x' }, settings: 'mail_fsync = never' })
  t.after(() => dovecot.stop())
  const ours = await readAll(room.port)
  const theirs = await readAll(dovecot.imapPort)
  const differing: string[] = []
  for (const [i, { name }] of MAILS.entries()) {
    const mine = ours[i]!
    const other = theirs[i]!
    const keys = Object.keys(mine).filter(
      // A part that does not exist is NIL here and an empty string there.
      (key) => mine[key] !== null && JSON.stringify(mine[key]) !== JSON.stringify(other[key]),
    )
    if (keys.length === 0) continue
    if (!(name in READ_OTHERWISE)) assert.deepEqual(pick(mine, keys), pick(other, keys), name)
    differing.push(name)
  }
  const sections = ours.reduce((sum, mine) => sum + Object.keys(mine).length, 0)
  t.diagnostic(
    `${MAILS.length} mails, ${sections} items, ${differing.length} mails read otherwise by ${dovecot.version}`,
  )
})

/** Mails that Dovecot reads otherwise, all of them broken somewhere but RFC 5322's, and how we read them. */
const READ_OTHERWISE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    'the line end in front of a boundary line is no part of a message or text that stands there':
      'mail-parser/malformed/022 mail-parser/rfc/008 mail-parser/thirdparty/007 torture/torture',
    'a header ends with its blank line, also in front of a boundary line':
      'mail-parser/malformed/000 mail-parser/malformed/001 mail-parser/thirdparty/011 ' +
      'mail-parser/thirdparty/015 ruby-mail/attachment_emails/attachment_message_rfc822_inline_image',
    'a multipart without one boundary line shows its text':
      'mail-parser/malformed/002 mail-parser/malformed/007 ruby-mail/error_emails/bad_date_header2 ' +
      'ruby-mail/error_emails/missing_body',
    'boundary lines are compared whole, not by their beginning':
      'mail-parser/malformed/004 mail-parser/malformed/016 mail-parser/malformed/019 ' +
      'ruby-mail/mime_emails/raw_email4',
    'parameters may lack semicolons and quotes':
      'mail-parser/malformed/017 mail-parser/rfc/001 ruby-mail/plain_emails/raw_email_bad_time ' +
      'ruby-mail/mime_emails/raw_email_with_binary_encoded ' +
      'ruby-mail/mime_emails/raw_email_with_illegal_boundary',
    'an encoding is its first word':
      'mail-parser/thirdparty/004 ruby-mail/error_emails/content_transfer_encoding_qp_with_space ' +
      'ruby-mail/error_emails/content_transfer_encoding_text-html ' +
      'ruby-mail/error_emails/content_transfer_encoding_with_semi_colon',
    'a disposition without a word is none':
      'ruby-mail/error_emails/missing_content_disposition ' +
      'ruby-mail/error_emails/multiple_invalid_content_dispositions',
    'of two subjects the first counts':
      'ruby-mail/mime_emails/raw_email_with_multipart_mixed_quoted_boundary',
    'folding takes out the line end only (RFC 5322 §2.2.3)':
      'ruby-mail/error_emails/bad_date_header ruby-mail/rfc2822/example14',
    'empty elements and source routes are left out (RFC 5322 §4.4)':
      'ruby-mail/error_emails/weird_to_header ruby-mail/rfc2822/example11',
    'names and addresses that lack quotes or commas':
      'ruby-mail/plain_emails/mix_caps_content_type ruby-mail/plain_emails/raw_email_multiple_from ' +
      'ruby-mail/plain_emails/raw_email_with_at_display_name',
  }).flatMap(([how, names]) => names.split(' ').map((name) => [`${name}.eml`, how])),
)

type Reading = Readonly<Record<string, Tree>>

/** Appends every mail and fetches all that is compared. */
async function readAll(port: number): Promise<readonly Reading[]> {
  const session = await wire(port)
  try {
    await session.until(/^\* OK .*\r\n/)
    session.send('login LOGIN hanako x\r\n')
    await session.until(/^login OK .*\r\n/m)
    for (const { octets } of MAILS) {
      session.send(`append APPEND INBOX {${octets.length}+}\r\n`)
      session.send(Buffer.concat([octets, Buffer.from('\r\n')]))
    }
    for (const { name } of MAILS)
      assert.match(await session.until(/^append .*\r\n/m), /^append OK/m, name)
    session.send('select SELECT INBOX\r\n')
    await session.until(/^select OK .*\r\n/m)
    const readings: Reading[] = []
    for (let number = 1; number <= MAILS.length; number++) {
      session.send(`fetched FETCH ${number} (ENVELOPE BODYSTRUCTURE ${ITEMS.join(' ')})\r\n`)
      const answer = await session.until(/^fetched OK .*\r\n/m)
      readings.push(readingOf(parseTree(answer, answer.indexOf('(')).value as readonly Tree[]))
    }
    return readings
  } finally {
    session.close()
  }
}

const pick = (reading: Reading, keys: readonly string[]): Reading =>
  Object.fromEntries(keys.map((key) => [key, reading[key] ?? null]))

/** The items by name, in the form in which they are compared. */
function readingOf(items: readonly Tree[]): Reading {
  const reading: Record<string, Tree> = {}
  for (let i = 0; i < items.length; i += 2) {
    const key = String(items[i]).replaceAll('"', '')
    const value = items[i + 1]!
    if (key === 'ENVELOPE') reading[key] = plain(value)
    else if (key === 'BODYSTRUCTURE') reading[key] = partOf(value as readonly Tree[])
    else reading[key] = value
  }
  return reading
}

/** Blanks at the end, and what Dovecot writes for nothing, are no difference. */
function plain(value: Tree): Tree {
  if (typeof value === 'string')
    return value.replace(/"MISSING_(?:MAILBOX|DOMAIN)"/, '""').replace(/\s+(?="$)/, '')
  return value === null ? value : value.map(plain)
}

const lower = (value: Tree | undefined): Tree =>
  typeof value === 'string' ? value.toLowerCase() : (value ?? null)

/** A part without lines and MD5. */
function partOf(part: readonly Tree[]): Tree {
  if (Array.isArray(part[0])) {
    const count = part.findIndex((item) => !Array.isArray(item))
    const parts = part.slice(0, count).map((item) => partOf(item as readonly Tree[]))
    return [...parts, lower(part[count]), paramsOf(part[count + 1]), ...part.slice(count + 2)]
  }
  const [type, subtype, params, id, description, encoding, size, ...rest] = part
  const kind = [lower(type), lower(subtype)]
  const head = [...kind, paramsOf(params), id!, plain(description!), lower(encoding), size!]
  const isMessage = kind[0] === '"message"' && kind[1] === '"rfc822"'
  const extension = rest.slice(-3)
  return isMessage
    ? [...head, plain(rest[0]!), partOf(rest[1] as readonly Tree[]), ...extension]
    : [...head, ...extension]
}

function paramsOf(params: Tree | undefined): Tree {
  if (!Array.isArray(params)) return null
  const pairs: Tree[] = []
  for (let i = 0; i < params.length; i += 2) pairs.push(lower(params[i]), params[i + 1])
  return pairs.length === 0 ? null : pairs
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import { runSieve } from '#engine/sieve/run.ts'
import { VACATION_TEXT_MAX } from '#model/choice-limits.ts'
import { parseSender } from '#model/choices-fault.ts'
import type { Choices, MailFilter } from '#model/choices.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { renderChoices } from './render.ts'

const addr = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}

const CHOOSER = { addresses: [addr('hanako@campus.example')], domains: ['campus.example'] }

const senders = (...texts: string[]) => texts.map((text) => parseSender(text)!)

interface Mail {
  readonly from?: string
  readonly to?: string
  readonly subject?: string
  readonly list?: string
  readonly spam?: number
  readonly envelopeFrom?: string
  readonly at?: string
}

const message = ({ from = 'taro@b.example', to = 'hanako@campus.example', ...more }: Mail) =>
  ({
    sizeBytes: 100,
    spamValue: more.spam ?? 1,
    header: (name) =>
      ({
        from: [`太郎 <${from}>`],
        to: [to],
        subject: [more.subject ?? '会議'],
        'list-id': more.list === undefined ? [] : [more.list],
      })[name] ?? [],
    addresses: (name) => (name === 'from' ? [addr(from)] : name === 'to' ? [addr(to)] : []),
    envelopeFrom: addr(more.envelopeFrom ?? from),
    envelopeTo: addr('hanako@campus.example'),
    mailboxExists: () => true,
    nowMs: Date.parse(more.at ?? '2026-11-28T00:00:00Z'),
  }) satisfies SieveMessage

/** What becomes of a mail by these choices. */
function ran(choices: Parameters<typeof renderChoices>[0], mail: Mail) {
  const script = renderChoices(choices, CHOOSER)
  const program = compileSieve(script)
  assert.ok(program.ok, `${JSON.stringify(program)}\n${script}`)
  const run = runSieve(program.value, message(mail))
  assert.ok(run.ok)
  return run.value
}

/** Where a mail goes by these choices: mailboxes with flags behind them, INBOX for the implicit keep. */
function filed(choices: Parameters<typeof renderChoices>[0], mail: Mail): readonly string[] {
  const { actions, implicitKeep, flags } = ran(choices, mail)
  const shown = (name: string, marks: readonly string[]) => [name, ...marks].join(' ')
  return [
    ...actions.map((each) =>
      each.kind === 'fileinto' ? shown(each.mailbox, each.flags) : each.kind,
    ),
    ...(implicitKeep ? [shown('INBOX', flags)] : []),
  ]
}

const filter = (more: Partial<MailFilter>): MailFilter => ({
  name: '会議',
  match: 'all',
  conditions: [{ field: 'subject', is: 'contains', value: '会議' }],
  folder: '会議',
  ...more,
})

describe('the script of what somebody has chosen', () => {
  it('files junk by its class where nothing was chosen', () => {
    assert.deepEqual(filed({}, { spam: 10 }), ['Junk/SPAM'])
    assert.deepEqual(filed({}, { spam: 6 }), ['Junk/Suspected SPAM'])
    assert.deepEqual(filed({}, { spam: 1 }), ['INBOX'])
    assert.deepEqual(filed({}, { spam: 0 }), ['INBOX'])
  })

  it('files each class where it was chosen to go', () => {
    const junk = { spam: 'junk', suspected: 'inbox' } as const
    assert.deepEqual(filed({ junk }, { spam: 10 }), ['Junk'])
    assert.deepEqual(filed({ junk }, { spam: 6 }), ['INBOX'])
    const other = { spam: 'inbox', suspected: 'junk' } as const
    assert.deepEqual(filed({ junk: other }, { spam: 10 }), ['INBOX'])
    assert.deepEqual(filed({ junk: other }, { spam: 6 }), ['Junk'])
    assert.equal(renderChoices({ junk: { spam: 'inbox', suspected: 'inbox' } }, CHOOSER), '')
  })

  it('never takes mail of a welcome sender for junk, and no filter sees that of a blocked one', () => {
    const choices = {
      welcome: senders('taro@b.example', '@友.example'),
      blocked: senders('ads.example'),
      filters: [filter({})],
    }
    assert.deepEqual(filed(choices, { spam: 10, subject: '件' }), ['INBOX'])
    assert.deepEqual(filed(choices, { spam: 10, from: 'x@sub.友.example', subject: '件' }), [
      'INBOX',
    ])
    assert.deepEqual(filed(choices, { spam: 10, from: 'x@c.example' }), ['Junk/SPAM'])
    assert.deepEqual(filed(choices, { from: 'X@ADS.example' }), ['Trash'])
    assert.deepEqual(filed(choices, { from: 'x@m.ads.example' }), ['Trash'])
    assert.deepEqual(filed(choices, { envelopeFrom: 'bounce@ads.example' }), ['Trash'])
    assert.deepEqual(filed(choices, { from: 'x@noads.example' }), ['会議'])
  })

  it('runs filters in their order, until one stops', () => {
    const filters = [
      filter({ flags: ['flagged'], copy: true }),
      filter({ name: '二', folder: '二/あ', stop: true }),
      filter({ name: '三', folder: '三' }),
    ]
    assert.deepEqual(filed({ filters }, {}), ['会議 \\Flagged', '二/あ \\Flagged'])
    assert.deepEqual(filed({ filters }, { subject: 'lunch' }), ['INBOX'])
    assert.deepEqual(filed({ filters: [{ ...filters[0]!, isOff: true }] }, {}), ['INBOX'])
    assert.deepEqual(filed({ filters: [filters[0]!] }, {}), ['会議 \\Flagged', 'INBOX \\Flagged'])
  })

  it('compares addresses by themselves, names with what is contained, lists by their identifier', () => {
    const by = (conditions: MailFilter['conditions'], mail: Mail, match: 'all' | 'any' = 'all') =>
      filed({ filters: [filter({ conditions, match, folder: '済' })] }, mail)[0] === '済'
    assert.ok(by([{ field: 'from', is: 'equals', value: 'Taro@b.example' }], {}))
    assert.ok(!by([{ field: 'from', is: 'equals', value: 'b.example' }], {}))
    assert.ok(by([{ field: 'from', is: 'contains', value: '太郎' }], {}))
    assert.ok(by([{ field: 'recipient', is: 'contains', value: 'hanako' }], {}))
    assert.ok(by([{ field: 'subject', is: 'equals', value: '会議' }], {}))
    assert.ok(by([{ field: 'subject', is: 'contains', not: true, value: '懇親' }], {}))
    const list = 'みんな <minna.lists.example>'
    assert.ok(by([{ field: 'list', is: 'equals', value: 'minna.lists.example' }], { list }))
    assert.ok(!by([{ field: 'list', is: 'equals', value: 'inna.lists.example' }], { list }))
    const two: MailFilter['conditions'] = [
      { field: 'subject', is: 'contains', value: '会議' },
      { field: 'from', is: 'contains', value: 'nobody' },
    ]
    assert.deepEqual([by(two, {}), by(two, {}, 'any')], [false, true])
  })

  it('takes whatever people write as text: quotes, escapes, variables, comments, patterns', () => {
    for (const odd of [
      '"; discard; #',
      '\\"; discard; "',
      'a\\',
      '${subject}',
      '${hex:41}',
      '*?',
      '/* */',
      'text:',
      '見積 "至急"',
    ]) {
      const conditions: MailFilter['conditions'] = [{ field: 'subject', is: 'equals', value: odd }]
      const filters = [filter({ name: odd, conditions, folder: odd.replaceAll('/', '') })]
      assert.deepEqual(filed({ filters }, { subject: odd }), [odd.replaceAll('/', '')])
      assert.deepEqual(filed({ filters }, { subject: 'A' }), ['INBOX'])
    }
  })

  it('answers while its owner is away, between two moments, once in so many days', () => {
    const vacation: NonNullable<Choices['vacation']> = {
      isOn: true,
      from: '2026-12-28T15:00:00Z',
      until: '2027-01-03T15:00:00Z',
      subject: '不在 "です" ${x}',
      text: '1月4日に戻ります。\n.\nI am "away".',
      days: 3,
      to: 'colleagues',
    }
    const at = (time: string, more: Mail = { from: 'taro@campus.example' }) =>
      filed({ vacation }, { ...more, at: time })
    const answered = ['vacation', 'INBOX']
    assert.deepEqual(at('2026-12-28T14:59:59Z'), ['INBOX'])
    assert.deepEqual(at('2026-12-28T15:00:00Z'), answered)
    assert.deepEqual(at('2026-12-31T00:00:00Z'), answered)
    assert.deepEqual(at('2027-01-03T14:59:59Z'), answered)
    assert.deepEqual(at('2027-01-03T15:00:00Z'), ['INBOX'])
    assert.deepEqual(at('2026-12-31T00:00:00Z', { from: 'x@b.example' }), ['INBOX'])
    const both: typeof vacation = { ...vacation, to: 'everybody', outsideText: '留守です。' }
    const answers = (from: string): readonly string[] =>
      ran({ vacation: both }, { from, at: '2026-12-31T00:00:00Z' }).actions.map((each) =>
        each.kind === 'vacation' ? each.reason : each.kind,
      )
    assert.deepEqual(answers('x@b.example'), ['留守です。'])
    assert.deepEqual(answers('taro@campus.example'), [vacation.text.replaceAll('\n', '\r\n')])
    const junk = { from: 'taro@campus.example', spam: 6 }
    assert.deepEqual(at('2026-12-31T00:00:00Z', junk), ['Junk/Suspected SPAM'])
  })

  it('answers in text and HTML where a program has written both (RFC 8621 §8)', () => {
    const parts = (text: string, html: string): readonly string[] => {
      const vacation = { isOn: true, text, html, days: 7, to: 'everybody' } as const
      const [answer] = ran({ vacation }, {}).actions
      assert.ok(answer?.kind === 'vacation' && answer.isMime)
      const octets = fromUtf8(answer.reason)
      const indexer = new MimeIndexer()
      indexer.feed(octets)
      const { root } = indexer.finish()
      assert.ok(root.type === 'multipart' && root.subtype === 'alternative')
      return root.parts.map(({ type, subtype, body, encoding }) => {
        const content = octets.subarray(body.offset, body.offset + body.length)
        return `${type}/${subtype} ${toUtf8(decodeContent(content, encoding))}`
      })
    }
    const html = '<p>戻りは<b>1月4日</b>&amp;。</p>\n<p style="x">I am away; "discard".</p>'
    const crlf = html.replace('\n', '\r\n')
    assert.deepEqual(parts('不在\n.\n--=_', html), [
      'text/plain 不在\r\n.\r\n--=_',
      `text/html ${crlf}`,
    ])
    // What is read without HTML is made of it where nothing was written.
    assert.equal(parts('', html)[0], 'text/plain 戻りは 1月4日 &。\r\n\r\nI am away; "discard".')
    const most = '漢'.repeat(VACATION_TEXT_MAX)
    assert.deepEqual(parts(most, most), [`text/plain ${most}`, `text/html ${most}`])
  })
})

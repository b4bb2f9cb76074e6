import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { addr } from '#test/fake/directory.ts'
import { headerOf, renderDsn } from './render.ts'

/** What a peer or a sender chooses: line ends, separators, beyond ASCII, lone surrogates. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        ';',
        ':',
        '--=_id',
        '渡り鳥',
        '\ud83d',
        ' ',
        '\r\n\r\n',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const recipient = fc.record(
  {
    address: fc.constantFrom(addr('花子@else.example'), addr('"a b"@else.example')),
    original: hostile,
    action: fc.constantFrom('failed', 'delayed', 'delivered', 'relayed'),
    status: fc.constant('5.1.1'),
    diagnostic: hostile,
    remoteMta: hostile,
    willRetryUntilMs: fc.nat(),
  },
  { requiredKeys: ['address', 'action', 'status', 'diagnostic'] },
)

const FIELD =
  /^(?:Reporting-MTA|Original-Envelope-Id|Arrival-Date|Original-Recipient|Final-Recipient|Action|Status|Remote-MTA|Diagnostic-Code|Last-Attempt-Date|Will-Retry-Until): [ -~]*$/

test('whatever a peer said, a report has its own fields and its own parts only (RFC 3464 §2)', () => {
  fc.assert(
    fc.property(
      fc.array(recipient, { minLength: 1, maxLength: 4 }),
      fc.option(hostile, { nil: undefined }),
      (recipients, envid) => {
        const text = toLatin1(
          renderDsn({
            action: 'failed',
            reportingMta: 'mx.campus.example',
            to: addr('hanako@campus.example'),
            ...(envid === undefined ? {} : { envid }),
            arrivedAtMs: 0,
            nowMs: 1,
            id: 'id',
            recipients,
            about: { kind: 'header', octets: fromUtf8('Subject: 渡り\r\n') },
          }),
        )
        const parts = text.split('\r\n--=_id\r\n')
        assert.equal(parts.length, 4, 'a header and three parts')
        assert.equal(text.split('\r\n--=_id--').length, 2, 'one end')
        const status = parts[2]!.slice(parts[2]!.indexOf('\r\n\r\n') + 4)
        const blocks = status.trimEnd().split('\r\n\r\n')
        assert.equal(blocks.length, 1 + recipients.length)
        for (const line of blocks.flatMap((block) => block.split('\r\n'))) assert.match(line, FIELD)
      },
    ),
  )
})

test('the header of any octets is their beginning, and no longer than asked', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
      const header = headerOf(octets)
      assert.ok(header.length <= octets.length + 2)
    }),
  )
})

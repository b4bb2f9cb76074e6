import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SIEVE_REDIRECTS_MAX } from '#engine/sieve/run.ts'
import { scriptWarnings } from './script-warnings.ts'

const MAILBOXES = [{ path: ['INBOX'] }, { path: ['会議', 'がく'] }]
const linesOf = (text: string): number[] => scriptWarnings(text, MAILBOXES).map(({ line }) => line)

test('a mailbox that is not there is told by its line, but for one that the script makes', () => {
  const script = `require ["fileinto", "mailbox"];
if true {
  fileinto "会議/か\u3099く";
  fileinto "会議/無い";
  fileinto :create "作る";
  fileinto "inbox"; fileinto "\${name}";
}
`
  assert.deepEqual(scriptWarnings(script, MAILBOXES), [
    {
      line: 4,
      message: 'there is no mailbox 会議/無い; until it is made, mail for it goes to INBOX',
    },
  ])
})

test('redirects past the limit are told; of what does not parse nothing is', () => {
  const script = 'redirect "a@b.example";\n'.repeat(SIEVE_REDIRECTS_MAX + 2)
  assert.deepEqual(linesOf(script), [SIEVE_REDIRECTS_MAX + 1, SIEVE_REDIRECTS_MAX + 2])
  assert.deepEqual(linesOf('fileinto "無い"; }'), [])
})

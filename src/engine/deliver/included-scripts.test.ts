import assert from 'node:assert/strict'
import { it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'
import type { AccountId } from '#model/account.ts'

import { includedScripts } from './included-scripts.ts'

const TEXTS: Readonly<Record<string, string>> = {
  共通: 'require "include"; include "次"; include "共通";',
  次: 'keep;',
  bad: 'bogus;',
}

it('fetches what scripts include, each once, and what those include in turn (RFC 6609 §3.2)', async () => {
  const asked: string[] = []
  const mailboxes = {
    script: ({ accountId, name }: { readonly accountId: AccountId; readonly name: string }) => {
      asked.push(`${accountId} ${name}`)
      const text = TEXTS[name]
      return Promise.resolve({ script: text === undefined ? undefined : { text } })
    },
  }
  const program = compileSieve(
    'require "include"; include "共通"; include :optional "none"; include "bad"; include :global "次";',
  )
  assert.ok(program.ok)
  const { scripts, programs } = await includedScripts(mailboxes, 7 as unknown as AccountId, [
    program.value,
  ])
  const has = (name: string, location: 'personal' | 'global' = 'personal') =>
    scripts({ name, location, isOptional: false }) !== undefined
  assert.equal(programs.length, 2)
  assert.deepEqual(asked.toSorted(), ['7 bad', '7 none', '7 共通', '7 次'])
  assert.deepEqual(
    [has('共通'), has('次'), has('none'), has('bad'), has('次', 'global')],
    [true, true, false, false, false],
  )
})

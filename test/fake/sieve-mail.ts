import assert from 'node:assert/strict'

import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import { SIEVE_EXTENSIONS } from '#engine/sieve/extensions.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveResult } from '#engine/sieve/run.ts'

/** A mail as scripts see it; lines of `text` may end in LF. */
export function sieveMail(text: string, more: Partial<SieveMessage> = {}): SieveMessage {
  const octets = fromUtf8(text.replace(/\r?\n/g, '\r\n'))
  return {
    ...sieveContent(octets, octets.byteLength, undefined),
    envelopeFrom: { localpart: 'taro', domain: 'campus.example' },
    envelopeTo: { localpart: 'hanako', domain: 'campus.example' },
    mailboxExists: () => true,
    ...more,
  }
}

export const EMPTY_MAIL = sieveMail('Subject: 会議\n\n本文\n')

const REQUIRE_ALL = `require ${JSON.stringify(Object.keys(SIEVE_EXTENSIONS).filter((name) => name !== 'ihave'))};`

/** What a script does; every extension but ihave is required for it, in its first line. */
export function doneBy(script: string, mail: SieveMessage = EMPTY_MAIL): SieveResult {
  const program = compileSieve(`${REQUIRE_ALL} ${script}`)
  assert.ok(program.ok, JSON.stringify(program))
  const run = runSieve(program.value, mail)
  assert.ok(run.ok, JSON.stringify(run))
  return run.value
}

/** True where the test holds, after what stands before it. */
export const holds = (test: string, mail?: SieveMessage, before = ''): boolean =>
  doneBy(`${before} if ${test} { discard; }`, mail).actions.some(({ kind }) => kind === 'discard')

/** The mailbox that a script files into: strings are told so. */
export function filedBy(script: string, mail?: SieveMessage): string | undefined {
  const filed = doneBy(script, mail).actions.find((action) => action.kind === 'fileinto')
  return filed?.kind === 'fileinto' ? filed.mailbox : undefined
}

/** Where a script is wrong, or ends a run; undefined: nowhere. */
export function wrongIn(script: string, mail: SieveMessage = EMPTY_MAIL): string | undefined {
  const program = compileSieve(`${REQUIRE_ALL}\n${script}`)
  if (!program.ok) return program.error.map(({ line, message }) => `${line}: ${message}`).join('; ')
  const run = runSieve(program.value, mail)
  return run.ok ? undefined : `run ${run.error.line}: ${run.error.message}`
}

/** The message that is kept in the end, as text. */
export function keptBy(script: string, mail: SieveMessage): string {
  const { edited } = doneBy(script, mail)
  const content = toUtf8(mail.content ?? new Uint8Array(0))
  if (edited === undefined) return content
  return edited.kind === 'whole' ? toUtf8(edited.octets) : toUtf8(edited.prefix) + content
}

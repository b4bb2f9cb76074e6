import type { SieveInclusion, SieveProgram } from '#engine/sieve/language.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { AccountId } from '#model/account.ts'

import { compiledSieve } from './compiled-sieve.ts'
import type { DeliveryMailboxes } from './delivery-mailboxes.ts'

/** Scripts that one delivery to one account fetches. */
const INCLUDED_MAX = 50

/**
 * What the programs include, and what that includes in turn, fetched before they run: a run cannot wait.
 * Personal scripts are those of the account (RFC 6609 §3.2); there are no global ones.
 */
export async function includedScripts(
  mailboxes: Pick<DeliveryMailboxes, 'script'>,
  accountId: AccountId,
  programs: readonly SieveProgram[],
): Promise<{
  readonly scripts: SieveMessage['scripts'] & {}
  readonly programs: readonly SieveProgram[]
}> {
  const found = new Map<string, SieveProgram | undefined>()
  const waiting: SieveInclusion[] = programs.flatMap(({ includes }) => includes)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { location, name } = next
    if (location !== 'personal' || found.has(name) || found.size >= INCLUDED_MAX) continue
    const { script } = await mailboxes.script({ accountId, name: name.normalize('NFC') })
    const compiled = script === undefined ? undefined : compiledSieve(script.text)
    const program = compiled?.ok === true ? compiled.value : undefined
    found.set(name, program)
    waiting.push(...(program?.includes ?? []))
  }
  return {
    scripts: ({ location, name }) => (location === 'personal' ? found.get(name) : undefined),
    programs: [...found.values()].filter((program) => program !== undefined),
  }
}

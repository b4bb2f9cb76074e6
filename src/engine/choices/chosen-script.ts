import { compileSieve } from '#engine/sieve/compile.ts'
import type { AccountId } from '#model/account.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Choices } from '#model/choices.ts'
import type { Directory } from '#store/directory/directory.ts'
import { renderChoices } from './render.ts'
import type { Chooser } from './render.ts'

/** The script of an account's choices, as the directory has them now; that of everybody where there are none. */
export function chosenScript(
  directory: Pick<Directory, 'account' | 'choices' | 'domains'>,
  accountId: AccountId,
): string {
  const choices = directory.choices(accountId)
  return choices === undefined
    ? SCRIPT_OF_EVERYBODY
    : renderChoices(choices, chooserOf(directory, accountId))
}

/** Why these choices make no script that runs; undefined: they make one. */
export function scriptFault(
  directory: Pick<Directory, 'account' | 'domains'>,
  choices: Choices,
): string | undefined {
  const script = renderChoices(choices, chooserOf(directory, choices.accountId))
  const compiled = compileSieve(script)
  if (compiled.ok) return undefined
  const [first] = compiled.error
  return `they make no script that runs: line ${first?.line}: ${first?.message}`
}

function chooserOf(
  directory: Pick<Directory, 'account' | 'domains'>,
  accountId: AccountId,
): Chooser {
  const account = directory.account(accountId)
  return {
    addresses:
      account === undefined
        ? []
        : [
            mainAddressOf(account),
            ...account.addresses,
            ...(account.formerAddresses ?? []).map(({ address }) => address),
          ],
    domains: directory.domains().map(({ name }) => name),
  }
}

/** What becomes of mail where nobody has chosen anything: it is compiled once for all. */
export const SCRIPT_OF_EVERYBODY = renderChoices({}, { addresses: [], domains: [] })

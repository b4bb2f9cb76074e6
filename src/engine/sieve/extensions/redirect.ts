import { endRun } from '#engine/sieve/language.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import type {
  SieveCommandRule,
  SieveExtension,
  SieveStatement,
  SieveText,
} from '#engine/sieve/language.ts'

import { takeCopy } from './copy.ts'
import { takeTerms } from './redirect-terms.ts'
import type { RedirectTerms } from './redirect-terms.ts'

const rule: SieveCommandRule = {
  compile(args) {
    const copies = takeCopy(args)
    const terms = takeTerms(args)
    if (args.flag('list', 'extlists'))
      return redirectToList(args.text('the name of a list'), { copies, terms })
    const address = args.address()
    return (run) => {
      if (!copies) run.cancelImplicitKeep() // RFC 3894 §3
      run.act({
        kind: 'redirect',
        address: address(run),
        ...run.editedToSend(),
        ...terms(run),
      })
    }
  },
}

interface RedirectSort {
  readonly copies: boolean
  readonly terms: (run: SieveRun) => RedirectTerms
}

/** RFC 6134 §2.3: to all of it, each counted as a redirect of its own; one of nobody must not lose the mail. */
const redirectToList =
  (list: SieveText, { copies, terms }: RedirectSort): SieveStatement =>
  (run) => {
    const name = list.of(run)
    const addresses = run.addressesOf(name)
    if (addresses.length === 0) endRun(`nothing can be redirected to the list "${name}"`)
    if (!copies) run.cancelImplicitKeep()
    const how = { ...run.editedToSend(), ...terms(run) }
    for (const address of addresses) run.act({ kind: 'redirect', address, ...how })
    return undefined
  }

/** RFC 5228 §4.2 */
export const redirect: SieveExtension = { names: {}, commands: { redirect: rule } }

import type { SieveCommandRule, SieveExtension } from '#engine/sieve/language.ts'

import { takeCopy } from './copy.ts'

const rule: SieveCommandRule = {
  compile(args) {
    const copies = takeCopy(args)
    const address = args.address()
    return (run) => {
      if (!copies) run.cancelImplicitKeep() // RFC 3894 §3
      run.act({ kind: 'redirect', address: address(run), ...run.editedToSend() })
    }
  },
}

/** RFC 5228 §4.2 */
export const redirect: SieveExtension = { names: {}, commands: { redirect: rule } }

import { fail } from '#engine/sieve/language.ts'
import { checkedText } from '#engine/sieve/arguments.ts'
import type { SieveCommandRule, SieveExtension } from '#engine/sieve/language.ts'

import { takeCopy } from './copy.ts'
import { takeFlags } from './imap4flags.ts'
import { takeCreate } from './mailbox.ts'
import { takePlace } from './special-use.ts'

const rule: SieveCommandRule = {
  needs: 'fileinto',
  compile(args) {
    const copies = takeCopy(args)
    const create = takeCreate(args)
    const flags = takeFlags(args)
    const place = takePlace(args)
    const mailbox = checkedText(args.text('the name of a mailbox'), mailboxName)
    return (run) => {
      if (!copies) run.cancelImplicitKeep() // RFC 3894 §3
      run.act({
        kind: 'fileinto',
        mailbox: mailbox.of(run),
        create,
        flags: flags(run),
        ...place(run),
        ...run.edited(),
      })
    }
  },
}

/** NUL and octets that are no UTF-8 come from encoded characters only; no mailbox has them (RFC 5228 §4.1). */
function mailboxName(name: string): string {
  if (name === '') fail('the name of a mailbox is empty')
  return /[\0\ufffd]/.test(name) ? fail(`the name of a mailbox is no UTF-8: "${name}"`) : name
}

export const fileinto: SieveExtension = {
  names: { fileinto: 'RFC 5228 §4.1' },
  commands: { fileinto: rule },
}

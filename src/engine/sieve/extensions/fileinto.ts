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
    const mailbox = checkedText(args.text('the name of a mailbox'), (name) => {
      if (name === '') fail('the name of a mailbox is empty')
      // Octets that are no characters, by ${hex:}: nobody would find it again (RFC 5228 §4.1).
      if (name.includes('\ufffd')) fail(`the name of a mailbox is no UTF-8: "${name}"`)
      return name
    })
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

export const fileinto: SieveExtension = {
  names: { fileinto: 'RFC 5228 §4.1' },
  commands: { fileinto: rule },
}

import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'
import type { SieveTarget } from '#engine/sieve/action.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

import { takeFlags } from './imap4flags.ts'
import { takeCreate } from './mailbox.ts'
import { takePlace } from './special-use.ts'

/** Takes `:fcc` with the arguments of fileinto that stand beside it (RFC 8580 §3). */
export function takeFcc(args: Arguments): ((run: SieveRun) => SieveTarget) | undefined {
  const mailbox = args.tagText('fcc', 'fcc')
  if (mailbox === undefined) {
    const stray = ['create', 'flags', 'specialuse', 'mailboxid'].find((tag) => args.stands(tag))
    return stray === undefined ? undefined : fail(`:${stray} needs :fcc`)
  }
  const create = takeCreate(args)
  const flags = takeFlags(args)
  const place = takePlace(args)
  return (run) => ({ mailbox: mailbox.of(run), create, flags: flags(run), ...place(run) })
}

export const fcc: SieveExtension = { names: { fcc: 'RFC 8580' } }

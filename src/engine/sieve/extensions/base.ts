import { holdsAddresses } from '#engine/sieve/address-fields.ts'
import { takeFieldNames } from '#engine/sieve/fields.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { compared, takeKeys, takeMatch } from '#engine/sieve/match.ts'

import { partsOf, takeAddressPart } from './addresses.ts'
import { takeFlags } from './imap4flags.ts'
import { takeIndex } from './index.ts'
import { takeMime } from './mime.ts'

const STOP = { kind: 'stop' } as const

const stop: SieveCommandRule = { compile: () => () => STOP }

const keep: SieveCommandRule = {
  compile(args) {
    const flags = takeFlags(args)
    return (run) => {
      run.cancelImplicitKeep()
      run.act({ kind: 'keep', flags: flags(run), ...run.edited() })
    }
  },
}

const discard: SieveCommandRule = {
  compile: () => (run) => {
    run.cancelImplicitKeep()
    run.act({ kind: 'discard' })
  },
}

const not: SieveTestRule = {
  compile(args) {
    const test = args.test()
    return (run) => !test(run)
  },
}

const allof: SieveTestRule = {
  compile(args) {
    const tests = args.testList()
    return (run) => tests.every((test) => test(run))
  },
}

const anyof: SieveTestRule = {
  compile(args) {
    const tests = args.testList()
    return (run) => tests.some((test) => test(run))
  },
}

const size: SieveTestRule = {
  compile(args) {
    const over = args.flag('over')
    if (over === args.flag('under')) fail('size needs :over or :under')
    const limit = args.number('a limit')
    // RFC 5228 §5.9: exactly the limit is neither over nor under.
    return (run) => (over ? run.sizeBytes > limit : run.sizeBytes < limit)
  },
}

const exists: SieveTestRule = {
  compile(args) {
    const mime = takeMime(args)
    const names = takeFieldNames(args)
    return (run) => names.of(run).every((name) => mime.values(run, name).length > 0)
  },
}

const header: SieveTestRule = {
  compile(args) {
    const occurrences = takeIndex(args)
    const mime = takeMime(args, { hasParts: true })
    const match = takeMatch(args)
    const names = takeFieldNames(args)
    return compared(
      match,
      takeKeys(args, match),
      (run) => occurrences(names.of(run).flatMap((name) => mime.values(run, name))), // RFC 5260 §6: counted together
    )
  },
}

const address: SieveTestRule = {
  compile(args) {
    const occurrences = takeIndex(args)
    const mime = takeMime(args)
    const match = takeMatch(args)
    const part = takeAddressPart(args)
    const names = takeFieldNames(args)
    for (const name of names.constant ?? [])
      if (!holdsAddresses(name)) fail(`the field "${name}" holds no addresses`)
    return compared(match, takeKeys(args, match), (run) =>
      partsOf(occurrences(names.of(run).flatMap((name) => mime.addresses(run, name))).flat(), part),
    )
  },
}

/** The language without any extension (RFC 5228); if, elsif, else and require are the compiler's. */
export const base: SieveExtension = {
  names: {},
  commands: { stop, keep, discard },
  tests: {
    true: { compile: () => () => true },
    false: { compile: () => () => false },
    not,
    allof,
    anyof,
    size,
    exists,
    header,
    address,
  },
}

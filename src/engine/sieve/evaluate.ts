import { assertNever } from '#base/outcome.ts'
import type { SieveAddressPart, SieveCondition } from '#codec/sieve/program.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

import { matches } from './compare.ts'
import type { SieveMessage } from './message.ts'

/** Answers a script's tests about one delivery. */
export class Evaluator {
  readonly #message: SieveMessage
  readonly #step: () => void

  /** `step` is called for each value that a test looks at, and may throw to end the run. */
  constructor(message: SieveMessage, step: () => void) {
    this.#message = message
    this.#step = step
  }

  holds(test: SieveCondition, flags: readonly string[]): boolean {
    this.#step()
    const message = this.#message
    switch (test.kind) {
      case 'true':
      case 'false':
        return test.kind === 'true'
      case 'not':
        return !this.holds(test.test, flags)
      case 'allof':
        return test.tests.every((each) => this.holds(each, flags))
      case 'anyof':
        return test.tests.some((each) => this.holds(each, flags))
      case 'size': // RFC 5228 §5.9: exactly the limit is neither over nor under.
        return test.over ? message.sizeBytes > test.limit : message.sizeBytes < test.limit
      case 'exists':
        return test.headers.every((name) => message.header(name).length > 0)
      case 'header':
        return matches(
          test.match,
          test.headers.flatMap((name) => message.header(name).map((value) => value.trim())),
          test.keys,
        )
      case 'address':
        return matches(
          test.match,
          test.headers.flatMap((name) => partsOf(message.addresses(name), test.part)),
          test.keys,
        )
      case 'envelope':
        return matches(
          test.match,
          test.headers.flatMap((name) => this.#envelope(name, test.part)),
          test.keys,
        )
      case 'mailboxexists':
        return test.mailboxes.every((name) => message.mailboxExists(name))
      case 'spamtest':
        return matches(test.match, [String(message.spamValue)], [test.key])
      case 'hasflag':
        return matches(test.match, flags, test.keys)
      default:
        return assertNever(test)
    }
  }

  #envelope(name: string, part: SieveAddressPart): readonly string[] {
    const address = name === 'from' ? this.#message.envelopeFrom : this.#message.envelopeTo
    // RFC 5228 §5.4: the null reverse-path is the empty string, whatever the part.
    return address === null ? [''] : partsOf([address], part)
  }
}

function partsOf(addresses: readonly Address[], part: SieveAddressPart): readonly string[] {
  return addresses.flatMap((address) => {
    const plus = address.localpart.indexOf('+')
    switch (part) {
      case 'all':
        return [formatAddress(address)]
      case 'localpart':
        return [address.localpart]
      case 'domain':
        return [address.domain]
      case 'user': // RFC 5233 §4
        return [plus < 0 ? address.localpart : address.localpart.slice(0, plus)]
      case 'detail':
        return plus < 0 ? [] : [address.localpart.slice(plus + 1)]
    }
  })
}

import type { Outcome } from '#base/outcome.ts'
import { BerReader, octetString, sequence } from './ber.ts'
import { encodeFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import type { LdapControl, LdapEntry } from './message.ts'
import { decoded, readEntryOf } from './response.ts'

const ASSERTION = '1.3.6.1.1.12'
const POST_READ = '1.3.6.1.1.13.2'
/** Result code assertionFailed: the entry is not as whoever changes it believes (RFC 4528 §3). */
export const ASSERTION_FAILED = 122

/** The change is made only where the entry is of this filter (RFC 4528). */
export const onlyWhere = (filter: Filter): LdapControl => ({
  oid: ASSERTION,
  critical: true,
  value: encodeFilter(filter),
})

/** Asks for these attributes of the entry as the change leaves it (RFC 4527 §3.2). */
export const postRead = (...attributes: readonly string[]): LdapControl => ({
  oid: POST_READ,
  critical: true,
  value: sequence(...attributes.map((type) => octetString(type))),
})

/** Undefined where the answer came without it. */
export const readPostRead = (
  controls: readonly LdapControl[],
): Outcome<LdapEntry | undefined, string> =>
  decoded(() => {
    const value = controls.find(({ oid }) => oid === POST_READ)?.value
    if (value === undefined) return undefined
    const element = new BerReader(value)
    return readEntryOf(element.enter(element.tag))
  })

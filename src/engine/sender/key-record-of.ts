import { domainToASCII } from 'node:url'
import { renderKeyRecord, zoneStrings } from '#codec/dkim/key-record.ts'
import type { DkimKey } from '#model/dkim-key.ts'

/** Below the domain in A-labels: it is what zones have. */
export const recordName = (domain: string, selector: string): string =>
  `${selector}._domainkey.${domainToASCII(domain) || domain}`

/** The record to publish: its name, its text, and both as a line of a zone file. */
export function keyRecordOf(domain: string, { selector, algorithm, publicKey }: DkimKey) {
  const name = recordName(domain, selector)
  const text = renderKeyRecord({ keyType: algorithm, publicKey })
  return { name, text, zone: `${name}. IN TXT ${zoneStrings(text)}` }
}

import { authenticate } from 'mailauth'

import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { SENDER_RESULTS } from '#model/verdict.ts'
import type { AuthResult, SenderResult } from '#model/verdict.ts'

/** Signatures that are shown; mailauth looks at all of them. */
const SIGNATURES_MAX = 10

/** SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 9989) of mail from outside. Throws where mailauth does. */
export async function authenticateSender(
  content: Octets,
  ask: {
    readonly ip: string
    readonly helo: string
    readonly reversePath: Address | null
    readonly hostname: string
    readonly resolve: (name: string, type: string) => Promise<readonly unknown[]>
  },
): Promise<readonly AuthResult[]> {
  const sender = ask.reversePath === null ? '' : formatAddress(ask.reversePath)
  const found = await authenticate(bufferOf(content), {
    ip: ask.ip,
    helo: ask.helo,
    // RFC 7208 §2.4: the null reverse-path is checked as postmaster@HELO.
    sender: sender === '' ? `postmaster@${ask.helo}` : sender,
    mta: ask.hostname,
    disableArc: true,
    disableBimi: true,
    resolver: ask.resolve,
  })
  const results: AuthResult[] = []
  if (found.spf !== undefined && found.spf !== false)
    results.push({
      method: 'spf',
      result: resultOf(found.spf.status.result),
      properties: [
        sender === '' ? (['smtp.helo', ask.helo] as const) : (['smtp.mailfrom', sender] as const),
      ],
    })
  for (const signature of (found.dkim?.results ?? []).slice(0, SIGNATURES_MAX)) {
    const domain = signature.signingDomain
    results.push({
      method: 'dkim',
      result: resultOf(signature.status.result),
      properties: [
        ...(domain === undefined ? [] : [['header.d', domain] as const]),
        ...(signature.selector === undefined ? [] : [['header.s', signature.selector] as const]),
      ],
    })
  }
  if (found.dmarc !== undefined && found.dmarc !== false)
    results.push({
      method: 'dmarc',
      result: resultOf(found.dmarc.status.result),
      properties:
        found.dmarc.domain === undefined ? [] : [['header.from', found.dmarc.domain] as const],
    })
  return results
}

const resultOf = (text: string): SenderResult =>
  SENDER_RESULTS.find((word) => word === text) ?? 'permerror'

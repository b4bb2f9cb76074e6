import type { LdapResult } from '#codec/ldap/message.ts'

/** How operations end here (RFC 4511 §A). */
export const RESULT = {
  success: 0,
  operationsError: 1, // out of order
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  compareFalse: 5,
  compareTrue: 6,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  unavailableCriticalExtension: 12,
  confidentialityRequired: 13,
  saslBindInProgress: 14,
  noSuchAttribute: 16,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52, // our trouble
  unwillingToPerform: 53,
  other: 80,
} as const
export type ResultName = keyof typeof RESULT

export const resultOf = (name: ResultName, message = '', matchedDn = ''): LdapResult => ({
  code: RESULT[name],
  matchedDn,
  message,
  referrals: [],
})

/** A reply of SMTP or LMTP: RFC 5321 §4.2 with the enhanced status of RFC 3463. */
export interface Reply {
  readonly code: number
  /** `2.1.5`; absent in replies to EHLO, HELO, AUTH challenges and the greeting. */
  readonly status?: string
  /** One line an element. */
  readonly text: string | readonly string[]
}

/** Whose trouble it is: `self` is ours and never a bounce; `peer` is the sender's. */
export type Blame = 'peer' | 'self'

export const isPositive = (reply: Reply): boolean => reply.code < 400
export const isTransient = (reply: Reply): boolean => reply.code >= 400 && reply.code < 500
export const isPermanent = (reply: Reply): boolean => reply.code >= 500

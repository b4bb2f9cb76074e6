/** A reply of SMTP or LMTP: RFC 5321 §4.2 with the enhanced status of RFC 3463. */
export interface Reply {
  readonly code: number
  /** `2.1.5`; absent in replies to EHLO, HELO, AUTH challenges and the greeting. */
  readonly status?: string
  /** One line an element. */
  readonly text: string | readonly string[]
}

import type { AccountPosition, AccountState } from '#store/mailbox/stored-email.ts'
import { MethodError } from './method-error.ts'

/*
 * A state of JMAP: MODSEQ, the next number (of emails, or of mailboxes), and for an answer that
 * stopped amid one MODSEQ the last email told; base 36. What is numbered from there on is new.
 */
const STATE = /^([0-9a-z]{1,11})-([0-9a-z]{1,11})(?:-([0-9a-z]{1,11}))?$/

export const emailState = (state: AccountState): string =>
  positionText({ modSeq: state.modSeq, nextEmail: state.nextEmail })

export const mailboxState = (state: AccountState): string =>
  `${text(state.modSeq)}-${text(state.nextMailbox)}`

export const positionText = ({ modSeq, nextEmail, email }: AccountPosition): string =>
  `${text(modSeq)}-${text(nextEmail)}${email === undefined ? '' : `-${text(email)}`}`

/** Of a query: `q` before the MODSEQ of what it looked at, and the next number of emails. */
export const queryState = (position: AccountPosition): string => `q${positionText(position)}`

/** Throws cannotCalculateChanges for what is none. */
export function readQueryState(given: string): AccountPosition {
  if (!given.startsWith('q')) throw cannotCalculate()
  return readPosition(given.slice(1))
}

/** Throws cannotCalculateChanges for a text that is no state of ours. */
export function readPosition(given: string): AccountPosition {
  const match = STATE.exec(given)
  if (match === null) throw cannotCalculate()
  const [modSeq, nextEmail] = [number(match[1]!), number(match[2]!)]
  return { modSeq, nextEmail, ...(match[3] === undefined ? {} : { email: number(match[3]) }) }
}

export const cannotCalculate = (): MethodError =>
  new MethodError('cannotCalculateChanges', 'Changes since that state cannot be told; start anew')

const text = (value: number): string => value.toString(36)

function number(digits: string): number {
  const value = Number.parseInt(digits, 36)
  if (!Number.isSafeInteger(value)) throw cannotCalculate()
  return value
}

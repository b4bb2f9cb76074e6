import { Fault, FAULT_CODES, messageOf } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'

/** From the socket process to its storage child. */
export type ToChild =
  /** Entries of a call that follows in whole once all of them are there. */
  | readonly ['part', id: number, entries: readonly unknown[]]
  | readonly ['call', id: number, service: string, method: string, argument: unknown]
  /** Close the stores and end. */
  | readonly ['close']

/** From the storage child to the socket process. */
export type ToParent =
  /** Entries of an answer that follows, likewise. */
  | readonly ['part', id: number, entries: readonly unknown[]]
  | readonly ['answer', id: number, value: unknown]
  | readonly ['failure', id: number, failure: Failure]
  /** All stores are open. */
  | readonly ['ready']
  /** Another process holds the folder; the child tries again. */
  | readonly ['locked', message: string]
  /** The stores cannot be opened; the child ends. */
  | readonly ['fatal', failure: Failure]
  /** Told by a store without being asked; `written` by the child: what was answered before may be so no more. */
  | readonly ['notice', topic: string, payload: unknown]

/** A thrown error on its way through the pipe. */
export interface Failure {
  /** Absent for a mistake of ours. */
  readonly code?: FaultCode
  readonly message: string
}

export const failureOf = (thrown: unknown): Failure => ({
  ...(thrown instanceof Fault && { code: thrown.code }),
  message: messageOf(thrown),
})

export const errorOf = (failure: Failure): Error =>
  failure.code !== undefined && Object.hasOwn(FAULT_CODES, failure.code)
    ? new Fault(failure.code, failure.message)
    : new Error(`storage child: ${failure.message}`)

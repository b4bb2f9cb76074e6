import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from './event.ts'

/** What a machine that joins may be; control itself does not join. */
export const JOINING_ROLES = ['gateway', 'store', 'deliver', 'serve'] as const
export type JoiningRole = (typeof JOINING_ROLES)[number]

/** A joined node, and where it answers the others. */
export interface NodePlace {
  readonly name: NodeId
  readonly role: JoiningRole
  readonly address: string
  readonly port: number
  readonly pin: KeyPin
  /** It finishes what it has and is given nothing new. */
  readonly draining: boolean
}

/** Filing needs a node that takes mail for mailboxes. */
export const takesMail = (node: NodePlace): boolean =>
  !node.draining && (node.role === 'store' || node.role === 'deliver')

/** Owns mailboxes that another node delivers into. */
export const keepsMailboxes = (node: NodePlace): boolean => !node.draining && node.role === 'serve'

/** What deliveries send out goes to a node with a queue. */
export const sendsMail = (node: NodePlace): boolean => !node.draining && node.role === 'gateway'

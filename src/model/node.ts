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

/** Who is there already, as far as it matters to one who is to join. */
export interface NodeBeside {
  readonly name: string
  readonly role: JoiningRole
  /** A role of control's own machine: it cannot be removed. */
  readonly own?: boolean
}

/**
 * Why a node of this name and role may not join beside these; undefined: it may. Mailboxes have one
 * owner: with two, mail would be filed by the one that happens to answer, and people would find half
 * of it. An installation grows by splitting its store into `deliver` and `serve`.
 */
export function refusedBeside(
  node: { readonly name: string; readonly role: JoiningRole },
  beside: readonly NodeBeside[],
): string | undefined {
  const others = beside.filter(({ name, own }) => own === true || name !== node.name)
  const owner = others.find(({ role }) => role === 'store' || role === 'serve')
  if (owner !== undefined && (node.role === 'store' || node.role === 'serve'))
    return owner.own === true
      ? "this machine's own store keeps the mailboxes, and there can be one only: gateways may join here; for a store on another machine begin with --role control on a new data folder"
      : `${owner.name} keeps the mailboxes, and there can be one only: to put another in its place, first watari node remove ${owner.name}`
  if (node.role === 'deliver' && owner?.role === 'store')
    return owner.own === true
      ? "this machine's own store takes its mail itself: deliver belongs beside a serve, not beside a store"
      : `${owner.name} takes its mail itself: deliver belongs beside a serve, not beside a store`
  const deliver = others.find(({ role }) => role === 'deliver')
  if (node.role === 'store' && deliver !== undefined)
    return `${deliver.name} takes mail for a serve: make a token for the role serve, or first watari node remove ${deliver.name}`
  return undefined
}

/** Filing needs a node that takes mail for mailboxes. */
export const takesMail = (node: NodePlace): boolean =>
  !node.draining && (node.role === 'store' || node.role === 'deliver')

/** Owns mailboxes that another node delivers into. */
export const keepsMailboxes = (node: NodePlace): boolean => !node.draining && node.role === 'serve'

/** Takes what deliveries send out into a queue of its own, beside the gateways. */
export const keepsQueue = (node: NodePlace): boolean => !node.draining && node.role === 'deliver'

/** Takes into its queue what leaves. */
export const sendsMail = (node: NodePlace): boolean => !node.draining && node.role === 'gateway'

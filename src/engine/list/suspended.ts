import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'

import type { ListStore } from './list-store.ts'

/** What has come back from one member's address. */
export interface MemberBounces {
  readonly address: string
  readonly score: number
  /** The days on which something came back, the last one last. */
  readonly days: readonly string[]
  readonly status: string
  readonly suspendedAtMs?: number
}

export const bouncesOf = ({ value }: KeptObject): MemberBounces => value as never

/** How the bounces of an address are kept. */
export const bounceId = (address: Address): string => addressKey(address).slice(0, 400)

/** Addresses to which the list sends no more, in the form in which they are compared. */
export async function suspendedOf(store: ListStore): Promise<ReadonlySet<string>> {
  const kept = await store.objects('ListBounce')
  const all = [...kept.values()].map(bouncesOf)
  return new Set(
    all.filter(({ suspendedAtMs }) => suspendedAtMs !== undefined).map(({ address }) => address),
  )
}

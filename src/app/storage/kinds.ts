import type { Clock } from '#base/time.ts'
import { openSpool } from '#store/spool/open.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'
import type { Services } from './serve.ts'

/** What an opener is given. The folder exists, and its lock is held. */
export interface KindContext {
  readonly dir: string
  readonly clock: Clock
  readonly options: StorageOptions
  /** Tells the socket process something that it did not ask for. */
  readonly notify: (topic: string, payload: unknown) => void
}

/** What a role hands to its storage child at its start. */
export interface StorageOptions {
  /** Free space under which no new mail is taken. */
  readonly reserveBytes?: number
}

interface OpenedKind<S extends Services> {
  readonly services: S
  close(): Promise<void>
}

/** The stores of one volume, by the kind of its storage child. Each kind's services open together. */
export const KINDS = {
  /** A gateway's queue. */
  spool: async ({
    dir,
    clock,
    options,
  }: KindContext): Promise<OpenedKind<{ spool: SpoolStore }>> => {
    const spool = await openSpool({ dir, clock, ...options })
    return { services: { spool }, close: () => spool.close() }
  },
}

export type StorageKind = keyof typeof KINDS
/** The services of a kind, as its proxies show them. */
export type ServicesOf<K extends StorageKind> = Awaited<ReturnType<(typeof KINDS)[K]>>['services']

export const isStorageKind = (text: string): text is StorageKind => Object.hasOwn(KINDS, text)

import type { Address } from '#model/address.ts'

/** What a script wants to happen to one delivery, in order. */
export type SieveAction =
  | { readonly kind: 'keep'; readonly flags: readonly string[] }
  | {
      readonly kind: 'fileinto'
      readonly mailbox: string
      readonly create: boolean
      readonly flags: readonly string[]
    }
  | { readonly kind: 'redirect'; readonly address: Address }
  | { readonly kind: 'reject'; readonly reason: string }
  | { readonly kind: 'discard' }

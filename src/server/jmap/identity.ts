import { createHash } from 'node:crypto'
import type { Account } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { picked, propertiesOf } from './args.ts'
import { changesAsk, CHANGES_ARGS } from './email-changes.ts'
import { idsToGet } from './ids.ts'
import { SUBMISSION } from './room.ts'
import type { Method } from './room.ts'
import { cannotCalculate } from './states.ts'

export interface Identity {
  readonly id: string
  readonly address: Address
  readonly name: string
}

/** Whom the account may be: its own address, its further ones, those delegated to it. */
export function identitiesOf(account: Account): readonly Identity[] {
  const own = { localpart: account.username, domain: account.domain }
  const all = [own, ...account.addresses, ...account.delegated]
  const unique = new Map(all.map((address) => [addressKey(address), address]))
  return Array.from(unique, ([key, address]) => ({
    id: `I${createHash('sha256').update(key).digest('hex').slice(0, 20)}`,
    address,
    name: account.name ?? '',
  }))
}

const shown = ({ id, address, name }: Identity): Readonly<Record<string, unknown>> => ({
  id,
  name,
  email: formatAddress(address),
  replyTo: null,
  bcc: null,
  textSignature: '',
  htmlSignature: '',
  mayDelete: false,
})

const stateOf = (account: Account): string =>
  createHash('sha256')
    .update(JSON.stringify(identitiesOf(account).map(shown)))
    .digest('hex')
    .slice(0, 16)

const PROPERTIES = 'id name email replyTo bcc textSignature htmlSignature mayDelete'.split(' ')

/** RFC 8621 §6.1: what the directory says; none is made here. */
export const identityGet: Method = {
  name: 'Identity/get',
  capability: SUBMISSION,
  args: ['ids', 'properties'],
  run(call, args) {
    const properties = propertiesOf(args, PROPERTIES)
    const ids = idsToGet(call, args)
    const all = identitiesOf(call.account)
    const list = all.filter(({ id }) => ids === undefined || ids.includes(id))
    return Promise.resolve({
      state: stateOf(call.account),
      list: list.map((identity) => picked(shown(identity), properties)),
      notFound: (ids ?? []).filter((id) => !all.some((identity) => identity.id === id)),
    })
  },
}

export const identityChanges: Method = {
  name: 'Identity/changes',
  capability: SUBMISSION,
  args: CHANGES_ARGS,
  async run(call, args) {
    const { since } = changesAsk(args)
    if (since !== stateOf(call.account)) throw cannotCalculate()
    const none = { created: [], updated: [], destroyed: [] }
    return { oldState: since, newState: since, hasMoreChanges: false, ...none }
  },
}

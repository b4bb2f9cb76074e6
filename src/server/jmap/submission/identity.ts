import { mainAddressOf } from '#model/account.ts'
import { createHash } from 'node:crypto'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { maySendAsList } from '#model/list.ts'
import { maySendAs } from '#engine/sender/authorise.ts'
import type { KeptObject, ObjectChange } from '#store/mailbox/kept-object.ts'
import { CHANGES_ARGS } from '#server/jmap/method/changes.ts'
import type { EmailAddress } from '#server/jmap/email/header-forms.ts'
import { getObjects, objectChanges } from '#server/jmap/method/objects.ts'
import { SUBMISSION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'

/** What is kept of an identity. */
export interface IdentityValue {
  readonly email: string
  readonly name: string
  readonly replyTo: readonly EmailAddress[] | null
  readonly bcc: readonly EmailAddress[] | null
  readonly textSignature: string
  readonly htmlSignature: string
  /** Of an address of the directory; it goes with that only. */
  readonly isGiven: boolean
  /** The name is the person's own choice; else it follows the directory. */
  readonly isNamed: boolean
}

export interface Identity extends KeptObject {
  readonly value: IdentityValue & Readonly<Record<string, unknown>>
}

export const IDENTITY_PROPERTIES: readonly string[] =
  'id name email replyTo bcc textSignature htmlSignature mayDelete'.split(' ')

export interface Identities {
  readonly state: number
  readonly objects: readonly Identity[]
}

/**
 * The account's identities: one for each address that it may send as, and those that were made. Where
 * the directory has changed since they were kept, they follow it, so that Identity/changes tells of it.
 */
export async function loadIdentities(call: Call): Promise<Identities> {
  const { store } = call.room
  const accountId = call.account.id
  const load = async (): Promise<Identities> =>
    (await store.objects({ accountId, kind: 'Identity' })) as Identities
  const kept = await load()
  const changes = dueChanges(call, kept.objects)
  if (changes.length === 0) return kept
  await store.commit({ contents: [], commits: [{ accountId, changes }] })
  return load()
}

function dueChanges(call: Call, kept: readonly Identity[]): ObjectChange[] {
  const { account } = call
  const own = mainAddressOf(account)
  const name = account.name ?? ''
  // A list signs with its own name.
  const given = new Map<string, { readonly address: Address; readonly name: string }>(
    [
      ...[own, ...account.addresses, ...account.delegated].map((address) => ({ address, name })),
      ...call.room.directory
        .lists()
        .filter((list) => maySendAsList(list, account.id))
        .map((list) => ({ address: list.address, name: list.name ?? name })),
    ].map((each) => [givenId(each.address), each]),
  )
  const changes: ObjectChange[] = []
  for (const { id, value } of kept) {
    const found = given.get(id)
    given.delete(id)
    if (found === undefined && (value.isGiven || !maySend(call, value.email)))
      changes.push({ kind: 'forget', object: 'Identity', id })
    else if (found !== undefined && value.isGiven && !value.isNamed && value.name !== found.name)
      changes.push(keepIdentity(id, { ...value, name: found.name }))
  }
  for (const [id, each] of given) changes.push(keepIdentity(id, fresh(each.address, each.name)))
  return changes
}

const givenId = (address: Address): string =>
  `I${createHash('sha256').update(addressKey(address)).digest('hex').slice(0, 20)}`

const fresh = (address: Address, name: string): IdentityValue => ({
  email: formatAddress(address),
  name,
  replyTo: null,
  bcc: null,
  textSignature: '',
  htmlSignature: '',
  isGiven: true,
  isNamed: false,
})

export const keepIdentity = (id: string, value: IdentityValue): ObjectChange => ({
  kind: 'keep',
  object: 'Identity',
  id,
  value: { ...value },
})

export function maySend({ account, room }: Call, email: string): boolean {
  const address = parseAddress(email)
  return address.ok && maySendAs(account, address.value, room.directory)
}

export const showIdentity = (id: string, value: IdentityValue): Answer => ({
  id,
  name: value.name,
  email: value.email,
  replyTo: value.replyTo,
  bcc: value.bcc,
  textSignature: value.textSignature,
  htmlSignature: value.htmlSignature,
  mayDelete: !value.isGiven,
})

/** RFC 8621 §6.1. */
export const identityGet: Method = {
  name: 'Identity/get',
  capability: SUBMISSION,
  args: ['ids', 'properties'],
  async run(call, args) {
    const { state, objects } = await loadIdentities(call)
    const shown = ({ id, value }: KeptObject): Answer =>
      showIdentity(id, value as Identity['value'])
    return getObjects(call, args, { known: IDENTITY_PROPERTIES, state, objects, shown })
  },
}

/** RFC 8621 §6.2. */
export const identityChanges: Method = {
  name: 'Identity/changes',
  capability: SUBMISSION,
  args: CHANGES_ARGS,
  async run(call, args) {
    await loadIdentities(call)
    return objectChanges(call, args, 'Identity')
  },
}

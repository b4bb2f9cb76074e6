import { isDeepStrictEqual } from 'node:util'
import { randomId } from '#base/id.ts'
import { parseAddress } from '#model/address.ts'
import type { ObjectChange } from '#store/mailbox/kept-object.ts'
import { isObject } from '#server/jmap/method/args.ts'
import type { EmailAddress } from '#server/jmap/email/header-forms.ts'
import {
  IDENTITY_PROPERTIES,
  keepIdentity,
  loadIdentities,
  maySend,
  showIdentity,
} from './identity.ts'
import type { IdentityValue } from './identity.ts'
import { invalidProperties, setErrorOf, SetRefusal } from '#server/jmap/method/method-error.ts'
import { objectState } from '#server/jmap/method/objects.ts'
import { SUBMISSION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { notFound, readSet, SetResult, SET_ARGS } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'

const NAME_LENGTH_MAX = 500
const SIGNATURE_LENGTH_MAX = 65_536
const ADDRESSES_MAX = 100

/** RFC 8621 §6.3. */
export const identitySet: Method = {
  name: 'Identity/set',
  capability: SUBMISSION,
  args: SET_ARGS,
  async run(call, args): Promise<Answer> {
    const { state, objects } = await loadIdentities(call)
    const ask = readSet(call, args, objectState(state))
    const byId = new Map(objects.map(({ id, value }) => [id, value as IdentityValue]))
    const result = new SetResult()
    for (const [creationId, properties] of ask.create)
      await create(call, properties).then(
        (object) => result.created(call, creationId, object),
        (thrown: unknown) => result.refuse('notCreated', creationId, thrown),
      )
    for (const [id, patch] of ask.update)
      await update(call, { id, patch, before: byId.get(id), ends: ask.destroy.includes(id) }).then(
        () => result.updated(id),
        (thrown: unknown) => result.refuse('notUpdated', id, thrown),
      )
    for (const id of ask.destroy)
      await destroy(call, id, byId.get(id)).then(
        () => result.destroyed(id),
        (thrown: unknown) => result.refuse('notDestroyed', id, thrown),
      )
    const after = await loadIdentities(call)
    return {
      oldState: objectState(state),
      newState: objectState(after.state),
      ...result.answer(),
    }
  },
}

async function create(
  call: Call,
  properties: Properties,
): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
  for (const name of Object.keys(properties))
    if (!IDENTITY_PROPERTIES.includes(name) || name === 'id' || name === 'mayDelete')
      throw invalidProperties('that cannot be set', name.slice(0, 100))
  const { email } = properties
  if (typeof email !== 'string' || !parseAddress(email).ok)
    throw invalidProperties('email is an address', 'email')
  if (!maySend(call, email))
    throw new SetRefusal({
      type: 'forbiddenFrom',
      description: 'It is no address of yours',
      properties: ['email'],
    })
  const value: IdentityValue = {
    email,
    ...readOwn({ ...DEFAULTS, ...properties }),
    isGiven: false,
    isNamed: true,
  }
  const id = `I${randomId(20)}`
  await commit(call, keepIdentity(id, value))
  const shown = Object.entries(showIdentity(id, value))
  return {
    ...Object.fromEntries(shown.filter(([name]) => !Object.hasOwn(properties, name))),
    id,
  }
}

async function update(
  call: Call,
  ask: {
    readonly id: string
    readonly patch: Properties
    readonly before: IdentityValue | undefined
    /** Destroyed by the same call. */
    readonly ends: boolean
  },
): Promise<void> {
  const { id, patch, before, ends } = ask
  if (before === undefined) throw notFound()
  if (ends) throw new SetRefusal({ type: 'willDestroy' })
  const shown = showIdentity(id, before)
  for (const [name, value] of Object.entries(patch)) {
    if (name.includes('/'))
      throw new SetRefusal({ type: 'invalidPatch', description: 'Nothing lies within a property' })
    const isOwn = Object.hasOwn(DEFAULTS, name)
    if (!isOwn && !(Object.hasOwn(shown, name) && isDeepStrictEqual(shown[name], value)))
      throw invalidProperties('that cannot be changed', name.slice(0, 100))
  }
  const isNamed = before.isNamed || Object.hasOwn(patch, 'name')
  await commit(call, keepIdentity(id, { ...before, ...readOwn({ ...shown, ...patch }), isNamed }))
}

async function destroy(call: Call, id: string, before: IdentityValue | undefined): Promise<void> {
  if (before === undefined) throw notFound()
  if (before.isGiven)
    throw new SetRefusal({
      type: 'forbidden',
      description: 'It is there as long as its address is yours',
    })
  await commit(call, { kind: 'forget', object: 'Identity', id })
}

async function commit(call: Call, change: ObjectChange): Promise<void> {
  const { results } = await call.room.store.commit({
    contents: [],
    commits: [{ accountId: call.account.id, changes: [change] }],
  })
  const [result] = results
  if (result?.kind === 'refused') throw new SetRefusal(setErrorOf(result.refusal, 'email'))
}

/** What a person may choose, and what it is where nothing is chosen. */
const DEFAULTS: Properties = {
  name: '',
  replyTo: null,
  bcc: null,
  textSignature: '',
  htmlSignature: '',
}

const readOwn = (
  given: Properties,
): Pick<IdentityValue, 'name' | 'replyTo' | 'bcc' | 'textSignature' | 'htmlSignature'> => ({
  name: oneLineOf(given['name'] ?? ''),
  replyTo: addressesOf(given['replyTo'] ?? null, 'replyTo'),
  bcc: addressesOf(given['bcc'] ?? null, 'bcc'),
  textSignature: textOf(given['textSignature'] ?? '', 'textSignature', SIGNATURE_LENGTH_MAX),
  htmlSignature: textOf(given['htmlSignature'] ?? '', 'htmlSignature', SIGNATURE_LENGTH_MAX),
})

function textOf(value: unknown, property: string, lengthMax: number): string {
  if (typeof value !== 'string' || !value.isWellFormed() || value.length > lengthMax)
    throw invalidProperties(`${property} is a text of at most ${lengthMax} signs`, property)
  return value
}

function oneLineOf(value: unknown): string {
  const name = textOf(value, 'name', NAME_LENGTH_MAX)
  // It goes into a header field.
  if (/\p{Cc}/u.test(name)) throw invalidProperties('name is one line', 'name')
  return name
}

function addressesOf(value: unknown, property: string): readonly EmailAddress[] | null {
  if (value === null) return null
  if (!Array.isArray(value) || value.length > ADDRESSES_MAX)
    throw invalidProperties(`${property} is a list of at most ${ADDRESSES_MAX}`, property)
  return (value as unknown[]).map((each) => {
    const { name = null, email, ...strange } = isObject(each) ? each : {}
    const isAddress = typeof email === 'string' && parseAddress(email).ok
    if (
      !isAddress ||
      (name !== null && typeof name !== 'string') ||
      Object.keys(strange).length > 0
    )
      throw invalidProperties(`${property} holds what is no address`, property)
    return { name, email }
  })
}

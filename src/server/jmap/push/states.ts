import type { AccountState } from '#store/mailbox/stored-email.ts'
import { accountState } from '#server/jmap/email/emails.ts'
import { loadQuota, quotaState } from '#server/jmap/mailbox/quota.ts'
import { objectState } from '#server/jmap/method/objects.ts'
import { emailState, mailboxState } from '#server/jmap/method/states.ts'
import { isShared } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'
import { loadScripts } from '#server/jmap/sieve/scripts.ts'

/** Of one account: the state of each type that somebody wants to hear of. */
export type States = Readonly<Partial<Record<TypeName, string>>>

const TYPES = [
  'Mailbox',
  'Email',
  'Thread',
  'EmailDelivery',
  'EmailSubmission',
  'Identity',
  'Quota',
  'SieveScript',
] as const
export type TypeName = (typeof TYPES)[number]

/** The types that somebody names; names that we do not know never change. */
export const typesOf = (names: readonly string[] | 'all'): ReadonlySet<TypeName> =>
  new Set(TYPES.filter((type) => names === 'all' || names.includes(type)))

/** States of now in the call's account; of somebody else's account, those of its mail. */
export async function statesOf(call: Call, types: ReadonlySet<TypeName>): Promise<States> {
  const { store } = call.room
  if (isShared(call)) return only(types, mailStates(await accountState(call)))
  const [state, { states }, quota, scripts] = await Promise.all([
    accountState(call),
    store.objectStates({ accountId: call.account.id }),
    loadQuota(call),
    types.has('SieveScript') ? loadScripts(call) : undefined,
  ])
  return only(types, {
    ...mailStates(state),
    EmailSubmission: objectState(states.EmailSubmission),
    Identity: objectState(states.Identity),
    Quota: quotaState(quota),
    ...(scripts !== undefined && { SieveScript: scripts.state }),
  })
}

const mailStates = (state: AccountState): States => ({
  Mailbox: mailboxState(state),
  Email: emailState(state),
  Thread: emailState(state),
  EmailDelivery: state.nextEmail.toString(36),
})

const only = (types: ReadonlySet<TypeName>, all: States): States =>
  Object.fromEntries(
    TYPES.filter((type) => types.has(type) && all[type] !== undefined).map((type) => [
      type,
      all[type],
    ]),
  )

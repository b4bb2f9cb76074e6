import { MailFailure } from '#web/mail/client.ts'
import type { Answer, MailClient } from '#web/mail/client.ts'

/** A script of one's own. */
export interface OwnScript {
  readonly id: string
  readonly name: string
  readonly blobId: string
  readonly isActive: boolean
}

export interface OwnScripts {
  readonly state: string
  readonly list: readonly OwnScript[]
}

/** What is told of a line of a script. */
export interface LineNote {
  readonly line: number
  readonly message: string
}

/** What would become of a mail. */
export interface TriedMail {
  readonly id: string
  readonly filed: readonly { readonly mailbox: string; readonly flags: readonly string[] }[]
  readonly sent: readonly { readonly kind: string; readonly to: readonly string[] }[]
  readonly refusal?: string
  readonly trouble: readonly (LineNote & { readonly place: string })[]
  readonly isAsked: boolean
}

/** Why a change was refused; the words for it are the page's. */
export type Refusal = { readonly type: string; readonly description: string }

/** Scripts of one's own, over JMAP (RFC 9661). Rejects with a MailFailure. */
export const ownScripts = async (client: MailClient): Promise<OwnScripts> =>
  (await client.call('SieveScript/get', { ids: null })) as OwnScripts

/** Checks a script, and tries it on mails. */
export async function testScript(
  client: MailClient,
  script: string,
  emailIds: readonly string[] = [],
): Promise<{
  readonly errors: readonly LineNote[]
  readonly warnings: readonly LineNote[]
  readonly list: readonly TriedMail[]
}> {
  const { errors, warnings, list } = await client.call('SieveScript/test', { script, emailIds })
  return { errors, warnings, list }
}

/** Stores a script, a new one where there is no id; answers its id. */
export async function saveScript(
  client: MailClient,
  script: { readonly id?: string | undefined; readonly name: string; readonly text: string },
  state?: string,
): Promise<string | Refusal> {
  const { id, name, text } = script
  const blobId = await client.upload(text, 'application/sieve')
  const object = { name, blobId }
  const { answer, refusal } = await changed(client, {
    ...(id === undefined ? { create: { script: object } } : { update: { [id]: object } }),
    ...(state !== undefined && { ifInState: state }),
  })
  return refusal ?? id ?? String(answer['created']['script']['id'])
}

export const removeScript = async (client: MailClient, id: string): Promise<Refusal | undefined> =>
  (await changed(client, { destroy: [id] })).refusal

/** Lets that one filter; null: none. */
export async function activateScript(
  client: MailClient,
  id: string | null,
): Promise<Refusal | undefined> {
  const change = id === null ? { onSuccessDeactivateScript: true } : { onSuccessActivateScript: id }
  return (await changed(client, change)).refusal
}

async function changed(
  client: MailClient,
  args: Readonly<Record<string, unknown>>,
): Promise<{ readonly answer: Answer; readonly refusal?: Refusal }> {
  try {
    const answer = await client.call('SieveScript/set', args)
    for (const part of ['notCreated', 'notUpdated', 'notDestroyed']) {
      const [error] = Object.values((answer[part] ?? {}) as Record<string, Partial<Refusal>>)
      if (error === undefined) continue
      const { type = '', description = '' } = error
      return { answer, refusal: { type, description } }
    }
    return { answer }
  } catch (thrown) {
    if (!(thrown instanceof MailFailure && thrown.message === 'stateMismatch')) throw thrown
    return { answer: {}, refusal: { type: 'stateMismatch', description: '' } }
  }
}

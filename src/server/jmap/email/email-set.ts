import { asciiLower } from '#base/text.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { AccountCommitResult, MailboxChange } from '#store/mailbox/commit.ts'
import type { EmailPlace } from '#store/mailbox/stored-email.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { createEmail } from './email-create.ts'
import {
  flagsOf,
  loadEmails,
  mailboxesOf,
  requireKeywordRights,
  requireKeywords,
} from './emails.ts'
import type { Email, Mailboxes } from './emails.ts'
import { invalidProperties, setErrorOf, SetRefusal } from '#server/jmap/method/method-error.ts'
import { MAIL, asked } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import {
  namesPatch,
  notFound,
  readSet,
  SetResult,
  SET_ARGS,
} from '#server/jmap/method/set-frame.ts'
import type { NamesPatch, Properties } from '#server/jmap/method/set-frame.ts'
import { emailState } from '#server/jmap/method/states.ts'

/** RFC 8621 §4.6. What changes and goes is one write; each email stands or falls alone. */
export const emailSet: Method = {
  name: 'Email/set',
  capability: MAIL,
  args: SET_ARGS,
  writes: true,
  async run(call, args): Promise<Answer> {
    const { state: before } = await loadEmails(call, [])
    const ask = readSet(call, args, emailState(before))
    const result = new SetResult()
    for (const [creationId, properties] of ask.create)
      await createEmail(call, args, properties).then(
        (object) => result.created(call, creationId, object),
        (thrown: unknown) => result.refuse('notCreated', creationId, thrown),
      )
    await changeAll(call, args, { update: ask.update, destroy: ask.destroy }, result)
    const { state: after } = await loadEmails(call, [])
    return { oldState: emailState(before), newState: emailState(after), ...result.answer() }
  },
}

interface Work {
  readonly list: 'notUpdated' | 'notDestroyed'
  readonly id: string
  readonly changes: readonly MailboxChange[]
}

async function changeAll(
  call: Call,
  args: Args,
  ask: {
    readonly update: readonly (readonly [string, Properties])[]
    readonly destroy: readonly string[]
  },
  result: SetResult,
): Promise<void> {
  const ids = [...ask.update.map(([id]) => id), ...ask.destroy]
  if (ids.length === 0) return
  const { emails } = await loadEmails(call, ids)
  const byId = new Map(emails.flatMap((email) => (email ? [[email.emailId as string, email]] : [])))
  const mailboxes = await mailboxesOf(call)
  const work: Work[] = []
  const plan = (list: Work['list'], id: string, make: (email: Email) => MailboxChange[]): void => {
    try {
      const email = byId.get(id)
      if (email === undefined) throw notFound()
      work.push({ list, id, changes: make(email) })
    } catch (thrown) {
      result.refuse(list, id, thrown)
    }
  }
  const destroyed = new Set(ask.destroy)
  for (const [id, patch] of ask.update)
    plan('notUpdated', id, (email) => {
      if (destroyed.has(id)) throw new SetRefusal({ type: 'willDestroy' })
      return updateChanges(email, patch, { args, mailboxes })
    })
  for (const id of ask.destroy) plan('notDestroyed', id, destroyChanges)
  const { results } =
    work.length === 0
      ? { results: [] }
      : await call.room.store.commit({
          contents: [],
          commits: work.map(({ changes }) => ({ ...asked(call), changes })),
        })
  for (const [index, { list, id }] of work.entries()) settle(result, { list, id }, results[index]!)
}

function settle(
  result: SetResult,
  { list, id }: { readonly list: Work['list']; readonly id: string },
  outcome: AccountCommitResult,
): void {
  if (outcome.kind === 'refused')
    result.refuse(list, id, new SetRefusal(setErrorOf(outcome.refusal, 'mailboxIds')))
  else if (list === 'notUpdated') result.updated(id)
  else result.destroyed(id)
}

const expunge = ({ mailboxId, uid }: EmailPlace): MailboxChange => ({
  kind: 'expunge',
  mailboxId,
  uids: [uid],
  deletedOnly: false,
})

const destroyChanges = ({ places }: Email): MailboxChange[] => places.map(expunge)

function updateChanges(
  email: Email,
  patch: Properties,
  { args, mailboxes }: { readonly args: Args; readonly mailboxes: Mailboxes },
): MailboxChange[] {
  const strange = Object.keys(patch).find((path) => !/^(?:keywords|mailboxIds)(?:\/.|$)/.test(path))
  if (strange !== undefined)
    throw invalidProperties('only keywords and mailboxIds can be changed', strange.slice(0, 100))
  const keywords = namesPatch(patch, 'keywords')
  const boxes = namesPatch(patch, 'mailboxIds')
  return [
    ...(keywords === undefined ? [] : keywordChanges(email, keywords, mailboxes)),
    ...(boxes === undefined
      ? []
      : placeChanges(email, wantedBoxes(email, boxes, { args, mailboxes }))),
  ]
}

/** In each copy, so that all show the same; before any copy is made. */
function keywordChanges(email: Email, patch: NamesPatch, mailboxes: Mailboxes): MailboxChange[] {
  const rows = email.places.map(({ mailboxId }) => mailboxes.get(mailboxId))
  requireKeywordRights(rows, changedKeywords(email, patch))
  const sets: ['replace' | 'add' | 'remove', readonly string[]][] =
    patch.kind === 'replace'
      ? [['replace', patch.names]]
      : [
          ['add', patch.add],
          ['remove', patch.remove],
        ]
  return sets.flatMap(([mode, names]) => {
    requireKeywords(names)
    if (names.length === 0 && mode !== 'replace') return []
    return email.places.map(({ mailboxId, uid }): MailboxChange => ({
      kind: 'setFlags',
      mailboxId,
      uids: [uid],
      mode,
      ...flagsOf(names),
    }))
  })
}

/** Names that the patch gives or takes. */
function changedKeywords({ keywords }: Email, patch: NamesPatch): string[] {
  const { add, remove } =
    patch.kind === 'patch'
      ? patch
      : { add: patch.names, remove: [...keywords].filter((name) => !has(patch.names, name)) }
  return [
    ...add.filter((name) => !keywords.has(asciiLower(name))),
    ...remove.filter((name) => keywords.has(asciiLower(name))),
  ]
}

const has = (names: readonly string[], wanted: string): boolean =>
  names.some((name) => asciiLower(name) === wanted)

function wantedBoxes(
  email: Email,
  patch: NamesPatch,
  { args, mailboxes }: { readonly args: Args; readonly mailboxes: Mailboxes },
): ReadonlySet<string> {
  const resolved = (names: readonly string[]): string[] => names.map((name) => args.resolved(name))
  const wanted = new Set<string>(
    patch.kind === 'replace'
      ? resolved(patch.names)
      : [...email.mailboxIds, ...resolved(patch.add)],
  )
  if (patch.kind === 'patch') for (const id of resolved(patch.remove)) wanted.delete(id)
  if (wanted.size === 0)
    throw invalidProperties('an email is in one mailbox at least', 'mailboxIds')
  for (const id of wanted)
    if (!mailboxes.has(id)) throw invalidProperties('there is no such mailbox', 'mailboxIds')
  return wanted
}

/** Where it goes from one to another it is moved: one change, as IMAP would do it. */
function placeChanges(email: Email, wanted: ReadonlySet<string>): MailboxChange[] {
  const leaving = email.places.filter(({ mailboxId }) => !wanted.has(mailboxId))
  const coming = [...wanted].filter((id) => !email.mailboxIds.has(id as MailboxId)) as MailboxId[]
  const changes: MailboxChange[] = []
  const from = email.places[0]!
  const [moved] = leaving
  const [target, ...others] = coming
  for (const id of moved === undefined ? coming : others)
    changes.push({ kind: 'copy', from: from.mailboxId, uids: [from.uid], to: { id } })
  for (const place of leaving)
    if (place === moved && target !== undefined)
      changes.push({ kind: 'move', from: place.mailboxId, uids: [place.uid], to: { id: target } })
    else changes.push(expunge(place))
  return changes
}

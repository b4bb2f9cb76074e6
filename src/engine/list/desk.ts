import { setImmediate as turn } from 'node:timers/promises'
import { assertNever, err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { TextSearch } from '#store/search/text-search.ts'

import { askAdmission } from './admission.ts'
import { asideMails, settleAside } from './aside.ts'
import type { AsideMail } from './aside.ts'
import { archivedPost, archivedPosts, recipientsOf } from './archive.ts'
import type { ArchivedPost, PostPlace, PostsPage, PostsWanted } from './archive.ts'
import { heldPosts } from './held-post.ts'
import type { Ending, HeldLetter, HeldPost } from './held-post.ts'
import type { ListKeeper } from './keeper.ts'
import type { Letter } from './letter.ts'
import { commitOfList, tellOfList } from './list-commit.ts'
import { subjectOf } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import { Moderation } from './moderation.ts'
import type { ModerationRefusal } from './moderation.ts'
import { bounceId, bouncesOf } from './suspended.ts'
import type { MemberBounces } from './suspended.ts'

/** Posts that one call decides about. */
const DECIDED_AT_ONCE_MAX = 500

/** discard: its author hears nothing · restore: takes back a rejection or discarding that is not final yet. */
type PostAct = 'approve' | 'reject' | 'discard' | 'restore' | 'withdraw'

/** What became of each. */
export interface Decided {
  readonly number: number
  readonly end: 'done' | ModerationRefusal
  /** Of an approval: the number it was posted under. */
  readonly post?: number
}

/** A post as it is shown whole; `raw` is base64, so that an answer can carry it. */
export interface WholePost {
  readonly post: ArchivedPost
  readonly letter: Letter
  readonly preview: string
  readonly raw: string
  readonly sizeBytes: number
  /** A store of an earlier release does not tell. */
  readonly place?: PostPlace
}

interface Of {
  readonly list: AccountId
}

/** What people who look after a list may see of its posts and settle; plain, so that a node call can carry it. */
export interface PostDesk {
  list(ask: Of & PostsWanted & { readonly text?: string }): Promise<Outcome<PostsPage, 'notFound'>>
  show(ask: Of & { readonly number: number }): Promise<Outcome<WholePost, 'notFound'>>
  recipients(ask: Of & { readonly number: number }): Promise<Outcome<readonly string[], 'notFound'>>
  held(ask: Of): Promise<Outcome<readonly HeldPost[], 'notFound'>>
  /** One that waits, to be read before it is decided about; an event tells who has read it. */
  heldPost(
    ask: Of & { readonly number: number; readonly by: string },
  ): Promise<Outcome<HeldLetter, 'notFound'>>
  decide(
    ask: Of & {
      readonly numbers: readonly number[]
      readonly act: PostAct
      /** Why it is rejected. */
      readonly text?: string
      /** So long a rejection or discarding can be taken back; without it, not at all. */
      readonly undoSeconds?: number
      readonly by: string
    },
  ): Promise<Outcome<readonly Decided[], 'notFound'>>
  bounces(ask: Of): Promise<Outcome<readonly MemberBounces[], 'notFound'>>
  /** Mails that could not be worked on. */
  aside(ask: Of): Promise<Outcome<readonly AsideMail[], 'notFound'>>
  settleAside(
    ask: Of & {
      readonly numbers: readonly number[]
      readonly act: 'retry' | 'drop'
      readonly by: string
    },
  ): Promise<Outcome<readonly Decided[], 'notFound'>>
  /** Asks owners to let somebody in, who has asked for it on a page. */
  admission(
    ask: Of & { readonly account: AccountId },
  ): Promise<Outcome<'asked' | 'tooOften', 'notFound'>>
  /** Sends to the address again. */
  resume(
    ask: Of & { readonly address: string; readonly by: string },
  ): Promise<Outcome<void, 'notFound'>>
}

export function postDesk(keeper: ListKeeper, parts: ListParts, search?: TextSearch): PostDesk {
  const at = (id: AccountId): { list: MailingList; store: ListStore } | undefined => {
    const list = parts.directory.list(id)
    return list && { list, store: new ListStore(parts.mailboxes, id) }
  }
  return {
    async list({ list: id, text, ...wanted }) {
      const found = at(id)
      if (found === undefined) return err('notFound')
      const numbers =
        text === undefined || text === '' ? undefined : await withText(found.store, text, search)
      return ok(
        await archivedPosts(found.store, {
          ...wanted,
          ...(numbers !== undefined && { numbers }),
        }),
      )
    },
    async show({ list: id, number }) {
      const found = at(id)
      const post = found && (await archivedPost(found.store, number))
      if (post === undefined) return err('notFound')
      return ok({ ...post, raw: Buffer.from(post.raw).toString('base64') })
    },
    async recipients({ list: id, number }) {
      const found = at(id)
      const recipients = found && (await recipientsOf(found.store, number))
      return recipients === undefined ? err('notFound') : ok(recipients)
    },
    async held({ list: id }) {
      const found = at(id)
      return found === undefined ? err('notFound') : ok(await heldPosts(found.store))
    },
    async heldPost({ list: id, number, by }) {
      const found = at(id)
      if (found === undefined) return err('notFound')
      return new Moderation(parts, found.list).read(number, by)
    },
    async decide({ list: id, numbers, by, ...how }) {
      const found = at(id)
      if (found === undefined) return err('notFound')
      const work = new Moderation(parts, found.list)
      const decided: Decided[] = []
      for (const number of numbers.slice(0, DECIDED_AT_ONCE_MAX)) {
        // A turn each: what comes in meanwhile does not wait for all of them.
        const end = await keeper.inTurn(id, () => decideOne(work, number, { by, ...how }))
        decided.push({
          number,
          end: end.ok ? 'done' : end.error,
          ...(end.ok && end.value !== undefined && { post: end.value }),
        })
      }
      return ok(decided)
    },
    async bounces({ list: id }) {
      const found = at(id)
      if (found === undefined) return err('notFound')
      return ok([...(await found.store.objects('ListBounce')).values()].map(bouncesOf))
    },
    async aside({ list: id }) {
      const found = at(id)
      return found === undefined ? err('notFound') : ok(await asideMails(found.store))
    },
    async settleAside({ list: id, numbers, act, by }) {
      const found = at(id)
      if (found === undefined) return err('notFound')
      const settled: Decided[] = []
      for (const number of numbers.slice(0, DECIDED_AT_ONCE_MAX)) {
        const isDone = await keeper.inTurn(id, () =>
          settleAside(parts, found.list, number, { act, by }),
        )
        settled.push({ number, end: isDone ? 'done' : 'notFound' })
      }
      return ok(settled)
    },
    async admission({ list: id, account }) {
      const found = at(id)
      const person = parts.directory.account(account)
      if (found === undefined || person === undefined) return err('notFound')
      const member = mainAddressOf(person)
      return ok(await keeper.inTurn(id, () => askAdmission(parts, found.list, member)))
    },
    async resume({ list: id, address: text, by }) {
      const found = at(id)
      const address = parseAddress(text)
      if (found === undefined || !address.ok) return err('notFound')
      const kept = bounceId(address.value)
      if (!(await found.store.objects('ListBounce', [kept])).has(kept)) return err('notFound')
      await commitOfList(parts, found.list, {
        changes: [{ kind: 'forget', object: 'ListBounce', id: kept }],
      })
      tellOfList(parts, found.list, 'list.resumed', { address: text, by })
      return ok(undefined)
    },
  }
}

/** Tells the number of a post that was approved. */
async function decideOne(
  work: Moderation,
  number: number,
  {
    act,
    by,
    text = '',
    undoSeconds = 0,
  }: Pick<Parameters<PostDesk['decide']>[0], 'act' | 'by' | 'text' | 'undoSeconds'>,
): Promise<Outcome<number | undefined, ModerationRefusal>> {
  const end = (how: Ending['end']): Promise<Outcome<undefined, ModerationRefusal>> =>
    undoSeconds > 0
      ? work.endLater(number, how, { by, seconds: undoSeconds })
      : work.end(number, how, by)
  switch (act) {
    case 'approve':
      return work.approve(number, by)
    case 'withdraw':
      return work.withdraw(number, by)
    case 'restore':
      return work.restore(number, by)
    case 'discard':
      return end({ kind: 'discarded' })
    case 'reject':
      return end({ kind: 'rejected', text })
    default:
      return assertNever(act)
  }
}

/** Numbers of posts in which the text stands; what the index cannot tell is told by what a list shows of it. */
async function withText(
  store: ListStore,
  text: string,
  search: TextSearch | undefined,
): Promise<ReadonlySet<number>> {
  const { posts } = await store.rows()
  const found = new Set<number>()
  if (posts === undefined) return found
  const view = await store.mailboxes.view({
    accountId: store.id,
    mailboxId: posts.id,
    emails: true,
  })
  if (view?.emails === undefined) return found
  const { uids } = view
  const { emailNumbers } = view.emails
  const term = foldText(text)
  const decide = await search?.({
    accountId: store.id,
    query: {
      kind: 'or',
      queries: [
        { kind: 'text', places: ['subject', 'from', 'body'], term },
        { kind: 'field', name: 'x-original-from', term },
      ],
    },
    within: Uint32Array.from(emailNumbers).toSorted(),
    goOn: () => turn(),
  })
  for (const [at, uid] of uids.entries()) {
    const told = decide?.(emailNumbers[at]!)
    if (told === true) found.add(uid)
    if (told !== undefined) continue
    const meta = (await store.meta({ mailbox: posts, uid: uid as never }))?.meta
    const shown = meta === undefined ? '' : `${subjectOf(meta)}\n${meta.preview}`
    if (foldText(shown).includes(term)) found.add(uid)
  }
  return found
}

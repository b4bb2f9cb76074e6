import type { Octets } from '#base/octets.ts'
import { formatAddress } from '#model/address.ts'
import type { Uid } from '#model/mailbox.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'

import { letterOf } from './letter.ts'
import type { Letter } from './letter.ts'
import { subjectOf } from './list-mail.ts'
import type { ListPlace, ListStore } from './list-store.ts'

/** A post of the archive, as far as lists show it. */
export interface ArchivedPost {
  readonly number: number
  readonly subject: string
  /** As From shows it. */
  readonly author: string
  readonly messageId: string | null
  readonly postedAtMs: number
  /** People it went to; undefined: it is not known any more. */
  readonly recipients?: number
  readonly approvedBy?: string
  readonly withdrawnBy?: string
  /** It has not gone out yet, and can be taken back. */
  readonly waits: boolean
}

/** Posts of one page. */
const POSTS_AT_ONCE_MAX = 500

/** Which posts, the newest first. */
export interface PostsWanted {
  /** Below this number. */
  readonly before?: number
  /** So many of them stand before the first that is wanted. */
  readonly from?: number
  readonly limit: number
}

export interface PostsPage {
  readonly posts: readonly ArchivedPost[]
  /** What `before` is for those that follow; absent at the end. */
  readonly next?: number
  /** Of all that fit; a store of an earlier release does not tell. */
  readonly total?: number
}

/** A part of the archive; of those alone whose numbers are given, where they are. */
export async function archivedPosts(
  store: ListStore,
  ask: PostsWanted & { readonly numbers?: ReadonlySet<number> },
): Promise<PostsPage> {
  const { posts } = await store.rows()
  if (posts === undefined) return { posts: [], total: 0 }
  const fitting = (await store.uids(posts)).filter((uid) => ask.numbers?.has(uid) ?? true)
  const below = ask.before ?? Number.MAX_SAFE_INTEGER
  const all = fitting
    .filter((uid) => uid < below)
    .toReversed()
    .slice(ask.from ?? 0)
  const limit = Math.min(ask.limit, POSTS_AT_ONCE_MAX)
  const uids = all.slice(0, limit)
  const kept = await store.objects('Post', uids.map(String))
  const found: ArchivedPost[] = []
  for (const uid of uids) {
    const object = kept.get(String(uid))
    found.push(
      object === undefined ? await fromMeta(store, { mailbox: posts, uid }) : fromObject(object),
    )
  }
  const last = uids.at(-1)
  return {
    posts: found,
    total: fitting.length,
    ...(all.length > limit && last !== undefined && { next: last }),
  }
}

/** Who received it; undefined where it is not known. */
export async function recipientsOf(
  store: ListStore,
  number: number,
): Promise<readonly string[] | undefined> {
  const id = String(number)
  const set = (await store.objects('Post', [id])).get(id)?.value['set']
  if (typeof set !== 'string') return undefined
  const addresses = (await store.objects('Recipients', [set])).get(set)?.value['addresses']
  if (typeof addresses !== 'string') return undefined
  return addresses === '' ? [] : addresses.split('\n')
}

/** Octets of a raw message that an answer holds. */
const RAW_BYTES_MAX = 1024 * 1024

/** Which posts stand beside one, by their numbers: in the archive, and in its thread. */
export interface PostPlace {
  readonly older?: number
  readonly newer?: number
  /** Where there is more than one in it. */
  readonly thread?: {
    readonly older?: number
    readonly newer?: number
    /** From 1 on, the oldest first. */
    readonly place: number
    readonly count: number
  }
}

async function placeOf(store: ListStore, { mailbox, uid }: ListPlace): Promise<PostPlace> {
  const { uids, threads } = await store.threads(mailbox)
  const at = uids.indexOf(uid)
  const ofThread = uids.filter((_, index) => threads[index] === threads[at])
  const place = ofThread.indexOf(uid)
  return {
    ...beside(uids, at),
    ...(ofThread.length > 1 && {
      thread: { ...beside(ofThread, place), place: place + 1, count: ofThread.length },
    }),
  }
}

function beside(numbers: ArrayLike<number>, at: number): Pick<PostPlace, 'older' | 'newer'> {
  const [older, newer] = [numbers[at - 1], numbers[at + 1]]
  return { ...(older !== undefined && { older }), ...(newer !== undefined && { newer }) }
}

/** A post whole: what it says, and its octets up to a limit. */
export async function archivedPost(
  store: ListStore,
  number: number,
): Promise<
  | {
      readonly post: ArchivedPost
      readonly letter: Letter
      readonly preview: string
      readonly raw: Octets
      readonly sizeBytes: number
      readonly place: PostPlace
    }
  | undefined
> {
  const { posts } = await store.rows()
  if (posts === undefined) return undefined
  const place = { mailbox: posts, uid: number as Uid }
  const stored = await store.meta(place)
  if (stored === undefined) return undefined
  const [post] = (await archivedPosts(store, { limit: 1, numbers: new Set([number]) })).posts
  if (post === undefined) return undefined
  const { meta, prefixBytes } = stored
  const raw = await store.read(place, prefixBytes, Math.min(meta.sizeBytes, RAW_BYTES_MAX))
  return {
    post,
    letter: await letterOf(store, place, stored),
    preview: meta.preview,
    raw,
    sizeBytes: meta.sizeBytes,
    place: await placeOf(store, place),
  }
}

function fromObject({ id, value, waits }: KeptObject): ArchivedPost {
  const text = (name: string): string | undefined =>
    typeof value[name] === 'string' ? value[name] : undefined
  const [approvedBy, withdrawnBy] = [text('approvedBy'), text('withdrawnBy')]
  return {
    number: Number(id),
    subject: text('subject') ?? '',
    author: text('shown') ?? '',
    messageId: text('messageId') ?? null,
    postedAtMs: Number(value['postedAtMs'] ?? 0),
    recipients: Number(value['recipients'] ?? 0),
    ...(approvedBy !== undefined && { approvedBy }),
    ...(withdrawnBy !== undefined && { withdrawnBy }),
    waits,
  }
}

/** One of an import, or so old that no more is known than what it says itself. */
async function fromMeta(store: ListStore, place: ListPlace): Promise<ArchivedPost> {
  const meta = (await store.meta(place))?.meta
  const [from] = meta?.envelope.from ?? []
  return {
    number: place.uid,
    subject: meta === undefined ? '' : subjectOf(meta),
    author:
      from?.host === undefined
        ? ''
        : formatAddress({ localpart: from.mailbox ?? '', domain: from.host }),
    messageId: meta?.envelope.messageId ?? null,
    postedAtMs: meta?.sentAtMs ?? 0,
    waits: false,
  }
}

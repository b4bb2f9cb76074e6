import { z } from 'zod'
import type { Outcome } from '#base/outcome.ts'
import { done } from '#contract/admin/common.ts'
import {
  asideMails,
  bouncingAddress,
  heldPost,
  heldPosts,
  listBounces,
  listPostRecipients,
  listPosts,
  listPostWhole,
  postDiscarding,
  postNumbers,
  postRejection,
  postsDecided,
  postsQuery,
} from '#contract/admin/posts.ts'
import type { LetterBody, ListPostBody } from '#contract/admin/posts.ts'
import type { VerdictBody } from '#contract/admin/mail.ts'
import type { ArchivedPost } from '#engine/list/archive.ts'
import type { PostDesk } from '#engine/list/desk.ts'
import type { HeldPost } from '#engine/list/held-post.ts'
import type { Letter } from '#engine/list/letter.ts'
import type { MailingList } from '#model/list.ts'
import type { Verdict } from '#model/verdict.ts'
import type { Directory } from '#store/directory/directory.ts'

import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { anyList } from './lists/right.ts'
import { askStore, authorText } from './store-ask.ts'

const named = z.object({ list: z.string().max(1_000) })
const post = named.extend({ n: z.coerce.number().int().min(1).max(4_294_967_295) })

const READ = { permission: 'content.read', part: 'reader' } as const
const LOOK = { permission: 'content.read', part: 'moderator' } as const
const TRACE = { permission: 'trace.read', part: 'moderator' } as const
const DECIDE = { permission: 'content.write', part: 'moderator' } as const
const CHANGE = { permission: 'content.write', part: 'owner' } as const

/** Posts of mailing lists: their archive, what waits for a decision, and whom they do not reach. */
export function postRoutes(app: AdminServer, deps: AdminDeps): void {
  const ask = async <T>(
    text: string,
    work: (posts: PostDesk, list: MailingList) => Promise<Outcome<T, 'notFound'>>,
  ): Promise<T> => {
    const list = listOf(deps.directory.directory, text)
    const { node, posts } = deps.posts()
    const outcome = await askStore(node, () => work(posts, list))
    if (outcome.ok) return outcome.value
    throw new ApiError(
      'notFound',
      `${text} has no such post`,
      `watari list posts ${text} shows those that it has.`,
    )
  }

  app.get(
    '/lists/:list/posts',
    {
      config: { permission: 'known', posts: READ },
      schema: { params: named, querystring: postsQuery, response: { 200: listPosts } },
    },
    async (request) => {
      const { before, from, limit, text } = request.query
      const { posts, next, total } = await ask(request.params.list, (desk, { id }) =>
        desk.list({
          list: id,
          limit,
          ...(before !== undefined && { before }),
          ...(from !== undefined && { from }),
          ...(text !== undefined && { text }),
        }),
      )
      return {
        items: posts.map(bodyOf),
        ...(total !== undefined && { total }),
        ...(next !== undefined && { next: String(next) }),
      }
    },
  )

  app.get(
    '/lists/:list/posts/:n',
    {
      config: { permission: 'known', posts: READ },
      schema: { params: post, response: { 200: listPostWhole } },
    },
    async (request) => {
      const whole = await ask(request.params.list, (desk, { id }) =>
        desk.show({ list: id, number: request.params.n }),
      )
      const { post: shown, letter, place = {}, ...more } = whole
      return { ...bodyOf(shown), ...letterBody(letter), ...more, ...place }
    },
  )

  app.get(
    '/lists/:list/posts/:n/recipients',
    {
      config: { permission: 'known', posts: TRACE },
      schema: { params: post, response: { 200: listPostRecipients } },
    },
    async (request) => {
      const to = await ask(request.params.list, (desk, { id }) =>
        desk.recipients({ list: id, number: request.params.n }),
      )
      return { items: to.map((address) => ({ address })) }
    },
  )

  app.get(
    '/lists/:list/held',
    {
      config: { permission: 'known', posts: LOOK },
      schema: { params: named, response: { 200: heldPosts } },
    },
    async (request) => {
      const held = await ask(request.params.list, (desk, { id }) => desk.held({ list: id }))
      return { items: held.map(heldBody) }
    },
  )

  app.get(
    '/lists/:list/held/:n',
    {
      config: { permission: 'known', posts: LOOK },
      schema: { params: post, response: { 200: heldPost } },
    },
    async (request) => {
      const by = authorText(request)
      const { held, letter, verdict } = await ask(request.params.list, (desk, { id }) =>
        desk.heldPost({ list: id, number: request.params.n, by }),
      )
      return {
        ...heldBody(held),
        ...letterBody(letter),
        verdict: verdict === undefined ? null : verdictBody(verdict),
      }
    },
  )

  for (const act of ['approve', 'reject', 'discard', 'restore'] as const)
    app.post(
      `/lists/:list/held/${act}`,
      {
        config: { permission: 'known', posts: DECIDE },
        schema: {
          params: named,
          body: BODIES[act],
          response: { 200: postsDecided },
        },
      },
      async (request) => {
        const { numbers, ...more } = request.body as z.infer<typeof postRejection>
        return decide(request, {
          act,
          numbers,
          ...(more.text !== undefined && { text: more.text }),
          ...(more.undoSeconds !== undefined && { undoSeconds: more.undoSeconds }),
        })
      },
    )

  app.post(
    '/lists/:list/posts/withdraw',
    {
      config: { permission: 'known', posts: CHANGE },
      schema: { params: named, body: postNumbers, response: { 200: postsDecided } },
    },
    (request) => decide(request, { act: 'withdraw', numbers: request.body.numbers }),
  )

  const decide = async (
    request: Parameters<typeof authorText>[0] & { readonly params: z.infer<typeof named> },
    what: Pick<Parameters<PostDesk['decide']>[0], 'act' | 'numbers' | 'text' | 'undoSeconds'>,
  ) => {
    const by = authorText(request)
    const decided = await ask(request.params.list, (desk, { id }) =>
      desk.decide({ list: id, by, ...what }),
    )
    return { items: [...decided] }
  }

  app.get(
    '/lists/:list/aside',
    {
      config: { permission: 'known', posts: TRACE },
      schema: { params: named, response: { 200: asideMails } },
    },
    async (request) => {
      const mails = await ask(request.params.list, (desk, { id }) => desk.aside({ list: id }))
      const items = mails.map(({ shown, asideAtMs, ...rest }) => ({
        ...rest,
        from: shown,
        asideAt: isoTime(asideAtMs),
      }))
      return { items }
    },
  )

  for (const act of ['retry', 'drop'] as const)
    app.post(
      `/lists/:list/aside/${act}`,
      {
        config: { permission: 'known', posts: CHANGE },
        schema: { params: named, body: postNumbers, response: { 200: postsDecided } },
      },
      async (request) => {
        const { numbers } = request.body
        const by = authorText(request)
        const items = await ask(request.params.list, (desk, { id }) =>
          desk.settleAside({ list: id, numbers, act, by }),
        )
        return { items: [...items] }
      },
    )

  app.get(
    '/lists/:list/bounces',
    {
      config: { permission: 'known', posts: TRACE },
      schema: { params: named, response: { 200: listBounces } },
    },
    async (request) => {
      const bounces = await ask(request.params.list, (desk, { id }) => desk.bounces({ list: id }))
      const items = bounces.map(({ suspendedAtMs, days, ...rest }) => ({
        ...rest,
        days: [...days],
        suspendedAt: suspendedAtMs === undefined ? null : isoTime(suspendedAtMs),
      }))
      return { items }
    },
  )

  app.post(
    '/lists/:list/bounces/resume',
    {
      config: { permission: 'known', posts: CHANGE },
      schema: { params: named, body: bouncingAddress, response: { 200: done } },
    },
    async (request) => {
      const { address } = request.body
      const by = authorText(request)
      await ask(request.params.list, (desk, { id }) => desk.resume({ list: id, address, by }))
      return { pending: [] }
    },
  )
}

const BODIES = {
  approve: postNumbers,
  reject: postRejection,
  discard: postDiscarding,
  restore: postNumbers,
} as const

/** By id or any of its addresses. */
function listOf(directory: Directory, text: string): MailingList {
  const list = anyList(directory, text)
  if (list !== undefined && list.deletedAt === undefined) return list
  throw new ApiError('notFound', `there is no list ${text}`, 'watari list ls shows the lists.')
}

const bodyOf = ({
  postedAtMs,
  recipients,
  approvedBy,
  withdrawnBy,
  ...rest
}: ArchivedPost): ListPostBody => ({
  ...rest,
  postedAt: isoTime(postedAtMs),
  recipients: recipients ?? null,
  approvedBy: approvedBy ?? null,
  withdrawnBy: withdrawnBy ?? null,
})

function heldBody({ by, shown, standing, heldAtMs, ending, ...rest }: HeldPost) {
  return {
    ...rest,
    decidedBy: by,
    from: shown,
    proof: standing,
    heldAt: isoTime(heldAtMs),
    ending: ending ? { end: ending.end.kind, by: ending.by, at: isoTime(ending.atMs) } : null,
  }
}

const letterBody = ({ fields, attachments, ...rest }: Letter): LetterBody => ({
  ...rest,
  fields: [...fields],
  attachments: [...attachments],
})

/** Without who logged in: it is an id, and says no more than the author does. */
function verdictBody(verdict: Verdict): VerdictBody {
  const { caseId, score, virus } = verdict
  return {
    class: verdict.class,
    score,
    virus,
    caseId,
    hits: [...verdict.hits],
    auth: verdict.auth.map(({ method, result, properties }) => ({
      method,
      result,
      properties: properties.map((pair) => [...pair]),
    })),
    degraded: [...verdict.degraded],
  }
}

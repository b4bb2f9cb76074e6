import { Fault } from '#base/outcome.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import { POST_CALLS } from '#contract/node/posts.ts'
import type { PostDesk } from '#engine/list/desk.ts'

type Name = keyof typeof POST_CALLS
type Verb<N extends Name> = N extends `post.${infer V extends keyof PostDesk}` ? V : never
type Ask<N extends Name> = Parameters<PostDesk[Verb<N>]>[0]

/** What control may ask of a store about posts of mailing lists. */
export const postCalls = (
  desk: PostDesk,
): Readonly<Record<Name, (argument: never) => Promise<unknown>>> => ({
  'post.list': (given) => desk.list(argument('post.list', given)),
  'post.show': (given) => desk.show(argument('post.show', given)),
  'post.recipients': (given) => desk.recipients(argument('post.recipients', given)),
  'post.held': (given) => desk.held(argument('post.held', given)),
  'post.heldPost': (given) => desk.heldPost(argument('post.heldPost', given)),
  'post.decide': (given) => desk.decide(argument('post.decide', given)),
  'post.aside': (given) => desk.aside(argument('post.aside', given)),
  'post.settleAside': (given) => desk.settleAside(argument('post.settleAside', given)),
  'post.admission': (given) => desk.admission(argument('post.admission', given)),
  'post.bounces': (given) => desk.bounces(argument('post.bounces', given)),
  'post.resume': (given) => desk.resume(argument('post.resume', given)),
})

function argument<N extends Name>(name: N, given: unknown): Ask<N> {
  const parsed = POST_CALLS[name].safeParse(given)
  if (parsed.success) return parsed.data as unknown as Ask<N>
  throw new Fault('invalid', `${name}: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
}

/** A store's posts of lists, asked through its node API. */
export const remotePosts = (store: NodeCaller): PostDesk => ({
  list: (ask) => store.call('post.list', ask) as ReturnType<PostDesk['list']>,
  show: (ask) => store.call('post.show', ask) as ReturnType<PostDesk['show']>,
  recipients: (ask) => store.call('post.recipients', ask) as ReturnType<PostDesk['recipients']>,
  held: (ask) => store.call('post.held', ask) as ReturnType<PostDesk['held']>,
  heldPost: (ask) => store.call('post.heldPost', ask) as ReturnType<PostDesk['heldPost']>,
  decide: (ask) => store.call('post.decide', ask) as ReturnType<PostDesk['decide']>,
  aside: (ask) => store.call('post.aside', ask) as ReturnType<PostDesk['aside']>,
  settleAside: (ask) => store.call('post.settleAside', ask) as ReturnType<PostDesk['settleAside']>,
  admission: (ask) => store.call('post.admission', ask) as ReturnType<PostDesk['admission']>,
  bounces: (ask) => store.call('post.bounces', ask) as ReturnType<PostDesk['bounces']>,
  resume: (ask) => store.call('post.resume', ask) as ReturnType<PostDesk['resume']>,
})

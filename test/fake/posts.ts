import { err } from '#base/outcome.ts'
import type { PostDesk } from '#engine/list/desk.ts'

const none = () => Promise.resolve(err('notFound' as const))

/** Posts of lists, of which there are none. */
export const NO_POSTS: PostDesk = {
  list: none,
  show: none,
  recipients: none,
  held: none,
  heldPost: none,
  decide: none,
  aside: none,
  settleAside: none,
  admission: none,
  bounces: none,
  resume: none,
}

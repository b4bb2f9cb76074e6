import type { AdminDeps } from '#server/admin/context.ts'
import { remoteKeeping } from '#app/nodes/keeping-calls.ts'
import { remoteQueue } from '#app/nodes/node-callers.ts'
import type { NodeCallers } from '#app/nodes/node-callers.ts'
import { remotePosts } from '#app/nodes/post-calls.ts'
import { remoteScripts } from '#app/nodes/script-calls.ts'
import { remoteSearch } from '#app/nodes/search-calls.ts'

type RemoteRooms = Pick<AdminDeps, 'queues' | 'scripts' | 'keeping' | 'posts' | 'search'>

/** What the API asks of other nodes: the queues of all, and the rooms of the store. Fault `unavailable`: not joined yet. */
export const remoteRooms = (callers: NodeCallers): RemoteRooms => ({
  queues: () => callers.queues().map(({ node, caller }) => ({ node, queue: remoteQueue(caller) })),
  scripts: () => {
    const { node, caller } = callers.store()
    return { node, scripts: remoteScripts(caller) }
  },
  keeping: () => {
    const { node, caller } = callers.store()
    return { node, keeping: remoteKeeping(caller) }
  },
  posts: () => {
    const { node, caller } = callers.store()
    return { node, posts: remotePosts(caller) }
  },
  search: () => {
    const { node, caller } = callers.store()
    return { node, search: remoteSearch(caller) }
  },
})

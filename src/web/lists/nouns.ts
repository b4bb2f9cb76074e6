import type { z } from 'zod'

import type { listsOfUser, openLists } from '#contract/admin/lists.ts'
import type { heldPosts } from '#contract/admin/posts.ts'

export type MyListBody = z.infer<typeof listsOfUser>['items'][number]
export type OpenListBody = z.infer<typeof openLists>['items'][number]
export type HeldPostBody = z.infer<typeof heldPosts>['items'][number]

/** What a change can be taken back by. */
export interface Undoable {
  readonly undo?: string | undefined
}

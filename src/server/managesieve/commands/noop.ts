import { ANY } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.13: a client finds its place among pipelined answers by the tag. */
export const noop: ManageSieveHandler<'NOOP'> = {
  verb: 'NOOP',
  states: ANY,
  run: (_, { tag }) => (tag === undefined ? done('Done') : done('Done', 'TAG', tag)),
}

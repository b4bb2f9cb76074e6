import { putCapabilities } from '#server/managesieve/capabilities.ts'
import { ANY } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.4. */
export const capability: ManageSieveHandler<'CAPABILITY'> = {
  verb: 'CAPABILITY',
  states: ANY,
  run(session) {
    putCapabilities(session)
    return done('Done')
  },
}

import { ANY } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.3: whatever was pipelined behind it is not looked at. */
export const logout: ManageSieveHandler<'LOGOUT'> = {
  verb: 'LOGOUT',
  states: ANY,
  run(session) {
    session.end()
    return done('Bye')
  },
}

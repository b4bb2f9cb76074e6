import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.14: for programs that serve many users over one connection. */
export const unauthenticate: ManageSieveHandler<'UNAUTHENTICATE'> = {
  verb: 'UNAUTHENTICATE',
  states: LOGGED_IN,
  run(session) {
    session.logOut()
    return done('Log in again')
  },
}

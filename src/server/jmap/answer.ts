import { isFault } from '#base/outcome.ts'
import type { Call, JmapRoom } from './room.ts'
import { sharedAccounts } from './account-of.ts'
import { runRequest } from './api.ts'
import { sessionResource } from './session-resource.ts'
import type { Session } from './session-resource.ts'

/** The Response to a Request (RFC 8620 §3.4), whatever it came by. Throws RequestError. */
export async function answerRequest(
  call: Call,
  body: unknown,
  origin: string,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await runRequest(call, body)
  const { state } = await sessionOf(call, origin).catch((thrown: unknown) => {
    // The calls were answered: that nobody tells what is shared now is asked for by the Session itself.
    if (!isFault(thrown)) throw thrown
    return sessionResource(call.login, { origin, limits: call.room.limits, shared: [] })
  })
  return { ...answer, sessionState: state }
}

/** The login's Session as of now; its URLs begin with `origin`. */
export async function sessionOf(
  { login, room }: Pick<Call, 'login'> & { readonly room: JmapRoom },
  origin: string,
): Promise<Session> {
  const shared = await sharedAccounts({ login, room })
  return sessionResource(login, { origin, limits: room.limits, shared })
}

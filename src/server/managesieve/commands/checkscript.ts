import type { Octets } from '#base/octets.ts'
import { toUtf8Strict } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { ManageSieveResponse } from '#codec/managesieve/response.ts'
import { scriptWarnings } from '#engine/deliver/script-warnings.ts'
import { checkScript } from '#engine/deliver/scripts.ts'
import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, lines, no, refused } from '#server/managesieve/responses.ts'
import type { ManageSieveSession } from '#server/managesieve/session.ts'

/** RFC 5804 §2.12: as PUTSCRIPT, but nothing is stored. */
export const checkscript: ManageSieveHandler<'CHECKSCRIPT'> = {
  verb: 'CHECKSCRIPT',
  states: LOGGED_IN,
  run: (session, { script }) =>
    withText(script, (text) => {
      const refusal = checkScript(text)
      return refusal === undefined ? accepted(session, text) : refused(refusal)
    }),
}

export const withText = (
  script: Octets,
  run: (text: string) => ManageSieveResponse | Promise<ManageSieveResponse>,
): ManageSieveResponse | Promise<ManageSieveResponse> => {
  const text = toUtf8Strict(script)
  return text === undefined ? no('The script is not UTF-8') : run(text)
}

/** What is right, and what of it is hardly meant (§1.3, WARNINGS). */
export async function accepted(
  session: ManageSieveSession,
  text: string,
): Promise<ManageSieveResponse> {
  const { accountId, options } = session
  try {
    const { mailboxes } = await options.shared.store.mailboxes({ accountId })
    const warnings = scriptWarnings(text, mailboxes)
    if (warnings.length > 0) return done(lines(warnings), 'WARNINGS')
  } catch (thrown) {
    // What was stored is stored, whatever becomes of looking.
    if (!isFault(thrown)) throw thrown
  }
  return done('The script is right')
}

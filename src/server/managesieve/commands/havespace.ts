import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import { parseScriptName, SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, no } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.5. */
export const havespace: ManageSieveHandler<'HAVESPACE'> = {
  verb: 'HAVESPACE',
  states: LOGGED_IN,
  async run({ scripts, accountId }, { name, sizeBytes }) {
    const wanted = parseScriptName(name)
    if (!wanted.ok) return no(wanted.error)
    if (sizeBytes > SCRIPT_BYTES_MAX)
      return no(`A script may have ${SCRIPT_BYTES_MAX} octets`, 'QUOTA/MAXSIZE')
    const all = await scripts.list({ accountId })
    const isNew = !all.some((script) => script.name === wanted.value)
    if (isNew && all.length >= SCRIPTS_PER_ACCOUNT_MAX)
      return no(`${SCRIPTS_PER_ACCOUNT_MAX} scripts are the most`, 'QUOTA/MAXSCRIPTS')
    return done('There is room')
  },
}

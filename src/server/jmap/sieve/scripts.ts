import { createHash } from 'node:crypto'
import type { Scripts, ScriptsRefusal } from '#engine/deliver/scripts.ts'
import type { ScriptEntry } from '#model/script.ts'
import { scriptBlobId } from '#server/jmap/email/script-blob.ts'
import { MethodError, SetRefusal } from '#server/jmap/method/method-error.ts'
import type { Answer, Call } from '#server/jmap/room.ts'

/** The scripts of the account that is asked, and the state that they are in. */
export async function loadScripts(
  call: Call,
): Promise<{ readonly state: string; readonly scripts: readonly ScriptEntry[] }> {
  const { scripts } = await call.room.store.scripts({ accountId: call.account.id })
  return { state: scriptsState(scripts), scripts }
}

/** Of all that can be seen of them: RFC 9661 has no way to ask for changes since. */
const scriptsState = (scripts: readonly ScriptEntry[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify(scripts.map(({ id, name, active, digest }) => [id, name, active, digest])),
    )
    .digest('hex')
    .slice(0, 20)

export const SCRIPT_PROPERTIES: readonly string[] = 'id name blobId isActive'.split(' ')

/** RFC 9661 §2.1. */
export const showScript = ({ id, name, active, digest }: ScriptEntry): Answer => ({
  id,
  name,
  blobId: scriptBlobId(digest),
  isActive: active,
})

/** The account's scripts as this login changes them. Ends the call where none are kept here. */
export function scriptsBook({ room, login, ip }: Call): Scripts {
  if (room.scripts === undefined) throw new MethodError('serverUnavailable')
  return room.scripts(`${login.username} by jmap ${ip}`)
}

/** What a refusal is to JMAP (RFC 9661 §2.4). */
export function refusalOf(
  { code, message, limit, errors }: ScriptsRefusal,
  there: readonly ScriptEntry[],
  name: string,
): SetRefusal {
  switch (code) {
    case 'exists': {
      const existingId = there.find((each) => each.name === name)?.id
      return new SetRefusal({
        type: 'alreadyExists',
        description: message,
        ...(existingId !== undefined && { existingId }),
      })
    }
    case 'limit':
      return new SetRefusal({
        type: limit === 'octets' ? 'tooLarge' : 'overQuota',
        description: message,
      })
    case 'active':
      return new SetRefusal({ type: 'sieveIsActive', description: message })
    case 'notFound':
      return new SetRefusal({ type: 'notFound' })
    case 'invalid':
      return errors === undefined
        ? new SetRefusal({ type: 'invalidProperties', description: message, properties: ['name'] })
        : new SetRefusal({ type: 'invalidSieve', description: message })
  }
}

import { toUtf8Strict } from '#base/octets.ts'
import { checkScript } from '#engine/deliver/scripts.ts'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import { findBlob, readBlob } from '#server/jmap/email/source.ts'
import { invalidArguments, MethodError, SetRefusal } from '#server/jmap/method/method-error.ts'
import type { SetError } from '#server/jmap/method/method-error.ts'
import { SIEVE } from '#server/jmap/room.ts'
import type { Call, Method } from '#server/jmap/room.ts'
import { refusalOf } from './scripts.ts'

/** RFC 9661 §2.6: as SieveScript/set would check it, but nothing is stored. */
export const scriptValidate: Method = {
  name: 'SieveScript/validate',
  capability: SIEVE,
  args: ['blobId'],
  async run(call, args) {
    const blobId = args.id('blobId')
    if (blobId === undefined) throw invalidArguments('blobId is missing')
    return { error: await errorOf(call, blobId) }
  },
}

async function errorOf(call: Call, blobId: string): Promise<SetError | null> {
  try {
    const refused = checkScript(await scriptText(call, blobId))
    return refused === undefined ? null : refusalOf(refused, [], '').error
  } catch (thrown) {
    if (!(thrown instanceof SetRefusal)) throw thrown
    // Nothing to look at is a fault of the call, not of a script.
    if (thrown.error.type === 'blobNotFound') throw new MethodError('blobNotFound')
    return thrown.error
  }
}

/** The script that a blob holds. Throws SetRefusal where it is none. */
export async function scriptText(call: Call, blobId: unknown): Promise<string> {
  const blob = typeof blobId === 'string' ? await findBlob(call, blobId) : undefined
  if (blob === undefined)
    throw new SetRefusal({ type: 'blobNotFound', notFound: [String(blobId).slice(0, 255)] })
  // A transfer encoding makes it shorter by a half at most.
  if (blob.length > 2 * SCRIPT_BYTES_MAX) throw new SetRefusal({ type: 'tooLarge' })
  const text = toUtf8Strict(await readBlob(blob))
  if (text === undefined)
    throw new SetRefusal({ type: 'invalidSieve', description: 'the script is not UTF-8' })
  return text
}

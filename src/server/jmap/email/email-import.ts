import { isObject } from '#server/jmap/method/args.ts'
import { loadEmails } from './emails.ts'
import { fileEmail, readPlacing } from './filing.ts'
import {
  invalidArguments,
  invalidProperties,
  MethodError,
  SetRefusal,
} from '#server/jmap/method/method-error.ts'
import { MAIL } from '#server/jmap/room.ts'
import type { Answer, Method } from '#server/jmap/room.ts'
import { objects, SetResult } from '#server/jmap/method/set-frame.ts'
import { findBlob, isMessage, readBlob } from './source.ts'
import { emailState } from '#server/jmap/method/states.ts'

const KNOWN = ['blobId', 'mailboxIds', 'keywords', 'receivedAt']

/** RFC 8621 §4.8: octets as they were uploaded, whatever they are. */
export const emailImport: Method = {
  name: 'Email/import',
  capability: MAIL,
  args: ['ifInState', 'emails'],
  writes: true,
  async run(call, args): Promise<Answer> {
    const { state: before } = await loadEmails(call, [])
    const ifInState = args.string('ifInState')
    if (ifInState !== undefined && ifInState !== emailState(before))
      throw new MethodError('stateMismatch')
    if (args.map('emails') === undefined) throw invalidArguments('emails is missing')
    const emails = objects(args, 'emails')
    if (emails.length > call.room.limits.maxObjectsInSet) throw new MethodError('requestTooLarge')
    const result = new SetResult()
    for (const [creationId, properties] of emails) {
      try {
        const strange = Object.keys(properties).find((name) => !KNOWN.includes(name))
        if (!isObject(properties) || strange !== undefined)
          throw invalidProperties('that cannot be given', strange?.slice(0, 100) ?? '')
        const placing = await readPlacing(call, args, properties)
        const { blobId } = properties
        const blob = typeof blobId === 'string' ? await findBlob(call, blobId) : undefined
        if (blob === undefined) throw invalidProperties('there is no such blob', 'blobId')
        const octets = await readBlob(blob)
        if (!isMessage(octets)) throw new SetRefusal({ type: 'invalidEmail' })
        result.created(call, creationId, await fileEmail(call, octets, placing))
      } catch (thrown) {
        result.refuse('notCreated', creationId, thrown)
      }
    }
    const { state: after } = await loadEmails(call, [])
    const { created, notCreated } = result.answer()
    return { oldState: emailState(before), newState: emailState(after), created, notCreated }
  },
}

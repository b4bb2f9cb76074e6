import { loadEmails } from '#server/jmap/email/emails.ts'
import { emailIdOf, findBlob } from '#server/jmap/email/source.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { BLOB } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'

/** What may be asked for: types whose objects have blobs here. */
export const LOOKED_UP = ['Mailbox', 'Thread', 'Email'] as const

/** RFC 9404 §4.3: which objects a blob is in. */
export const blobLookup: Method = {
  name: 'Blob/lookup',
  capability: BLOB,
  args: ['typeNames', 'ids'],
  async run(call, args): Promise<Answer> {
    const typeNames = args.strings('typeNames')
    const ids = idsToGet(call, args)
    if (typeNames === undefined || ids === undefined)
      throw invalidArguments('typeNames and ids are missing')
    if (!typeNames.every((name) => (LOOKED_UP as readonly string[]).includes(name)))
      throw new MethodError('unknownDataType')
    const list: Answer[] = []
    const notFound: string[] = []
    for (const id of ids) {
      const matched = await matchedBy(call, id)
      if (matched === undefined) notFound.push(id)
      else
        list.push({
          id,
          matchedIds: Object.fromEntries(
            Object.entries(matched).filter(([name]) => typeNames.includes(name)),
          ),
        })
    }
    return { list, notFound }
  },
}

/** Undefined where there is no such blob. */
async function matchedBy(
  call: Call,
  id: string,
): Promise<Readonly<Record<(typeof LOOKED_UP)[number], readonly string[]>> | undefined> {
  if ((await findBlob(call, id)) === undefined) return undefined
  const emailId = emailIdOf(id)
  // An upload is in nothing yet.
  if (emailId === undefined) return { Mailbox: [], Thread: [], Email: [] }
  const [email] = (await loadEmails(call, [emailId])).emails
  return (
    email && {
      Mailbox: [...email.mailboxIds],
      Thread: [email.threadId],
      Email: [emailId],
    }
  )
}

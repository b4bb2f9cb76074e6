import { SECOND_MS } from '#base/time.ts'
import { firstField, headerFields } from '#codec/mime/header.ts'
import { SCRIPT_OF_EVERYBODY } from '#engine/choices/chosen-script.ts'
import { mailOwner } from '#engine/deliver/mail-owner.ts'
import { scriptTrial } from '#engine/deliver/script-trial.ts'
import type { MailToTry } from '#engine/deliver/script-trial.ts'
import { scriptWarnings } from '#engine/deliver/script-warnings.ts'
import { checkScript } from '#engine/deliver/scripts.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { loadEmails, loadMetas } from '#server/jmap/email/emails.ts'
import { storedSource } from '#server/jmap/email/source.ts'
import type { Source } from '#server/jmap/email/source.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { SIEVE_TRIAL } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'

/** Mails of one trial, and octets of each: a script hardly looks further. */
const EMAILS_MAX = 50
const CONTENT_BYTES_MAX = 256 * 1024
/** Scripts of a trial run so long in all; what is left is told as not tried. */
const TRIAL_MS = 3 * SECOND_MS

/** Ours: what is wrong with a script, and what would become of mails, came they now. Nothing is stored. */
export const scriptTest: Method = {
  name: 'SieveScript/test',
  capability: SIEVE_TRIAL,
  args: ['script', 'emailIds'],
  async run(call, args): Promise<Answer> {
    const script = args.string('script')
    if (script === undefined) throw invalidArguments('script is missing')
    const ids = args.ids('emailIds') ?? []
    if (ids.length > EMAILS_MAX)
      throw new MethodError('requestTooLarge', `At most ${EMAILS_MAX} emails a call`)
    const refused = checkScript(script)
    if (refused !== undefined) {
      const errors = refused.errors ?? [{ line: 1, message: refused.message }]
      return { errors, warnings: [], list: [], notFound: [], notTried: ids }
    }
    const { mailboxes } = await call.room.store.mailboxes({ accountId: call.account.id })
    const warnings = scriptWarnings(script, mailboxes)
    return { errors: [], warnings, ...(await tried(call, script, ids)) }
  },
}

async function tried(call: Call, script: string, ids: readonly string[]): Promise<Answer> {
  const compiled = compileSieve(script)
  if (ids.length === 0 || !compiled.ok) return { list: [], notFound: [], notTried: ids }
  const { room, account } = call
  const { clock, store, directory } = room
  const trial = await scriptTrial({
    program: compiled.value,
    chosenScript: room.choices?.view(account).script ?? SCRIPT_OF_EVERYBODY,
    accountId: account.id,
    owner: mailOwner(directory, account.id),
    mailboxes: store,
    ...(room.lists !== undefined && { lists: room.lists(account.id) }),
    nowMs: clock.nowMs(),
  })
  const emails = (await loadEmails(call, ids)).emails.filter((email) => email !== undefined)
  const { metas } = await loadMetas(call, emails)
  const list: Answer[] = []
  const notTried: string[] = []
  let leftMs = TRIAL_MS
  for (const email of emails) {
    const stored = metas.get(email.emailId)
    if (stored === undefined || leftMs <= 0 || call.signal.aborted) {
      notTried.push(email.emailId)
      continue
    }
    const mail = await mailToTry(call, storedSource(call, email, stored))
    const fromMs = clock.nowMs()
    list.push({ id: email.emailId, ...trial.try(mail) })
    leftMs -= clock.nowMs() - fromMs
  }
  const there = new Set<string>(emails.map(({ emailId }) => emailId))
  return { list, notFound: ids.filter((id) => !there.has(id)), notTried }
}

/** As it came: what we put in front of it at its delivery says from whom, and to which address. */
async function mailToTry({ account }: Call, source: Source): Promise<MailToTry> {
  const { prefixBytes, sizeBytes } = source
  const length = Math.min(CONTENT_BYTES_MAX, sizeBytes - prefixBytes)
  const octets = await source.read(0, prefixBytes + length)
  const content = sieveContent(octets.subarray(prefixBytes), sizeBytes - prefixBytes, undefined)
  const fields = [...headerFields(octets.subarray(0, prefixBytes))]
  const path = /<(.*)>/.exec(firstField(fields, 'return-path') ?? '')?.[1]
  const own = { localpart: account.username, domain: account.domain }
  return {
    content,
    reversePath: path === '' ? null : (addressOf(path) ?? content.addresses('from')[0] ?? null),
    recipient: addressOf(firstField(fields, 'delivered-to')) ?? own,
  }
}

function addressOf(text: string | undefined): Address | undefined {
  const parsed = text === undefined ? undefined : parseAddress(text.trim())
  return parsed?.ok === true ? parsed.value : undefined
}

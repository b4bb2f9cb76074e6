import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { ChoicesPatchBody } from '#contract/admin/choices.ts'
import { parseSender } from '#model/choices-fault.ts'
import type { ChoicesPatch, MailFilter, Sender, SenderList, Vacation } from '#model/choices.ts'

/** The patch with everything in its one form; or what of it cannot be understood. */
export function readPatch(body: ChoicesPatchBody): Outcome<ChoicesPatch, string> {
  const [blocked, welcome] = [body.blocked, body.welcome].map(readSenders)
  for (const read of [blocked, welcome]) if (read !== undefined && !read.ok) return read
  const lists: SenderList[] = []
  for (const { name, senders } of body.lists ?? []) {
    const read = readSenders(senders)
    if (read?.ok === false) return read
    lists.push({ name: name.normalize('NFC').trim(), senders: read?.value ?? [] })
  }
  const { junk, vacation, filters } = body
  return ok({
    junk,
    vacation: vacation && readVacation(vacation),
    blocked: blocked?.ok === true ? blocked.value : undefined,
    welcome: welcome?.ok === true ? welcome.value : undefined,
    filters: filters?.map(readFilter),
    ...(filters === null && { filters }),
    lists: body.lists && lists,
  })
}

/** Each once; undefined: nothing is said. */
function readSenders(
  texts: readonly string[] | null | undefined,
): Outcome<readonly Sender[] | null, string> | undefined {
  if (texts === undefined) return undefined
  if (texts === null) return ok(null)
  const senders = new Set<Sender>()
  for (const text of texts) {
    const sender = parseSender(text)
    if (sender === undefined) return err(`'${text}' is neither an address nor a domain`)
    senders.add(sender)
  }
  return ok([...senders])
}

const readVacation = ({
  subject,
  text,
  html,
  outsideText,
  from,
  until,
  ...more
}: NonNullable<ChoicesPatchBody['vacation']>): Vacation => ({
  ...more,
  ...(from !== undefined && { from }),
  ...(until !== undefined && { until }),
  ...(subject !== undefined && subject !== '' && { subject: subject.normalize('NFC') }),
  text: textOf(text),
  ...(html !== undefined && html !== '' && { html: textOf(html) }),
  ...(outsideText !== undefined && outsideText !== '' && { outsideText: textOf(outsideText) }),
})

const textOf = (text: string): string => text.normalize('NFC').replaceAll(/\r\n?/g, '\n')

function readFilter(body: NonNullable<ChoicesPatchBody['filters']>[number]): MailFilter {
  const { name, isOff, match, conditions, folder, copy, flags = [], stop } = body
  return {
    name: name.normalize('NFC').trim(),
    ...(isOff === true && { isOff }),
    match,
    conditions: conditions.map(({ field, is, not, value }) => ({
      field,
      is,
      ...(not === true && { not }),
      value: value.normalize('NFC').trim(),
    })),
    ...(folder !== undefined && folder !== '' && { folder: folder.normalize('NFC') }),
    ...(copy === true && { copy }),
    ...(flags.length > 0 && { flags: [...new Set(flags)] }),
    ...(stop === true && { stop }),
  }
}

import type { ChoicesBody } from '#contract/admin/choices.ts'
import { picked, propertiesOf } from '#server/jmap/method/args.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidProperties, MethodError, SetRefusal } from '#server/jmap/method/method-error.ts'
import { notFound, readSet, SetResult, SET_ARGS } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { VACATION } from '#server/jmap/room.ts'
import type { Answer, Call, ChoicesBook, Method } from '#server/jmap/room.ts'

/** RFC 8621 §8: there is one, and it always is there. */
const ID = 'singleton'
const PROPERTIES: readonly string[] =
  'id isEnabled fromDate toDate subject textBody htmlBody'.split(' ')

type Vacation = NonNullable<ChoicesBody['vacation']>
const OFF: Vacation = { isOn: false, text: '', days: 7, to: 'everybody' }

function bookOf({ room }: Call): ChoicesBook {
  if (room.choices === undefined) throw new MethodError('serverUnavailable')
  return room.choices
}

const stateOf = ({ revision }: ChoicesBody): string => String(revision)

/** RFC 8621 §8.1. */
export const vacationGet: Method = {
  name: 'VacationResponse/get',
  capability: VACATION,
  args: ['ids', 'properties'],
  async run(call, args) {
    const properties = propertiesOf(args, PROPERTIES)
    const ids = idsToGet(call, args)
    const view = bookOf(call).view(call.account)
    return {
      state: stateOf(view),
      list: ids?.includes(ID) === false ? [] : [picked(shown(view), properties)],
      notFound: (ids ?? []).filter((id) => id !== ID),
    }
  },
}

function shown({ vacation }: ChoicesBody): Answer {
  const { isOn, from, until, subject, text, html } = vacation ?? OFF
  return {
    id: ID,
    isEnabled: isOn,
    fromDate: from ?? null,
    toDate: until ?? null,
    subject: subject ?? null,
    textBody: text === '' ? null : text,
    htmlBody: html ?? null,
  }
}

/** RFC 8621 §8.2. */
export const vacationSet: Method = {
  name: 'VacationResponse/set',
  capability: VACATION,
  args: SET_ARGS,
  writes: true,
  async run(call, args) {
    const book = bookOf(call)
    const before = book.view(call.account)
    const ask = readSet(call, args, stateOf(before))
    const result = new SetResult()
    const singleton = new SetRefusal({ type: 'singleton' })
    for (const [id] of ask.create) result.refuse('notCreated', id, singleton)
    for (const id of ask.destroy) result.refuse('notDestroyed', id, singleton)
    for (const [id, patch] of ask.update)
      await update(call, { book, id, patch, before }).then(
        () => result.updated(id),
        (thrown: unknown) => result.refuse('notUpdated', id, thrown),
      )
    const after = book.view(call.account)
    return { oldState: stateOf(before), newState: stateOf(after), ...result.answer() }
  },
}

async function update(
  call: Call,
  {
    book,
    id,
    patch,
    before,
  }: {
    readonly book: ChoicesBook
    readonly id: string
    readonly patch: Properties
    readonly before: ChoicesBody
  },
): Promise<void> {
  if (id !== ID) throw notFound()
  const vacation = patched(before.vacation ?? OFF, patch)
  const { revision } = before
  const done = await book.act(call.account.id, { kind: 'set', revision, patch: { vacation } })
  if (done.end === 'stale') throw new MethodError('stateMismatch')
  if (done.end !== 'done') throw invalidProperties(done.message)
}

function patched(before: Vacation, patch: Properties): Vacation {
  let { from, until, subject, html, ...rest } = before
  for (const [name, value] of Object.entries(patch)) {
    const text = typeof value === 'string' ? value : undefined
    if (text === undefined && value !== null && name !== 'isEnabled')
      throw invalidProperties(`${name} is a text or null`, name)
    switch (name) {
      case 'id':
        if (value !== ID) throw invalidProperties('that cannot be set', name)
        break
      case 'isEnabled':
        if (typeof value !== 'boolean') throw invalidProperties('isEnabled is true or false', name)
        rest = { ...rest, isOn: value }
        break
      case 'fromDate':
        from = text
        break
      case 'toDate':
        until = text
        break
      case 'subject':
        subject = text
        break
      case 'textBody':
        rest = { ...rest, text: text ?? '' }
        break
      case 'htmlBody':
        html = text
        break
      default:
        throw invalidProperties('that cannot be set', name.slice(0, 100))
    }
  }
  return {
    ...rest,
    ...(from !== undefined && { from: wholeSeconds(from) }),
    ...(until !== undefined && { until: wholeSeconds(until) }),
    ...(subject !== undefined && { subject }),
    ...(html !== undefined && { html }),
  }
}

/** RFC 8620 §1.4: a UTCDate may have a fraction of a second; no absence is measured by one. */
const wholeSeconds = (text: string): string => text.replace(/\.\d+Z$/, 'Z')

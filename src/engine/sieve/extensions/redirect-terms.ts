import { asciiLower } from '#base/text.ts'
import { checkedText } from '#engine/sieve/arguments.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import type { DeliverBy, DsnWish, NotifyEvent } from '#model/envelope.ts'

/** How a redirected mail is sent. */
export interface RedirectTerms {
  readonly dsn?: DsnWish
  readonly deliverBy?: DeliverBy
}

/** Takes what says of which outcomes its owner hears, and until when it is to arrive (RFC 6009 §6, §7). */
export function takeTerms(args: Arguments): (run: SieveRun) => RedirectTerms {
  const dsn = takeDsn(args)
  const by = takeDeliverBy(args)
  return (run) => ({
    ...(dsn !== undefined && { dsn: dsn(run) }),
    ...(by !== undefined && { deliverBy: by(run) }),
  })
}

const EVENTS: readonly NotifyEvent[] = ['success', 'failure', 'delay']

function takeDsn(args: Arguments): ((run: SieveRun) => DsnWish) | undefined {
  const notify = args.tagText('notify', 'redirect-dsn')
  const ret = args.tagText('ret', 'redirect-dsn')
  if (notify === undefined && ret === undefined) return undefined
  const checkedNotify = notify && checkedText(notify, (text) => eventsIn(text).join())
  const checkedRet = ret && checkedText(ret, retIn)
  return (run) => ({
    ...(checkedNotify !== undefined && {
      notify: EVENTS.filter((event) => checkedNotify.of(run).split(',').includes(event)),
    }),
    ...(checkedRet !== undefined && { ret: checkedRet.of(run) as 'full' | 'hdrs' }),
  })
}

/** RFC 3461 §4.1; none: NEVER. */
function eventsIn(text: string): readonly string[] {
  const words = asciiLower(text).split(',')
  if (words.length === 1 && words[0] === 'never') return []
  const unknown = words.find((word) => !(EVENTS as readonly string[]).includes(word))
  if (unknown !== undefined) fail(`"${text}" is no list of SUCCESS, FAILURE and DELAY, nor NEVER`)
  return words
}

function retIn(text: string): string {
  const name = asciiLower(text)
  return name === 'full' || name === 'hdrs' ? name : fail(`"${text}" is neither FULL nor HDRS`)
}

function takeDeliverBy(args: Arguments): ((run: SieveRun) => DeliverBy) | undefined {
  const needed = 'redirect-deliverby'
  const seconds = args.tagNumber('bytimerelative', needed)
  const absolute = args.tagText('bytimeabsolute', needed)
  const mode = args.tagText('bymode', needed)
  const isTraced = args.flag('bytrace', needed)
  if (seconds !== undefined && absolute !== undefined)
    fail(':bytimerelative and :bytimeabsolute exclude one another')
  if (seconds === undefined && absolute === undefined) {
    if (mode !== undefined || isTraced) fail(':bymode and :bytrace need a time')
    return undefined
  }
  const checkedTime = absolute && checkedText(absolute, timeIn)
  const checkedMode = mode && checkedText(mode, modeIn)
  return (run) => ({
    atMs:
      checkedTime === undefined
        ? (run.message.nowMs ?? 0) + seconds! * 1_000
        : Date.parse(checkedTime.of(run)),
    mode: (checkedMode?.of(run) ?? 'return') as 'return' | 'notify',
    isTraced,
  })
}

const modeIn = (text: string): string =>
  /^(?:return|notify)$/i.test(text)
    ? asciiLower(text)
    : fail(`"${text}" is neither notify nor return`)

/** RFC 3339 §5.6; a zone as scripts get it of the test `currentdate` has no colon (RFC 6009 §7.2). */
function timeIn(text: string): string {
  const time = text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(time) &&
    !Number.isNaN(Date.parse(time))
    ? time
    : fail(`"${text}" is no time such as "2026-11-28T22:00:00+09:00"`)
}

export const redirectTerms: SieveExtension = {
  names: { 'redirect-dsn': 'RFC 6009 §6', 'redirect-deliverby': 'RFC 6009 §7' },
}

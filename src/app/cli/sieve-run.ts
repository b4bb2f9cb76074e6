import { z } from 'zod'
import { trySieve } from '#app/judging/sieve-bench.ts'
import type { SieveTried } from '#app/judging/sieve-bench.ts'
import type { SieveSurroundings } from '#app/judging/sieve-surroundings.ts'
import { LF, concatOctets, emptyOctets, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'

/** Octets of one line: a message of 50 MiB in base64 and its script. */
const LINE_BYTES_MAX = 128 * 1024 * 1024

const texts = z.record(z.string(), z.string())

/** What a trial may say beside script and message. */
const trial = z.object({
  script: z.string(),
  /** Whatever makes base64: in lines, without its end, in the alphabet for URLs. */
  message: z
    .string()
    .transform((text) => text.replace(/[\s=]+/g, ''))
    .refine((text) => /^[A-Za-z\d+/_-]*$/.test(text) && text.length % 4 !== 1, 'no base64'),
  envelope: z
    .object({
      from: z.string().nullish(),
      to: z.string().nullish(),
      auth: z.string().nullish(),
      /** Parameters of MAIL and RCPT as they are meant, without xtext (RFC 3461 §4, RFC 2852 §4). */
      notify: z.string().nullish(),
      orcpt: z.string().nullish(),
      ret: z.string().nullish(),
      envid: z.string().nullish(),
      /** `600;R`, `-5;NT` */
      by: z
        .string()
        .regex(/^-?\d{1,9};[NR]T?$/i)
        .nullish(),
    })
    .nullish(),
  settings: z
    .looseObject({
      /** Mailboxes that there are; without it every one. */
      mailboxes: z.array(z.string()).optional(),
      /** The class of the verdict that spamtest tells of, or its value. */
      spam: z
        .union([z.enum(['clean', 'suspected', 'spam']), z.number().int().min(0).max(10)])
        .optional(),
      spamPercent: z.number().min(0).max(100).optional(),
      virus: z.number().int().min(0).max(5).optional(),
      /** A time of RFC 3339. */
      now: z.iso.datetime({ offset: true }).optional(),
      /** The local zone, `+0900`. */
      zone: z
        .string()
        .regex(/^[+-][01]\d[0-5]\d$/)
        .optional(),
      environment: texts.optional(),
      flags: z.array(z.string()).optional(),
      scripts: z.object({ personal: texts.optional(), global: texts.optional() }).optional(),
      lists: z.record(z.string(), z.array(z.string())).optional(),
      specialUses: texts.optional(),
      mailboxIds: texts.optional(),
      annotations: z.record(z.string(), texts).optional(),
    })
    .nullish(),
})
const SETTINGS: readonly string[] = Object.keys(trial.shape.settings.unwrap().unwrap().shape)

type Settings = z.infer<typeof trial>['settings'] & {}

function aroundOf(settings: Settings): SieveSurroundings {
  const { mailboxes, spam, spamPercent, virus, now, zone } = settings
  const { environment, flags, scripts, lists, specialUses, mailboxIds, annotations } = settings
  const [, sign, hours, minutes] = /^([+-])(..)(..)$/.exec(zone ?? '+0000') ?? []
  const zoneMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return {
    spamValue: typeof spam === 'number' ? spam : undefined,
    nowMs: now === undefined ? Date.now() : Date.parse(now),
    virusValue: virus,
    mailboxes,
    spamPercent,
    zoneMinutes,
    environment,
    flags,
    scripts,
    lists,
    specialUses,
    mailboxIds,
    annotations,
  }
}

/** Of a fault that is none of the script's. */
const NO_LINE = 0

function wishesOf({
  notify,
  orcpt,
  ret,
  envid,
  by,
}: z.infer<typeof trial>['envelope'] & {}): Pick<SieveSurroundings, 'dsn' | 'by'> {
  const [seconds = '', mode = ''] = by?.toUpperCase().split(';') ?? []
  return {
    dsn: {
      ...(typeof notify === 'string' && { notify: notify.toUpperCase().split(/ *, */) }),
      ...(typeof orcpt === 'string' && { orcpt }),
      ...(typeof ret === 'string' && { ret: ret.toUpperCase() }),
      ...(typeof envid === 'string' && { envid }),
    },
    ...(mode !== '' && {
      by: {
        seconds: Number(seconds),
        mode: mode.startsWith('R') ? 'return' : 'notify',
        isTraced: mode.endsWith('T'),
      },
    }),
  }
}

/**
 * One line of JSON for each that comes, in their order and at once, so that another program can hold
 * a conversation. A line that is no trial gets its answer too, and exit status 1 in the end.
 */
export async function runTrials(io: CliIo): Promise<void> {
  const said = new Set<string>()
  let bad = 0
  for await (const line of linesOf(io.input())) {
    const { tried, isTrial } = answer(line, (name) => {
      if (said.has(name)) return
      said.add(name)
      io.err(`watari: the setting ${name} of a trial is not known and was left out\n`)
    })
    if (!isTrial) bad++
    io.out(`${JSON.stringify(tried)}\n`)
  }
  if (bad > 0)
    throw new CliError(
      'invalid',
      `${bad} of the lines could not be read`,
      'Give {"script", "message", "envelope", "settings"} in JSON on each line.',
    )
}

interface Answer {
  readonly tried: SieveTried
  readonly isTrial: boolean
}

const refused = (message: string): Answer => ({
  tried: { errors: [{ line: NO_LINE, message }], actions: [] },
  isTrial: false,
})

function answer(line: Octets | 'too long', unknown: (name: string) => void): Answer {
  if (line === 'too long') return refused(`the line is longer than ${LINE_BYTES_MAX} octets`)
  const text = toUtf8Strict(line)?.replace(/^\ufeff/, '')
  if (text === undefined) return refused('the line is not UTF-8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refused('the line is no JSON')
  }
  const read = trial.safeParse(value)
  if (!read.success) {
    const [issue] = read.error.issues
    return refused([...(issue?.path ?? []), issue?.message ?? 'invalid'].join(': '))
  }
  const { script, message, envelope, settings } = read.data
  for (const name of Object.keys(settings ?? {})) if (!SETTINGS.includes(name)) unknown(name)
  const tried = trySieve({
    script,
    message: Buffer.from(message, 'base64'),
    envelope: {
      from: envelope?.from ?? undefined,
      to: envelope?.to ?? undefined,
      auth: envelope?.auth ?? undefined,
      isAnyText: true,
    },
    around: { ...aroundOf(settings ?? {}), ...wishesOf(envelope ?? {}) },
    spamClass: typeof settings?.spam === 'string' ? settings.spam : undefined,
  })
  return { tried, isTrial: true }
}

/** Lines without their LF; the last may lack it. Of one above LINE_BYTES_MAX nothing is kept. */
async function* linesOf(input: AsyncIterable<Octets>): AsyncGenerator<Octets | 'too long'> {
  let parts: Octets[] = []
  let size = 0
  const take = (piece: Octets): void => {
    size += piece.byteLength
    if (size > LINE_BYTES_MAX) parts = []
    else parts.push(piece)
  }
  const ended = (): Octets | 'too long' => {
    const line = size > LINE_BYTES_MAX ? 'too long' : concatOctets([emptyOctets, ...parts])
    parts = []
    size = 0
    return line
  }
  for await (const chunk of input) {
    let at = 0
    for (let lf = chunk.indexOf(LF); lf >= 0; lf = chunk.indexOf(LF, at)) {
      take(chunk.subarray(at, lf))
      yield ended()
      at = lf + 1
    }
    if (at < chunk.byteLength) take(chunk.subarray(at))
  }
  if (size > 0) yield ended()
}

import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { FOREIGN_MEMBERS_MAX } from '#model/foreign-list.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { contentLines, guessedText } from './text.ts'

/** The files of a list of fml 4, by their names in its folder. */
export interface FmlFiles {
  /** `config.ph`: assignments of Perl, of which nothing is run. */
  readonly config: Octets
  /** Who is sent posts. */
  readonly actives?: Octets
  /** Who may post. */
  readonly members?: Octets
  readonly moderators?: Octets
  /** `members-admin`. */
  readonly admins?: Octets
  /** The number of the last post. */
  readonly seq?: Octets
}

/** A list of fml 4. */
export function listOfFml(files: FmlFiles): Outcome<ForeignList, string> {
  const settings = perlSettings(guessedText(files.config))
  const get = (name: string): string => settings.get(name) ?? ''
  const address = get('MAIL_LIST').toLowerCase()
  if (address === '') return err('config.ph sets no $MAIL_LIST')
  const actives = linesOf(files.actives).map(activeOf)
  const known = new Set(actives.map((each) => each.address.toLowerCase()))
  const posters = linesOf(files.members).flatMap((line): ForeignMember[] => {
    const poster = addressOf(line)
    return known.has(poster.toLowerCase()) ? [] : [{ address: poster, delivery: 'none' }]
  })
  const members = [...actives, ...posters].filter((each) => each.address.includes('@'))
  if (members.length > FOREIGN_MEMBERS_MAX)
    return err(`the list has ${members.length} members, ${FOREIGN_MEMBERS_MAX} are the most`)
  const posting = POSTING[get('PERMIT_POST_FROM')]
  const tag = tagOf(get('SUBJECT_TAG_TYPE'), get('BRACKET'))
  const seq = Number.parseInt(guessedText(files.seq ?? new Uint8Array()).trim(), 10)
  const sizeMax = bytesOf(get('INCOMING_MAIL_SIZE_LIMIT'))
  const admins = linesOf(files.admins).map(addressOf)
  const maintainer = get('MAINTAINER')
  const handler = get('REJECT_POST_HANDLER')
  return ok({
    address,
    ...(get('ML_FN') !== '' && { name: get('ML_FN') }),
    owners: admins.length > 0 || maintainer === '' ? admins : [maintainer],
    moderators: linesOf(files.moderators).map(addressOf),
    members,
    ...(posting !== undefined && { posting }),
    others: handler === '' || handler === 'reject' || handler === 'ignore' ? 'refuse' : 'hold',
    subscription: get('AUTO_REGISTRATION_TYPE') === 'confirmation' ? 'confirm' : 'approve',
    ...(tag !== undefined && { subjectTag: tag }),
    // fml sets Reply-To to the list where nothing else is said.
    replyTo: 'list',
    archive: get('AUTO_HTML_GEN') === '1' ? 'public' : 'members',
    ...(sizeMax !== undefined && { sizeMaxBytes: sizeMax }),
    language: get('LANGUAGE') === 'English' ? 'en' : 'ja',
    ...(Number.isSafeInteger(seq) && seq >= 0 && { nextNumber: seq + 1 }),
    left: leftOf(guessedText(files.config), handler),
  })
}

const POSTING: Readonly<Record<string, NonNullable<ForeignList['posting']>>> = {
  anyone: 'anyone',
  members_only: 'members',
  moderator: 'moderated',
}

/** `$NAME = 'value';`, with other names in values that have double quotes. */
function perlSettings(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  const assignment =
    /^[ \t]*\$([A-Z_][A-Z0-9_]*)[ \t]*=[ \t]*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+))[ \t]*;/gmu
  for (const [, name, single, double, number] of text.matchAll(assignment)) {
    const expanded = double?.replace(
      /\$\{?([A-Z_][A-Z0-9_]*)\}?/gu,
      (whole, other: string) => settings.get(other) ?? whole,
    )
    settings.set(name!, (single ?? expanded ?? number ?? '').replace(/\\(.)/gu, '$1'))
  }
  return settings
}

/** `hanako@example s=skip m=3u`: skipped, a digest, or each post. */
function activeOf(line: string): ForeignMember {
  const [address = '', ...options] = line.trim().split(/\s+/u)
  const isSkipped = options.some((option) => /^(?:s=(?:skip|1)|skip)$/u.test(option))
  const isDigest = options.some((option) => /^(?:m=[1-9]|matome)/u.test(option))
  return { address, delivery: isSkipped ? 'none' : isDigest ? 'digest' : 'each' }
}

const linesOf = (octets: Octets | undefined): string[] =>
  octets === undefined ? [] : contentLines(guessedText(octets))

const addressOf = (line: string): string => line.trim().split(/\s+/u)[0] ?? ''

/** `[:]` with a bracket of `Elena` is `[Elena:%n]`, `( )` is `(Elena %n)`, `[ID]` is `[%n]`, `[]` is `[Elena]`. */
function tagOf(type: string, bracket: string): string | undefined {
  const [, open, inside, close] = /^([[(])(.*)([\])])$/u.exec(type) ?? []
  if (open === undefined) return undefined
  if (inside === 'ID') return `${open}%n${close}`
  if (inside === '') return `${open}${bracket}${close}`
  return `${open}${bracket}${inside}%n${close}`
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})([KM]?)$/iu.exec(text.trim()) ?? []
  if (digits === undefined || Number(digits) === 0) return undefined
  return Number(digits) * ({ K: 1024, M: 1024 * 1024 }[unit!.toUpperCase()] ?? 1)
}

function leftOf(config: string, handler: string): string[] {
  const hooks = [...config.matchAll(/^[ \t]*\$([A-Z_]*HOOK)[ \t]*(?:\.?=)/gmu)].map(
    ([, name]) => name!,
  )
  return [
    ...new Set(hooks.map((hook) => `$${hook}: programs of config.ph are never run`)),
    ...(handler === 'auto_subscribe' || handler === 'auto_regist'
      ? [
          '$REJECT_POST_HANDLER: who posts is not made a member here; the post waits for a moderator',
        ]
      : []),
  ]
}

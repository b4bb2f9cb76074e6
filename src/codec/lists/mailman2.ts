import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { FOREIGN_MEMBERS_MAX } from '#model/foreign-list.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { readPickle } from './pickle.ts'
import type { Pickled } from './pickle.ts'
import { readPythonSettings } from './python-settings.ts'
import { contentLines, guessedText, parseMember } from './text.ts'

/** A list of Mailman 2.1 by its `config.pck`. */
export function listOfMailman2(config: Octets): Outcome<ForeignList, string> {
  const read = readPickle(config)
  if (!read.ok) return err(`it is no config.pck of Mailman 2: ${read.error}`)
  if (!(read.value instanceof Map))
    return err('it is no config.pck of Mailman 2: it has no settings')
  return listOfSettings(new Settings(read.value), undefined)
}

/**
 * The same of what `config_list -o FILE` wrote, with what `list_members -f` printed of those who get
 * each post and of those who get digests: the settings do not name members.
 */
export function listOfMailman2Texts(texts: {
  readonly config: Octets
  readonly members: Octets
  readonly digestMembers?: Octets
  /** `minna@lists.example`, where the settings do not tell the host. */
  readonly address?: string
}): Outcome<ForeignList, string> {
  const settings = readPythonSettings(guessedText(texts.config))
  if (!settings.ok) return err(`it is no output of config_list: ${settings.error}`)
  const members = [
    ...membersOfLines(texts.members, 'each'),
    ...(texts.digestMembers === undefined ? [] : membersOfLines(texts.digestMembers, 'digest')),
  ]
  const made = listOfSettings(new Settings(settings.value), members)
  return !made.ok || texts.address === undefined
    ? made
    : ok({ ...made.value, address: texts.address })
}

/** Bits of `user_options` (Mailman/Defaults.py). */
const MODERATED = 128

class Settings {
  readonly #values: ReadonlyMap<unknown, Pickled>
  readonly language: string

  constructor(values: ReadonlyMap<unknown, Pickled>) {
    this.#values = values
    const language = values.get('preferred_language')
    this.language = language === undefined ? 'ja' : plain(language, 'en')
  }

  text(name: string): string {
    return plain(this.#values.get(name) ?? '', this.language).trim()
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name)
    if (typeof value === 'boolean') return value ? 1 : 0
    return typeof value === 'number' ? value : undefined
  }

  /** Texts of a list; one text is a list of its lines, as `config_list` writes some. */
  texts(name: string): string[] {
    const value = this.#values.get(name) ?? []
    const all = Array.isArray(value)
      ? value.map((each) => plain(each, this.language))
      : plain(value, this.language).split('\n')
    return all.map((each) => each.trim()).filter((each) => each !== '')
  }

  /** Of things that are no texts, too. */
  count(name: string): number {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value.length : this.texts(name).length
  }

  dict(name: string): ReadonlyMap<string, Pickled> {
    const value = this.#values.get(name)
    if (!(value instanceof Map)) return new Map()
    return new Map(Array.from(value, ([key, of]) => [this.#key(key), of]))
  }

  /** Keys of a dict came as octets, and are Latin-1 until here. */
  #key(key: unknown): string {
    return typeof key === 'string' ? guessedText(fromLatin1(key), this.language) : String(key)
  }
}

function plain(value: Pickled, language: string): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return guessedText(value, language)
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : ''
}

function listOfSettings(
  settings: Settings,
  members: readonly ForeignMember[] | undefined,
): Outcome<ForeignList, string> {
  const name = settings.text('real_name')
  if (name === '') return err('the list has no real_name')
  const host = settings.text('host_name')
  const all = members ?? membersOf(settings)
  if (all.length > FOREIGN_MEMBERS_MAX)
    return err(`the list has ${all.length} members, ${FOREIGN_MEMBERS_MAX} are the most`)
  const description = settings.text('info')
  const tag = subjectTag(settings.text('subject_prefix'))
  const nextNumber = settings.number('post_id')
  const sizeMax = settings.number('max_message_size') ?? 0
  const title = settings.text('description')
  return ok({
    address: host === '' ? name.toLowerCase() : `${name}@${host}`.toLowerCase(),
    ...(title !== '' && { name: title }),
    ...(description !== '' && { description }),
    owners: settings.texts('owner'),
    moderators: settings.texts('moderator'),
    members: all,
    ...postingOf(settings),
    subscription:
      (['open', 'confirm', 'approve', 'approve'] as const)[
        settings.number('subscribe_policy') ?? 1
      ] ?? 'approve',
    ...((settings.number('unsubscribe_policy') ?? 0) > 0 && { leaving: 'owners' as const }),
    ...rosterOf(settings),
    ...(tag !== undefined && { subjectTag: tag }),
    replyTo: (settings.number('reply_goes_to_list') ?? 0) === 0 ? 'author' : 'list',
    archive: archiveOf(settings),
    ...((settings.number('digestable') ?? 0) > 0 && { digest: 'day' as const }),
    ...(sizeMax > 0 && { sizeMaxBytes: sizeMax * 1024 }),
    language: settings.language === 'ja' ? 'ja' : 'en',
    ...(nextNumber !== undefined && { nextNumber: Math.max(1, Math.floor(nextNumber)) }),
    left: leftOf(settings),
  })
}

function membersOf(settings: Settings): ForeignMember[] {
  const names = settings.dict('usernames')
  const options = settings.dict('user_options')
  const status = settings.dict('delivery_status')
  const of = (dict: string, delivery: 'each' | 'digest'): ForeignMember[] =>
    Array.from(settings.dict(dict), ([key, spelled]): ForeignMember => {
      // The value is the address as it was spelled, where that has capitals.
      const written = plain(spelled, settings.language)
      const address = written.includes('@') ? written : key
      const name = plain(names.get(key) ?? '', settings.language).trim()
      const bits = Number(options.get(key) ?? 0)
      return {
        address,
        ...(name !== '' && { name }),
        delivery: isStopped(status.get(key)) ? 'none' : delivery,
        ...((bits & MODERATED) > 0 && { isModerated: true as const }),
      }
    })
  return [...of('members', 'each'), ...of('digest_members', 'digest')]
}

/** `(2, time)`: nothing is sent to who asked for that, or whose mail came back. */
const isStopped = (status: Pickled | undefined): boolean =>
  Array.isArray(status) && typeof status[0] === 'number' && status[0] > 0

function* membersOfLines(
  octets: Octets,
  delivery: ForeignMember['delivery'],
): Iterable<ForeignMember> {
  for (const line of contentLines(guessedText(octets))) {
    const found = parseMember(line)
    if (found !== undefined) yield { ...found, delivery }
  }
}

/** generic_nonmember_action: 0 accept, 1 hold, 2 reject, 3 discard. */
function postingOf(settings: Settings): Pick<ForeignList, 'posting' | 'others'> {
  const stranger = settings.number('generic_nonmember_action') ?? 1
  const others = stranger >= 2 ? 'refuse' : 'hold'
  if ((settings.number('emergency') ?? 0) > 0) return { posting: 'moderated', others }
  if ((settings.number('default_member_moderation') ?? 0) > 0)
    // Who may post in spite of it tells an announcement from a moderated list.
    return {
      posting: (settings.number('member_moderation_action') ?? 0) === 0 ? 'moderated' : 'announce',
      others,
    }
  return { posting: stranger === 0 ? 'anyone' : 'members', others }
}

/** private_roster: 0 anyone, 1 members, 2 administrators. */
function rosterOf(settings: Settings): Pick<ForeignList, 'roster'> {
  const who = settings.number('private_roster')
  return who === undefined ? {} : { roster: who >= 2 ? 'owners' : 'members' }
}

function archiveOf(settings: Settings): 'none' | 'members' | 'public' {
  if ((settings.number('archive') ?? 1) === 0) return 'none'
  return (settings.number('archive_private') ?? 0) > 0 ? 'members' : 'public'
}

/** `[minna %d]` and `[minna %05d]` have the post's number in them. */
export function subjectTag(prefix: string): string | undefined {
  const tag = prefix.trim().replace(/%0?\d*d/u, '%n')
  return tag === '' ? undefined : tag
}

const LEFT: readonly (readonly [setting: string, what: string])[] = [
  ['accept_these_nonmembers', 'may post without being members'],
  ['hold_these_nonmembers', 'wait for a moderator though they are no members'],
  ['reject_these_nonmembers', 'are refused'],
  ['discard_these_nonmembers', 'are thrown away'],
  ['ban_list', 'may not subscribe'],
  ['bounce_matching_headers', 'hold posts by their header'],
  ['header_filter_rules', 'filter posts by their header'],
  ['topics', 'are topics that members choose'],
]

function leftOf(settings: Settings): string[] {
  const left = LEFT.flatMap(([setting, what]) => {
    const count = settings.count(setting)
    return count === 0 ? [] : [`${setting}: ${count} ${what}`]
  })
  for (const footer of ['msg_header', 'msg_footer'] as const) {
    const text = settings.text(footer)
    // A text added to posts breaks their signatures.
    if (text !== '') left.push(`${footer}: is added to no post here (${text.length} characters)`)
  }
  return left
}

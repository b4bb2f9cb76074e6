import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { FOREIGN_MEMBERS_MAX } from '#model/foreign-list.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { guessedText } from './text.ts'

/** The files of a list of Sympa 6, by their names in its folder. */
export interface SympaFiles {
  readonly config: Octets
  /** `member.dump`, or `subscribers.db.dump` of older ones; `sympa dump` writes it. */
  readonly members?: Octets
  /** `owner.dump` and `editor.dump`, where `config` does not name them. */
  readonly owners?: Octets
  readonly editors?: Octets
  /** `stats`: its first number counts the posts. */
  readonly stats?: Octets
  /** `info`: what the list is for. */
  readonly info?: Octets
  /** What a suspension is compared with. */
  readonly nowMs: number
  /** The folder's name, and the host, which `config` need not tell. */
  readonly name: string
  readonly host?: string
}

/** A list of Sympa 6. */
export function listOfSympa(files: SympaFiles): Outcome<ForeignList, string> {
  const config = paragraphs(guessedText(files.config))
  const get = (name: string): string => config.find((each) => each.kind === name)?.value ?? ''
  const people = (kind: string, dump: Octets | undefined): string[] =>
    [
      ...config.filter((each) => each.kind === kind),
      ...(dump === undefined ? [] : paragraphs(guessedText(dump))),
    ]
      .map((each) => each.fields.get('email') ?? '')
      .filter((email) => email !== '')
  const members = paragraphs(guessedText(files.members ?? new Uint8Array())).flatMap((each) =>
    memberOf(each, files.nowMs),
  )
  if (members.length > FOREIGN_MEMBERS_MAX)
    return err(`the list has ${members.length} members, ${FOREIGN_MEMBERS_MAX} are the most`)
  const host = get('host') || (files.host ?? '')
  const subject = get('subject')
  const tag = tagOf(get('custom_subject'), files.name)
  const posts = Number.parseInt(guessedText(files.stats ?? new Uint8Array()).trim(), 10)
  const sizeMax = Number.parseInt(get('max_size'), 10)
  const archive = config.find((each) => each.kind === 'archive' || each.kind === 'web_archive')
  const isKept = archive !== undefined && get('process_archive') !== 'off'
  const description = guessedText(files.info ?? new Uint8Array()).trim()
  const lang = get('lang')
  const access = archive?.fields.get('web_access') ?? archive?.fields.get('access')
  const replyTo = config.find((each) => each.kind === 'reply_to_header')?.fields.get('value')
  return ok({
    address: (host === '' ? files.name : `${files.name}@${host}`).toLowerCase(),
    ...(subject !== '' && { name: subject }),
    ...(description !== '' && { description }),
    owners: unique(people('owner', files.owners)),
    moderators: unique(people('editor', files.editors)),
    members,
    ...postingOf(get('send')),
    subscription: subscriptionOf(get('subscribe')),
    ...(/owner|closed/u.test(get('unsubscribe')) && { leaving: 'owners' as const }),
    ...(get('review') !== '' && {
      roster: /^(?:owner|closed|listmaster)/u.test(get('review')) ? 'owners' : 'members',
    }),
    ...(tag !== undefined && { subjectTag: tag }),
    replyTo: replyTo === 'list' || replyTo === 'all' ? 'list' : 'author',
    archive: isKept ? (ARCHIVES[access ?? ''] ?? 'members') : 'none',
    ...(get('digest') !== '' && { digest: /^[0-6](?:\s|$)/u.test(get('digest')) ? 'week' : 'day' }),
    ...(sizeMax > 0 && { sizeMaxBytes: sizeMax }),
    // Without a word of it, the list speaks what its site does; its own words tell that.
    language:
      lang.startsWith('ja') || (lang === '' && JAPANESE.test(subject + description)) ? 'ja' : 'en',
    ...(Number.isSafeInteger(posts) && posts >= 0 && { nextNumber: posts + 1 }),
    left: leftOf(config),
  })
}

const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u

interface Paragraph {
  /** The word that it begins with. */
  readonly kind: string
  /** What follows it on its line. */
  readonly value: string
  readonly fields: ReadonlyMap<string, string>
}

/** Paragraphs stand between empty lines; a dump begins each with a field, a config with its name. */
function paragraphs(text: string): Paragraph[] {
  return text.split(/\n[ \t\r]*\n/u).flatMap((block) => {
    const lines = block
      .split(/\r?\n/u)
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    const pairs = lines.map((line): [string, string] => {
      const [, key = '', value = ''] = /^\s*(\S+)\s*(.*)$/u.exec(line) ?? []
      return [key, value.trim()]
    })
    const [first] = pairs
    return first === undefined
      ? []
      : [{ kind: first[0], value: first[1], fields: new Map(pairs.toReversed()) }]
  })
}

function memberOf({ fields }: Paragraph, nowMs: number): ForeignMember[] {
  const address = fields.get('email') ?? ''
  if (!address.includes('@')) return []
  const name = fields.get('gecos') ?? ''
  const reception = fields.get('reception') ?? 'mail'
  const seconds = nowMs / 1_000
  const isSuspended =
    fields.get('suspend') === '1' &&
    Number(fields.get('startdate') ?? 0) <= seconds &&
    seconds <= Number(fields.get('enddate') ?? Infinity)
  return [
    {
      address,
      ...(name !== '' && { name }),
      delivery:
        reception === 'nomail' || isSuspended
          ? 'none'
          : /^(?:digest|digestplain|summary)$/u.test(reception)
            ? 'digest'
            : 'each',
    },
  ]
}

/** Scenarios of `send`. */
function postingOf(send: string): Pick<ForeignList, 'posting' | 'others'> {
  if (/^newsletter|^owner$/u.test(send)) return { posting: 'announce', others: 'refuse' }
  if (/^(?:editor|editorkey|editorkeyonly|editorkeyonlyauth)$/u.test(send))
    return { posting: 'moderated', others: 'hold' }
  if (send.startsWith('public')) return { posting: 'anyone', others: 'hold' }
  if (send.startsWith('intranet')) return { posting: 'domain', others: 'refuse' }
  return { posting: 'members', others: /editor/u.test(send) ? 'hold' : 'refuse' }
}

function subscriptionOf(subscribe: string): NonNullable<ForeignList['subscription']> {
  if (subscribe.startsWith('closed')) return 'closed'
  if (/owner/u.test(subscribe)) return 'approve'
  return /^(?:open|open_notify|open_quiet)$/u.test(subscribe) ? 'open' : 'confirm'
}

const ARCHIVES: Readonly<Record<string, NonNullable<ForeignList['archive']>>> = {
  public: 'public',
  private: 'members',
  listmaster: 'owners',
  owner: 'owners',
  closed: 'owners',
}

/** `[% list.name %]:[% list.sequence %]`, which Sympa puts into brackets. */
function tagOf(subject: string, name: string): string | undefined {
  if (subject === '') return undefined
  const text = subject
    .replace(/\[%-?\s*list\.name\s*-?%\]/gu, name)
    .replace(/\[%-?\s*list\.sequence\s*-?%\]/gu, '%n')
  return `[${text}]`
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]

function leftOf(config: readonly Paragraph[]): string[] {
  return config.flatMap(({ kind, value, fields }) => {
    if (kind.startsWith('include_')) {
      const of = value || (fields.get('filter') ?? fields.get('name') ?? fields.get('host') ?? '')
      return [`${kind}: members are taken from elsewhere (${of}); add a filter, a group or a list`]
    }
    return kind === 'topics' ||
      kind === 'msg_topic' ||
      kind === 'custom_header' ||
      kind === 'footer_type'
      ? [`${kind}: ${value}`]
      : []
  })
}

import type { z } from 'zod'
import { LF, toUtf8 } from '#base/octets.ts'
import {
  listOfMailman3,
  MAILMAN3_COUNT,
  MAILMAN3_LISTS,
  MAILMAN3_PAGE,
  MAILMAN3_PREFERENCES,
} from '#codec/lists/mailman3.ts'
import type { Mailman3Member } from '#codec/lists/mailman3.ts'
import type { ForeignList } from '#model/foreign-list.ts'
import type { Verb } from './context.ts'
import { CliError } from './io.ts'

const PAGE_ROWS = 500
/** Members whose preferences are asked for at the same time. */
const ASKED_AT_ONCE = 8
const ANSWER_MS = 60_000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** All lists that Mailman 3's REST API tells of; `base` as `http://localhost:8001/3.1`. */
export async function mailman3Lists(
  verb: Verb,
  base: string,
  access: { readonly user?: string; readonly passwordStdin?: boolean },
): Promise<{
  readonly lists: readonly ForeignList[]
  readonly faults: readonly { readonly source: string; readonly text: string }[]
}> {
  const rest = new Rest(base, await passwordOf(verb, access))
  const lists: ForeignList[] = []
  const faults: { source: string; text: string }[] = []
  const all = await rest.pages('/lists', MAILMAN3_LISTS)
  for (const { list_id: id, fqdn_listname: name } of all) {
    const of = `/lists/${encodeURIComponent(id)}`
    const config = { ...(await rest.get(of)), ...(await rest.get(`${of}/config`)) }
    const roster = (role: string): Promise<Mailman3Member[]> =>
      rest.pages(`${of}/roster/${role}`, MAILMAN3_PAGE)
    const count = async (what: string): Promise<number> =>
      MAILMAN3_COUNT.parse(await rest.get(`${of}/${what}?count=1&page=1`)).total_size
    const list = listOfMailman3({
      config,
      members: await withPreferences(rest, await roster('member'), (done, whole) =>
        verb.progress(`${name}: ${done} of ${whole} members read`),
      ),
      others: await roster('nonmember'),
      bans: await count('bans'),
      held: await count('held'),
      owners: await roster('owner'),
      moderators: await roster('moderator'),
    })
    if (list.ok) lists.push(list.value)
    else faults.push({ source: name, text: list.error })
    verb.progress(`${lists.length + faults.length} of ${all.length} read`)
  }
  return { lists, faults }
}

/** The same members, each with whether posts are sent to them at all. */
async function withPreferences(
  rest: Rest,
  members: readonly Mailman3Member[],
  tell: (done: number, whole: number) => void,
): Promise<Mailman3Member[]> {
  const found: Mailman3Member[] = []
  for (let from = 0; from < members.length; from += ASKED_AT_ONCE) {
    const some = members.slice(from, from + ASKED_AT_ONCE).map(async (member) => {
      if (member.member_id === undefined) return member
      const path = `/members/${encodeURIComponent(member.member_id)}/all/preferences`
      const { delivery_status: status } = MAILMAN3_PREFERENCES.parse(await rest.get(path))
      return status === undefined ? member : { ...member, delivery_status: status }
    })
    found.push(...(await Promise.all(some)))
    if (found.length % PAGE_ROWS < ASKED_AT_ONCE) tell(found.length, members.length)
  }
  return found
}

async function passwordOf(
  { io }: Verb,
  { user = 'restadmin', passwordStdin = false }: { user?: string; passwordStdin?: boolean },
): Promise<string> {
  if (!passwordStdin) return `${user}:restpass` // as Mailman is installed
  const octets = await io.stdin()
  return `${user}:${toUtf8(octets.at(-1) === LF ? octets.subarray(0, -1) : octets)}`
}

class Rest {
  readonly #base: string
  readonly #authorization: string

  constructor(base: string, access: string) {
    this.#base = base.replace(/\/$/u, '')
    this.#authorization = `Basic ${Buffer.from(access).toString('base64')}`
  }

  async pages<T>(
    path: string,
    page: z.ZodType<{ readonly total_size: number; readonly entries: readonly T[] }>,
  ): Promise<T[]> {
    const found: T[] = []
    for (let number = 1; ; number++) {
      const answer = page.safeParse(await this.get(`${path}?count=${PAGE_ROWS}&page=${number}`))
      if (!answer.success) throw this.#strange(path)
      found.push(...answer.data.entries)
      if (answer.data.entries.length === 0 || found.length >= answer.data.total_size) return found
    }
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(this.#base + path, {
      headers: { authorization: this.#authorization },
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: 'error',
    }).catch((cause: Error) => {
      throw new CliError(
        'unavailable',
        `${this.#base} does not answer (${cause.message})`,
        'Name the REST API of Mailman 3 as this machine reaches it: http://localhost:8001/3.1',
      )
    })
    if (answer.status === 401)
      throw new CliError(
        'forbidden',
        `${this.#base} does not take this name and password`,
        'They stand in its mailman.cfg, admin_user and admin_pass: --user NAME --password-stdin',
      )
    const text = await answer.text()
    if (!answer.ok || text.length > ANSWER_BYTES_MAX) throw this.#strange(path)
    try {
      return JSON.parse(text) as Record<string, unknown>
    } catch {
      throw this.#strange(path)
    }
  }

  #strange(path: string): CliError {
    return new CliError(
      'invalid',
      `${this.#base}${path} does not answer as Mailman 3 does`,
      'Name its REST API with its version: http://localhost:8001/3.1',
    )
  }
}

import { err, isFault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LdapHosts } from '#client/ldap/hosts.ts'
import { filterFault, parseFilter } from '#codec/ldap/filter.ts'
import type { AccountId } from '#model/account.ts'
import { ALL_PEOPLE } from '#model/list-words.ts'
import type { DirectorySource } from '#model/source.ts'
import { checkFilter, secretIn } from '#store/directory/check/member-filter.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { askAccounts, askFilter } from './filter-ask.ts'
import type { FilterRef } from './filter-ask.ts'
import { hostsOf } from './read-source.ts'

/** Somebody waits before a page. */
const LOOK_MS = 20 * SECOND_MS
/** Questions that wait for one another. */
const WAITING_MAX = 8

/**
 * syntax: at this character, from 1 on · noSource, noBase: there is none such, or not there · secret: it asks
 * for what only its own server may compare · tooMany: it names more than a filter may · refused: the text says
 * why · away: nobody answers for the source, or too many ask just now.
 */
export type FilterFault =
  | { readonly code: 'syntax'; readonly at: number; readonly text: string }
  | {
      readonly code: 'noSource' | 'noBase' | 'secret' | 'tooMany' | 'refused' | 'away'
      readonly text: string
    }

type Found = Outcome<readonly AccountId[], FilterFault>

/** Whom a filter names at this moment, before it is a member of anything; one question after the other. */
export class FilterLook {
  readonly #directory: Pick<DirectoryMaster, 'directory'>
  readonly #clock: Clock
  readonly #hostsOf: (source: DirectorySource, clock: Clock) => Pick<LdapHosts, 'inTurn' | 'close'>
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(parts: {
    readonly directory: Pick<DirectoryMaster, 'directory'>
    readonly clock: Clock
    readonly hostsOf?: typeof hostsOf
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#hostsOf = parts.hostsOf ?? hostsOf
  }

  async look(ref: FilterRef): Promise<Found> {
    const fault = faultOf(this.#directory.directory, ref)
    if (fault !== undefined) return err(fault)
    if (this.#waiting >= WAITING_MAX)
      return err({ code: 'away', text: 'too many ask just now; try again in a moment' })
    this.#waiting++
    const turn = this.#last.then(() => this.#ask(ref))
    this.#last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  async #ask(ref: FilterRef): Promise<Found> {
    const { directory } = this.#directory
    if (ref.source === ALL_PEOPLE) {
      const [ids] = await askAccounts(directory.accounts(), [ref])
      return ids === undefined
        ? err({ code: 'tooMany', text: 'it names too many; make it narrower' })
        : ok(ids)
    }
    const source = directory.source(ref.source)
    // It may have gone while others asked.
    if (source === undefined) return err({ code: 'noSource', text: `${ref.source} is gone` })
    const hosts = this.#hostsOf(source, this.#clock)
    const cancel = this.#clock.after(LOOK_MS, () => hosts.close())
    let keys: readonly string[] = []
    try {
      await hosts.inTurn(async (connection) => {
        keys = await askFilter(connection, source, { ref, clock: this.#clock })
      })
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      return err({ code: CODES[thrown.code] ?? 'away', text: thrown.message })
    } finally {
      cancel()
      hosts.close()
    }
    const ids = keys.flatMap((key) => directory.byOrigin(source.name, key)?.id ?? [])
    return ok([...new Set(ids)])
  }
}

/** What lists may not ask, nobody may ask by a look either. */
function faultOf(directory: Directory, ref: FilterRef): FilterFault | undefined {
  const refusal = checkFilter(directory, ref)
  if (refusal === undefined) return undefined
  const text = refusal.message
  if (refusal.code === 'notFound') return { code: 'noSource', text }
  const wrong = filterFault(ref.filter)
  if (wrong !== undefined) return { code: 'syntax', at: wrong.at, text: wrong.message }
  const parsed = parseFilter(ref.filter)
  const isSecret = parsed.ok && secretIn(parsed.value) !== undefined
  const isOfBase = ref.base !== undefined && ref.base !== ''
  return { code: isSecret ? 'secret' : isOfBase ? 'noBase' : 'refused', text }
}

const CODES: Readonly<Record<string, 'noBase' | 'tooMany' | 'refused'>> = {
  limit: 'tooMany',
  notFound: 'noBase',
  invalid: 'refused',
  config: 'refused',
}

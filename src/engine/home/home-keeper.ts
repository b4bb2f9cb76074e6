import type { Log } from '#base/log.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { serverName } from '#client/ldap/server.ts'
import type { ChangeAuthor, DirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { ScriptWritesBody } from '#contract/node/scripts.ts'
import type { ScriptShelf } from '#store/directory/script-shelf.ts'
import type { HomeShelf } from '#store/directory/home-shelf.ts'
import { copyRows } from './copy-rows.ts'
import { HomeFollower } from './home-follower.ts'
import type { HomeNote } from './home-taker.ts'
import { HomeGroups } from './home-groups.ts'
import { HomeWatch } from './home-watch.ts'
import type { WatchedServer } from './home-watch.ts'
import { COPY_TIMES, LdapHome } from './ldap-home.ts'
import type { HomePlace } from './ldap-home.ts'
import { HomeScripts } from './home-scripts.ts'
import type { ScriptsState } from './home-scripts.ts'
import type { ScriptStore } from './script-store.ts'
import { bindService, entryAt } from './line.ts'

/** Where the rows have their home, and how that is. */
export type HomeState =
  | { readonly kind: 'embedded'; readonly error?: string }
  | {
      readonly kind: 'ldap'
      readonly place: HomePlace
      readonly by: ChangeAuthor
      readonly atMs: number
      /** `copying`: rows are on their way there, and the home is still here. */
      readonly state: 'copying' | 'starting' | 'well' | 'replica' | 'away' | 'held'
      readonly copied?: number
      readonly error?: string
      /** Whom news come from. */
      readonly follows?: string
      /** Since control has started: the last edit of ours, and the last change that others made. */
      readonly wroteAtMs?: number
      readonly newsAtMs?: number
      /** Rows that were told and are not looked after yet. */
      readonly waiting?: number
      readonly notes: readonly HomeNote[]
      /** Users' scripts, which go there by the store; absent: rows are not there yet. */
      readonly scripts?: HomeScriptsState
    }

/** How users' scripts are there. */
export interface HomeScriptsState {
  readonly state: ScriptsState
  /** While they are copied: accounts that are compared. */
  readonly copied?: number
  /** Accounts whose scripts are not looked at yet. */
  readonly waiting: number
  readonly error?: string
}

/** One of its servers, and whether news come from it. */
export interface HomeServer extends WatchedServer {
  readonly isFollowed: boolean
}

/** A home as it is set. */
interface HomeSet {
  readonly place: HomePlace
  readonly by: ChangeAuthor
  readonly atMs: number
  /** What lies there counts where nothing is known of it. */
  readonly adopt?: true
}

interface Parts {
  readonly directory: DirectoryMaster
  readonly log: Pick<DirectoryLog, 'rows'>
  readonly shelf: HomeShelf
  readonly scriptShelf: ScriptShelf
  /** Which users' scripts are served from; throws Fault `unavailable` where none has joined. */
  readonly scriptStore: () => ScriptStore
  readonly clock: Clock
  readonly trouble: Log
  /** How many rounds keys of SCRAM are made with; undefined: none are made. */
  readonly scramIterations: () => number | undefined
}

/**
 * Keeps the rows at home on LDAP servers, where that is set: edits go there first, and what others change
 * there becomes edits here. While the provider is away nothing can be changed, and everything else goes on.
 */
export class HomeKeeper {
  readonly #parts: Parts
  #set: HomeSet | undefined
  #living:
    | {
        readonly home: LdapHome
        readonly follower: HomeFollower
        readonly groups: HomeGroups
        readonly scripts: HomeScripts
        readonly watch: HomeWatch
      }
    | undefined
  #copying: { readonly connection: LdapConnection; readonly done: Promise<void> } | undefined
  #copied = 0
  /** Why rows were not moved. */
  #error: string | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Begins with what is set; before the first write. */
  async start(): Promise<void> {
    const kept = await this.#parts.shelf.home()
    if (kept !== undefined) this.#begin(JSON.parse(kept.json) as HomeSet, kept.mark)
  }

  state(): HomeState {
    if (this.#set === undefined)
      return { kind: 'embedded', ...(this.#error !== undefined && { error: this.#error }) }
    if (this.#living === undefined)
      return { ...this.#place(this.#set), state: 'copying', copied: this.#copied, notes: [] }
    const { home, follower, groups, scripts } = this.#living
    const { follows, newsAtMs } = follower
    const { wroteAtMs } = home
    const isHeld = follower.state === 'held'
    const state = scripts.state === 'held' ? 'held' : follower.state
    const error =
      (isHeld ? follower.error : undefined) ?? home.trouble ?? follower.error ?? groups.error
    return {
      ...this.#place(this.#set),
      state,
      ...(error !== undefined && { error }),
      ...(follows !== undefined && { follows }),
      ...(wroteAtMs !== undefined && { wroteAtMs }),
      ...(newsAtMs !== undefined && { newsAtMs }),
      waiting: follower.taker.news.waiting().length,
      notes: [...follower.taker.notes(), ...scripts.notes()],
      scripts: scriptsState(scripts),
    }
  }

  #place({ place, by, atMs }: HomeSet) {
    return { kind: 'ldap', place, by, atMs } as const
  }

  /** A change that the store asks for; `here`: scripts have their home in the store alone. */
  async changeScripts(change: ScriptWritesBody): Promise<'written' | 'here'> {
    if (this.#living === undefined) return 'here'
    await this.#living.scripts.write(change)
    return 'written'
  }

  /** Each server of the home as it is now, the provider first; none where the log is the home. */
  async servers(): Promise<readonly HomeServer[]> {
    const living = this.#living
    if (living === undefined) return []
    const servers = await living.watch.look()
    const { follows } = living.follower
    return servers.map((each) => ({ ...each, isFollowed: serverName(each.server) === follows }))
  }

  /**
   * Copies all rows there, compares, and makes it their home. Throws a Fault where it cannot begin; the
   * rest goes on behind, and `state` tells how. Entries that are nobody's here become rows with `adopt`.
   */
  async move(
    place: HomePlace,
    by: ChangeAuthor,
    { adopt }: { readonly adopt: boolean },
  ): Promise<void> {
    if (this.#set !== undefined)
      throw new Fault('conflict', 'the directory has its home on LDAP servers already')
    const connection = await LdapConnection.open(place.provider, {
      clock: this.#parts.clock,
      times: COPY_TIMES,
    })
    try {
      await bindService(connection, place.bind)
      if ((await entryAt(connection, place.base)) === undefined)
        throw new Fault('notFound', `${serverName(place.provider)} has no ${place.base}`)
      const { strangers } = await this.#copy(connection, place, undefined)
      if (strangers.length > 0 && !adopt)
        throw new Fault(
          'conflict',
          `${strangers.length} entries there are of nobody here, ${strangers[0]} among them`,
        )
    } catch (thrown) {
      connection.close()
      throw thrown
    }
    const atMs = this.#parts.clock.nowMs()
    this.#set = { place, by, atMs, ...(adopt && { adopt }) }
    this.#error = undefined
    this.#copying = { connection, done: this.#moved(connection, this.#set) }
  }

  /** The log is the home again: it has everything. What others have changed there and was not taken is lost. */
  async back(): Promise<void> {
    if (this.#living === undefined) return
    const { directory, shelf } = this.#parts
    await this.#end()
    await directory.alone(async () => {
      await shelf.setHome(undefined)
      directory.useHome(undefined)
    })
    this.#set = undefined
    await this.#leaveScripts()
  }

  /** A store that does not hear it now hears it with the first change that it asks for. */
  async #leaveScripts(): Promise<void> {
    try {
      await this.#parts.scriptStore().home({ home: null })
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
    }
  }

  /** Takes what was held. */
  async accept(): Promise<void> {
    const living = this.#living
    if (living === undefined || this.#set === undefined) return
    // How far the log was counts no more: what is there does.
    if (living.follower.isProviderHeld || living.scripts.isProviderHeld) {
      this.#set = { ...this.#set, adopt: true }
      await this.#parts.shelf.setHome({ json: JSON.stringify(this.#set) })
    }
    await living.follower.accept()
    await living.scripts.accept()
  }

  async close(): Promise<void> {
    this.#copying?.connection.close()
    await this.#copying?.done
    await this.#end()
  }

  async #end(): Promise<void> {
    const living = this.#living
    await Promise.all([living?.follower.close(), living?.groups.close(), living?.scripts.close()])
    living?.home.close()
    this.#living = undefined
  }

  #begin(set: HomeSet, mark?: string): void {
    const { directory, clock } = this.#parts
    const home = new LdapHome(set.place, clock)
    home.knows(mark)
    directory.useHome(home)
    this.#set = set
    this.#living = {
      home,
      follower: new HomeFollower({ ...this.#parts, home }),
      groups: new HomeGroups({ ...this.#parts, home }),
      scripts: new HomeScripts({
        ...this.#parts,
        home,
        shelf: this.#parts.scriptShelf,
        store: this.#parts.scriptStore,
        prefers: () => (this.#set?.adopt === true ? 'there' : 'here'),
      }),
      watch: new HomeWatch(set.place, clock),
    }
  }

  /** Never rejects. */
  async #moved(connection: LdapConnection, set: HomeSet): Promise<void> {
    const { directory, shelf, trouble } = this.#parts
    try {
      await this.#copy(connection, set.place, set.by)
      await directory.alone(async () => {
        await this.#copy(connection, set.place, set.by) // what was changed meanwhile
        const { differing } = await this.#copy(connection, set.place, undefined)
        if (differing > 0)
          throw new Fault('corrupt', `${differing} rows are not there as they were written`)
        await shelf.setHome({ json: JSON.stringify(set) })
        this.#begin(set)
      })
    } catch (thrown) {
      trouble.error('directory.homeNotMoved', { error: messageOf(thrown) })
      this.#set = undefined
      this.#error = messageOf(thrown)
    } finally {
      connection.close()
      this.#copying = undefined
    }
  }

  #copy(connection: LdapConnection, { base }: HomePlace, by: ChangeAuthor | undefined) {
    const { directory, log, clock } = this.#parts
    this.#copied = 0
    return copyRows(connection, {
      base,
      directory: directory.directory,
      log,
      ...(by !== undefined && { by }),
      atMs: clock.nowMs(),
      onRow: () => void this.#copied++,
    })
  }
}

const scriptsState = ({ state, copied, waiting, error }: HomeScripts): HomeScriptsState => ({
  state,
  ...(copied !== undefined && { copied }),
  waiting,
  ...(error !== undefined && { error }),
})

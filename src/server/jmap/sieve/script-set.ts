import type { Outcome } from '#base/outcome.ts'
import { checkScript } from '#engine/deliver/scripts.ts'
import type { Scripts, ScriptsRefusal } from '#engine/deliver/scripts.ts'
import type { ScriptEntry } from '#model/script.ts'
import { invalidProperties, SetRefusal } from '#server/jmap/method/method-error.ts'
import { notFound, readSet, SetResult, SET_ARGS } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { SIEVE } from '#server/jmap/room.ts'
import type { Args } from '#server/jmap/method/args.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { scriptText } from './script-validate.ts'
import { loadScripts, refusalOf, scriptsBook, showScript } from './scripts.ts'

/** RFC 9661 §2.4. */
export const scriptSet: Method = {
  name: 'SieveScript/set',
  capability: SIEVE,
  args: [...SET_ARGS, 'onSuccessActivateScript', 'onSuccessDeactivateScript'],
  writes: true,
  async run(call, args): Promise<Answer> {
    const before = await loadScripts(call)
    const work = new ScriptWork(call, before.scripts)
    const ask = readSet(call, args, before.state)
    const deactivates = args.flag('onSuccessDeactivateScript')
    const result = new SetResult()
    for (const [creationId, properties] of ask.create)
      await work.create(properties).then(
        (object) => result.created(call, creationId, object),
        (thrown: unknown) => result.refuse('notCreated', creationId, thrown),
      )
    for (const [id, patch] of ask.update)
      await work.update(id, patch).then(
        (more) => result.updated(id, more),
        (thrown: unknown) => result.refuse('notUpdated', id, thrown),
      )
    for (const id of ask.destroy)
      await work.destroy(id).then(
        () => result.destroyed(id),
        (thrown: unknown) => result.refuse('notDestroyed', id, thrown),
      )
    const isWhole = Object.values(result.refusals).every(({ size }) => size === 0)
    const told = isWhole ? await activate(work, activatedBy(args), deactivates, result) : []
    const after = await loadScripts(call)
    return {
      oldState: before.state,
      newState: after.state,
      ...withActive(result.answer(), told),
    }
  },
}

/** The scripts of one call, as they are after each step. */
class ScriptWork {
  readonly #call: Call
  readonly #book: Scripts
  #there: readonly ScriptEntry[]

  constructor(call: Call, there: readonly ScriptEntry[]) {
    this.#call = call
    this.#book = scriptsBook(call)
    this.#there = there
  }

  find(id: string): ScriptEntry | undefined {
    return this.#there.find((each) => each.id === id)
  }

  get active(): ScriptEntry | undefined {
    return this.#there.find(({ active }) => active)
  }

  async create(
    properties: Properties,
  ): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
    for (const name of Object.keys(properties))
      if (name !== 'name' && name !== 'blobId')
        throw invalidProperties('that cannot be set', name.slice(0, 100))
    const name = nameOf(properties['name'] ?? null) ?? this.#freeName()
    const text = await scriptText(this.#call, properties['blobId'])
    const { accountId } = this
    const put = { accountId, name, text, activate: false, newOnly: true }
    const made = await this.#done(this.#book.put(put), name)
    const shown = Object.entries(showScript(made)).filter(
      ([key, value]) => properties[key] !== value,
    )
    return { ...Object.fromEntries(shown), id: made.id }
  }

  /** What of it is not as it was given. */
  async update(id: string, patch: Properties): Promise<Properties | null> {
    const before = this.find(id)
    if (before === undefined) throw notFound()
    const shown = showScript(before)
    for (const [name, value] of Object.entries(patch))
      if (name !== 'name' && name !== 'blobId' && !(name in shown && shown[name] === value))
        throw invalidProperties('that cannot be changed', name.slice(0, 100))
    const { accountId } = this
    const text =
      patch['blobId'] === undefined || patch['blobId'] === shown['blobId']
        ? undefined
        : await scriptText(this.#call, patch['blobId'])
    // Before anything is changed: what is wrong leaves all of it as it was.
    const refused = text === undefined ? undefined : checkScript(text)
    if (refused !== undefined) throw refusalOf(refused, this.#there, before.name)
    let { name } = before
    if (patch['name'] !== undefined) {
      const to = nameOf(patch['name'])
      if (to === undefined) throw invalidProperties('a script keeps a name', 'name')
      if (to !== name) {
        await this.#done(this.#book.rename({ accountId, name, to }), to)
        name = to
      }
    }
    if (text === undefined) return null
    const put = { accountId, name, text, activate: false }
    const now = await this.#done(this.#book.put(put), name)
    return { blobId: showScript(now)['blobId'] }
  }

  async destroy(id: string): Promise<void> {
    const found = this.find(id)
    if (found === undefined) throw notFound()
    const { accountId } = this
    await this.#done(this.#book.remove({ accountId, name: found.name }), found.name)
  }

  async activate(name: string | null): Promise<void> {
    const { accountId } = this
    await this.#done(this.#book.activate({ accountId, name }), name ?? '')
  }

  get accountId(): Call['account']['id'] {
    return this.#call.account.id
  }

  async #done<T>(change: Promise<Outcome<T, ScriptsRefusal>>, name: string): Promise<T> {
    const outcome = await change
    this.#there = (await loadScripts(this.#call)).scripts
    if (!outcome.ok) throw refusalOf(outcome.error, this.#there, name.normalize('NFC'))
    return outcome.value
  }

  /** RFC 9661 §2.1: where the client leaves it open, the name is the server's choice. */
  #freeName(): string {
    const names = new Set(this.#there.map(({ name }) => name))
    for (let number = 1; ; number++) if (!names.has(`script-${number}`)) return `script-${number}`
  }
}

function nameOf(value: unknown): string | undefined {
  if (value === null) return undefined
  if (typeof value !== 'string') throw invalidProperties('name is a text or null', 'name')
  return value.normalize('NFC')
}

/** RFC 9661 §2.4: what is no id of a script is as good as nothing. */
function activatedBy(args: Args): string | undefined {
  const value = args.value('onSuccessActivateScript')
  return typeof value === 'string' ? args.resolved(value) : undefined
}

/** Ids of scripts that another state of activity was given, with that. */
async function activate(
  work: ScriptWork,
  id: string | undefined,
  deactivates: boolean,
  result: SetResult,
): Promise<readonly (readonly [id: string, isActive: boolean])[]> {
  const wanted = id === undefined ? undefined : work.find(id)
  const { active } = work
  if (wanted === undefined && !deactivates) return []
  if (wanted?.active === true) return []
  if (wanted === undefined && active === undefined) return []
  try {
    await work.activate(wanted?.name ?? null)
  } catch (thrown) {
    // One that was brought in as it was does not check: what filtered goes on to.
    if (!(thrown instanceof SetRefusal) || wanted === undefined) throw thrown
    result.refuse('notUpdated', wanted.id, thrown)
    return []
  }
  return [
    ...(active === undefined ? [] : [[active.id, false] as const]),
    ...(wanted === undefined ? [] : [[wanted.id, true] as const]),
  ]
}

/** RFC 9661 §2.4: told where the object was created, else as an update. */
function withActive(answer: Answer, told: readonly (readonly [string, boolean])[]): Answer {
  if (told.length === 0) return answer
  const created = Object.entries((answer['created'] as Record<string, Answer> | null) ?? {})
  const updated = new Map(
    Object.entries((answer['updated'] as Record<string, Answer | null> | null) ?? {}),
  )
  for (const [id, isActive] of told) {
    const made = created.find(([, object]) => object['id'] === id)
    if (made !== undefined) made[1] = { ...made[1], isActive }
    else updated.set(id, { ...updated.get(id), isActive })
  }
  return {
    ...answer,
    created: created.length === 0 ? null : Object.fromEntries(created),
    updated: updated.size === 0 ? null : Object.fromEntries(updated),
  }
}

import type { Args } from './args.ts'
import { isId, isObject } from './args.ts'
import { invalidArguments, invalidProperties, MethodError, SetRefusal } from './method-error.ts'
import type { SetError } from './method-error.ts'
import type { Call } from '#server/jmap/room.ts'

export type Properties = Readonly<Record<string, unknown>>

/** What a /set asks for, its ids resolved. */
export interface SetAsk {
  readonly create: readonly (readonly [creationId: string, properties: Properties])[]
  readonly update: readonly (readonly [id: string, patch: Properties])[]
  readonly destroy: readonly string[]
}

export const SET_ARGS = ['ifInState', 'create', 'update', 'destroy'] as const

/** Reads a /set (RFC 8620 §5.3). Ends the call where it asks too much, or `state` is another one. */
export function readSet(call: Call, args: Args, state: string): SetAsk {
  const ifInState = args.string('ifInState')
  if (ifInState !== undefined && ifInState !== state) throw new MethodError('stateMismatch')
  const create = objects(args, 'create')
  const update = objects(args, 'update').map(([id, patch]) => [args.resolved(id), patch] as const)
  const destroy = [...new Set(args.ids('destroy') ?? [])]
  const { maxObjectsInSet } = call.room.limits
  if (create.length + update.length + destroy.length > maxObjectsInSet)
    throw new MethodError('requestTooLarge', `At most ${maxObjectsInSet} objects a call`)
  if (create.some(([id]) => !isId(id))) throw invalidArguments('a creation id is no Id')
  return { create, update, destroy }
}

export const objects = (args: Args, name: string): readonly (readonly [string, Properties])[] =>
  Object.entries(args.map(name) ?? {}).map(([id, value]) => {
    if (!isObject(value)) throw invalidArguments(`${name} holds what is no object`)
    return [id, value]
  })

/** Gathers what became of each object. */
export class SetResult {
  readonly #created = new Map<string, unknown>()
  readonly #updated = new Map<string, unknown>()
  readonly #destroyed: string[] = []
  readonly #refused = {
    notCreated: new Map<string, SetError>(),
    notUpdated: new Map<string, SetError>(),
    notDestroyed: new Map<string, SetError>(),
  }

  created(
    call: Call,
    creationId: string,
    object: { readonly id: string; readonly [more: string]: unknown },
  ): void {
    this.#created.set(creationId, object)
    call.createdIds.set(creationId, object.id)
  }
  updated(id: string, more: Properties | null = null): void {
    this.#updated.set(id, more)
  }
  destroyed(id: string): void {
    this.#destroyed.push(id)
  }
  /** Notes the refusal of an object; throws on what is none. */
  refuse(list: keyof typeof this.refusals, id: string, thrown: unknown): void {
    if (!(thrown instanceof SetRefusal)) throw thrown
    this.#refused[list].set(id, thrown.error)
  }
  get refusals(): {
    readonly [K in 'notCreated' | 'notUpdated' | 'notDestroyed']: ReadonlyMap<string, SetError>
  } {
    return this.#refused
  }

  answer(): Readonly<Record<string, unknown>> {
    const object = (map: ReadonlyMap<string, unknown>): unknown =>
      map.size === 0 ? null : Object.fromEntries(map)
    return {
      created: object(this.#created),
      updated: object(this.#updated),
      destroyed: this.#destroyed.length === 0 ? null : this.#destroyed,
      notCreated: object(this.#refused.notCreated),
      notUpdated: object(this.#refused.notUpdated),
      notDestroyed: object(this.#refused.notDestroyed),
    }
  }
}

export const notFound = (): SetRefusal => new SetRefusal({ type: 'notFound' })

/** A map of names to true, as `mailboxIds` and `keywords` are. Throws SetRefusal. */
export function namesOf(value: unknown, property: string): readonly string[] {
  if (!isObject(value)) throw invalidProperties(`${property} is not an object`, property)
  return Object.entries(value).map(([name, set]) => {
    if (set !== true) throw invalidProperties(`${property} holds what is not true`, property)
    return name
  })
}

/** Changes to such a map: all of it, or some of its names. */
export type NamesPatch =
  | { readonly kind: 'replace'; readonly names: readonly string[] }
  | { readonly kind: 'patch'; readonly add: readonly string[]; readonly remove: readonly string[] }

/** Reads `property` and `property/NAME` of a patch (RFC 8620 §5.3). Throws SetRefusal. */
export function namesPatch(patch: Properties, property: string): NamesPatch | undefined {
  const prefix = `${property}/`
  const parts = Object.entries(patch).filter(([path]) => path.startsWith(prefix))
  const isWhole = Object.hasOwn(patch, property)
  if (isWhole && parts.length > 0)
    throw new SetRefusal({ type: 'invalidPatch', description: `${property} is patched twice` })
  if (isWhole) return { kind: 'replace', names: namesOf(patch[property], property) }
  if (parts.length === 0) return undefined
  const add: string[] = []
  const remove: string[] = []
  for (const [path, value] of parts) {
    const name = path.slice(prefix.length).replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === true) add.push(name)
    else if (value === null) remove.push(name)
    else throw invalidProperties(`${property} takes true and null`, property)
  }
  return { kind: 'patch', add, remove }
}

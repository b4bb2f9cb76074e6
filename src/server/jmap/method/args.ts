import { invalidArguments } from './method-error.ts'

/** Arguments of one method call, read by type; what is of another one ends the call. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #createdIds: ReadonlyMap<string, string>

  constructor(
    values: Readonly<Record<string, unknown>>,
    createdIds: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#values = values
    this.#createdIds = createdIds
  }

  /** The value as it came; undefined where it is absent or null. */
  value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined
  }

  /** The creation id's id where it is a reference to one (RFC 8620 §5.3), else itself. */
  resolved(id: string): string {
    return id.startsWith('#') ? (this.#createdIds.get(id.slice(1)) ?? id) : id
  }

  id(name: string): string | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (!isIdOrReference(value)) throw invalidArguments(`${name} is not an Id`)
    return this.resolved(value)
  }

  ids(name: string): readonly string[] | undefined {
    return this.list(name)?.map((value) => {
      if (!isIdOrReference(value)) throw invalidArguments(`${name} holds what is not an Id`)
      return this.resolved(value)
    })
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw invalidArguments(`${name} is not a list`)
    return value as unknown[]
  }

  strings(name: string): readonly string[] | undefined {
    return this.list(name)?.map((value) => {
      if (typeof value !== 'string') throw invalidArguments(`${name} holds what is not a String`)
      return value
    })
  }

  string(name: string): string | undefined {
    const value = this.value(name)
    if (value !== undefined && typeof value !== 'string')
      throw invalidArguments(`${name} is not a String`)
    return value
  }

  flag(name: string): boolean {
    const value = this.value(name) ?? false
    if (typeof value !== 'boolean') throw invalidArguments(`${name} is not a Boolean`)
    return value
  }

  int(name: string): number | undefined {
    const value = this.value(name)
    if (value !== undefined && !Number.isSafeInteger(value))
      throw invalidArguments(`${name} is not an Int`)
    return value as number | undefined
  }

  count(name: string): number | undefined {
    const value = this.int(name)
    if (value !== undefined && value < 0) throw invalidArguments(`${name} is not an UnsignedInt`)
    return value
  }

  map(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (!isObject(value)) throw invalidArguments(`${name} is not an object`)
    return value
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 8620 §1.2. */
export const isId = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(value)

const isIdOrReference = (value: unknown): value is string =>
  isId(value) || (typeof value === 'string' && value.startsWith('#') && isId(value.slice(1)))

/** The object with these properties only, and its id. */
export const picked = (
  value: Readonly<Record<string, unknown>>,
  properties: ReadonlySet<string>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).filter(([name]) => name === 'id' || properties.has(name)),
  )

/** The properties that are asked for; all where none are named. Ends the call for one that is not known. */
export function propertiesOf(args: Args, known: readonly string[]): ReadonlySet<string> {
  const asked = args.strings('properties')
  if (asked === undefined) return new Set(known)
  const strange = asked.find((name) => !known.includes(name))
  if (strange !== undefined)
    throw invalidArguments(`no property is called ${strange.slice(0, 100)}`)
  return new Set(asked)
}

import { isAbsent, isObject, listOf } from '#codec/scim/json.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { Refused } from '#codec/scim/problem.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { ApiError } from '#server/admin/errors.ts'
import { addressIn } from '#server/admin/lookup.ts'

/** The text of an attribute; an empty one is none. */
export function textIn(of: Json | undefined, name: string): string | undefined {
  const value = isObject(of) ? of[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

export const textsIn = (of: Json | undefined, name: string): readonly string[] =>
  listOf(isObject(of) ? of[name] : undefined).filter(
    (each): each is string => typeof each === 'string' && each !== '',
  )

export function countIn(of: Json | undefined, name: string): number | undefined {
  const value = isObject(of) ? of[name] : undefined
  if (isAbsent(value)) return undefined
  if (typeof value === 'number' && value >= 0) return value
  throw new Refused('invalidValue', `${name} is no count`)
}

/** An address that an attribute tells; a bare name is one of the default domain. */
export function addressTold(now: Directory, text: string, attribute: string): Address {
  try {
    return addressIn(now, text)
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    throw new Refused('invalidValue', `${attribute}: ${thrown.message}`)
  }
}

/** The same, in a domain of ours. */
export function ownAddressTold(now: Directory, text: string, attribute: string): Address {
  const address = addressTold(now, text, attribute)
  if (now.domain(address.domain) !== undefined) return address
  throw new Refused(
    'invalidValue',
    `${attribute}: ${address.domain} is no domain of this installation; leave ${text} out, or add the domain first`,
  )
}

/** An object of those that say something; absent where none does. */
export function compact<T extends object>(
  of: T,
): { readonly [N in keyof T]: Exclude<T[N], undefined> } | undefined {
  const told = Object.entries(of).filter(([, value]) => value !== undefined)
  return told.length === 0 ? undefined : (Object.fromEntries(told) as never)
}

export const partOf = (of: JsonObject | undefined, name: string): JsonObject => {
  const part = of?.[name]
  return isObject(part) ? part : {}
}

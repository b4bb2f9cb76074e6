import { concatOctets, fromUtf8, LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'

/*
 * A value with octets in it: one line of JSON, then the octets. Where octets stood, the JSON says
 * {"$octets": [offset, length]}; the offset counts from after the line.
 */
const MARK = '$octets'

/** The value as one body. Octets are carried as they are, the rest as JSON. */
export function carry(value: unknown): Octets {
  const pieces: Octets[] = []
  let offset = 0
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, given: unknown) {
    // As it stands in its holder: a Buffer has become a list of numbers already.
    const found = this[key]
    if (!(found instanceof Uint8Array)) return given
    const place = [offset, found.byteLength]
    pieces.push(found)
    offset += found.byteLength
    return { [MARK]: place }
  })
  return concatOctets([fromUtf8(`${text}\n`), ...pieces])
}

/** The value of one whole body; its octets are views of it. Throws Fault `protocol`. */
export function carried(body: Buffer): unknown {
  const end = body.indexOf(LF)
  if (end < 0) throw new Fault('protocol', 'the body ends within its head')
  const octets = body.subarray(end + 1)
  try {
    return JSON.parse(body.subarray(0, end).toString('utf8'), (_, value: unknown) =>
      placeOf(value, octets),
    )
  } catch (cause) {
    throw new Fault('protocol', 'the head of the body cannot be read', { cause })
  }
}

function placeOf(value: unknown, octets: Octets): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, MARK)) return value
  const place = (value as Record<string, unknown>)[MARK]
  if (!Array.isArray(place)) throw new TypeError('no place of octets')
  const [offset, length] = place as readonly unknown[]
  if (!isCount(offset) || !isCount(length) || offset + length > octets.byteLength)
    throw new RangeError('octets beyond the end')
  return octets.subarray(offset, offset + length)
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

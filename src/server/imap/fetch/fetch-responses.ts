import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { OctetRange } from '#model/message.ts'
import type { Decoded } from './fetch-binary.ts'
import type { Made, Unit } from './fetch-units.ts'
import { CROWDED_READ_BYTES, READ_BYTES, readOctets } from './message-octets.ts'
import type { Of } from './message-octets.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** What is written in order: octets, what is read while it is sent, and what is decoded meanwhile. */
export type Gathered = (Octets | (Pick<Unit, 'uid'> & { readonly rest: OctetRange }) | Decoded)[]

/** Gathers the responses of many messages into few octets: one write costs more than a small message. */
export class Responses {
  readonly #gathered: Gathered = []
  #parts: (string | Octets)[] = []
  #text = ''
  #bytes = 0

  add({ seq, uid }: Unit, values: readonly Made[]): void {
    this.#text += `* ${seq} FETCH (`
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (i > 0) this.#text += ' '
      if (typeof value === 'string') this.#text += value
      else if ('decoded' in value) {
        this.#text += `${value.label} ${value.isBinary ? '~' : ''}{${value.decoded.length}}\r\n`
        this.#close()
        this.#gathered.push(value.decoded)
      } else {
        this.#text += `${value.label} {${value.length}}\r\n`
        this.#octets(value.first)
        if (value.rest.length > 0) {
          this.#close()
          this.#gathered.push({ uid, rest: value.rest })
        }
      }
    }
    this.#text += ')\r\n'
  }

  end(): Gathered {
    this.#close()
    return this.#gathered
  }

  #octets(octets: Octets): void {
    this.#parts.push(this.#text, octets)
    this.#bytes += this.#text.length + octets.length
    this.#text = ''
  }

  /** Copies what has been gathered: the answers that it came in are let go. */
  #close(): void {
    const length = this.#bytes + this.#text.length
    const octets = Buffer.allocUnsafeSlow(length)
    let at = 0
    for (const part of [...this.#parts, this.#text]) {
      if (typeof part === 'string') octets.write(part, at, 'latin1')
      else octets.set(part, at)
      at += part.length
    }
    if (length > 0) this.#gathered.push(octets)
    this.#parts = []
    this.#text = ''
    this.#bytes = 0
  }
}

/** Writes what was gathered, and lets go of what is written. */
export async function writeGathered(
  session: ImapSession,
  selected: Selected,
  gathered: Gathered,
): Promise<void> {
  for (let next = gathered.shift(); next !== undefined; next = gathered.shift())
    if (next instanceof Uint8Array) await session.out.octets(next)
    else if ('rest' in next) await writeRest({ session, selected, uid: next.uid }, next.rest)
    else await writeDecoded(session, next)
}

/** One read ahead of the client. */
async function writeRest(of: Of, range: OctetRange): Promise<void> {
  const { session } = of
  const { readAhead } = session.room
  let { offset, length: unread } = range
  let left = range.length
  const next = (): Promise<Octets | undefined> | undefined => {
    if (unread === 0) return undefined
    const length = Math.min(readAhead.hasRoom ? READ_BYTES : CROWDED_READ_BYTES, unread)
    const reading = readOctets(of, { offset, length })
    offset += length
    unread -= length
    return reading.catch(() => undefined)
  }
  let current = await next()
  while (current !== undefined) {
    const coming = readAhead.hasRoom ? next() : undefined
    await session.out.octets(current)
    left -= current.length
    current = await (coming ?? next())
  }
  // The client counts octets: what was announced and cannot be read ends the connection.
  if (left !== 0) session.connection.abort()
}

async function writeDecoded(session: ImapSession, decoded: Decoded): Promise<void> {
  let left = decoded.length
  try {
    for await (const octets of decoded.pieces()) {
      await session.out.octets(octets)
      left -= octets.length
    }
  } catch (thrown) {
    if (isFault(thrown, 'closed')) throw thrown
  }
  if (left !== 0) session.connection.abort() // as above
}

import { bufferOf, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountCommit } from '#store/mailbox/commit.ts'
import type { Placed } from './apply.ts'

/**
 * A request that brought octets, as it stands behind them in their segment: enough to make its commits
 * once more where database and journal have lost them.
 */
export interface Note {
  readonly atMs: number
  readonly commits: readonly AccountCommit[]
  readonly placed: Placed
}

/** JSON; octets as `{"$": base64}`, large integers as `{"#": digits}`. An entry's octets stand before it. */
export const encodeNote = ({ atMs, commits, placed }: Note): Octets =>
  fromUtf8(
    JSON.stringify({
      atMs,
      // The entries are told with their places.
      commits: commits.map((commit) => plain({ ...commit, outbox: undefined })),
      placed: {
        contents: plain(placed.contents),
        outbox: placed.outbox.map((entries) =>
          entries.map(({ entry, ref }) => plain({ entry: { ...entry, content: 0 }, ref })),
        ),
      },
    }),
  )

/** What JSON has. A function that JSON asks about each value takes twice as long and more, and of a Buffer is shown what that makes of itself. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { '#': value.toString() }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $: bufferOf(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  if (ArrayBuffer.isView(value)) return value
  const copy: Record<string, unknown> = {}
  for (const [key, each] of Object.entries(value)) copy[key] = plain(each)
  return copy
}

/** Throws Fault `corrupt` for what is no note. */
export function decodeNote(octets: Octets): Note {
  try {
    return JSON.parse(toUtf8(octets), (_, value: unknown) => {
      if (typeof value !== 'object' || value === null) return value
      if ('$' in value) return Buffer.from(String(value.$), 'base64')
      if (isBuffer(value)) return Buffer.from(value.data)
      return '#' in value ? BigInt(String(value['#'])) : value
    }) as Note
  } catch (cause) {
    throw new Fault('corrupt', 'the note of a request cannot be read', { cause })
  }
}

/** How earlier programs told octets that had come through the pipe. */
const isBuffer = (value: object): value is { readonly data: readonly number[] } =>
  'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)

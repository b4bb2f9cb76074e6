import type { Stats } from 'node:fs'
import { lstat, open, readdir, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { OctetSource } from '#engine/scan/judge.ts'
import { MBOX_MESSAGE_BYTES_MAX, mboxMessages, startsMbox } from './mbox.ts'

/** A message that lies in a file, or what stands in its place. */
export type MailFile =
  | { readonly kind: 'message'; readonly path: string; readonly source: OctetSource }
  /** It cannot be read, or is no file. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'tooLong'; readonly path: string; readonly reason: string }

const CHUNK_BYTES = 256 * 1024
const SLASH = Buffer.from('/')

/**
 * The messages of a path: a folder's files and those below it in the order of their names' octets, an
 * mbox's messages as `path#N`, or one message. One at a time: ask for the next when done with it.
 */
export async function* mailFiles(path: string): AsyncGenerator<MailFile> {
  const octets = Buffer.from(path)
  const found = await look(stat(octets))
  if (typeof found === 'string') yield { kind: 'unreadable', path, reason: found }
  else if (found.isDirectory()) yield* folder(octets)
  else yield* messages(octets, { isNamed: true })
}

/** Names are octets: they need not be UTF-8. */
async function* folder(path: Buffer): AsyncGenerator<MailFile> {
  const names = await look(readdir(path, { encoding: 'buffer' }))
  if (typeof names === 'string')
    return yield { kind: 'unreadable', path: path.toString(), reason: names }
  const base = path.at(-1) === SLASH[0] ? path : Buffer.concat([path, SLASH])
  for (const name of names.sort((a, b) => a.compare(b))) {
    const entry = Buffer.concat([base, name])
    const unreadable = (reason: string): MailFile => ({
      kind: 'unreadable',
      path: entry.toString(),
      reason,
    })
    const own = await look(lstat(entry))
    const found = typeof own !== 'string' && own.isSymbolicLink() ? await look(stat(entry)) : own
    if (typeof found === 'string') yield unreadable(found)
    else if (found.isFile()) yield* messages(entry, { isNamed: false })
    else if (!found.isDirectory()) yield unreadable('neither a file nor a folder')
    // A link may lead to a folder above.
    else if (found === own) yield* folder(entry)
    else yield unreadable('a link to a folder, which is not followed')
  }
}

async function look<T>(asked: Promise<T>): Promise<T | string> {
  try {
    return await asked
  } catch (thrown) {
    return reasonOf(thrown)
  }
}

const reasonOf = (thrown: unknown): string =>
  (thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)

/** One file. One of a folder that is an mbox of a single message goes by its path alone. */
async function* messages(
  octets: Buffer,
  { isNamed }: { readonly isNamed: boolean },
): AsyncGenerator<MailFile> {
  const path = octets.toString()
  let handle: FileHandle | undefined
  try {
    handle = await open(octets)
    const found = await handle.stat()
    const chunks = chunksOf(handle, found.isFile() ? found.size : CHUNK_BYTES)
    const first = (await chunks.next()).value ?? Buffer.alloc(0)
    const all = prepended(first, chunks)
    if (startsMbox(first)) yield* numbered(path, mboxMessages(all), isNamed)
    else yield await plain({ path, handle, found, all })
  } catch (thrown) {
    yield { kind: 'unreadable', path, reason: reasonOf(thrown) }
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

async function* numbered(
  path: string,
  found: AsyncGenerator<Octets | undefined>,
  isNamed: boolean,
): AsyncGenerator<MailFile> {
  let number = 0
  let next = await found.next()
  while (next.done !== true) {
    const octets = next.value
    // The next is read while this one waits: only then is it known whether it is the only one.
    next = await found.next()
    number++
    const name = number === 1 && next.done === true && !isNamed ? path : `${path}#${number}`
    yield octets === undefined
      ? { kind: 'tooLong', path: name, reason: TOO_LONG }
      : { kind: 'message', path: name, source: sourceOf(octets) }
  }
}

const TOO_LONG = `longer than ${MBOX_MESSAGE_BYTES_MAX} octets`

/** A file is read piece by piece as it is judged; what has no size of its own (a pipe) is read first. */
async function plain(file: {
  readonly path: string
  readonly handle: FileHandle
  readonly found: Stats
  readonly all: AsyncIterable<Octets>
}): Promise<MailFile> {
  const { path, handle, found } = file
  const sizeBytes = found.size
  if (found.isFile()) {
    if (sizeBytes > MBOX_MESSAGE_BYTES_MAX) return { kind: 'tooLong', path, reason: TOO_LONG }
    const read = async (offset: number, length: number): Promise<Octets> => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    }
    return { kind: 'message', path, source: { sizeBytes, read } }
  }
  const pieces: Octets[] = []
  let size = 0
  for await (const piece of file.all) {
    size += piece.byteLength
    if (size > MBOX_MESSAGE_BYTES_MAX) return { kind: 'tooLong', path, reason: TOO_LONG }
    pieces.push(piece)
  }
  return { kind: 'message', path, source: sourceOf(Buffer.concat(pieces)) }
}

const sourceOf = (octets: Octets): OctetSource => ({
  sizeBytes: octets.byteLength,
  read: (offset, length) => Promise.resolve(octets.subarray(offset, offset + length)),
})

/** No more room at once than a file needs: most are small, and there may be 100,000. */
async function* chunksOf(handle: FileHandle, sizeBytes: number): AsyncGenerator<Buffer, undefined> {
  const length = Math.min(CHUNK_BYTES, sizeBytes + 1)
  for (;;) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length)
    if (bytesRead === 0) return undefined
    yield buffer.subarray(0, bytesRead)
  }
}

async function* prepended(first: Octets, rest: AsyncIterable<Octets>): AsyncGenerator<Octets> {
  yield first
  yield* rest
}

import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  openSync,
  read,
  readSync,
  write,
  writev,
  writevSync,
} from 'node:fs'
import { failpoint } from '#base/failpoint.ts'
import { Fault } from '#base/outcome.ts'

/** Writes all of `buffers` from `position`, in one system call where the kernel takes it whole. */
export async function writeAll(
  fd: number,
  buffers: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest: readonly Buffer[] = buffers.filter((buffer) => buffer.length > 0)
  let at = position
  while (rest.length > 0) {
    const written = await new Promise<number>((resolve, reject) => {
      const done = (error: Error | null, count: number): void =>
        error === null ? resolve(count) : reject(error)
      if (rest.length === 1) write(fd, rest[0]!, 0, rest[0]!.length, at, done)
      else writev(fd, rest, at, done)
    })
    rest = behind(rest, written)
    at += written
  }
}

/** The same, and nothing else runs meanwhile: no thread has to be woken for it. */
export function writeAllNow(fd: number, buffers: readonly Buffer[], position: number): void {
  let rest: readonly Buffer[] = buffers.filter((buffer) => buffer.length > 0)
  let at = position
  while (rest.length > 0) {
    const written = writevSync(fd, rest, at)
    rest = behind(rest, written)
    at += written
  }
}

/** What is still to be written. Throws Fault `io` where a write wrote nothing. */
function behind(buffers: readonly Buffer[], written: number): readonly Buffer[] {
  if (written === 0) throw new Fault('io', 'a write wrote nothing')
  let left = written
  const rest = [...buffers]
  while (rest.length > 0 && left >= rest[0]!.length) left -= rest.shift()!.length
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}

/** Up to `length` octets from `position`; shorter only at the file's end. They lie in `buffer` where one is given. */
export async function readAt(
  fd: number,
  position: number,
  length: number,
  buffer: Buffer = Buffer.allocUnsafeSlow(length),
): Promise<Buffer> {
  let got = 0
  while (got < length) {
    const count = await new Promise<number>((resolve, reject) =>
      read(fd, buffer, got, length - got, position + got, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      ),
    )
    if (count === 0) break
    got += count
  }
  return got === buffer.length ? buffer : buffer.subarray(0, got)
}

/** The same as `readAt`, and nothing else runs meanwhile: no thread has to be woken for it. */
export function readAtNow(fd: number, position: number, length: number, buffer: Buffer): Buffer {
  let got = 0
  while (got < length) {
    const count = readSync(fd, buffer, got, length - got, position + got)
    if (count === 0) break
    got += count
  }
  return got === buffer.length ? buffer : buffer.subarray(0, got)
}

const settled =
  (resolve: () => void, reject: (cause: Error) => void) =>
  (error: Error | null | undefined): void =>
    error === null || error === undefined ? resolve() : reject(error)

/** True where the power-loss test proves that it would see a sync that is missing. */
const isSyncLeftOut = (): boolean => failpoint('storage.sync') === 'drop'

export const syncData = (fd: number): Promise<void> =>
  isSyncLeftOut()
    ? Promise.resolve()
    : new Promise((resolve, reject) => fdatasync(fd, settled(resolve, reject)))

/** The same as `syncData`, and nothing else runs meanwhile. */
export function syncDataNow(fd: number): void {
  if (!isSyncLeftOut()) fdatasyncSync(fd)
}

export const syncWhole = (fd: number): Promise<void> =>
  isSyncLeftOut()
    ? Promise.resolve()
    : new Promise((resolve, reject) => fsync(fd, settled(resolve, reject)))

export const closeFile = (fd: number): Promise<void> =>
  new Promise((resolve, reject) => close(fd, settled(resolve, reject)))

/** Makes durable which names the folder holds. */
export function syncFolder(dir: string): void {
  if (isSyncLeftOut()) return
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

interface Opened {
  readonly fd: number
  readonly sizeBytes: number
  users: number
  dropped: boolean
}

/** Descriptors for reading, the least recently used closed first; one in use stays open. */
export class ReadFiles {
  readonly #files = new Map<string, Opened>()
  readonly #openMax: number
  constructor(openMax: number) {
    this.#openMax = openMax
  }

  async use<T>(path: string, work: (fd: number, sizeBytes: number) => Promise<T>): Promise<T> {
    const file = this.#files.get(path) ?? open(path)
    this.#files.delete(path)
    this.#files.set(path, file)
    file.users++
    try {
      this.#shrink(this.#openMax)
      return await work(file.fd, file.sizeBytes)
    } finally {
      file.users--
      if (file.dropped && file.users === 0) closeSync(file.fd)
    }
  }

  drop(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    file.dropped = true
    if (file.users === 0) closeSync(file.fd)
  }

  close(): void {
    this.#shrink(0)
  }

  #shrink(openMax: number): void {
    for (const path of this.#files.keys()) {
      if (this.#files.size <= openMax) return
      this.drop(path)
    }
  }
}

function open(path: string): Opened {
  const fd = openSync(path, 'r')
  return { fd, sizeBytes: fstatSync(fd).size, users: 0, dropped: false }
}

import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runProgram, until } from './installation.ts'

/** A small ext4 of a test's own, in a file: it can be filled, frozen, and lose its power. */
export interface LoopDisk {
  /** The folder on it. */
  readonly dir: string
  /** Takes all room but so much; 0: to the last octet. */
  fill(leftBytes: number): Promise<void>
  /** Gives back what `fill` took. */
  empty(): void
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** What was not synced is gone; every later access fails. */
  cutPower(): Promise<void>
  /** Mounts it again, once nobody has it open. */
  remount(): Promise<void>
  /** Thaws, unmounts and removes it, whatever state it is in. */
  remove(): Promise<void>
}

const SIZE = '1G'
// EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more reaches the disk.
const CUT = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))
`

/** What the file system itself may take of what it calls free. */
const SLACK_BYTES = 8 * 1024 * 1024

function writeUntilFull(path: string): void {
  const zeros = Buffer.alloc(4_096)
  const file = openSync(path, 'a')
  try {
    for (;;) writeSync(file, zeros)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown
  } finally {
    closeSync(file)
  }
}

/** Resolves with undefined where this machine lets nobody mount such a disk. */
export async function loopDisk(): Promise<LoopDisk | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/dev/loop-control')) return undefined
  const home = mkdtempSync(join(tmpdir(), 'watari-disk-'))
  let image = join(home, 'image')
  let cuts = 0
  const mount = join(home, 'mount')
  const filler = join(mount, 'filler')
  const run = async (file: string, ...args: readonly string[]): Promise<boolean> => {
    const ran = await runProgram(file, args).catch(() => undefined)
    return ran?.status === 0
  }
  const must = async (file: string, ...args: readonly string[]): Promise<void> => {
    const ran = await runProgram(file, args)
    assert.equal(ran.status, 0, `${file} ${args.join(' ')}: ${ran.stderr}`)
  }
  mkdirSync(mount)
  const isMade =
    (await run('truncate', '-s', SIZE, image)) &&
    (await run('mkfs.ext4', '-q', '-F', '-m', '0', image)) &&
    (await run('python3', '-c', 'import fcntl')) &&
    (await run('mount', '-o', 'loop', image, mount))
  if (!isMade) {
    rmSync(home, { recursive: true, force: true })
    return undefined
  }
  const unmount = (): Promise<void> => until('the disk is unmounted', () => run('umount', mount))
  return {
    dir: join(mount, 'data'),
    fill: async (leftBytes) => {
      const { bavail, bsize } = statfsSync(mount)
      const bytes = bavail * bsize - Math.max(leftBytes, SLACK_BYTES)
      await must('fallocate', '-l', String(bytes), filler)
      if (leftBytes === 0) writeUntilFull(filler)
    },
    empty: () => rmSync(filler, { force: true }),
    freeze: () => must('fsfreeze', '-f', mount),
    thaw: () => must('fsfreeze', '-u', mount),
    cutPower: () => must('python3', '-c', CUT, mount),
    // A dead file system lives on for as long as another mount namespace has it, and so does its device, which
    // mount would find again: what has reached the disk goes on as another file.
    remount: async () => {
      await unmount()
      const next = join(home, `image-${++cuts}`)
      await must('cp', '--sparse=always', image, next)
      rmSync(image)
      image = next
      await must('mount', '-o', 'loop', image, mount)
    },
    remove: async () => {
      await run('fsfreeze', '-u', mount)
      if (await run('mountpoint', '-q', mount)) await unmount()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

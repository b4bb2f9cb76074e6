import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, it } from 'node:test'

/** A folder on a file system of a test's own (FUSE), which fails where it is told. */
export interface FaultyDisk {
  /** The mounted folder. */
  readonly dir: string
  /** The same files, past all faults. */
  readonly backing: string
  /** Makes operations fail from now on, until `clear`. */
  fail(fault: DiskFault): Promise<void>
  /** Ends all faults, and lets go whoever hangs. */
  clear(): Promise<void>
  /** How many operations have failed since the last `clear`. */
  fired(): Promise<number>
  /** What was done since the last `trace`, reads left out: `w seg/00000001.seg 0`, the last word its errno. */
  trace(): Promise<readonly string[]>
  /** Unmounts and removes it, with all that it holds. */
  remove(): Promise<void>
}

export interface DiskFault {
  readonly error: 'EIO' | 'ENOSPC' | 'EROFS' | 'HANG'
  /** `r` read, `w` write, `s` fsync, `c` create, `t` truncate, `u` unlink, `n` rename, `m` mkdir, `d` fsync of a folder, `l` look (open, stat, names, free space). */
  readonly ops: string
  /** Paths below the folder, `*` standing for anything, a slash too; `!(…)` for what is not that. */
  readonly path?: string
  /** So many pass before. */
  readonly skip?: number
  /** So many fail, the later ones pass; absent: all fail. */
  readonly count?: number
  /** Only reads that this octet of the file is among: a bad sector. */
  readonly at?: number
}

/** All that changes a disk, as a disk without room refuses it: what takes away goes on. */
export const GROWING = 'wcm'

/** All that can be asked of a disk. */
export const EVERYTHING = `${GROWING}rstundl`

export const NO_FAULTY_DISK = 'needs root, /dev/fuse, gcc and libfuse3-dev'
const SOURCE = join(import.meta.dirname, 'faulty-disk.c')

/** Resolves with undefined where this machine has no FUSE, or nothing to compile it with. */
export async function faultyDisk(): Promise<FaultyDisk | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/dev/fuse')) return undefined
  const home = mkdtempSync(join(tmpdir(), 'watari-faulty-'))
  const [program, backing, dir] = ['program', 'backing', 'mount'].map((name) =>
    join(home, name),
  ) as [string, string, string]
  const gone = (): undefined => {
    rmSync(home, { recursive: true, force: true })
  }
  const flags = ['-O1', '-D_FILE_OFFSET_BITS=64', '-I/usr/include/fuse3', '-o', program, SOURCE]
  if (spawnSync('gcc', [...flags, '-lfuse3', '-lpthread']).status !== 0) return gone()
  mkdirSync(backing)
  mkdirSync(dir)
  const child = spawn(program, [backing, dir], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  if ((await lines.next()).value !== 'mounted') return gone()
  const tell = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`)
    const answer = await lines.next()
    assert.ok(answer.done !== true, 'the faulty disk has ended')
    assert.notEqual(answer.value, 'unknown', line)
    return answer.value
  }
  return {
    dir,
    backing,
    fail: async ({ error, ops, path = '*', skip = 0, count = 0, at = -1 }) =>
      void (await tell(`fail ${error} ${ops} ${path} ${skip} ${count} ${at}`)),
    clear: async () => void (await tell('clear')),
    fired: async () => Number(await tell('fired')),
    trace: async () => (await tell('trace')).split(';').filter((line) => line !== ''),
    remove: async () => {
      spawnSync('umount', ['-l', dir])
      // Whoever has a file open still, as after a test that failed, would keep it alive.
      child.kill('SIGKILL')
      await ended
      gone()
    },
  }
}

/**
 * One such disk for the tests of a suite, each in a folder of its own; skipped where it cannot be had. To
 * be called within `describe`.
 */
export function testsOnFaultyDisk(): (
  title: string,
  work: (disk: FaultyDisk, dir: string) => Promise<void>,
) => void {
  let disk: FaultyDisk | undefined
  before(async () => {
    disk = await faultyDisk()
  })
  after(() => disk?.remove())
  return (title, work) =>
    void it(title, async (t) => {
      const volume = disk
      if (volume === undefined) return t.skip(NO_FAULTY_DISK)
      try {
        await work(volume, mkdtempSync(join(volume.dir, 'v-')))
      } finally {
        await volume.clear()
      }
    })
}

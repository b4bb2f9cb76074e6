import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { install, type Installation } from '#test/e2e/installation.ts'
import { peerRoot } from '#test/peers/root.ts'

/** One part of `npm run bench`; prints as it goes. */
export interface Part {
  readonly name: string
  readonly what: string
  /** Measures us alone: runs where there are no peers. */
  readonly needsPeers?: false
  readonly run: (say: (line: string) => void) => Promise<void>
}

/** The installation under test: judging off, on the peers' own disk. */
export async function benchInstallation(): Promise<Installation> {
  const disk = dirname(peerRoot())
  mkdirSync(disk, { recursive: true })
  const ours = await install({ dir: mkdtempSync(join(disk, 'bench-')), bind: ['127.0.0.1'] })
  await watari(ours, ['settings', 'set', 'judge.enabled', 'false'])
  return ours
}

/** Runs a command of our command line; a refusal ends the benchmark. */
export async function watari(ours: Installation, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await ours.watari(args)
  if (status !== 0) throw new Error(`watari ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

/** One row a line, cells padded to the widest of their column. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .join('\n')
}

interface Memory {
  readonly pid: number
  readonly pssKiB: number
  readonly command: string
}

/** Proportional memory of a process and all its descendants: shared pages are counted once. */
export function memoryOf(root: number): Memory[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : ''
    const parent = /\) \S (\d+) /.exec(stat)?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const tree = new Set([root])
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.add(child)
  return [...tree].map((pid) => ({
    pid,
    pssKiB: Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
    command: read(`/proc/${pid}/cmdline`)
      .split('\0')
      .filter((word) => !word.startsWith('--') && !/\/node$|^node$/.test(word))
      .slice(0, 2)
      .join(' '),
  }))
}

export const totalMiB = (memory: readonly Memory[]): number =>
  memory.reduce((sum, { pssKiB }) => sum + pssKiB, 0) / 1_024

/** The descendant of `root` that runs `file`, with its own descendants. */
export function roleProcesses(root: number, file: string): number[] {
  const role = memoryOf(root).find(({ command }) => command.includes(file))
  if (role === undefined) throw new Error(`no process runs ${file}`)
  return memoryOf(role.pid).map(({ pid }) => pid)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has just ended
  }
}

/** What a folder takes of the disk. */
export const diskMiB = (folder: string): number =>
  Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]) / 1_024

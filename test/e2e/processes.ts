import { readdirSync, readFileSync } from 'node:fs'

/** One process of an installation, as /proc shows it. */
export interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function all(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), parent, command }]
      } catch {
        return [] // ended meanwhile
      }
    })
}

/** All that descend from a process, itself first. */
export function descendants(pid: number): Process[] {
  const processes = all()
  const found = processes.filter((process) => process.pid === pid)
  for (const one of found) found.push(...processes.filter((each) => each.parent === one.pid))
  return found
}

/** Proportional set size of them together, in MiB. */
export function pssMib(processes: readonly Process[]): number {
  let kib = 0
  for (const { pid } of processes) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      kib += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
    } catch {
      // ended meanwhile
    }
  }
  return Math.round(kib / 1024)
}

/** The process of a role, or of a storage (`spool`, `mailbox`), of an installation. */
export function rolePid(watari: { pid(): number }, name: string): number {
  const found = descendants(watari.pid()).find(
    ({ command }) => command.endsWith(`/${name}.ts`) || command === `watari storage ${name}`,
  )
  if (found === undefined) throw new Error(`no process of ${name}`)
  return found.pid
}

/** Holds processes still (SIGSTOP) while `work` runs. */
export async function stopped<T>(pids: readonly number[], work: () => Promise<T>): Promise<T> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    return await work()
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
}

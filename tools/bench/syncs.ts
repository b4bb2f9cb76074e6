import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { smtpSource } from '#test/peers/postfix.ts'
import { benchInstallation, roleProcesses, watari, type Part } from './setup.ts'

const ACCEPTS = 200

/** strace of the gateway and its storage child: no 250 leaves before a sync that began after the 250 before it. */
export const syncs: Part = {
  name: 'syncs',
  what: 'syncs beside accepts, counted by strace',
  async run(say) {
    const ours = await benchInstallation()
    try {
      await watari(ours, ['route', 'set', 'campus.example', 'hold'])
      for (const connections of [1, 20]) {
        const calls = await traced(
          roleProcesses(ours.pid(), 'app/gateway.ts'),
          ours.port(25),
          connections,
        )
        const synced = calls.filter((call) => call === 'sync').length
        const answers = calls.filter((call) => call === '250').length
        const bare = calls.filter(
          (call, index) => call === '250' && calls[index - 1] === '250',
        ).length
        say(
          `${connections} connections: ${answers} accepts answered, ${synced} syncs` +
            (connections === 1 ? `, ${bare} answers without a sync since the one before` : ''),
        )
      }
    } finally {
      await ours.remove()
    }
  },
}

/** Ends of syncs and answers after DATA, in order. */
async function traced(
  pids: readonly number[],
  port: number,
  connections: number,
): Promise<('sync' | '250')[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wt-strace-'))
  const file = join(folder, 'trace')
  const tracer = spawn(
    'strace',
    `-f -qq -s 60 -e trace=fsync,fdatasync,write,writev,sendmsg -o ${file}`
      .split(' ')
      .concat(pids.flatMap((pid) => ['-p', String(pid)])),
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => {
    tracer.once('error', () => resolve())
    tracer.once('exit', () => resolve())
  })
  await sleep(2_000)
  const args = `-d -s ${connections} -m ${ACCEPTS} -l 4096 -f sender@else.example -t hanako@campus.example`
  await smtpSource(port, args.split(' '))
  tracer.kill('SIGINT')
  await ended
  const lines = readFileSync(file, 'latin1').split('\n')
  rmSync(folder, { recursive: true, force: true })
  return lines.flatMap((line) => {
    if (/f(data)?sync(\(| resumed).*= 0/.test(line)) return ['sync']
    return /"250 2\.[\d.]+ .*queued as/.test(line) ? ['250'] : []
  })
}

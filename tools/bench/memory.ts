import { setTimeout as sleep } from 'node:timers/promises'
import { LineClient } from '#test/fake/line-client.ts'
import { startDovecot } from '#test/peers/dovecot.ts'
import { smtpSource, startSmtpSink } from '#test/peers/postfix.ts'
import { benchInstallation, memoryOf, totalMiB, watari, type Part } from './setup.ts'

const SETTLE_MS = 10_000
/** Over three accounts, each of which may have 60. */
const IMAP_CONNECTIONS = 150
const IMAP_WARM = 12

/** Mail that passed through, and how long it rests afterwards: two looks of app/rest.ts and some more. */
const PASSED = '-d -s 20 -m 10000 -l 16384 -f sender@else.example -t hanako@campus.example'
const REST_MS = 40_000

/** Memory of an installation on which nothing happens, new and after work. */
export const idle: Part = {
  name: 'idle',
  what: 'memory (Pss) of an idle single installation, all processes; at most 400 MiB',
  async run(say) {
    const sink = await startSmtpSink()
    const ours = await benchInstallation()
    try {
      await watari(ours, ['route', 'set', 'campus.example', `smtp:127.0.0.1:${sink.port}`])
      await sleep(SETTLE_MS)
      print(say, memoryOf(ours.pid()))
      await smtpSource(ours.port(25), PASSED.split(' '))
      await sleep(REST_MS)
      say('at rest after 10,000 messages of 16 kB:')
      print(say, memoryOf(ours.pid()))
    } finally {
      await ours.remove()
      await sink.stop()
    }
  },
}

function print(say: (line: string) => void, memory: ReturnType<typeof memoryOf>): void {
  for (const { pid, pssKiB, command } of memory)
    say(`${(pssKiB / 1_024).toFixed(1).padStart(8)} MiB  ${pid} ${command}`)
  say(`${totalMiB(memory).toFixed(1).padStart(8)} MiB  in all`)
}

/** Memory that each idle IMAP connection with TLS and a selected mailbox adds. */
export const imap: Part = {
  name: 'imap',
  what: `memory (Pss) per idle IMAP connection with TLS, INBOX selected, IDLE; ${IMAP_CONNECTIONS} of them`,
  async run(say) {
    const ours = await benchInstallation()
    try {
      const logins = ours.firstRun.accounts.map(({ username, password }) => ({
        username,
        password,
      }))
      const kib = await perConnection(ours.pid(), ours.port(993), logins)
      say(`Watari  ${kib.toFixed(0)} KiB a connection`)
    } finally {
      await ours.remove()
    }
    const names = ['admin', 'hanako', 'taro']
    const dovecot = await startDovecot({
      accounts: Object.fromEntries(names.map((name) => [name, 'secret'])),
      settings: `mail_max_userip_connections = 0
service imap-login {
  process_limit = 1000
}`,
    })
    try {
      const logins = names.map((username) => ({ username, password: 'secret' }))
      const kib = await perConnection(dovecot.pid, dovecot.imapsPort, logins)
      say(`${dovecot.version}  ${kib.toFixed(0)} KiB a connection`)
    } finally {
      await dovecot.stop()
    }
  },
}

async function perConnection(
  pid: number,
  port: number,
  logins: readonly { readonly username: string; readonly password: string }[],
): Promise<number> {
  const clients: LineClient[] = []
  const open = async (): Promise<void> => {
    const client = LineClient.tls(port)
    const login = logins[clients.length % logins.length]
    clients.push(client)
    await client.line()
    const reply = await client.command(`LOGIN ${login?.username} "${login?.password}"`)
    if (!/OK/.test(reply)) throw new Error(`login refused: ${reply}`)
    await client.command('SELECT INBOX')
    client.send('idle IDLE\r\n')
    await client.response((line) => line.startsWith('+'))
  }
  for (let i = 0; i < IMAP_WARM; i++) await open()
  await sleep(REST_MS)
  const before = totalMiB(memoryOf(pid))
  for (let i = 0; i < IMAP_CONNECTIONS; i++) await open()
  await sleep(REST_MS)
  const after = totalMiB(memoryOf(pid))
  for (const client of clients) client.end()
  return ((after - before) * 1_024) / IMAP_CONNECTIONS
}

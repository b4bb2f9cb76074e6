import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '#base/time.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import type { DirectorySource } from '#model/source.ts'
import { peerRoot } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'
import { median, table } from './setup.ts'
import type { Part } from './setup.ts'

const PEOPLE = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 200_000)
const ROUNDS = 3
const SUFFIX = 'dc=campus,dc=example'

/** A large directory read whole from OpenLDAP, in turn with Debian's own client. */
export const sources: Part = {
  name: 'sources',
  what: `${PEOPLE.toLocaleString('en')} people read whole from slapd, beside ldapsearch`,
  async run(say) {
    const slapd = await startSlapd({ suffix: SUFFIX, ldif: ldifOf(PEOPLE), settings: SETTINGS })
    try {
      await ldapsearch(slapd) // what the disk has to give is in memory from now on
      const theirs: number[] = []
      const ours: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        theirs.push(await timed(() => ldapsearch(slapd)))
        ours.push(await timed(() => readAll(slapd)))
      }
      const rate = (ms: number): string => Math.round((PEOPLE / ms) * 1_000).toLocaleString('en')
      const row = (name: string, all: readonly number[]) => [
        name,
        `${Math.round(median(all))}`,
        rate(median(all)),
        (median(theirs) / median(all)).toFixed(2),
      ]
      say(
        table([
          ['', 'ms', 'entries/s', 'of ldapsearch'],
          row('ldapsearch', theirs),
          row('Watari', ours),
        ]),
      )
    } finally {
      await slapd.stop()
    }
  },
}

const SETTINGS = 'overlay syncprov\nsyncprov-sessionlog 10000'

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

/** The same entries, attributes and pages; what it prints goes nowhere. */
async function ldapsearch({ port }: Slapd): Promise<void> {
  const words = `-x -LLL -E pr=500/noprompt -H ldap://127.0.0.1:${port} -b ou=people,${SUFFIX}`
  const what = ['(objectClass=inetOrgPerson)', 'objectClass', 'entryUUID', 'uid', 'cn', 'mail']
  const program = [peerRoot(), '/usr/bin/ldapsearch', ...words.split(' '), ...what]
  const child = spawn('chroot', program, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`ldapsearch ended with ${status}`)
}

async function readAll({ port }: Slapd): Promise<void> {
  const source: DirectorySource = {
    name: 'bench',
    order: 1,
    servers: [{ host: '127.0.0.1', port, tls: 'none' }],
    base: `ou=people,${SUFFIX}`,
    filter: '(objectClass=inetOrgPerson)',
    key: 'entryUUID',
    auth: 'bind',
  }
  const hosts = hostsOf(source, systemClock)
  try {
    const { people } = await readSource(source, hosts)
    if (people.size !== PEOPLE) throw new Error(`${people.size} people instead of ${PEOPLE}`)
  } finally {
    hosts.close()
  }
}

function ldifOf(people: number): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const entries = [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ou=people,${SUFFIX}\nobjectClass: organizationalUnit\nou: people`,
  ]
  for (let n = 0; n < people; n++)
    entries.push(
      `dn: uid=u${n},ou=people,${SUFFIX}\nobjectClass: inetOrgPerson\nuid: u${n}\nsn: u${n}\ncn:: ${base64(`渡辺 花子 ${n}`)}\nmail: u${n}@campus.example\nmail: user.number.${n}@campus.example`,
    )
  return `${entries.join('\n\n')}\n`
}

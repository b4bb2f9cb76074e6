import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '#base/time.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import { SourceCopy } from '#engine/people/source-copy.ts'
import { SourceFollower } from '#engine/people/source-follower.ts'
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
      await ldapsearch(slapd, []) // what the disk has to give is in memory from now on
      const took = WAYS.map((): number[] => [])
      const cpu = WAYS.map((): number[] => [])
      for (let round = 0; round < ROUNDS; round++)
        for (const [at, { run }] of WAYS.entries()) {
          const before = process.cpuUsage()
          const began = performance.now()
          await run(slapd)
          took[at]!.push(performance.now() - began)
          const { user, system } = process.cpuUsage(before)
          cpu[at]!.push((user + system) / 1_000)
        }
      say(
        table([
          ['', 'ms', 'entries/s', 'of ldapsearch', 'processor ms'],
          ...WAYS.map(({ name, beside }, at) => {
            const ms = median(took[at]!)
            const ratio = beside === undefined ? '' : (median(took[beside]!) / ms).toFixed(2)
            const rate = Math.round((PEOPLE / ms) * 1_000).toLocaleString('en')
            const own = beside === undefined ? '' : median(cpu[at]!).toFixed(0)
            return [name, ms.toFixed(0), rate, ratio, own]
          }),
        ]),
      )
    } finally {
      await slapd.stop()
    }
  },
}

const SETTINGS = 'overlay syncprov\nsyncprov-sessionlog 10000'

/** The same entries and attributes; what it prints goes nowhere. */
async function ldapsearch({ port }: Slapd, how: readonly string[]): Promise<void> {
  const words = `-x -LLL -H ldap://127.0.0.1:${port} -b ou=people,${SUFFIX}`.split(' ')
  const what = ['(objectClass=inetOrgPerson)', 'objectClass', 'entryUUID', 'uid', 'cn', 'mail']
  const program = [peerRoot(), '/usr/bin/ldapsearch', ...words, ...how, ...what]
  const child = spawn('chroot', program, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`ldapsearch ended with ${status}`)
}

const sourceOf = ({ port }: Slapd): DirectorySource => ({
  name: 'bench',
  order: 1,
  servers: [{ host: '127.0.0.1', port, tls: 'none' }],
  base: `ou=people,${SUFFIX}`,
  filter: '(objectClass=inetOrgPerson)',
  key: 'entryUUID',
  auth: 'bind',
})

/** As a source that is polled is read: up to people who can be merged. */
async function readAll(slapd: Slapd): Promise<void> {
  const source = sourceOf(slapd)
  const hosts = hostsOf(source, systemClock)
  try {
    const { people } = await readSource(source, hosts)
    if (people.size !== PEOPLE) throw new Error(`${people.size} people instead of ${PEOPLE}`)
  } finally {
    hosts.close()
  }
}

/** As one that tells news is: up to the end of its refresh. */
async function refresh(slapd: Slapd): Promise<void> {
  const source = sourceOf(slapd)
  const copy = new SourceCopy(source)
  let end: (fault: unknown) => void = () => undefined
  const fault = new Promise((resolve) => (end = resolve))
  const follower = new SourceFollower(source, {
    clock: systemClock,
    peopleMax: 2 * PEOPLE,
    taker: {
      seen: () => copy.seen,
      isEmpty: () => copy.size === 0,
      take: (news, { csns }) => {
        copy.take(copy.plan(news, csns), csns)
        end(undefined)
        return Promise.resolve('taken')
      },
      failed: end,
    },
  })
  const failed = await fault
  await follower.close()
  if (failed !== undefined) throw failed
  if (copy.people.size !== PEOPLE) throw new Error(`${copy.people.size} instead of ${PEOPLE}`)
}

/** Each with the way of ldapsearch that it is beside. */
const WAYS: readonly {
  readonly name: string
  readonly run: (slapd: Slapd) => Promise<void>
  readonly beside?: number
}[] = [
  {
    name: 'ldapsearch, pages of 500',
    run: (slapd) => ldapsearch(slapd, ['-E', 'pr=500/noprompt']),
  },
  { name: 'ldapsearch, all at once', run: (slapd) => ldapsearch(slapd, []) },
  { name: 'Watari, all at once', run: readAll, beside: 1 },
  { name: 'ldapsearch -E sync=ro', run: (slapd) => ldapsearch(slapd, ['-E', '!sync=ro']) },
  { name: 'Watari by refreshAndPersist', run: refresh, beside: 3 },
]

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

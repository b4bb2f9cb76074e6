import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { Api } from '#app/cli/api.ts'
import { CliError } from '#app/cli/io.ts'
import { emptyOctets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { SECOND_MS, sleep, systemClock } from '#base/time.ts'
import { MailClient } from '#client/smtp/deliver.ts'
import type { Endpoint } from '#client/smtp/job.ts'
import { importedLists } from '#contract/admin/list-import.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { DEMO_FILE, keepDemo, readDemo } from './demo-file.ts'
import type { Demo } from './demo-file.ts'
import { demoLists } from './lists.ts'
import { demoHeld, demoMails, demoPosts, demoVirus } from './mails.ts'
import type { DemoMail } from './mails.ts'
import { DEMO_PEOPLE } from './people.ts'

/** An installation that has just started. */
export interface DemoPlace {
  /** Its data folder. */
  readonly dir: string
  readonly domain: string
  /** Where its doors for mail are on this machine. */
  readonly mx: Endpoint
  readonly lmtp: Endpoint
  readonly say: (text: string) => void
}

/** How often a door that is not ready yet (4xx) is tried, and the wait in between. */
const TRIES_MAX = 20
const AGAIN_MS = SECOND_MS

/**
 * Fills an installation with what there is to see and to try: people, groups, lists, and mail of every
 * class, all through the doors that everybody uses. A fill that was broken off goes on where it can.
 */
export async function fillDemo(place: DemoPlace): Promise<void> {
  const kept = readDemo(place.dir) ?? newDemo(place)
  if (kept.isFilled) return
  keepDemo(place.dir, kept)
  const api = new Api({ data: place.dir }, SILENT)
  await makePeople(api, kept)
  place.say(`${kept.accounts.length} people: ${join(place.dir, DEMO_FILE)} has their passwords`)
  await makeGroups(api, place)
  await makeAlarm(api)
  const lists = demoLists(DEMO_PEOPLE, place.domain)
  await api.post('/lists/import', importedLists, { lists: lists.map(({ list }) => list) })
  place.say(`${lists.length} mailing lists`)
  const nowMs = systemClock.nowMs()
  const { taken, refused } = await sendAll(
    [
      ...demoMails(place.domain, nowMs),
      ...lists.flatMap((each) => demoPosts(each, place.domain, nowMs)),
      demoVirus(place.domain, nowMs),
      demoHeld(place.domain, nowMs),
    ],
    place,
  )
  place.say(`${taken} mails, and ${refused} refused for a virus`)
  keepDemo(place.dir, { ...kept, isFilled: true })
}

const newDemo = ({ domain }: DemoPlace): Demo => ({
  isFilled: false,
  domain,
  accounts: DEMO_PEOPLE.map(({ username }) => ({
    username,
    address: `${username}@${domain}`,
    password: randomBytes(9).toString('base64url'),
  })),
})

const anything = z.looseObject({})

async function makePeople(api: Api, { accounts }: Demo): Promise<void> {
  for (const [index, { address, password }] of accounts.entries()) {
    const { name, reading, tags } = DEMO_PEOPLE[index]!
    const body = { address, name, tags, password, ...(reading !== undefined && { reading }) }
    await unlessThere(api.post('/users', anything, body))
  }
}

/** Groups are aliases: whoever bears a tag. */
async function makeGroups(api: Api, { domain }: DemoPlace): Promise<void> {
  for (const [name, tag] of [
    ['keizai', '経済学部'],
    ['bungaku', '文学部'],
    ['jimu', '事務局'],
  ] as const) {
    const to = DEMO_PEOPLE.filter(({ tags }) => tags.includes(tag)).map(
      ({ username }) => `${username}@${domain}`,
    )
    await unlessThere(api.post('/aliases', anything, { from: `${name}@${domain}`, to }))
  }
}

/** The directory of a library whose server is away: what an alarm looks like, by a true cause. */
const makeAlarm = (api: Api): Promise<unknown> =>
  api.put('/directory/sources/toshokan', anything, {
    urls: ['ldap://127.0.0.1:1'],
    base: 'ou=people,dc=toshokan,dc=example',
    order: 90,
  })

/** A fill that was broken off has made some of it. */
async function unlessThere(asked: Promise<unknown>): Promise<void> {
  try {
    await asked
  } catch (thrown) {
    if (!(thrown instanceof CliError && thrown.code === 'conflict')) throw thrown
  }
}

async function sendAll(
  mails: readonly DemoMail[],
  place: DemoPlace,
): Promise<{ readonly taken: number; readonly refused: number }> {
  const client = new MailClient(systemClock)
  let taken = 0
  let refused = 0
  try {
    for (const mail of mails) {
      const code = await send(client, mail, place)
      if (code < 300) taken++
      else refused++
    }
    return { taken, refused }
  } finally {
    await client.close()
  }
}

/** The reply's code; a 4xx is tried again, for doors open one after the other. */
async function send(client: MailClient, mail: DemoMail, place: DemoPlace): Promise<number> {
  const { octets } = mail
  const isInside = mail.door === 'inside'
  for (let tries = 1; ; tries++) {
    const sent = await client.deliver({
      protocol: isInside ? 'lmtp' : 'smtp',
      endpoints: [isInside ? place.lmtp : place.mx],
      poolKey: mail.door,
      tls: 'never',
      helo: 'demo.example',
      reversePath: addressOf(mail.from),
      recipients: mail.to.map((each) => ({ address: addressOf(each) })),
      body: '8bitmime',
      smtpUtf8: false,
      content: {
        sizeBytes: octets.length,
        read: async (offset, length) => octets.subarray(offset, offset + length),
      },
    })
    const codes = sent.ok ? sent.value.results.map(({ reply }) => reply.code) : [451]
    const worst = Math.max(...codes)
    if (worst < 400 || worst >= 500) return worst
    if (tries >= TRIES_MAX)
      throw new Fault('unreachable', `mail of the demonstration is not taken (${worst})`)
    await sleep(systemClock, AGAIN_MS)
  }
}

function addressOf(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new RangeError(text)
  return parsed.value
}

const SILENT = {
  out: () => undefined,
  err: () => undefined,
  stdin: () => Promise.resolve(emptyOctets),
  // oxlint-disable-next-line require-yield -- there is none
  async *input() {},
  env: process.env,
}

import { concatOctets, fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { leaveField, leaveOf } from '#engine/list/leave-way.ts'
import { OwnCopies } from '#engine/queue/own-copies.ts'
import type { Load } from '#engine/queue/hop-lanes.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'
import { addr, fakeList } from '#test/fake/directory.ts'
import { fakeDkimKey, fakeSigner } from '#test/fake/signing.ts'
import { messageOf } from './lmtp-load.ts'
import { median, table } from './setup.ts'

const COPIES = 1_000
const AT_ONCE = 10
const ROUNDS = 5
const OCTETS = 4_096

/** What it costs that each member elsewhere has a copy signed over fields of their own (RFC 8058). */
export async function copyCosts(say: (line: string) => void): Promise<void> {
  const rows = [['a copy for a member elsewhere', 'µs', 'processor µs']]
  for (const [name, keys] of [
    ['unsigned', []],
    ['signed by Ed25519', [fakeDkimKey('ed25519')]],
    ['signed by RSA-2048', [fakeDkimKey('rsa')]],
    ['signed by both', [fakeDkimKey('rsa'), fakeDkimKey('ed25519')]],
  ] as const)
    rows.push([name, ...(await costOf(keys)).map((us) => us.toFixed(0))])
  say(table(rows))
}

/** Microseconds of a copy by the clock, ten at once, and of processor time. */
async function costOf(dkim: readonly DkimKey[]): Promise<readonly number[]> {
  const { signer } = fakeSigner([{ kind: 'domain', domain: { name: 'campus.example', dkim } }])
  const leave = leaveOf(fakeList('everybody@campus.example'), 'https://mail.campus.example')!
  const common = concatOctets([fromUtf8(`${leaveField(leave)}\r\n${messageOf(1, OCTETS)}`)])
  const whole = new SignedOctets(signer, 'campus.example')
  whole.feed(common)
  const signature = await whole.finish('D1')
  const queued = concatOctets([signature, common])
  const bodyHash = whole.bodyHash()
  const message = {
    queueId: 'Q1',
    deliveryId: 'D1',
    reversePath: addr('everybody-bounces@campus.example'),
    verp: { key: 'k'.repeat(32), post: 1, leave },
    ...(bodyHash && { signed: { startBytes: signature.length, bodyHash } }),
  } as unknown as QueueMessage
  const copies = new OwnCopies({ signer, clock: systemClock })
  const one = async (n: number): Promise<void> => {
    const recipients = [{ address: addr(`user${n}@else.example`) } as QueueRecipient]
    const load: Load = { message, recipients, hop: { kind: 'mx', domain: 'else.example' } }
    const read = async (at: number, length: number) => queued.subarray(at, at + length)
    const copy = await copies.of(load, { sizeBytes: queued.length, read })
    if (!copy.ok) throw new Error(copy.error.text)
    await copy.value.read(0, copy.value.sizeBytes)
  }
  const clock: number[] = []
  const processor: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const [began, cpu] = [performance.now(), process.cpuUsage()]
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < COPIES) await one(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    const { user, system } = process.cpuUsage(cpu)
    if (round === 0) continue // it warms up
    clock.push(((performance.now() - began) * 1_000) / COPIES)
    processor.push((user + system) / COPIES)
  }
  return [median(clock), median(processor)]
}

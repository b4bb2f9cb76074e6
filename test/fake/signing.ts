import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { FakeClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Octets } from '#base/octets.ts'
import { renderKeyRecord } from '#codec/dkim/key-record.ts'
import { authenticateSender } from '#engine/sender/authenticate.ts'
import { Signer } from '#engine/sender/signer.ts'
import type { SignerOptions } from '#engine/sender/signer.ts'
import type { DkimAlgorithm, DkimKey } from '#model/dkim-key.ts'
import type { NewEvent } from '#model/event.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeDirectory } from './directory.ts'

const publicText = (key: KeyObject, algorithm: DkimAlgorithm): string => {
  const der = key.export({ type: 'spki', format: 'der' })
  return (algorithm === 'rsa' ? der : der.subarray(-32)).toString('base64')
}

/** A key that signs; RSA takes a moment to make. */
export function fakeDkimKey(
  algorithm: DkimAlgorithm = 'rsa',
  over: Partial<DkimKey> = {},
): DkimKey {
  const { publicKey, privateKey } =
    algorithm === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ed25519')
  return {
    selector: `${algorithm}1`,
    algorithm,
    publicKey: publicText(publicKey, algorithm),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    state: 'signing',
    madeAt: '2026-11-28T00:00:00.000Z',
    ...over,
  }
}

/** A signer over these rows, with what it tells; without rows it signs nothing. */
export function fakeSigner(
  rows: readonly DirectoryRow[] = [],
  part: { clock?: Clock; settings?: Partial<ReturnType<SignerOptions['settings']>> } = {},
) {
  const events: NewEvent[] = []
  const signer = new Signer({
    directory: fakeDirectory(rows),
    settings: () => ({ 'dkim.expiryMs': 0, 'dkim.onFailure': 'defer', ...part.settings }),
    clock: part.clock ?? new FakeClock(),
    events: { emit: (event) => events.push(event) },
  })
  return { signer, events }
}

/** The record of a key in the name service, by its name. */
export const recordOf = (domain: string, { selector, algorithm, publicKey }: DkimKey) => ({
  [`${selector}._domainkey.${domain}`]: renderKeyRecord({ keyType: algorithm, publicKey }),
})

/** What whoever takes it in finds of its signatures, by these records. */
export async function dkimResults(
  message: Octets,
  records: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const results = await authenticateSender(message, {
    ip: '192.0.2.7',
    helo: 'mx.campus.example',
    reversePath: addr('hanako@campus.example'),
    hostname: 'mx.far.example',
    resolve: (name, type) => {
      const text = type === 'TXT' ? records[name] : undefined
      return text === undefined
        ? Promise.reject(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }))
        : Promise.resolve([[text]])
    },
  })
  return results.flatMap(({ method, result }) => (method === 'dkim' ? [result] : []))
}

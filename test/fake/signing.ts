import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { FakeClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { Signer } from '#engine/sender/signer.ts'
import type { SignerOptions } from '#engine/sender/signer.ts'
import type { DkimAlgorithm, DkimKey } from '#model/dkim-key.ts'
import type { NewEvent } from '#model/event.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { fakeDirectory } from './directory.ts'

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

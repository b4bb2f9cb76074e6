import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, openSync, closeSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { concatOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { openBlobs } from './open.ts'
import type { BlobRef, Blobs } from './blobs.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-blob-'))
const opened: Blobs[] = []
const open = async (
  dir: string,
  more: { knownLarge?: (file: number) => boolean; reserveBytes?: number } = {},
): Promise<Blobs> => {
  const blobs = await openBlobs({ dir, clock: new FakeClock(), name: 'test', ...more })
  opened.push(blobs)
  return blobs
}
const folder = (): string => mkdtempSync(join(root, 'v-'))
const segments = (dir: string): string[] => readdirSync(join(dir, 'seg')).toSorted()
const put = async (blobs: Blobs, ...octets: Octets[]): Promise<BlobRef> => {
  const ref = blobs.append(octets)
  await blobs.flush()
  return ref
}
const whole = (blobs: Blobs, ref: BlobRef): Promise<Octets> => blobs.read(ref, 0, ref.length)
const overwrite = (path: string, offset: number, octets: Octets): void => {
  const fd = openSync(path, 'r+')
  writeSync(fd, octets, 0, octets.length, offset)
  closeSync(fd)
}

afterEach(async () => {
  armFailpoints('')
  for (const blobs of opened.splice(0)) await blobs.close()
})
after(() => rmSync(root, { recursive: true, force: true }))

describe('segments', () => {
  test('give back what was put in, whole and in part, also after a restart', async () => {
    const dir = folder()
    const blobs = await open(dir)
    const text = fromUtf8('Subject: 会議のお知らせ\r\n\r\n本文\0\n')
    const refs = [
      blobs.append([text]),
      blobs.append([]),
      blobs.append([text.subarray(0, 9), randomBytes(0), text.subarray(9)]),
    ]
    const random = randomBytes(256 * 1024)
    refs.push(blobs.append([random]))
    await blobs.flush()
    const check = async (from: Blobs): Promise<void> => {
      assert.deepEqual(await whole(from, refs[0]!), text)
      assert.equal((await whole(from, refs[1]!)).length, 0)
      assert.equal(toUtf8(await whole(from, refs[2]!)), toUtf8(text))
      assert.deepEqual(await whole(from, refs[3]!), random)
      assert.deepEqual(await from.read(refs[3]!, 1_000, 77), random.subarray(1_000, 1_077))
      assert.deepEqual(await from.read(refs[3]!, random.length - 5, 99), random.subarray(-5))
      assert.equal((await from.read(refs[3]!, random.length + 1, 99)).length, 0)
    }
    await check(blobs)
    await blobs.close()
    const again = await open(dir)
    await check(again)
    const ref = await put(again, text)
    assert.equal(ref.file, refs[0]!.file + 1, 'each start begins a new segment')
  })

  test('stand on blocks written ahead, go on in the next file, and read back from all', async () => {
    const dir = folder()
    const blobs = await open(dir)
    assert.equal(statSync(join(dir, 'seg', segments(dir)[0]!)).size, 4 * 1024 * 1024)
    const piece = randomBytes(1024 * 1024)
    const refs: BlobRef[] = []
    for (let i = 0; i < 70; i++)
      refs.push(await put(blobs, fromUtf8(`第${String(i).padStart(2, '0')}号`), piece))
    assert.deepEqual([...new Set(refs.map((ref) => ref.file))], [1, 2])
    for (const [i, ref] of refs.entries()) {
      const octets = await whole(blobs, ref)
      assert.equal(toUtf8(octets.subarray(0, 8)), `第${String(i).padStart(2, '0')}号`)
      assert.ok(concatOctets([octets.subarray(8)]).every((octet, at) => octet === piece[at]))
    }
  })

  test('records that wait together become one flush, those that come meanwhile another', async () => {
    const blobs = await open(folder())
    const first = blobs.append([fromUtf8('一')])
    const flushed = blobs.flush()
    const second = blobs.append([fromUtf8('二')])
    await Promise.all([flushed, blobs.flush()])
    assert.equal(toUtf8(await whole(blobs, first)), '一')
    assert.equal(toUtf8(await whole(blobs, second)), '二')
  })

  test('a write or sync that fails seals the segment: what was there stays, what comes goes elsewhere', async () => {
    const blobs = await open(folder())
    const before = await put(blobs, fromUtf8('前'))
    armFailpoints('test.written=throw')
    const lost = blobs.append([fromUtf8('失')])
    await assert.rejects(blobs.flush(), (thrown) => isFault(thrown, 'io'))
    armFailpoints('')
    const later = await put(blobs, fromUtf8('後'))
    assert.equal(lost.file, before.file)
    assert.equal(later.file, before.file + 1)
    assert.equal(toUtf8(await whole(blobs, before)), '前')
    assert.equal(toUtf8(await whole(blobs, later)), '後')
  })

  test('a damaged record is told, its neighbours are not harmed', async () => {
    const dir = folder()
    const blobs = await open(dir)
    const refs = ['一通目', '二通目', '三通目'].map((text) => blobs.append([fromUtf8(text)]))
    await blobs.flush()
    const path = join(dir, 'seg', segments(dir)[0]!)
    overwrite(path, refs[1]!.offset + 30, Buffer.from([0xff]))
    await assert.rejects(whole(blobs, refs[1]!), (thrown) => isFault(thrown, 'corrupt'))
    overwrite(path, refs[2]!.offset, Buffer.from('NONE'))
    await assert.rejects(whole(blobs, refs[2]!), (thrown) => isFault(thrown, 'corrupt'))
    assert.equal(toUtf8(await whole(blobs, refs[0]!)), '一通目')
    overwrite(path, refs[0]!.offset + 4, Buffer.from([9]))
    await assert.rejects(whole(blobs, refs[0]!), (thrown) => isFault(thrown, 'corrupt'))
    await assert.rejects(
      whole(blobs, { ...refs[0]!, file: 999 }),
      (thrown) => isFault(thrown, 'io') && thrown.message.includes('999'),
    )
  })

  test('are deleted when nothing in them lives, never the one being written', async () => {
    const dir = folder()
    for (const text of ['一', '二']) {
      const blobs = await open(dir)
      await put(blobs, fromUtf8(text))
      await blobs.close()
    }
    const blobs = await open(dir)
    const active = await put(blobs, fromUtf8('三'))
    assert.deepEqual(segments(dir), ['00000001.seg', '00000002.seg', '00000003.seg'])
    await blobs.collect(new Set([2]))
    assert.deepEqual(segments(dir), ['00000002.seg', '00000003.seg'])
    assert.equal(toUtf8(await whole(blobs, active)), '三')
  })

  test('a start that wrote nothing leaves no file behind', async () => {
    const dir = folder()
    await (await open(dir)).close()
    assert.deepEqual(segments(dir), [])
  })
})

async function readEach(blobs: Blobs, refs: readonly BlobRef[]): Promise<string[]> {
  const texts: string[] = []
  await blobs.readEach(refs, (octets, index) => {
    texts[index] = toUtf8(octets)
  })
  return texts
}

describe('many at once', () => {
  test('come in the order asked for, wherever they lie', async () => {
    const blobs = await open(folder())
    const texts = Array.from({ length: 300 }, (_, n) => fromUtf8(`記録 ${n} `.repeat(n % 7)))
    const refs: BlobRef[] = []
    for (const [n, octets] of texts.entries()) {
      refs.push(blobs.append([octets]))
      // Now close together, now too far for one read.
      if (n % 50 === 0) blobs.append([randomBytes(200_000)])
    }
    const handle = await blobs.openLarge()
    await blobs.appendLarge(handle, fromUtf8('大きい'))
    refs.push(await blobs.finishLarge(handle, fromUtf8('')))
    await blobs.flush()
    const order = [...refs.keys()].map((n) => (n * 101) % refs.length)
    const found = await readEach(
      blobs,
      [...order, 0].map((n) => refs[n]!),
    )
    const all = [...texts, fromUtf8('大きい')]
    assert.deepEqual(
      found,
      [...order, 0].map((n) => toUtf8(all[n]!)),
    )
    assert.deepEqual(await readEach(blobs, []), [])
  })

  test('one that is not whole is told, as when it is read alone', async () => {
    const dir = folder()
    const blobs = await open(dir)
    const refs = [blobs.append([fromUtf8('一')]), blobs.append([fromUtf8('二二')])]
    await blobs.flush()
    const path = join(dir, 'seg', segments(dir)[0]!)
    overwrite(path, refs[1]!.offset + 25, Buffer.from('!'))
    await assert.rejects(readEach(blobs, refs), (thrown) => isFault(thrown, 'corrupt'))
    assert.deepEqual(await readEach(blobs, [refs[0]!]), ['一'])
    const wrong = { ...refs[0]!, length: 2 }
    await assert.rejects(readEach(blobs, [wrong]), (thrown) => isFault(thrown, 'corrupt'))
  })
})

test('a part of what is damaged is told too, of a record as of a file of its own', async () => {
  const dir = folder()
  const blobs = await open(dir)
  const text = '渡り鳥'.repeat(100)
  const record = blobs.append([fromUtf8(text)])
  await blobs.flush()
  const handle = await blobs.openLarge()
  await blobs.appendLarge(handle, fromUtf8(text))
  const large = await blobs.finishLarge(handle, fromUtf8('頭'))
  assert.equal(toUtf8(await blobs.read(record, 3, 6)), 'り鳥')
  await blobs.close()
  overwrite(join(dir, 'seg', segments(dir)[0]!), record.offset + 500, Buffer.from('!'))
  overwrite(join(dir, 'large', String(large.file)), 500, Buffer.from('!'))
  const again = await open(dir)
  for (const ref of [record, large])
    await assert.rejects(again.read(ref, 3, 6), (thrown) => isFault(thrown, 'corrupt'))
})

test('a file of its own is read from end to end once, not for each of its parts', async () => {
  const dir = folder()
  const blobs = await open(dir)
  const handle = await blobs.openLarge()
  await blobs.appendLarge(handle, fromUtf8('渡り鳥'.repeat(100)))
  const large = await blobs.finishLarge(handle, fromUtf8('頭'))
  assert.equal(toUtf8(await blobs.read(large, 0, 6)), '頭渡')
  overwrite(join(dir, 'large', String(large.file)), 500, Buffer.from('!'))
  assert.equal(toUtf8(await blobs.read(large, 3, 6)), '渡り')
  // The whole shows it by itself.
  await assert.rejects(blobs.read(large, 0, large.length), (thrown) => isFault(thrown, 'corrupt'))
})

describe('large files', () => {
  test('stream in, and are read with the prefix in front', async () => {
    const dir = folder()
    const blobs = await open(dir)
    const pieces = Array.from({ length: 9 }, () => randomBytes(100_000))
    const handle = await blobs.openLarge()
    await Promise.all(pieces.map((piece) => blobs.appendLarge(handle, piece)))
    const prefix = fromUtf8('Received: から\r\n')
    const ref = await blobs.finishLarge(handle, prefix)
    const expected = Buffer.concat([prefix, ...pieces])
    assert.equal(ref.length, expected.length)
    assert.deepEqual(Buffer.from(await whole(blobs, ref)), expected)
    for (const [from, length] of [
      [0, 3],
      [3, prefix.length],
      [prefix.length, 10],
      [expected.length - 4, 100],
      [5, expected.length],
    ] as const)
      assert.deepEqual(
        Buffer.from(await blobs.read(ref, from, length)),
        expected.subarray(from, from + length),
      )
    await blobs.close()
    const again = await open(dir, { knownLarge: (file) => file === ref.file })
    assert.deepEqual(Buffer.from(await whole(again, ref)), expected)
    overwrite(join(dir, 'large', String(ref.file)), 500_000, Buffer.from('!!!!'))
    await assert.rejects(whole(again, ref), (thrown) => isFault(thrown, 'corrupt'))
    await again.release(ref)
    await again.release(ref)
    assert.deepEqual(readdirSync(join(dir, 'large')), [])
  })

  test('given up, half-written at a crash, or known to no row, they are gone', async () => {
    const dir = folder()
    const blobs = await open(dir)
    const aborted = await blobs.openLarge()
    await blobs.appendLarge(aborted, fromUtf8('途中'))
    await blobs.abortLarge(aborted)
    await blobs.abortLarge(aborted)
    assert.deepEqual(readdirSync(join(dir, 'large')), [])
    await assert.rejects(
      async () => blobs.appendLarge(aborted, fromUtf8('x')),
      (thrown) => isFault(thrown, 'notFound'),
    )
    const refs: BlobRef[] = []
    for (const text of ['要る', '要らない']) {
      const handle = await blobs.openLarge()
      await blobs.appendLarge(handle, fromUtf8(text))
      refs.push(await blobs.finishLarge(handle, fromUtf8('')))
    }
    await blobs.openLarge()
    const crashed = await open(dir, { knownLarge: (file) => file === refs[0]!.file })
    assert.deepEqual(readdirSync(join(dir, 'large')), [String(refs[0]!.file)])
    assert.equal(toUtf8(await whole(crashed, refs[0]!)), '要る')
    const next = await crashed.finishLarge(await crashed.openLarge(), fromUtf8('新しい'))
    assert.ok(next.file > refs[0]!.file)
  })
})

describe('space', () => {
  test('is full below the reserve', async () => {
    const roomy = await open(folder(), { reserveBytes: 0 })
    assert.equal(roomy.space().full, false)
    assert.ok(roomy.space().freeBytes > 0)
    const tight = await open(folder(), { reserveBytes: Number.MAX_SAFE_INTEGER })
    assert.equal(tight.space().full, true)
  })
})

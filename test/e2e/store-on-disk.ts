import assert from 'node:assert/strict'
import { cpSync, renameSync, symlinkSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { after, before, it } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { faultyDisk, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'
import type { FaultyDisk } from '#test/fake/faulty-disk.ts'

import { install, until } from './installation.ts'
import type { Installation, InstallOptions } from './installation.ts'
import { imap, lineClient } from './mail.ts'

/*
 * What the tests of bad disks share: an installation of which only the store lies on the disk that
 * gives way, and what is asked of it meanwhile.
 */

/** DESIGN section 4 says 5 s for an answer and 10 s for readiness; a busy test machine is given more. */
const ANSWER_MS = 20_000
const READY_MS = 60_000

/** An installation whose `store` lies in a folder of its own, on another disk than all else. */
export async function installStoreOn(
  dir: string,
  options: InstallOptions = {},
): Promise<Installation> {
  const watari = await install({ bind: ['127.0.0.1'], ...options })
  await watari.stop()
  const store = join(watari.dir, 'store')
  cpSync(store, join(dir, 'store'), { recursive: true, preserveTimestamps: true })
  renameSync(store, `${store}-before`)
  symlinkSync(join(dir, 'store'), store)
  await watari.start()
  return watari
}

export interface RoleHealth {
  readonly name: string
  readonly detail: string
  readonly restarts: number
  readonly reason?: string
}

/** What /readyz says; status 0 and no roles without an answer. */
export function readiness(
  watari: Installation,
): Promise<{ readonly status: number; readonly roles: readonly RoleHealth[] }> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: '127.0.0.1',
        port: watari.port(9443),
        path: '/readyz',
        ca: watari.ca,
        servername: 'localhost',
        agent: false,
      },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => {
          const { roles } = JSON.parse(text) as { roles: RoleHealth[] }
          resolve({ status: response.statusCode ?? 0, roles })
        })
      },
    )
    request.once('error', () => resolve({ status: 0, roles: [] }))
  })
}

/** What it says of the store. */
export const storeHealth = async (watari: Installation): Promise<RoleHealth | undefined> =>
  (await readiness(watari)).roles.find(({ name }) => name === 'store')

export const isReady = async (watari: Installation): Promise<boolean> =>
  (await readiness(watari)).status === 200

export const mail = (subject: string): string =>
  `From: a@other.example\r\nDate: Thu, 26 Nov 2026 22:00:00 +0000\r\nSubject: ${subject}\r\n\r\n会議\r\n`

/** Hands a mail for taro in; the first reply that keeps it out, or what its end is answered, each in time. */
export async function offer(port: number, hello: string, subject: string): Promise<string> {
  const client = await lineClient(port)
  try {
    let reply = await inTime(`port ${port}`, client.reply())
    for (const line of [
      hello,
      'MAIL FROM:<a@other.example>',
      'RCPT TO:<taro@campus.example>',
      'DATA',
      `${mail(subject)}.`,
    ]) {
      if (!/^[23]/.test(reply)) return reply
      reply = await inTime(`port ${port}`, client.command(line))
    }
    return reply
  } finally {
    client.close()
  }
}

export const lmtp = (watari: Installation, subject: string): Promise<string> =>
  offer(watari.port(24), 'LHLO client.example', subject)

export const smtp = (watari: Installation, subject: string): Promise<string> =>
  offer(watari.port(25), 'EHLO client.example', subject)

/** What is asked of a dead disk must be answered all the same. */
export async function inTime<T>(what: string, answer: Promise<T>): Promise<T> {
  const patience = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => patience.resolve('late'), ANSWER_MS)
  try {
    const first = await Promise.race([answer, patience.promise])
    assert.ok(first !== 'late', `${what}: no answer within ${ANSWER_MS} ms`)
    return first
  } finally {
    clearTimeout(timer)
  }
}

/** What each test of a suite has: an installation whose store lies on a disk that fails, and who reads taro's mail. */
export interface StoreOnFaultyDisk {
  readonly house: Installation
  readonly disk: FaultyDisk
  readonly reader: ImapFlow
}

/**
 * One such installation for the tests of a suite, ready before each; skipped where the disk cannot be had.
 * `fill` runs once. To be called within `describe`.
 */
export function testsOnStoreDisk(
  fill: (parts: StoreOnFaultyDisk) => Promise<void> = async () => undefined,
): (title: string, work: (parts: StoreOnFaultyDisk) => Promise<void>) => void {
  let disk: FaultyDisk | undefined
  let parts: StoreOnFaultyDisk | undefined
  before(async () => {
    disk = await faultyDisk()
    if (disk === undefined) return
    const house = await installStoreOn(disk.dir)
    parts = { house, disk, reader: await imap(house, 'taro') }
    await fill(parts)
  })
  after(async () => {
    await disk?.clear()
    await parts?.reader.logout()
    await parts?.house.remove()
    await disk?.remove()
  })
  return (title, work) =>
    void it(title, async (t) => {
      if (parts === undefined) return t.skip(NO_FAULTY_DISK)
      const { house, disk: volume } = parts
      await until('ready', () => isReady(house), READY_MS)
      try {
        await work(parts)
      } finally {
        await volume.clear()
      }
    })
}

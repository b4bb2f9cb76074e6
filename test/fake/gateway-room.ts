import assert from 'node:assert/strict'
import { silentLog } from '#base/log.ts'
import { concatOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { gatewayReception } from '#engine/receive/gateway-reception.ts'
import type { JudgeAsk } from '#engine/scan/judge.ts'
import type { Recipient } from '#model/envelope.ts'
import type { NewEvent } from '#model/event.ts'
import type { MailCommand } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { Verdict } from '#model/verdict.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { resolveSettings } from '#store/settings/resolve.ts'
import type { Settings } from '#store/settings/table.ts'
import type { Accept, QueueId, SpoolStatus, SpoolStore } from '#store/spool/spool-store.ts'
import { addr, fakeAccount, fakeDirectory } from './directory.ts'
import { fakeSigner } from './signing.ts'

const resolved = await resolveSettings({ values: {}, tables: {} }, () => Promise.resolve(undefined))
assert.ok(resolved.ok)
const SETTINGS = resolved.value
/** An account of the room's directory. */
const HANAKO = fakeAccount('hanako@campus.example', ['h.suzuki@campus.example'])
export const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
  { kind: 'account', account: HANAKO },
  { kind: 'account', account: fakeAccount('taro@campus.example') },
  {
    kind: 'alias',
    alias: {
      from: addr('all@campus.example'),
      to: [addr('taro@campus.example'), addr('x@far.example')],
    },
  },
]
const CLEAN: Verdict = {
  class: 'clean',
  score: 0.4,
  hits: [],
  virus: { kind: 'clean' },
  auth: [{ method: 'spf', result: 'none', properties: [] }],
  caseId: 'C1',
  degraded: [],
}

/** A gateway's reception over a spool in memory, with a judge that finds what it is told to. */
export function gatewayRoom(
  part: {
    verdict?: Partial<Verdict>
    settings?: Partial<Settings>
    rows?: readonly DirectoryRow[]
  } = {},
) {
  const accepts: { accept: Accept; content: string }[] = []
  const larges = new Map<string, Octets[]>()
  const events: NewEvent[] = []
  const asks: { ask: JudgeAsk; content: string }[] = []
  const state: { status: Partial<SpoolStatus>; fault: Fault | undefined; woken: number } = {
    status: {},
    fault: undefined,
    woken: 0,
  }
  const check = <T>(value: T): Promise<T> =>
    state.fault === undefined ? Promise.resolve(value) : Promise.reject(state.fault)
  const contentOf = ({ content }: Accept): Octets =>
    'octets' in content
      ? concatOctets(content.octets)
      : concatOctets([content.prefix, ...larges.get(content.large)!])
  const spool = {
    status: () => check({ full: false, ...state.status } as SpoolStatus),
    openLarge: () => {
      const handle = `L${larges.size}` as LargeHandle
      larges.set(handle, [])
      return check({ handle })
    },
    appendLarge: ({ handle, octets }) => {
      larges.get(handle)!.push(Buffer.from(octets))
      return check(undefined)
    },
    readLarge: ({ handle, offset, length }) =>
      check({ octets: concatOctets(larges.get(handle)!).subarray(offset, offset + length) }),
    abortLarge: ({ handle }) => {
      larges.delete(handle)
      return Promise.resolve()
    },
    accept: (accept) => {
      if (state.fault === undefined) accepts.push({ accept, content: toUtf8(contentOf(accept)) })
      return check({ queueId: 'Q1' as QueueId })
    },
  } satisfies Partial<SpoolStore> as unknown as SpoolStore
  const clock = new FakeClock()
  const rows = part.rows ?? ROWS
  const settings = { ...SETTINGS, ...part.settings }
  const { signer, events: signing } = fakeSigner(rows, { clock, settings })
  const reception = gatewayReception({
    directory: fakeDirectory(rows),
    settings: () => settings,
    signer,
    spool,
    judge: {
      async judge(ask) {
        const octets = await ask.source.read(0, ask.source.sizeBytes)
        asks.push({ ask, content: toUtf8(octets) })
        return { ...CLEAN, caseId: ask.caseId, ...part.verdict }
      },
    },
    hostname: (door) => `${door}.campus.example`,
    authservId: 'mx.campus.example',
    clock,
    log: silentLog,
    events: { emit: (event) => events.push(event) },
    wake: () => state.woken++,
  })
  const send = async (
    message: string | Iterable<Octets>,
    to: readonly string[] = ['hanako@campus.example'],
    command: Partial<MailCommand> = {},
  ): Promise<Reply> => {
    const opened = await reception.mail({
      door: 'mx',
      peer: { ip: '192.0.2.7', port: 1, helo: 'far.example' },
      reversePath: addr('jiro@far.example'),
      body: '8bitmime',
      smtpUtf8: false,
      ...command,
    })
    if (!opened.ok) return opened.error
    for (const address of to) {
      const refused = await opened.value.rcpt({ address: addr(address) } satisfies Recipient)
      if (refused !== undefined) return refused
    }
    const sink = await opened.value.data()
    if (!sink.ok) return sink.error
    const pieces = typeof message === 'string' ? [fromUtf8(message)] : message
    for (const piece of pieces) await sink.value.write(piece)
    return (await sink.value.finish())[0]!
  }
  return { accepts, asks, clock, events, signing, larges, reception, send, state }
}

/** MAIL as hanako's program sends it. */
export const SUBMISSION: Partial<MailCommand> = {
  door: 'submission',
  account: HANAKO,
  reversePath: addr('hanako@campus.example'),
  peer: {
    ip: '2001:db8::1',
    port: 1,
    helo: 'pc',
    accountId: HANAKO.id,
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  },
}

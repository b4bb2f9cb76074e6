import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import dnsPacket from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'

/** `name TYPE` to its data: `'campus.example MX': [{preference, exchange}]`. */
export type Zone = Readonly<Record<string, readonly unknown[]>>

/**
 * answer: from the zone · silent: no answer · refused: SERVFAIL · truncated: TC over UDP, whole over TCP ·
 * garbage: no DNS · forged: first a wrong id, then another question, then the true answer · noEdns: FORMERR to OPT.
 */
export type DnsMood =
  | 'answer'
  | 'silent'
  | 'refused'
  | 'truncated'
  | 'garbage'
  | 'forged'
  | 'noEdns'

export interface FakeDns {
  /** `HOST:PORT` for dns.servers. */
  readonly address: string
  /** `name TYPE` of each query, in order; over TCP with `tcp ` in front. */
  readonly queries: readonly string[]
  mood: DnsMood
  zone: Zone
  /** Resolves once `count` queries have come in all. */
  seen(count: number): Promise<void>
  close(): Promise<void>
}

const TTL_S = 60

/** A name server on loopback, over UDP and TCP on one port (absent: any), for tests. */
export async function startFakeDns(
  zone: Zone = {},
  host = '127.0.0.1',
  wanted = 0,
): Promise<FakeDns> {
  const queries: string[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  const note = (line: string): void => {
    queries.push(line)
    for (const w of waiting) if (queries.length >= w.count) w.resolve()
    waiting = waiting.filter((w) => queries.length < w.count)
  }
  const tcp = createServer((socket) => serveTcp(socket, dns, note))
  const sockets = new Set<Socket>()
  tcp.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  tcp.listen(wanted, host)
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  udp.on('message', (octets, from) => serveUdp({ octets, from, udp }, dns, note))
  udp.bind(port, host)
  await once(udp, 'listening')
  const dns: FakeDns = {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    queries,
    mood: 'answer',
    zone,
    seen: (count) =>
      queries.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([
        new Promise((resolve) => udp.close(() => resolve(undefined))),
        new Promise((resolve) => tcp.close(() => resolve(undefined))),
      ])
    },
  }
  return dns
}

function serveUdp(
  query: {
    readonly octets: Buffer
    readonly from: RemoteInfo
    readonly udp: ReturnType<typeof createSocket>
  },
  dns: FakeDns,
  note: (line: string) => void,
): void {
  const packet = dnsPacket.decode(query.octets)
  note(lineOf(packet))
  const send = (octets: Buffer): void => query.udp.send(octets, query.from.port, query.from.address)
  const edns = (packet.additionals?.length ?? 0) > 0
  if (dns.mood === 'silent') return
  if (dns.mood === 'garbage') return send(Buffer.from('\u0000\u0001渡り'))
  if (dns.mood === 'truncated') return send(answerTo(packet, {}, { flags: 0x02_00 }))
  if (dns.mood === 'refused') return send(answerTo(packet, {}, { flags: 2 }))
  if (dns.mood === 'noEdns' && edns) return send(answerTo(packet, {}, { flags: 1 }))
  if (dns.mood === 'forged') {
    const evil = Object.fromEntries(
      Object.keys(dns.zone).map((key) => [key, key.endsWith(' A') ? ['203.0.113.66'] : []]),
    )
    send(answerTo({ ...packet, id: (packet.id ?? 0) ^ 1 }, evil))
    send(answerTo({ ...packet, questions: [{ type: 'A', name: 'other.example' }] }, evil))
  }
  send(answerTo(packet, dns.zone))
}

function serveTcp(socket: Socket, dns: FakeDns, note: (line: string) => void): void {
  let octets = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    octets = Buffer.concat([octets, chunk])
    if (octets.length < 2 || octets.length < 2 + octets.readUInt16BE(0)) return
    const packet = dnsPacket.decode(octets.subarray(2))
    note(`tcp ${lineOf(packet)}`)
    if (dns.mood === 'silent') return
    const answer = answerTo(packet, dns.zone)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(answer.length)
    socket.end(Buffer.concat([length, answer]))
  })
}

const lineOf = (packet: Packet): string => {
  const question = packet.questions?.[0]
  return `${question?.name ?? ''} ${question?.type ?? ''}`
}

/** flags: rcode and TC besides those that each answer has. */
function answerTo(
  query: Packet,
  zone: Zone,
  with_: { readonly flags: number } = { flags: 0 },
): Buffer {
  const question = query.questions?.[0] ?? { name: '.', type: 'A' }
  const answers: Answer[] = []
  let name = question.name
  for (let step = 0; step < 5; step++) {
    const own = zone[`${name} ${question.type}`]
    for (const data of own ?? []) answers.push({ name, type: question.type, ttl: TTL_S, data })
    const alias = zone[`${name} CNAME`]?.[0]
    if (own !== undefined || typeof alias !== 'string') break
    answers.push({ name, type: 'CNAME', ttl: TTL_S, data: alias })
    name = alias
  }
  const known = Object.keys(zone).some((key) => key.split(' ')[0] === name)
  const soa = {
    mname: 'ns.example',
    rname: 'root.example',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: TTL_S,
  }
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: 0x01_80 | with_.flags | (known || with_.flags !== 0 ? 0 : 3),
    questions: query.questions ?? [],
    answers,
    authorities:
      answers.length > 0 ? [] : [{ name: 'example', type: 'SOA', ttl: TTL_S, data: soa }],
  })
}

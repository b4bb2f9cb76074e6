import dnsPacket from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'
import { bufferOf, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'PTR' | 'TXT'

export interface Question {
  /** Lower-case, no dot at its end. */
  readonly name: string
  readonly type: RecordType
}

/** One record's data; TXT strings hold one character an octet, joined (RFC 7208 §3.3). */
export interface RecordData {
  readonly text: string
  /** Of an MX record. */
  readonly preference?: number
}

/** What one answer says about its question. */
export type Reading =
  | { readonly kind: 'found'; readonly records: readonly RecordData[]; readonly ttlS: number }
  | { readonly kind: 'none'; readonly exists: boolean; readonly ttlS: number }
  | { readonly kind: 'alias'; readonly name: string; readonly ttlS: number }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'refused'; readonly rcode: string }
  | { readonly kind: 'foreign' } // not an answer to this question: dropped

const UDP_PAYLOAD_BYTES = 1_232 // what passes everywhere without fragments
const CNAME_CHAIN_MAX = 10

export function encodeQuery(question: Question, id: number, edns: boolean): Buffer {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD_BYTES, flags: 0, options: [] }
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: question.type, name: question.name, class: 'IN' }],
    additionals: edns ? [opt] : [],
  })
}

/** Total: octets that do not decode, or that answer another question, are `foreign` (RFC 5452 §9.1). */
export function readAnswer(octets: Octets, question: Question, id: number): Reading {
  let packet: Packet
  try {
    packet = dnsPacket.decode(bufferOf(octets))
  } catch {
    return { kind: 'foreign' }
  }
  const asked = packet.questions?.[0]
  if (packet.id !== id || packet.type !== 'response') return { kind: 'foreign' }
  const rcode = packet.rcode ?? 'NOERROR'
  const mute = rcode !== 'NOERROR' && rcode !== 'NXDOMAIN' && packet.questions?.length === 0
  if (
    !mute &&
    (packet.questions?.length !== 1 ||
      asked === undefined ||
      bare(asked.name) !== question.name ||
      asked.type !== question.type ||
      (asked.class ?? 'IN') !== 'IN')
  )
    return { kind: 'foreign' }
  if (packet.flag_tc === true) return { kind: 'truncated' }
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'refused', rcode }
  return readRecords(packet, question, rcode === 'NOERROR')
}

const bare = (name: string): string => asciiLower(name.replace(/\.$/, ''))

function readRecords(packet: Packet, question: Question, exists: boolean): Reading {
  const answers = packet.answers ?? []
  let name = question.name
  let ttlS = Number.POSITIVE_INFINITY
  for (let step = 0; step < CNAME_CHAIN_MAX; step++) {
    const own = answers.filter((a) => bare(a.name) === name && a.type === question.type)
    if (own.length > 0) {
      const records = own.map((a) => dataOf(a, question.type)).filter((data) => data !== undefined)
      for (const a of own) ttlS = Math.min(ttlS, a.ttl ?? 0)
      if (records.length > 0) return { kind: 'found', records, ttlS }
      break
    }
    const cname = answers.find((a) => bare(a.name) === name && a.type === 'CNAME')
    if (cname === undefined || typeof cname.data !== 'string') break
    name = bare(cname.data)
    ttlS = Math.min(ttlS, cname.ttl ?? 0)
  }
  const soa = negativeTtl(packet)
  if (exists && name !== question.name && soa === undefined) return { kind: 'alias', name, ttlS }
  return { kind: 'none', exists, ttlS: soa ?? 0 }
}

/** RFC 2308 §5: the lesser of the SOA's own TTL and its minimum; without an SOA nothing is kept. */
function negativeTtl(packet: Packet): number | undefined {
  const soa = packet.authorities?.find((record) => record.type === 'SOA')
  if (soa === undefined) return undefined
  const minimum = (soa.data as { readonly minimum?: number } | undefined)?.minimum ?? 0
  return Math.min(soa.ttl ?? 0, minimum)
}

const PRINTABLE = /^[\u0021-\u007e]*$/ // a name off the wire goes into logs and replies

function dataOf(answer: Answer, type: RecordType): RecordData | undefined {
  const { data } = answer
  if (type === 'TXT') {
    const strings: unknown[] = Array.isArray(data) ? data : [data]
    return { text: strings.map((s) => (s instanceof Uint8Array ? toLatin1(s) : '')).join('') }
  }
  if (type === 'MX') {
    const mx = data as { readonly preference?: number; readonly exchange?: string } | undefined
    if (typeof mx?.exchange !== 'string' || !PRINTABLE.test(mx.exchange)) return undefined
    return { text: bare(mx.exchange), preference: mx.preference ?? 0 }
  }
  if (typeof data !== 'string' || !PRINTABLE.test(data)) return undefined
  return { text: type === 'A' || type === 'AAAA' ? data : bare(data) }
}

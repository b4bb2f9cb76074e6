/** The part of dns-packet 5.6 that wire.ts uses; the package has no types of its own. */
declare module 'dns-packet' {
  export interface Question {
    readonly type: string
    readonly name: string
    readonly class?: string
  }
  export interface Answer extends Question {
    readonly ttl?: number
    readonly data?: unknown
  }
  export interface Packet {
    readonly type?: 'query' | 'response'
    readonly id?: number
    readonly flags?: number
    readonly flag_tc?: boolean
    readonly rcode?: string
    readonly questions?: readonly Question[]
    readonly answers?: readonly Answer[]
    readonly authorities?: readonly Answer[]
    readonly additionals?: readonly object[]
  }
  interface DnsPacket {
    readonly RECURSION_DESIRED: number
    encode(packet: Packet): Buffer
    decode(octets: Buffer): Packet
  }
  const dnsPacket: DnsPacket
  export default dnsPacket
}

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { withDeadline } from '#base/deadline.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { encodeQuery, readAnswer } from './wire.ts'
import type { Question, Reading } from './wire.ts'

export interface Server {
  readonly host: string
  readonly port: number
}

const DNS_PORT = 53

/** `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53` or a bare IPv6 address. Throws Fault `config`. */
export function parseServer(text: string): Server {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) {
    if (isIPv6(text)) return { host: text, port: DNS_PORT }
    throw new Fault('config', `not a name server's HOST:PORT: ${text}`)
  }
  const port = Number(match[3] ?? DNS_PORT)
  if (port < 1 || port > 65_535) throw new Fault('config', `not a port: ${text}`)
  return { host: match[1] ?? match[2]!, port }
}

type Answer = Exclude<Reading, { kind: 'truncated' | 'foreign' }>

/**
 * One question to one server: UDP from a port and with an id of its own (RFC 5452 §9.2), TCP where
 * the answer was cut (RFC 7766 §5). Throws Fault `timeout`, `unreachable` or `protocol`.
 */
export async function askServer(
  server: Server,
  question: Question,
  wait: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Answer> {
  const end = new AbortController()
  try {
    return await withDeadline(ask(server, question, end.signal), {
      ...wait,
      what: `name server ${server.host}`,
    })
  } finally {
    end.abort()
  }
}

async function ask(server: Server, question: Question, signal: AbortSignal): Promise<Answer> {
  let answer = await askUdp(server, question, { edns: true, signal })
  // RFC 6891 §7: a server that does not know EDNS
  if (answer.kind === 'refused' && (answer.rcode === 'FORMERR' || answer.rcode === 'NOTIMP'))
    answer = await askUdp(server, question, { edns: false, signal })
  return answer.kind === 'truncated' ? askTcp(server, question, signal) : answer
}

function askUdp(
  server: Server,
  question: Question,
  how: { readonly edns: boolean; readonly signal: AbortSignal },
): Promise<Exclude<Reading, { kind: 'foreign' }>> {
  const id = randomInt(0x1_0000)
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4').unref()
    let isDone = false
    const done = (): void => {
      if (isDone) return // what was under way may fail after its end
      isDone = true
      how.signal.removeEventListener('abort', done)
      socket.close()
    }
    how.signal.addEventListener('abort', done, { once: true })
    const fail = (cause: Error): void => {
      if (how.signal.aborted) return
      done()
      reject(unreachable(server, cause))
    }
    socket.on('error', fail)
    socket.on('message', (octets) => {
      const reading = readAnswer(octets, question, id)
      if (reading.kind === 'foreign' || how.signal.aborted) return // the true answer may still come
      done()
      resolve(reading)
    })
    // Connected: the kernel drops what other hosts send, and tells of a closed port.
    const connected = (cause?: Error): void => {
      if (isDone) return
      // Node tells of a network without a way there by an argument that its types do not know.
      if (cause !== undefined) return fail(cause)
      socket.send(encodeQuery(question, id, how.edns), (cause) => {
        if (cause !== null && cause !== undefined) fail(cause)
      })
    }
    socket.connect(server.port, server.host, connected)
  })
}

function askTcp(server: Server, question: Question, signal: AbortSignal): Promise<Answer> {
  const id = randomInt(0x1_0000)
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host).unref()
    const done = (): void => {
      signal.removeEventListener('abort', done)
      socket.destroy()
    }
    signal.addEventListener('abort', done, { once: true })
    const fail = (fault: Fault): void => {
      done()
      reject(fault)
    }
    socket.on('error', (cause) => fail(unreachable(server, cause)))
    socket.on('close', () => fail(new Fault('closed', `name server ${server.host} hung up`)))
    socket.on('connect', () => {
      const query = encodeQuery(question, id, false)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.length)
      socket.write(Buffer.concat([length, query]))
    })
    let octets = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      octets = Buffer.concat([octets, chunk]) // at most 2 + 65,535 octets are waited for
      if (octets.length < 2 || octets.length < 2 + octets.readUInt16BE(0)) return
      const reading = readAnswer(octets.subarray(2, 2 + octets.readUInt16BE(0)), question, id)
      if (reading.kind === 'foreign' || reading.kind === 'truncated')
        return fail(new Fault('protocol', `name server ${server.host} answered another question`))
      done()
      resolve(reading)
    })
  })
}

const unreachable = (server: Server, cause: Error): Fault =>
  new Fault('unreachable', `name server ${server.host}: ${cause.message}`, { cause })

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { AccountId } from '#model/account.ts'
import { peerAddress } from '#net/peer.ts'
import type { Watchers } from '#server/jmap/push/watchers.ts'
import type { JmapRoom } from '#server/jmap/room.ts'
import type { Running } from '#server/jmap/running.ts'
import { AWAY, Conversation, REFUSED } from './conversation.ts'
import type { ConversationParts } from './conversation.ts'

/** Who has connected, and what the HTTP server hands over of the connection. */
interface NewSocket extends Pick<ConversationParts, 'login' | 'origin' | 'isLoggedIn'> {
  readonly socket: Socket
  readonly head: Buffer
}

/** JMAP over WebSocket (RFC 8887). */
export class WebSockets {
  readonly #room: JmapRoom
  readonly #parts: { readonly watchers: Watchers; readonly running: Running }
  readonly #server: WebSocketServer
  readonly #byLogin = new Map<AccountId, Set<Conversation>>()
  #count = 0

  constructor(room: JmapRoom, watchers: Watchers, running: Running) {
    this.#room = room
    this.#parts = { watchers, running }
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A few octets of it may be many when inflated, and its windows stay in memory.
      perMessageDeflate: false,
      maxPayload: room.limits.maxSizeRequest,
      handleProtocols: (offered) => (offered.has('jmap') ? 'jmap' : false),
    })
  }

  open(incoming: IncomingMessage, { socket, head, ...who }: NewSocket): void {
    const { limits } = this.#room
    const { id } = who.login
    this.#server.handleUpgrade(incoming, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined) // 'close' follows
      // RFC 8887 §4.1: nothing but JMAP is spoken here.
      if (webSocket.protocol !== 'jmap') return webSocket.close(REFUSED, 'Offer the protocol jmap')
      const own = this.#byLogin.get(id) ?? new Set()
      if (own.size >= limits.webSocketsPerAccountMax || this.#count >= limits.webSocketsMax)
        return webSocket.close(LATER, 'Too many connections')
      const { ip } = peerAddress(incoming.socket)
      const conversation = new Conversation(this.#room, { ...this.#parts, ...who, webSocket, ip })
      this.#byLogin.set(id, own.add(conversation))
      this.#count++
      webSocket.once('close', () => {
        this.#count--
        own.delete(conversation)
        if (own.size === 0) this.#byLogin.delete(id)
      })
    })
  }

  /** Ends those whose login is good no more. */
  endFallen(): void {
    for (const conversations of this.#byLogin.values())
      for (const conversation of conversations) conversation.endFallen()
  }

  close(): void {
    for (const conversations of this.#byLogin.values())
      for (const conversation of conversations) conversation.end(AWAY, 'The server ends')
  }
}

/** Of the same register as the others. */
const LATER = 1013

import type { IncomingMessage } from 'node:http'

import { peerAddress } from '#net/peer.ts'

const ANYWHERE = new Set(['', '0.0.0.0', '::'])

/** Where a node that listens on this address is reached; one that listens on all: where it comes from. */
export const reachedAt = (address: string | undefined, request: IncomingMessage): string =>
  address === undefined || ANYWHERE.has(address) ? peerAddress(request.socket).ip : address

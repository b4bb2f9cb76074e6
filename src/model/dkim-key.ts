/** A key by which mail of a domain is signed (RFC 6376), from its making until nobody needs it any more. */
export interface DkimKey {
  /** Names it in the domain: `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string
  readonly algorithm: DkimAlgorithm
  /** As it is published: base64 of SubjectPublicKeyInfo, or of the 32 octets of Ed25519 (RFC 8463 §4). */
  readonly publicKey: string
  /** Secret: base64 of PKCS #8. It never leaves the nodes, and is gone once the key is retired. */
  readonly privateKey?: string
  readonly state: DkimKeyState
  readonly madeAt: string
  /** When the name service was last seen to have it. */
  readonly seenAt?: string
  readonly signsSince?: string
  readonly retiredAt?: string
  /** When the postmaster was last told to publish it. */
  readonly toldAt?: string
  /** Its record is needed until then: mail that it has signed may still be on its way. */
  readonly publishUntil?: string
}

export const DKIM_ALGORITHMS = ['rsa', 'ed25519'] as const
export type DkimAlgorithm = (typeof DKIM_ALGORITHMS)[number]

export const DKIM_KEY_STATES = {
  made: 'made', // the name service does not have it yet, as far as we know
  published: 'published', // seen there; nothing is signed by it yet
  signing: 'signing', // one of each algorithm at most
  retired: 'retired', // signs no more; its record stays for mail on its way
} as const
export type DkimKeyState = keyof typeof DKIM_KEY_STATES

/** Of one domain, retired ones included. */
export const DKIM_KEYS_MAX = 16

const SELECTOR_LENGTH_MAX = 63

/** Labels of letters, digits and hyphens (RFC 6376 §3.1), in lower case. */
export const isSelector = (text: string): boolean =>
  text.length <= SELECTOR_LENGTH_MAX &&
  /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(text)

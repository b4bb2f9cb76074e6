/** A certificate that its owner shows a server, and the key that proves it; both in PEM. */
export interface ClientIdentity {
  readonly certificate: string
  /** Secret: it never leaves the nodes. */
  readonly key: string
}

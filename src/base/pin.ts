import { X509Certificate, hash } from 'node:crypto'

/** SHA-256 of a public key (SubjectPublicKeyInfo) in hex: what a peer is known by, whoever signed its certificate. */
export type KeyPin = string & { readonly __brand: 'KeyPin' }

/** The pin of a certificate's key, however old the certificate is. */
export function pinOf(certificate: X509Certificate | string): KeyPin {
  const read = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return hash('sha256', read.publicKey.export({ type: 'spki', format: 'der' }), 'hex') as KeyPin
}

import { createPrivateKey, webcrypto } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

// tsyringe, which x509 builds on, refuses to load without it.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'

import { writeDurable } from './durable-file.ts'

/** PEM texts of the installation's own authority and of the one certificate that its listeners show. */
export interface Certificates {
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const CA_DAYS = 3_650
/** Programs refuse longer ones even under a private authority. */
const SERVER_DAYS = 397
const RENEW_BEFORE_DAYS = 30
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * Reads DIR/tls, making what is missing: an authority (ca.pem, ca.key) and a certificate under it for
 * localhost, its addresses and the host names of `domain`. Renews the certificate 30 days before its
 * end; the authority stays, so that clients that trust it need not be touched.
 */
export async function ensureCertificates(
  dir: string,
  domain: string,
  clock: Clock,
): Promise<Certificates> {
  x509.cryptoProvider.set(webcrypto)
  const tls = join(dir, 'tls')
  await mkdir(tls, { recursive: true, mode: 0o700 })
  const ca = (await readAuthority(tls)) ?? (await makeAuthority(tls, clock))
  const standing = await readPair(tls)
  if (standing !== undefined && !isNearEnd(standing.certPem, clock))
    return { caPem: ca.pem, ...standing }
  const made = await makeServer(ca, domain, clock)
  await writeDurable(join(tls, 'server.key'), made.keyPem, 0o600)
  await writeDurable(join(tls, 'server.pem'), made.certPem, 0o644)
  return { caPem: ca.pem, ...made }
}

const NODE_KEY_YEARS = 100

/**
 * Reads the key that this machine shows to the other nodes, DIR/tls/node.key with its certificate in
 * node.pem, making it where it is missing. The others know the key by its pin; the certificate only
 * wraps it, and so has no end that anybody would have to watch.
 */
export async function ensureNodeKey(dir: string, clock: Clock): Promise<NodeIdentity> {
  x509.cryptoProvider.set(webcrypto)
  const tls = join(dir, 'tls')
  await mkdir(tls, { recursive: true, mode: 0o700 })
  const certificate = await readIfThere(join(tls, 'node.pem'))
  const key = await readIfThere(join(tls, 'node.key'))
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Watari node',
    notBefore: new Date(0),
    notAfter: new Date(clock.nowMs() + NODE_KEY_YEARS * 365 * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
  })
  const identity = { certificate: made.toString('pem'), key: await privatePem(keys.privateKey) }
  // The key last: a certificate alone is made anew.
  await writeDurable(join(tls, 'node.pem'), identity.certificate, 0o644)
  await writeDurable(join(tls, 'node.key'), identity.key, 0o600)
  return identity
}

interface Authority {
  readonly pem: string
  readonly certificate: x509.X509Certificate
  readonly key: CryptoKey
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

async function readAuthority(tls: string): Promise<Authority | undefined> {
  const pem = await readIfThere(join(tls, 'ca.pem'))
  const keyPem = await readIfThere(join(tls, 'ca.key'))
  if (pem === undefined || keyPem === undefined) return undefined
  const der = createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' })
  const key = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign'])
  return { pem, certificate: new x509.X509Certificate(pem), key }
}

async function readPair(tls: string): Promise<{ certPem: string; keyPem: string } | undefined> {
  const certPem = await readIfThere(join(tls, 'server.pem'))
  const keyPem = await readIfThere(join(tls, 'server.key'))
  return certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem }
}

const isNearEnd = (certPem: string, clock: Clock): boolean =>
  new x509.X509Certificate(certPem).notAfter.getTime() - clock.nowMs() < RENEW_BEFORE_DAYS * DAY_MS

async function makeAuthority(tls: string, clock: Clock): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Watari local authority',
    notBefore: new Date(clock.nowMs() - DAY_MS),
    notAfter: new Date(clock.nowMs() + CA_DAYS * DAY_MS),
    keys: keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const pem = certificate.toString('pem')
  await writeDurable(join(tls, 'ca.key'), await privatePem(keys.privateKey), 0o600)
  await writeDurable(join(tls, 'ca.pem'), pem, 0o644)
  return { pem, certificate, key: keys.privateKey }
}

async function makeServer(
  ca: Authority,
  domain: string,
  clock: Clock,
): Promise<{ certPem: string; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const hosts = ['mx', 'relay', 'smtp', 'imap', 'pop', 'mail'].map((host) => `${host}.${domain}`)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=mail.${domain}`,
    issuer: ca.certificate.subject,
    notBefore: new Date(clock.nowMs() - DAY_MS),
    notAfter: new Date(clock.nowMs() + SERVER_DAYS * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: ca.key,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: domain },
        ...hosts.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certPem: certificate.toString('pem'), keyPem: await privatePem(keys.privateKey) }
}

const serial = (): string =>
  // Positive and 127 bits: RFC 5280 §4.1.2.2.
  `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .slice(1)}`

async function privatePem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  })
}

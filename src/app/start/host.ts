import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse, parseDocument, stringify } from 'yaml'
import { z } from 'zod'

import { Fault, messageOf } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import { oneLine } from '#base/text.ts'
import { ROLES as GIVEN_ROLES } from '#model/role.ts'

import { ROLE_NAMES, ROLES } from '#app/role-names.ts'
import type { RoleName } from '#app/role-names.ts'

const PROTOCOLS = [
  'mx',
  'relay',
  'submission',
  'submissions',
  'lmtp',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'managesieve',
  'https',
  'node',
  'ldap',
  'ldaps',
  'health',
] as const
export type ListenerProtocol = (typeof PROTOCOLS)[number]

/** Ports before the offset (DESIGN section 6). */
const PORTS: Readonly<Record<ListenerProtocol, number>> = {
  mx: 25,
  relay: 26,
  submission: 587,
  submissions: 465,
  lmtp: 24,
  imap: 143,
  imaps: 993, // RFC 8314 §3: TLS from the first octet is what programs are to be given
  pop3: 110,
  pop3s: 995,
  managesieve: 4190,
  https: 443,
  ldap: 389,
  ldaps: 636,
  node: 6443,
  health: 9443,
}

const hostSchema = z.strictObject({
  node: z.string().regex(/^[a-z0-9-]{1,40}$/),
  portOffset: z.number().int().min(0).max(55_000),
  bind: z.array(z.string().min(1)).min(1),
  domain: z.string().min(1),
  /** What this machine runs. */
  roles: z
    .array(z.enum(ROLE_NAMES))
    .min(1)
    .default([...ROLES]),
  /** Of the administration token; the token itself stands in first-run.json only. Where control is. */
  apiTokenSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Further tokens, each with the name that its acts are recorded under, and what it may do. */
  apiTokens: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9-]{1,40}$/),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        role: z.enum(GIVEN_ROLES),
      }),
    )
    .optional(),
  /** The control centre that this machine has joined, known by its key. */
  control: z
    .strictObject({
      address: z.string().min(1),
      port: z.number().int().min(1).max(65_535),
      pin: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .transform((text) => text as KeyPin),
    })
    .optional(),
  listeners: z.array(
    z.strictObject({
      protocol: z.enum(PROTOCOLS),
      address: z.string().min(1),
      port: z.number().int().min(1).max(65_535),
      hostname: z.string().min(1),
    }),
  ),
  /** Protocols that came after the first files were written, and whose listeners this one was given once. */
  later: z.array(z.enum(PROTOCOLS)).optional(),
})

/** A machine's own identity: names, addresses, ports. Policy lives in control's settings instead. */
export type Host = z.infer<typeof hostSchema>
export type Listener = Host['listeners'][number]

export const HOST_FILE = 'host.yaml'

/**
 * What each role listens for at first; the health of all of them is the supervisor's. Whoever owns
 * mailboxes serves `ldap` and `ldaps` as well, once somebody writes a listener of theirs into the file.
 */
const PROTOCOLS_OF: Readonly<Record<RoleName, readonly ListenerProtocol[]>> = {
  gateway: ['mx', 'relay', 'submission', 'submissions', 'node'],
  store: ['lmtp', 'imap', 'imaps', 'pop3', 'pop3s', 'managesieve', 'https', 'node'],
  control: ['https', 'node'],
  deliver: ['lmtp', 'node'],
  serve: ['imap', 'imaps', 'pop3', 'pop3s', 'managesieve', 'https', 'node'],
}

export type HostOptions = Pick<Host, 'portOffset' | 'domain'> & {
  readonly bind: readonly string[]
} & Partial<Pick<Host, 'node' | 'roles' | 'apiTokenSha256' | 'control'>>

/** The host of a first start. Each protocol listens on each address; the relay has a host name of its own. */
export function newHost(options: HostOptions): Host {
  const names: Partial<Record<ListenerProtocol, string>> = {
    mx: 'mx',
    relay: 'relay',
    submission: 'smtp',
    submissions: 'smtp',
    imap: 'imap',
    imaps: 'imap',
    pop3: 'pop',
    pop3s: 'pop',
  }
  const { node = 'single', roles = [...ROLES], portOffset, domain } = options
  const ours = new Set<ListenerProtocol>([...protocolsOf(roles), 'health'])
  const later = LATER.filter((protocol) => ours.has(protocol))
  return {
    node,
    portOffset,
    bind: [...options.bind],
    domain,
    roles,
    ...(options.apiTokenSha256 !== undefined && { apiTokenSha256: options.apiTokenSha256 }),
    ...(options.control !== undefined && { control: options.control }),
    listeners: PROTOCOLS.filter((protocol) => ours.has(protocol)).flatMap((protocol) =>
      options.bind.map((address) => ({
        protocol,
        address,
        port: PORTS[protocol] + options.portOffset,
        hostname: `${names[protocol] ?? 'mail'}.${options.domain}`,
      })),
    ),
    ...(later.length > 0 && { later }),
  }
}

const protocolsOf = (roles: readonly RoleName[]): readonly ListenerProtocol[] =>
  roles.flatMap((role) => PROTOCOLS_OF[role])

/** What files that were written before do not know. */
const LATER: readonly ListenerProtocol[] = ['managesieve']

/**
 * Listeners that a file lacks because it is older than their protocol. Each is offered once: who takes
 * one out again keeps it out.
 */
export function laterListeners(host: Host): Listener[] {
  const { roles, portOffset, domain, bind, later = [] } = host
  const missing = LATER.filter(
    (protocol) =>
      protocolsOf(roles).includes(protocol) &&
      !later.includes(protocol) &&
      listenersOf(host, protocol).length === 0,
  )
  return listenersOf(newHost({ roles, portOffset, domain, bind }), ...missing)
}

/** The text of a file with them, comments and all else as they were. */
export function addListeners(text: string, added: readonly Listener[]): string {
  const document = parseDocument(text)
  for (const listener of added) document.addIn(['listeners'], document.createNode(listener))
  for (const protocol of new Set(added.map((listener) => listener.protocol)))
    if (document.has('later')) document.addIn(['later'], protocol)
    else document.set('later', document.createNode([protocol]))
  return document.toString()
}

export const renderHost = (host: Host): string =>
  `# Written at the first start. Names, addresses and ports of this machine; restart after a change.\n${stringify(host)}`

/** Reads DIR/host.yaml. Throws Fault `config` with one line that names file and fault. */
export function readHost(dir: string): Host {
  const path = join(dir, HOST_FILE)
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Fault(
      'config',
      `${path}: cannot be read: ${oneLine(messageOf(cause).split('\n')[0]!).replace(/:$/, '')}`,
    )
  }
  const result = hostSchema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const place = issue?.path.join('.') ?? ''
  throw new Fault('config', `${path}: ${place}${place === '' ? '' : ': '}${issue?.message}`)
}

export const listenersOf = (host: Host, ...protocols: readonly ListenerProtocol[]): Listener[] =>
  host.listeners.filter((listener) => protocols.includes(listener.protocol))

export const portOf = (host: Host, protocol: ListenerProtocol): number =>
  listenersOf(host, protocol)[0]?.port ?? PORTS[protocol] + host.portOffset

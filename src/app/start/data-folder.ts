import { createHash, randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { Fault } from '#base/outcome.ts'
import { randomId } from '#base/id.ts'
import type { Clock } from '#base/time.ts'

import { ensureCertificates, ensureNodeKey } from './certificates.ts'
import { writeDurable } from './durable-file.ts'
import { FIRST_DOMAIN, FIRST_RUN_FILE } from './first-run.ts'
import type { FirstRun } from './first-run.ts'
import {
  addListeners,
  HOST_FILE,
  laterListeners,
  listenersOf,
  newHost,
  readHost,
  renderHost,
} from './host.ts'
import type { Host, Listener } from './host.ts'
import { join as joinInstallation, tokenIn } from './joining.ts'
import type { Joining } from './joining.ts'
import { lookFirst } from './look-first.ts'
import { ROLES } from '#app/role-names.ts'
import type { RoleName } from '#app/role-names.ts'

const FIRST_ACCOUNTS = ['admin', 'hanako', 'taro'] as const

/** What the command line says of a data folder; what is undefined was not said. */
export interface FolderOptions {
  readonly dir: string
  readonly portOffset: number | undefined
  readonly bind: readonly string[] | undefined
  /** One role alone; all of them, where absent. */
  readonly role?: RoleName
  readonly joining?: Joining
}

/**
 * Makes DIR what a start needs, or checks what stands there against the command line.
 * host.yaml is written last: a first start that died half-way begins anew.
 */
export async function prepareDataFolder(
  options: FolderOptions & { readonly clock: Clock },
): Promise<{ readonly host: Host; readonly first: boolean }> {
  const { dir, clock, role } = options
  makeFolder(dir)
  if (existsSync(join(dir, HOST_FILE))) {
    const written = readHost(dir)
    refuseOther(written, options)
    refuseOtherControl(written, options)
    await refuseTakenPorts(written)
    await lookFirst(dir)
    const host = await completeHost(dir, written)
    await ensureNodeKey(dir, clock)
    await ensureCertificates(dir, host.domain, clock)
    return { host, first: false }
  }
  const places = {
    portOffset: options.portOffset ?? 10_000,
    bind: options.bind ?? ['127.0.0.1', '::1'],
    ...(role !== undefined && { node: role, roles: [role] }),
  }
  // Before anything is written: a start with other ports must find the folder as it was.
  await refuseTakenPorts(newHost({ ...places, domain: FIRST_DOMAIN }))
  const host =
    role === undefined || role === 'control'
      ? await firstHost(dir, places)
      : await joinedHost(options, { ...places, role })
  await ensureNodeKey(dir, clock)
  await ensureCertificates(dir, host.domain, clock)
  await writeDurable(join(dir, HOST_FILE), renderHost(host), 0o644)
  return { host, first: host.control === undefined }
}

/** Gives an older file the listeners that came since; where another program has such a port, the next start tries again. */
async function completeHost(dir: string, host: Host): Promise<Host> {
  const added = laterListeners(host)
  if (added.length === 0) return host
  const codes = await Promise.all(added.map(codeOfPort))
  if (codes.some((code) => code === 'EADDRINUSE' || code === 'EACCES')) return host
  const path = join(dir, HOST_FILE)
  await writeDurable(path, addListeners(readFileSync(path, 'utf8'), added), 0o644)
  return readHost(dir)
}

type Places = Omit<Parameters<typeof newHost>[0], 'domain'>

/** Where control is, an installation begins. */
async function firstHost(dir: string, places: Places): Promise<Host> {
  const firstRun = makeFirstRun()
  await writeDurable(join(dir, FIRST_RUN_FILE), `${JSON.stringify(firstRun, null, 2)}\n`, 0o600)
  const apiTokenSha256 = createHash('sha256').update(firstRun.apiToken).digest('hex')
  return newHost({ ...places, domain: FIRST_DOMAIN, apiTokenSha256 })
}

/** A machine that joins: its name and domain are control's word. */
async function joinedHost(
  options: FolderOptions & { readonly clock: Clock },
  places: Places & { readonly role: RoleName },
): Promise<Host> {
  const { dir, clock, joining } = options
  const { role, ...rest } = places
  if (joining === undefined)
    throw new Fault(
      'config',
      `--role ${role}: a first start needs --join URL --token-file FILE; make the token with: watari node token --role ${role} --name NAME`,
    )
  const identity = await ensureNodeKey(dir, clock)
  const listener = listenersOf(newHost({ ...rest, domain: FIRST_DOMAIN }), 'node')[0]!
  const joined = await joinInstallation({
    joining,
    role,
    identity,
    listener: { address: listener.address, port: listener.port },
    clock,
  })
  return newHost({ ...rest, node: joined.name, domain: joined.domain, control: joined.control })
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 })
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Fault(
      'config',
      `${dir}: the data folder cannot be written (${(cause as NodeJS.ErrnoException).code}); choose another with --data DIR, or mend its rights`,
    )
  }
}

function makeFirstRun(): FirstRun {
  return {
    domain: FIRST_DOMAIN,
    accounts: FIRST_ACCOUNTS.map((username) => ({
      username,
      address: `${username}@${FIRST_DOMAIN}`,
      password: randomId(16).toLowerCase(),
      admin: username === 'admin',
    })),
    apiToken: randomBytes(24).toString('base64url'),
  }
}

/** Throws Fault `config` where another program listens on a port of ours; an address that is absent is no fault. */
async function refuseTakenPorts(host: Host): Promise<void> {
  for (const listener of host.listeners) {
    const { address, port } = listener
    const code = await codeOfPort(listener)
    if (code === 'EADDRINUSE')
      throw new Fault(
        'config',
        `cannot listen on ${address} port ${port}: it is taken; stop the other program, or choose another --port-offset`,
      )
    if (code === 'EACCES')
      throw new Fault(
        'config',
        `cannot listen on ${address} port ${port}: no permission; choose another --port-offset`,
      )
  }
}

/** Why nothing can listen there; undefined where something can. */
const codeOfPort = ({ address, port }: Listener): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code))
    server.listen({ host: address, port, ipv6Only: true }, () =>
      server.close(() => resolve(undefined)),
    )
  })

/** A command line may keep its --join for ever; one that leads elsewhere would be ignored in silence. */
function refuseOtherControl({ control, node }: Host, { dir, joining }: FolderOptions): void {
  const token = joining && tokenIn(joining.tokenFile)
  if (control === undefined || token === undefined) return
  if (token.pin === control.pin && token.name === node) return
  throw new Fault(
    'config',
    `${join(dir, HOST_FILE)}: has joined the control centre at ${control.address} port ${control.port} as ${node}; to join another, or by another name, begin with a new data folder; else leave --join out`,
  )
}

/** The addresses of a data folder stand in its host.yaml; a command line that says otherwise is a mistake. */
function refuseOther(host: Host, options: FolderOptions): void {
  const file = join(options.dir, HOST_FILE)
  const roles = options.role === undefined ? ROLES : [options.role]
  if (roles.join(' ') !== host.roles.join(' '))
    throw new Fault(
      'config',
      `${file}: runs ${host.roles.join(', ')}, the command line says ${roles.join(', ')}; give --role as at its first start`,
    )
  if (options.portOffset !== undefined && options.portOffset !== host.portOffset)
    throw new Fault(
      'config',
      `${file}: says portOffset ${host.portOffset}, the command line ${options.portOffset}; edit the file, or leave --port-offset out`,
    )
  if (options.bind !== undefined && options.bind.join(' ') !== host.bind.join(' '))
    throw new Fault(
      'config',
      `${file}: says bind ${host.bind.join(', ')}, the command line ${options.bind.join(', ')}; edit the file, or leave --bind out`,
    )
}

import { createHash, randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { Fault } from '#base/outcome.ts'
import { randomId } from '#base/id.ts'
import type { Clock } from '#base/time.ts'

import { ensureCertificates } from './certificates.ts'
import { writeDurable } from './durable-file.ts'
import { FIRST_DOMAIN, FIRST_RUN_FILE } from './first-run.ts'
import type { FirstRun } from './first-run.ts'
import { HOST_FILE, newHost, readHost, renderHost } from './host.ts'
import type { Host } from './host.ts'
import { lookFirst } from './look-first.ts'

const FIRST_ACCOUNTS = ['admin', 'hanako', 'taro'] as const

/**
 * Makes DIR what a start needs, or checks what stands there against the command line.
 * host.yaml is written last: a first start that died half-way begins anew.
 */
export async function prepareDataFolder(options: {
  readonly dir: string
  readonly portOffset: number | undefined
  readonly bind: readonly string[] | undefined
  readonly clock: Clock
}): Promise<{ readonly host: Host; readonly first: boolean }> {
  const { dir, clock } = options
  makeFolder(dir)
  if (existsSync(join(dir, HOST_FILE))) {
    const host = readHost(dir)
    refuseOther(host, options)
    await refuseTakenPorts(host)
    await lookFirst(dir)
    await ensureCertificates(dir, host.domain, clock)
    return { host, first: false }
  }
  const firstRun = makeFirstRun()
  const host = newHost({
    portOffset: options.portOffset ?? 10_000,
    bind: options.bind ?? ['127.0.0.1', '::1'],
    domain: FIRST_DOMAIN,
    apiTokenSha256: createHash('sha256').update(firstRun.apiToken).digest('hex'),
  })
  // Before anything is written: a start with other ports must find the folder as it was.
  await refuseTakenPorts(host)
  await writeDurable(join(dir, FIRST_RUN_FILE), `${JSON.stringify(firstRun, null, 2)}\n`, 0o600)
  await ensureCertificates(dir, FIRST_DOMAIN, clock)
  await writeDurable(join(dir, HOST_FILE), renderHost(host), 0o644)
  return { host, first: true }
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
  for (const { address, port } of host.listeners) {
    const code = await new Promise<string | undefined>((resolve) => {
      const server = createServer()
      server.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code))
      server.listen({ host: address, port, ipv6Only: true }, () =>
        server.close(() => resolve(undefined)),
      )
    })
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

/** The addresses of a data folder stand in its host.yaml; a command line that says otherwise is a mistake. */
function refuseOther(
  host: Host,
  options: { dir: string; portOffset: number | undefined; bind: readonly string[] | undefined },
): void {
  const file = join(options.dir, HOST_FILE)
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

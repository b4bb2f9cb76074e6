import { messageOf } from '#base/outcome.ts'
import type { Endpoint } from '#client/smtp/job.ts'
import { listenersOf, readHost } from '#app/start/host.ts'
import type { Host } from '#app/start/host.ts'
import { fillDemo } from './fill.ts'

// A process of its own, so that the supervisor stays as small as it is. Its argument is the data folder.
const dir = process.argv[2]!
const host = readHost(dir)

const doorOf = (protocol: 'mx' | 'lmtp'): Endpoint => {
  const { address, port, hostname } = listenersOf(host, protocol)[0]!
  return { name: hostname, ip: loopback(address), port }
}

/** LMTP lets this machine in by its loopback address alone. */
const loopback = (address: Host['listeners'][number]['address']): string =>
  address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address

try {
  await fillDemo({
    dir,
    domain: host.domain,
    mx: doorOf('mx'),
    lmtp: doorOf('lmtp'),
    say: (text) => process.stdout.write(`  demo         ${text}\n`),
  })
  process.stdout.write('watari demo ready\n')
} catch (thrown) {
  process.stderr.write(
    `watari: the demonstration is not whole: ${messageOf(thrown)}; start again with --demo to go on\n`,
  )
  process.exitCode = 1
}

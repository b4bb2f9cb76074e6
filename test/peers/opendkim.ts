import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import { startFakeDns } from '#test/fake/dns-server.ts'

const PROGRAM = '/usr/sbin/opendkim-testmsg'
const UNSHARE = '/usr/bin/unshare'
const VERIFY_MS_MAX = 60_000
/** It asks the machine's own name servers on their port: an address of this process's own. */
const NAME_SERVER = `127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`

/** Why OpenDKIM cannot look at signatures here; undefined where Debian's opendkim-tools can run. */
export function opendkimMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'opendkim-testmsg needs a name server on port 53: root on Linux'
  if (!existsSync(PROGRAM)) return 'Debian opendkim-tools is not installed'
  return spawnSync(UNSHARE, ['-m', 'true']).status === 0 ? undefined : 'unshare -m is refused'
}

/** What OpenDKIM says of each signature of the message, each looked at alone: `pass`, or why not. */
export async function opendkim(
  message: Octets,
  records: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'watari-opendkim-'))
  const zone = Object.fromEntries(
    Object.entries(records).map(([name, record]) => [
      `${name} TXT`,
      [record.match(/.{1,255}/g) ?? []],
    ]),
  )
  const dns = await startFakeDns(zone, NAME_SERVER, 53)
  try {
    writeFileSync(join(dir, 'resolv.conf'), `nameserver ${NAME_SERVER}\n`)
    const said: string[] = []
    for (const one of oneSignatureEach(message)) said.push(await verify(one, dir))
    return said
  } finally {
    await dns.close()
    rmSync(dir, { recursive: true })
  }
}

/** The message once for each of its signatures, without the others. */
function oneSignatureEach(message: Octets): readonly Octets[] {
  const header = message.subarray(0, headerLength(message))
  const ranges = [...headerFields(header)].flatMap(({ key, range }) =>
    key === 'dkim-signature' ? [range] : [],
  )
  return ranges.map((kept) => {
    const parts: Octets[] = []
    let at = 0
    for (const { offset, length } of ranges) {
      if (offset === kept.offset) continue
      parts.push(message.subarray(at, offset))
      at = offset + length
    }
    return concatOctets([...parts, message.subarray(at)])
  })
}

async function verify(message: Octets, dir: string): Promise<string> {
  const script = `mount --bind "$1/resolv.conf" /etc/resolv.conf && exec ${PROGRAM} -C -t "$1"`
  const child = spawn(UNSHARE, ['-m', 'sh', '-c', script, 'sh', dir], { timeout: VERIFY_MS_MAX })
  child.stdin.end(message)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [out, trouble, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return status === 0 ? 'pass' : `${out}${trouble}`.trim()
}

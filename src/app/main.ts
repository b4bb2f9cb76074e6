import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { isFault, messageOf } from '#base/outcome.ts'
import { shiftSystemClock } from '#base/time.ts'
import { putBy } from '#store/db/spare.ts'

import type { FolderOptions } from './start/data-folder.ts'
import { ROLE_NAMES } from './role-names.ts'
import type { RoleName } from './role-names.ts'
import { runSingle } from './start/single.ts'

/** For the few lines that a start writes beside its roles. */
const SPARE_BYTES = 256 * 1024

const USAGE = `usage: npm start [-- --data DIR] [--port-offset N] [--bind ADDR]... [--demo]
       npm start -- --role ${ROLE_NAMES.join('|')} --data DIR [--join URL --token-file FILE]
  --data DIR          where everything lies (./var)
  --port-offset N     moves each port up (10000; 0: the ports of the protocols)
  --bind ADDR         listens there; may be given again (127.0.0.1 and ::1)
  --demo              people, lists and mail to learn with
  --role ROLE         this role alone, on a machine of its own; it joins control at URL with the token
                      that \`watari node token\` gave`

/** The command line of `npm start`. */
type StartOptions = FolderOptions & {
  /** Fill it with people, lists and mail to learn the product with. */
  readonly demo: boolean
}

/** A text says what is wrong; undefined: help is asked for. */
function readOptions(args: readonly string[]): StartOptions | string | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        'port-offset': { type: 'string' },
        bind: { type: 'string', multiple: true },
        role: { type: 'string' },
        join: { type: 'string' },
        'token-file': { type: 'string' },
        demo: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help === true) return undefined
    const offset = values['port-offset']
    if (offset !== undefined && !/^\d{1,5}$/.test(offset))
      return `--port-offset ${offset}: a number from 0 to 55000 is needed`
    if (offset !== undefined && Number(offset) > 55_000)
      return `--port-offset ${offset}: ports would pass 65535; at most 55000`
    const { role, join: url, 'token-file': tokenFile } = values
    if (role !== undefined && !isRole(role))
      return `--role ${role}: one of ${ROLE_NAMES.join(', ')}`
    if ((url === undefined) !== (tokenFile === undefined))
      return '--join and --token-file go together'
    if (url !== undefined && (role === undefined || role === 'control'))
      return '--join is for one role: say which with --role'
    const demo = values.demo === true
    if (demo && role !== undefined) return '--demo is for an installation with all roles'
    return {
      demo,
      dir: resolve(values.data ?? 'var'),
      portOffset: offset === undefined ? undefined : Number(offset),
      bind: values.bind,
      ...(role !== undefined && { role }),
      ...(url !== undefined && tokenFile !== undefined && { joining: { url, tokenFile } }),
    }
  } catch (thrown) {
    return messageOf(thrown)
  }
}

const isRole = (text: string): text is RoleName => (ROLE_NAMES as readonly string[]).includes(text)

/** True while the process of DIR/watari.pid lives and is one of ours. */
function isRunning(pidFile: string): number | undefined {
  if (!existsSync(pidFile)) return undefined
  const pid = Number(readFileSync(pidFile, 'utf8'))
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return command.includes('main.ts') && pid !== process.pid ? pid : undefined
  } catch {
    return undefined
  }
}

async function main(): Promise<number> {
  shiftSystemClock(Number(process.env['WATARI_CLOCK_OFFSET_MS'] ?? 0))
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}\n`)
    return 2
  }
  const pidFile = join(options.dir, 'watari.pid')
  const other = isRunning(pidFile)
  if (other !== undefined) {
    process.stderr.write(
      `${options.dir}: process ${other} runs there already; stop it first, or choose another --data DIR\n`,
    )
    return 1
  }
  let isOurs = false
  try {
    const single = await runSingle({
      ...options,
      prepared: () => {
        putBy(options.dir, SPARE_BYTES)
        writeFileSync(pidFile, `${process.pid}\n`)
        isOurs = true
      },
    })
    await single.ended
    rmSync(pidFile, { force: true })
    return 0
  } catch (thrown) {
    // A folder that could not be made has no such file, and may not even be a folder.
    if (isOurs) rmSync(pidFile, { force: true })
    process.stderr.write(`${isFault(thrown) ? thrown.message : messageOf(thrown)}\n`)
    return 1
  }
}

process.exitCode = await main()
// A socket or timer left over must not hold the end up.
setTimeout(() => process.exit(), 500).unref()

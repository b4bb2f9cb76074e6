import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { peerRoot } from './root.ts'

const INSTALL_MS_MAX = 5 * 60_000
const RUN_MS_MAX = 60_000

/** The peers' root with dovecot-sieve in it: made once, for benchmarks alone, so that tests pay nothing. */
export function pigeonholeRoot(say: (line: string) => void): string {
  const root = `${peerRoot()}-sieve`
  if (existsSync(root)) return root
  const building = `${root}.making-${process.pid}`
  say('making a root with dovecot-sieve (once, half a minute)')
  try {
    execFileSync('cp', ['-a', peerRoot(), building])
    mkdirSync(join(building, 'var/cache/apt/archives/partial'), { recursive: true })
    for (const file of ['etc/resolv.conf', 'etc/apt'])
      cpSync(`/${file}`, join(building, file), { recursive: true, force: true })
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'dovecot-sieve']])
      execFileSync('chroot', [building, 'apt-get', ...args], {
        timeout: INSTALL_MS_MAX,
        stdio: 'ignore',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
    renameSync(building, root)
    return root
  } finally {
    rmSync(building, { recursive: true, force: true })
  }
}

const CONF = `mail_uid = 65534
mail_gid = 65534
first_valid_uid = 1
mail_location = maildir:~/mail
log_path = /dev/null
protocols =
ssl = no
plugin {
  sieve_extensions = +editheader
  sieve_max_redirects = 5
}
`

/** What Pigeonhole's `sieve-test` would do: `store x [flags]`, `redirect a@b`, `reject`, `discard`; or why nothing. */
export type PigeonholeAnswer =
  | { readonly kind: 'done'; readonly actions: readonly string[] }
  | { readonly kind: 'refused' | 'failed' | 'crashed'; readonly cause: string }

/** Asks Pigeonhole what it would do; `home` is a folder of its own below the root's `/tmp`. */
export class Pigeonhole {
  readonly #root: string
  readonly #home: string

  constructor(root: string, home: string) {
    this.#root = root
    this.#home = home
    rmSync(join(root, home), { recursive: true, force: true })
    for (const each of ['cur', 'new', 'tmp'])
      mkdirSync(join(root, home, 'mail', each), { recursive: true })
    writeFileSync(join(root, home, 'dovecot.conf'), `${CONF}mail_home = ${home}\n`)
    execFileSync('chown', ['-R', '65534:65534', join(root, home)])
  }

  answer(script: string, mail: string, from: string, to: string): PigeonholeAnswer {
    const at = (name: string): string => `${this.#home}/${name}`
    writeFileSync(join(this.#root, at('script.sieve')), script)
    writeFileSync(join(this.#root, at('mail.eml')), mail)
    const { stdout, stderr, signal } = spawnSync(
      'chroot',
      [this.#root, 'sieve-test', '-c', at('dovecot.conf'), '-f', from, '-r', to, at('script.sieve'), at('mail.eml')], // prettier-ignore
      { timeout: RUN_MS_MAX, env: { ...process.env, TZ: 'UTC' } },
    )
    const cause = stderr.toString().trim()
    if (cause.includes('failed to compile')) return { kind: 'refused', cause }
    if (cause.includes('final result: failed')) return { kind: 'failed', cause }
    if (signal !== null || !cause.includes('final result: success'))
      return { kind: 'crashed', cause }
    return { kind: 'done', actions: actionsIn(stdout.toString()) }
  }

  close(): void {
    rmSync(join(this.#root, this.#home), { recursive: true, force: true })
  }
}

function actionsIn(told: string): readonly string[] {
  const actions: string[] = []
  for (const line of told.split('\n')) {
    const flags = /^\s+\+ add IMAP flags: (.*)$/.exec(line)
    if (flags !== null) actions.push(`${actions.pop() ?? ''} [${flags[1]}]`)
    const [, store, redirect, other] =
      /^ \* (?:store message in folder: (.*)|redirect message to: <(.*)>|(reject|discard)\b.*)$/.exec(line) ?? [] // prettier-ignore
    const action = store === undefined ? (redirect === undefined ? other : `redirect ${redirect}`) : `store ${store}` // prettier-ignore
    if (action !== undefined) actions.push(action)
  }
  return actions
}

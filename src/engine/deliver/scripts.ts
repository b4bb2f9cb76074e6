import { assertNever, err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { SieveError } from '#codec/sieve/ast.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import type { AccountId } from '#model/account.ts'
import { parseScriptName, SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { ScriptChange } from '#model/script-change.ts'
import type { Script } from '#store/mailbox/objects/scripts.ts'

/** Why a change was refused; then nothing was changed. */
export interface ScriptsRefusal {
  /**
   * invalid: name or script is wrong; active: it filters now, so it cannot be removed; exists: another
   * has the new name.
   */
  readonly code: 'invalid' | 'limit' | 'notFound' | 'active' | 'exists'
  readonly message: string
  /** Of `limit`: which. */
  readonly limit?: 'scripts' | 'octets'
  /** What is wrong with the script, line by line. */
  readonly errors?: readonly SieveError[]
}

interface Named {
  readonly accountId: AccountId
  readonly name: string
}

/** Plain arguments and answers, so that a node call can carry them. */
export interface Scripts {
  list(ask: { readonly accountId: AccountId }): Promise<readonly ScriptEntry[]>
  get(ask: Named): Promise<Outcome<Script, ScriptsRefusal>>
  /** Checked before it is stored; `activate` false leaves one that is active so. */
  put(
    ask: Named & {
      readonly text: string
      readonly activate: boolean
      /** Refused where there is one of the name. */
      readonly newOnly?: boolean
    },
  ): Promise<Outcome<ScriptEntry, ScriptsRefusal>>
  /** Stores one that was brought in, right or not, so that nobody loses it; never one that filters. */
  keep(ask: Named & { readonly text: string }): Promise<Outcome<ScriptEntry, ScriptsRefusal>>
  /** Null: no script of the user's filters. One that does not compile cannot be activated. */
  activate(ask: {
    readonly accountId: AccountId
    readonly name: string | null
  }): Promise<Outcome<string | null, ScriptsRefusal>>
  remove(ask: Named): Promise<Outcome<string, ScriptsRefusal>>
  /** An active one stays active. */
  rename(ask: Named & { readonly to: string }): Promise<Outcome<string, ScriptsRefusal>>
}

/** What users keep of Sieve scripts, by the rules of RFC 5804 §2: none that does not compile ever filters. */
export function scriptsOf(mailboxes: Pick<MailboxStore, 'scripts' | 'script' | 'changeScript'>) {
  const change = async (
    accountId: AccountId,
    what: ScriptChange,
  ): Promise<ScriptsRefusal | undefined> => {
    const { refusal } = await mailboxes.changeScript({ accountId, change: what })
    if (refusal === undefined) return undefined
    switch (refusal) {
      case 'notFound':
        return notFound(what.name ?? '')
      case 'active':
        return { code: 'active', message: `${what.name} is the active script` } // RFC 5804 §2.10
      case 'exists':
        return { code: 'exists', message: 'there is a script of that name already' }
      case 'limit':
        return {
          code: 'limit',
          limit: 'scripts',
          message: `there are ${SCRIPTS_PER_ACCOUNT_MAX} scripts already, the most that an account may have`,
        }
      default:
        return assertNever(refusal)
    }
  }
  const store = async (
    accountId: AccountId,
    what: ScriptChange & { readonly kind: 'put' },
  ): Promise<Outcome<ScriptEntry, ScriptsRefusal>> => {
    const failed = await change(accountId, what)
    if (failed !== undefined) return err(failed)
    const all = (await mailboxes.scripts({ accountId })).scripts
    const entry = all.find((each) => each.name === what.name)
    return entry === undefined ? err(notFound(what.name)) : ok(entry)
  }
  /** One that was brought in as it was, or was stored by a program that knew more. */
  const brokenScript = async (
    accountId: AccountId,
    name: string,
  ): Promise<ScriptsRefusal | undefined> => {
    const { script } = await mailboxes.script({ accountId, name })
    return script === undefined ? undefined : checkScript(script.text)
  }
  const scripts: Scripts = {
    list: async (ask) => (await mailboxes.scripts(ask)).scripts,
    async get({ accountId, name }) {
      const wanted = named(name)
      if (!wanted.ok) return wanted
      const { script } = await mailboxes.script({ accountId, name: wanted.value })
      return script === undefined ? err(notFound(wanted.value)) : ok(script)
    },
    async put({ accountId, name, text, activate, newOnly = false }) {
      const wanted = named(name)
      if (!wanted.ok) return wanted
      const refused = checkScript(text)
      if (refused !== undefined) return err(refused)
      const put = { kind: 'put', name: wanted.value, text, activate } as const
      return store(accountId, { ...put, ...(newOnly && { newOnly }) })
    },
    async keep({ accountId, name, text }) {
      const wanted = named(name)
      if (!wanted.ok) return wanted
      const refused = checkSize(text)
      if (refused !== undefined) return err(refused)
      const put = { kind: 'put', name: wanted.value, text, activate: false } as const
      return store(accountId, { ...put, inactiveOnly: true })
    },
    async activate({ accountId, name }) {
      const wanted = name === null ? ok(null) : named(name)
      if (!wanted.ok) return wanted
      const broken = wanted.value === null ? undefined : await brokenScript(accountId, wanted.value)
      if (broken !== undefined) return err(broken)
      const failed = await change(accountId, { kind: 'activate', name: wanted.value })
      return failed === undefined ? ok(wanted.value) : err(failed)
    },
    async remove({ accountId, name }) {
      const wanted = named(name)
      if (!wanted.ok) return wanted
      const failed = await change(accountId, { kind: 'remove', name: wanted.value })
      return failed === undefined ? ok(wanted.value) : err(failed)
    },
    async rename({ accountId, name, to }) {
      const wanted = named(name)
      if (!wanted.ok) return wanted
      const given = named(to)
      if (!given.ok) return given
      const failed = await change(accountId, {
        kind: 'rename',
        name: wanted.value,
        to: given.value,
      })
      return failed === undefined ? ok(given.value) : err(failed)
    },
  }
  return scripts
}

function named(text: string): Outcome<string, ScriptsRefusal> {
  const name = parseScriptName(text)
  return name.ok ? name : err({ code: 'invalid', message: name.error })
}

/** What is wrong with a script of the administrator's; an empty one is none. */
export const scriptFault = (text: string): string | undefined =>
  text.trim() === '' ? undefined : checkScript(text)?.message

function checkSize(text: string): ScriptsRefusal | undefined {
  if (!text.isWellFormed()) return { code: 'invalid', message: 'the script is not Unicode' }
  const sizeBytes = Buffer.byteLength(text)
  if (sizeBytes <= SCRIPT_BYTES_MAX) return undefined
  return {
    code: 'limit',
    limit: 'octets',
    message: `the script has ${sizeBytes} octets, ${SCRIPT_BYTES_MAX} are the most`,
  }
}

/** What is wrong with a script, line by line; undefined where nothing is. */
export function checkScript(text: string): ScriptsRefusal | undefined {
  const refused = checkSize(text)
  if (refused !== undefined) return refused
  const compiled = compileSieve(text)
  if (compiled.ok) return undefined
  const errors = compiled.error.slice(0, ERRORS_MAX)
  const lines = errors.map(({ line, message }) => `line ${line}: ${message}`)
  const rest = compiled.error.length - errors.length
  return {
    code: 'invalid',
    message: `${lines.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
    errors,
  }
}

/** More than that are read by nobody. */
const ERRORS_MAX = 20

const notFound = (name: string): ScriptsRefusal => ({
  code: 'notFound',
  message: `there is no script ${name}`,
})

import { parseSieve } from '#codec/sieve/parse.ts'
import { isSieveExtension } from '#engine/sieve/extensions.ts'
import { findNaming, namesIn, translateNames } from '#engine/sieve/translate-names.ts'
import type { ForeignNaming, TranslatedName } from '#engine/sieve/translate-names.ts'
import type { SieveError } from '#codec/sieve/ast.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { parseScriptName } from '#model/script.ts'
import type { ForeignScript } from '#model/script.ts'
import { scriptWarnings } from './script-warnings.ts'
import { checkScript } from './scripts.ts'
import type { Scripts, ScriptsRefusal } from './scripts.ts'

export interface ScriptImport {
  readonly accountId: AccountId
  /** All of the person's: how names were written is found out from all of them. */
  readonly scripts: readonly ForeignScript[]
  readonly separator?: string
  readonly prefix?: string
  /** Scripts of the same name give way, and the one that filters here. */
  readonly replace: boolean
  readonly dryRun: boolean
}

/**
 * stored: it compiles. kept: it does not, and is kept inactive with what is wrong. unchanged: it is here
 * already. exists: another of the same name is here. refused: it cannot be kept at all.
 */
export type ScriptOutcome = 'stored' | 'kept' | 'unchanged' | 'exists' | 'refused'

/** What became of one script, or would. */
export interface ImportedScript {
  readonly name: string
  readonly outcome: ScriptOutcome
  /** It filters here. */
  readonly active: boolean
  /** Why it is not stored, or does not filter though it did. */
  readonly reason?: string
  readonly names: readonly TranslatedName[]
  readonly unknownExtensions: readonly string[]
  /** By line: what does not compile. */
  readonly errors: readonly SieveError[]
  /** By line: mailboxes that are not there, and what else is hardly meant. */
  readonly warnings: readonly SieveError[]
}

export interface ScriptsImported {
  /** How names were read; absent: they had dots, and nothing said what those meant. */
  readonly naming?: ForeignNaming
  readonly scripts: readonly ImportedScript[]
}

/** What is asked of a store. */
export interface ScriptRoom {
  readonly scripts: Pick<Scripts, 'list' | 'get' | 'put' | 'keep'>
  readonly mailboxes: {
    mailboxes(ask: {
      readonly accountId: AccountId
    }): Promise<{ readonly mailboxes: readonly { readonly path: MailboxPath }[] }>
  }
}

/** Brings a person's scripts in, or says what would become of them: each is reported, none is dropped in silence. */
export async function importScripts(
  { accountId, scripts, separator, prefix, replace, dryRun }: ScriptImport,
  store: ScriptRoom,
): Promise<ScriptsImported> {
  const { mailboxes } = await store.mailboxes.mailboxes({ accountId })
  const names = new Set(mailboxes.map(({ path }) => path.join('/')))
  const naming = findNaming(
    scripts.flatMap(({ text }) => namesIn(text)),
    {
      declared: {
        ...(separator !== undefined && { separator }),
        ...(prefix !== undefined && { prefix }),
      },
      isThere: (name) => names.has(name.normalize('NFC')),
    },
  )
  const isOwnActive = (await store.scripts.list({ accountId })).some(({ active }) => active)
  const rows: ImportedScript[] = []
  for (const script of scripts) {
    const read =
      naming === undefined ? { text: script.text, names: [] } : translateNames(script.text, naming)
    const refused = checkScript(read.text)
    const facts = {
      name: script.name,
      names: read.names,
      unknownExtensions: unknownExtensions(read.text),
      errors: refused?.errors ?? [],
      warnings: scriptWarnings(read.text, mailboxes),
    }
    const wanted = { ...script, text: read.text, accountId }
    const done = await bring(wanted, { replace, dryRun, isOwnActive, refused }, store.scripts)
    rows.push({ ...facts, ...done })
  }
  return { ...(naming !== undefined && { naming }), scripts: oneActive(rows, scripts) }
}

/** Where one of them came to filter, those that did before it do no more. */
function oneActive(
  rows: readonly ImportedScript[],
  scripts: readonly ForeignScript[],
): readonly ImportedScript[] {
  const last = rows.findLastIndex((row, at) => row.active && scripts[at]?.active === true)
  return last < 0 ? rows : rows.map((row, at) => ({ ...row, active: at === last }))
}

type Brought = Pick<ImportedScript, 'outcome' | 'active' | 'reason'>

async function bring(
  script: ForeignScript & { readonly accountId: AccountId },
  how: {
    readonly replace: boolean
    readonly dryRun: boolean
    readonly isOwnActive: boolean
    readonly refused: ScriptsRefusal | undefined
  },
  scripts: ScriptRoom['scripts'],
): Promise<Brought> {
  const { accountId, text } = script
  const { refused, replace, dryRun, isOwnActive } = how
  const no = (reason: string): Brought => ({ outcome: 'refused', active: false, reason })
  const name = parseScriptName(script.name)
  if (!name.ok) return no(name.error)
  if (refused?.code === 'limit') return no(refused.message)
  const there = await scripts.get({ accountId, name: name.value })
  if (there.ok && there.value.text !== text && !replace)
    return {
      outcome: 'exists',
      active: there.value.active,
      reason: 'there is another script of that name',
    }
  const ask = { accountId, name: name.value, text }
  if (refused !== undefined) {
    const kept = { outcome: 'kept', active: false, reason: refused.message } as const
    if (dryRun || (there.ok && there.value.text === text)) return kept
    const done = await scripts.keep(ask)
    return done.ok ? kept : no(done.error.message)
  }
  // What somebody has chosen here meanwhile goes on.
  const mayFilter = script.active && (!isOwnActive || replace || (there.ok && there.value.active))
  const isSame = there.ok && there.value.text === text && there.value.active === mayFilter
  const outcome = isSame || (there.ok && there.value.text === text) ? 'unchanged' : 'stored'
  const active = mayFilter || (there.ok && there.value.active)
  const reason = script.active && !active ? 'another script filters here' : undefined
  const done = { outcome, active, ...(reason !== undefined && { reason }) } as const
  if (dryRun || (isSame && outcome === 'unchanged')) return done
  const stored = await scripts.put({ ...ask, activate: mayFilter })
  return stored.ok ? done : no(stored.error.message)
}

/** What the script requires and nobody knows here (RFC 5228 §3.2). */
function unknownExtensions(text: string): readonly string[] {
  const parsed = parseSieve(text)
  if (!parsed.ok) return []
  const required = parsed.value.commands
    .filter(({ name }) => name === 'require')
    .flatMap(({ args }) => args)
    .flatMap((arg) =>
      arg.kind === 'string' ? [arg.value] : arg.kind === 'strings' ? arg.values : [],
    )
  return [...new Set(required)].filter((name) => !isSieveExtension(name))
}

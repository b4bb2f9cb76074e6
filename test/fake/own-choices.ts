import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import type { ChoicesBody, OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import { choicesView } from '#engine/people/choices-view.ts'
import { OwnChoices } from '#engine/people/own-choices.ts'
import { findCycle } from '#engine/route/check.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { lifeRulesOf } from '#store/settings/life-rules.ts'
import { FIRST_CONTENT, resolveSettings } from '#store/settings/resolve.ts'
import type { Settings } from '#store/settings/table.ts'
import { fakeAccount } from './authenticator.ts'

/** People of one domain with a directory on disk, and what they do with their own choices. */
export interface ChoosingPeople {
  readonly directory: DirectoryMaster
  readonly clock: FakeClock
  readonly log: SqliteDirectoryLog
  /** Mails with codes: to whom, and the code in each. */
  readonly mails: { readonly to: string; readonly code: string; readonly text: string }[]
  settings: Partial<Settings>
  fault: Error | undefined
  act(username: string, act: OwnActBody): Promise<OwnEnd>
  view(username: string): ChoicesBody
  /** As JMAP and pages have it. */
  readonly book: {
    view(account: Pick<Account, 'username'>): ChoicesBody
    act(id: AccountId, act: OwnActBody): Promise<OwnEnd>
  }
  days(count: number): void
  end(): Promise<void>
}

export async function choosingPeople(
  usernames: readonly string[],
  more: readonly DirectoryRow[] = [],
): Promise<ChoosingPeople> {
  const dir = mkdtempSync(join(tmpdir(), 'watari-choices-'))
  const clock = new FakeClock()
  const log = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const resolved = await resolveSettings(FIRST_CONTENT, () => Promise.resolve(undefined))
  if (!resolved.ok) throw new Error(resolved.error.message)
  const defaults = resolved.value
  const lives = new AccountClock({ clock, rules: () => lifeRulesOf(defaults) })
  const directory = new DirectoryMaster({ log, clock, lives, checks: [findCycle] })
  await directory.load()
  const rows: DirectoryRow[] = [
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...usernames.map((name): DirectoryRow => ({ kind: 'account', account: fakeAccount(name) })),
    ...more,
  ]
  const done = await directory.write(
    rows.map((row) => ({ kind: 'put', row })),
    { who: 'test', from: 'test' },
  )
  if (!done.ok) throw new Error(done.error.message)
  const mails: ChoosingPeople['mails'] = []
  const settingsNow = (): Settings => ({ ...defaults, ...people.settings })
  const own = new OwnChoices({
    directory,
    settings: settingsNow,
    send: async ({ to, octets }) => {
      if (people.fault !== undefined) throw people.fault
      const text = textOf(toUtf8(octets))
      mails.push({
        to: formatAddress(to),
        code: /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(text)![0],
        text,
      })
    },
  })
  const accountOf = (username: string): Account => directory.directory.byLogin(username)!
  const people: ChoosingPeople = {
    directory,
    clock,
    log,
    mails,
    settings: {},
    fault: undefined,
    act: (username, act) => own.act(accountOf(username).id, act, 'webmail at store-1'),
    view: (username) => choicesView(accountOf(username), directory.directory, settingsNow()),
    book: {
      view: ({ username }) => people.view(username),
      act: (id, act) => own.act(id, act, 'webmail at store-1'),
    },
    days: (count) => clock.advance(count * DAY_MS),
    end: async () => {
      log.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return people
}

/** Header and the decoded body of a mail of ours. */
function textOf(octets: string): string {
  const [header = '', body = ''] = octets.split('\r\n\r\n')
  return `${header}\n\n${Buffer.from(body, 'base64').toString('utf8')}`
}

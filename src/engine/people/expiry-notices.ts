import { createHash } from 'node:crypto'
import type { Log } from '#base/log.ts'
import { isFault, messageOf, ok } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { postmasterMail } from '#codec/mime/postmaster-mail.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { daysAfter, daysBetween, lifeOf } from '#model/account-life.ts'
import type { Moment } from '#model/account-life.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'

/** Told one after the other; written down so many at a time. */
const WRITTEN_AT_ONCE = 500
/** Accounts that are looked at in one go. */
const LOOKED_AT_ONCE = 2_000
const AUTHOR = { who: 'watari', from: 'account life' }

interface NoticeParts {
  readonly directory: DirectoryMaster
  readonly log: Log
  /** So many days before the last one, each once. */
  readonly days: () => readonly number[]
  /** Durable when it resolves; the same id twice is one message. Throws a Fault where nobody takes it. */
  readonly send: (mail: {
    readonly id: string
    readonly to: Address
    readonly octets: Octets
  }) => Promise<void>
}

/** Tells people by mail that their account ends soon: each notice once, over restarts too. */
export class ExpiryNotices {
  readonly #parts: NoticeParts

  constructor(parts: NoticeParts) {
    this.#parts = parts
  }

  /** How many were told. */
  async run(accounts: Iterable<Account>): Promise<number> {
    const { directory, log } = this.#parts
    const { moment } = directory.directory
    let told = 0
    let looked = 0
    let sent: { readonly account: Account; readonly days: number }[] = []
    for (const account of accounts) {
      if (++looked % LOOKED_AT_ONCE === 0) await new Promise(setImmediate)
      const days = noticeDue(account, moment, this.#parts.days())
      if (days === undefined) continue
      try {
        await this.#tell(account, days, moment)
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        // The next run tells all who are left.
        log.warn('directory.noticesWaiting', { cause: messageOf(thrown) })
        break
      }
      sent.push({ account, days })
      told++
      if (sent.length < WRITTEN_AT_ONCE) continue
      await this.#note(sent)
      sent = []
    }
    await this.#note(sent)
    return told
  }

  async #tell(account: Account, days: number, moment: Moment): Promise<void> {
    const to = mainAddressOf(account)
    const expiresOn = account.expiresOn!
    // Whoever dies before it is written down sends it again under this id, which queues know.
    const name = `expiry ${account.id} ${expiresOn} ${days}`
    const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
    const octets = expiryMail({ to, expiresOn, id, moment })
    await this.#parts.send({ id: `expiry-${id}`, to, octets })
  }

  async #note(
    sent: readonly { readonly account: Account; readonly days: number }[],
  ): Promise<void> {
    if (sent.length === 0) return
    await this.#parts.directory.update(
      (now) =>
        ok(
          sent.flatMap(({ account: { id, expiresOn }, days }): DirectoryEdit[] => {
            const account = now.account(id)
            if (account === undefined || expiresOn === undefined) return []
            const told = { ...account, expiryNotice: { expiresOn, days } }
            return [{ kind: 'put', row: { kind: 'account', account: told } }]
          }),
        ),
      AUTHOR,
    )
  }
}

/** Which notice is due: the nearest one that has not been sent; undefined: none. */
function noticeDue(account: Account, moment: Moment, all: readonly number[]): number | undefined {
  const { expiresOn, expiryNotice } = account
  if (expiresOn === undefined || lifeOf(account, moment) !== 'active') return undefined
  const left = daysBetween(moment.today, expiresOn)
  const due = all.toSorted((a, b) => a - b).find((days) => left <= days)
  if (due === undefined) return undefined
  const isTold = expiryNotice?.expiresOn === expiresOn && expiryNotice.days <= due
  return isTold ? undefined : due
}

/** In Japanese and English. */
function expiryMail(mail: {
  readonly to: Address
  readonly expiresOn: string
  readonly id: string
  readonly moment: Moment
}): Octets {
  const { to, expiresOn, id, moment } = mail
  const last = daysAfter(expiresOn, moment.rules.graceDays)
  const hasGrace = last !== expiresOn
  const text = [
    `このアカウントの有効期限は ${expiresOn} です。`,
    ...(hasGrace ? [`${last} までは猶予期間として引き続き利用できます。`] : []),
    'その後はログインできなくなり、メールも届かなくなります。必要なメールは期限までに保存してください。',
    '',
    `The last day of this account is ${expiresOn}.`,
    ...(hasGrace ? [`It can still be used until ${last}.`] : []),
    'After that nobody can log in to it, and no mail arrives. Please save what you need before.',
    '',
  ].join('\n')
  const subject = 'アカウントの有効期限のお知らせ (Your account ends soon)'
  return postmasterMail({ to, subject, text, id, nowMs: moment.nowMs })
}

import type { Octets } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import { randomId } from '#base/id.ts'
import { postmasterMail } from '#codec/mime/postmaster-mail.ts'
import type { AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** The mail with a code, in Japanese and English, to an address that somebody of ours says is his as well. */
export function proofMail(mail: {
  readonly to: Address
  /** Whose account it is about. */
  readonly owner: string
  readonly code: string
  readonly use: 'forward' | 'contact'
  readonly nowMs: number
}): Octets {
  const { to, owner, code, use, nowMs } = mail
  const shown = code.match(/.{1,4}/g)!.join('-')
  const isForward = use === 'forward'
  const text = [
    isForward
      ? `${owner} が、自分宛てのメールをこのアドレスに転送しようとしています。`
      : `${owner} が、このアドレスを連絡先として登録しようとしています。`,
    'ご本人であれば、ウェブメールの「設定」で次の確認コードを入力すると有効になります。',
    '',
    `    ${shown}`,
    '',
    'コードは 3 日間、1 回だけ使えます。心当たりがなければ、何もしなければ何も起こりません。',
    'このコードをほかの人に教えないようにしてください。',
    '',
    isForward
      ? `${owner} asks to have mail forwarded to this address.`
      : `${owner} asks to be reached at this address.`,
    'If that is you, enter this code in the settings of the webmail:',
    '',
    `    ${shown}`,
    '',
    'It can be used once, within three days. If it is not you, do nothing, and nothing happens.',
    'Do not tell this code to anybody.',
    '',
  ].join('\n')
  const subject = `確認コード (Confirmation code) ${shown}`
  const owned = parseAddress(owner)
  const from = owned.ok ? owned.value.domain : to.domain
  return postmasterMail({ to, from, subject, text, id: randomId(24), nowMs })
}

/** Of one account in a day: whoever is written to has asked for nothing. */
const MAILS_MAX = 10
const ACCOUNTS_MAX = 10_000

/** How many mails with codes went out for whom within a day. */
export class MailsOfCodes {
  readonly #sent = new Map<AccountId, readonly number[]>()

  /** Whether so many more may go out now; then they are counted. */
  mayBeSent(accountId: AccountId, count: number, nowMs: number): boolean {
    const recent = (this.#sent.get(accountId) ?? []).filter((at) => at > nowMs - DAY_MS)
    if (recent.length + count > MAILS_MAX) return false
    this.#sent.delete(accountId)
    this.#sent.set(accountId, [...recent, ...Array.from({ length: count }, () => nowMs)])
    if (this.#sent.size > ACCOUNTS_MAX) this.#sent.delete(this.#sent.keys().next().value!)
    return true
  }
}

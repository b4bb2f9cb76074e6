import type { Octets } from '#base/octets.ts'
import { postmasterMail } from '#codec/mime/postmaster-mail.ts'
import type { Address } from '#model/address.ts'
import type { Quota, Usage } from '#model/quota.ts'
import type { QuotaNotice } from '#store/mailbox/change/quota.ts'

const WORDS: Readonly<
  Record<QuotaNotice, { readonly subject: string; readonly ja: string; readonly en: string }>
> = {
  near: {
    subject: 'メールボックスの残りが少なくなっています (Your mailbox is nearly full)',
    ja: 'メールボックスの使用量が上限に近づいています。上限に達すると、新しいメールを受け取れなくなります。\n不要なメールを削除し、ゴミ箱を空にしてください。',
    en: 'Your mailbox is nearly full. Once it is full, no more mail can be taken.\nPlease delete what you no longer need, and empty the trash.',
  },
  refused: {
    subject: 'メールを受け取れませんでした (Mail for you was refused)',
    ja: 'メールボックスに空きがないため、あなた宛てのメールを受け取れませんでした。\n不要なメールを削除し、ゴミ箱を空にしてください。',
    en: 'Mail for you could not be taken, since there is no room for it in your mailbox.\nPlease delete what you no longer need, and empty the trash.',
  },
}

/** What an account's owner is told of its quota, in Japanese and English: a whole message from the postmaster. */
export function quotaMail(mail: {
  readonly notice: QuotaNotice
  readonly to: Address
  readonly quota: Quota
  readonly used: Usage
  /** Unguessable, of letters and digits. */
  readonly id: string
  readonly nowMs: number
}): Octets {
  const { notice, to, quota, used, id, nowMs } = mail
  const { subject, ja, en } = WORDS[notice]
  const text = [
    ja,
    '',
    ...lines({ bytes: '使用量', messages: '通数', of: '／上限' }, quota, used),
    '',
    en,
    '',
    ...lines({ bytes: 'Used', messages: 'Messages', of: ' of' }, quota, used),
    '',
  ].join('\n')
  return postmasterMail({ to, subject, text, id, nowMs })
}

const lines = (
  words: { readonly bytes: string; readonly messages: string; readonly of: string },
  quota: Quota,
  used: Usage,
): string[] => [
  ...(quota.bytes === 0
    ? []
    : [`${words.bytes}: ${mebibytes(used.bytes)}${words.of} ${mebibytes(quota.bytes)}`]),
  ...(quota.messages === 0
    ? []
    : [`${words.messages}: ${used.messages}${words.of} ${quota.messages}`]),
]

const MIB = 1024 * 1024
const mebibytes = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`

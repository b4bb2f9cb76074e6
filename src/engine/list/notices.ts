import type { Octets } from '#base/octets.ts'
import { addressField, composeMessage, idsField, textField } from '#codec/mime/compose.ts'
import { formatDate } from '#codec/mime/date.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import type { HoldReason, RefusalReason } from './decide.ts'
import { LOOP_FIELD } from './headers.ts'

/** A text in both languages; a notice shows that of its list first. */
export interface Words {
  readonly ja: string
  readonly en: string
}

export interface Notice {
  readonly list: MailingList
  readonly to: Address
  readonly subject: Words
  readonly text: Words
  /** Which language comes first, where that is not the list's. */
  readonly language?: MailingList['language']
  /** Somebody's mail is answered by it (RFC 3834 §5). */
  readonly isAnswer?: true
  /** Where an answer goes, where that is not the list's owners. */
  readonly replyTo?: Address
  /** Message-IDs of what it is about. */
  readonly about?: string
  /** Unguessable, of letters and digits. */
  readonly id: string
  readonly nowMs: number
}

/** A whole message in which a list says something itself; nothing answers it (RFC 3834 §3.1.7). */
export function noticeMail(notice: Notice): Octets {
  const { list, to, subject, text, replyTo, about, id, nowMs } = notice
  const { language = list.language } = notice
  const owner = purposeAddress(list.address, 'owner')
  const [first, second] = language === 'ja' ? (['ja', 'en'] as const) : (['en', 'ja'] as const)
  return composeMessage(
    [
      addressField('From', [{ name: list.name ?? '', email: formatAddress(owner) }]),
      addressField('To', [{ name: '', email: formatAddress(to) }]),
      ...(replyTo === undefined
        ? []
        : [addressField('Reply-To', [{ name: '', email: formatAddress(replyTo) }])]),
      textField('Subject', subject[first]),
      `Date: ${formatDate(nowMs)}`,
      `Message-ID: <${id}@${list.address.domain}>`,
      ...(about === undefined ? [] : [idsField('In-Reply-To', [about])]),
      `Auto-Submitted: ${notice.isAnswer === true ? 'auto-replied' : 'auto-generated'}`,
      'Precedence: bulk',
      `${LOOP_FIELD}: ${formatAddress(list.address)}`,
    ],
    {
      kind: 'text',
      subtype: 'plain',
      text: `${text[first]}\n\n--------\n\n${text[second]}\n`,
    },
  )
}

const HOLD_WORDS: Readonly<Record<HoldReason, Words>> = {
  moderated: { ja: 'すべての投稿に承認が必要です', en: 'each post of this list needs approval' },
  notAllowed: { ja: '投稿を許可されていない差出人です', en: 'its author may not post here' },
  unproved: {
    ja: '差出人が本人であることを確認できません',
    en: 'nothing proves that it is from the author whom it names',
  },
  spam: { ja: '迷惑メールの疑いがあります', en: 'it may be spam' },
  loop: { ja: '多数のサーバーを経由しています', en: 'it has come through too many servers' },
  attachment: { ja: '添付ファイルがあります', en: 'it has attachments' },
  tooMany: { ja: '配送先が多数です', en: 'it would go to many people' },
}

const REFUSAL_WORDS: Readonly<Record<RefusalReason, Words>> = {
  closed: { ja: 'このリストは終了しました', en: 'this list takes no posts any more' },
  tooLarge: { ja: 'メールが大きすぎます', en: 'the mail is larger than the list takes' },
  attachment: { ja: '添付ファイルは受け付けません', en: 'the list takes no attachments' },
  infected: { ja: 'ウイルスが見つかりました', en: 'a virus was found in it' },
  notAllowed: { ja: '投稿する権限がありません', en: 'you may not post to it' },
}

/** What a notice shows of the mail that it is about. */
export interface ShownPost {
  readonly author: string
  readonly subject: string
  readonly preview: string
}

const shownPost = ({ author, subject, preview }: ShownPost, lang: keyof Words): string =>
  lang === 'ja'
    ? `差出人: ${author}\n件名: ${subject}\n\n${quoted(preview)}`
    : `From: ${author}\nSubject: ${subject}\n\n${quoted(preview)}`

const quoted = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => `> ${line}`)
    .join('\n')

/** To those who decide. */
export const heldWords = (
  list: MailingList,
  post: ShownPost,
  held: {
    readonly number: number
    readonly reason: HoldReason
    readonly approve: Address
    readonly reject: Address
    readonly days: number
  },
): Pick<Notice, 'subject' | 'text'> => {
  const { number, reason, approve, reject, days } = held
  const name = formatAddress(list.address)
  return {
    subject: {
      ja: `承認待ちの投稿 (${name} 保留 ${number})`,
      en: `A post waits for you (${name}, held ${number})`,
    },
    text: {
      ja: `${name} への投稿が承認を待っています。\n理由: ${HOLD_WORDS[reason].ja}\n\n${shownPost(post, 'ja')}\n\n承認するには、次の宛先へ空のメールを送ってください。\n  ${formatAddress(approve)}\n拒否するには、次の宛先へ送ってください。本文は投稿者への説明になります。\n  ${formatAddress(reject)}\n${days} 日以内に決定がなければ破棄されます。`,
      en: `A post to ${name} waits for a decision.\nReason: ${HOLD_WORDS[reason].en}\n\n${shownPost(post, 'en')}\n\nTo approve it, send an empty mail to\n  ${formatAddress(approve)}\nTo reject it, send a mail to\n  ${formatAddress(reject)}\nWithout a decision it is dropped after ${days} days.`,
    },
  }
}

/** To an author who is to confirm that many are meant. */
export const confirmWords = (
  list: MailingList,
  post: ShownPost,
  asked: { readonly count: number; readonly confirm: Address; readonly days: number },
): Pick<Notice, 'subject' | 'text'> => {
  const name = formatAddress(list.address)
  const { count, confirm, days } = asked
  return {
    subject: {
      ja: `${count} 人への投稿を確認してください (${name})`,
      en: `Please confirm your post to ${count} people (${name})`,
    },
    text: {
      ja: `あなたの投稿は ${name} を通じて ${count} 人に届きます。\n\n${shownPost(post, 'ja')}\n\n投稿するには、このメールに返信してください。\n  ${formatAddress(confirm)}\n${days} 日以内に返信がなければ破棄されます。`,
      en: `Your post would go to ${count} people through ${name}.\n\n${shownPost(post, 'en')}\n\nTo have it posted, answer this mail.\n  ${formatAddress(confirm)}\nWithout an answer it is dropped after ${days} days.`,
    },
  }
}

/** To an author whose post was not taken, or waits. */
export const authorWords = (
  list: MailingList,
  post: ShownPost,
  end:
    | { readonly kind: 'refused'; readonly reason: RefusalReason }
    | { readonly kind: 'waits'; readonly reason: HoldReason }
    | { readonly kind: 'rejected'; readonly text: string }
    | { readonly kind: 'expired'; readonly days: number },
): Pick<Notice, 'subject' | 'text'> => {
  const name = formatAddress(list.address)
  const both = (ja: string, en: string, subject: Words) => ({
    subject,
    text: {
      ja: `${ja}\n\n${shownPost(post, 'ja')}`,
      en: `${en}\n\n${shownPost(post, 'en')}`,
    },
  })
  const notPosted = {
    ja: `投稿されませんでした (${name})`,
    en: `Your mail was not posted (${name})`,
  }
  switch (end.kind) {
    case 'refused':
      return both(
        `${name} への投稿は受け付けられませんでした。\n理由: ${REFUSAL_WORDS[end.reason].ja}`,
        `Your mail was not posted to ${name}.\nReason: ${REFUSAL_WORDS[end.reason].en}`,
        notPosted,
      )
    case 'waits':
      return both(
        `${name} への投稿は承認を待っています。\n理由: ${HOLD_WORDS[end.reason].ja}`,
        `Your mail to ${name} waits for a moderator.\nReason: ${HOLD_WORDS[end.reason].en}`,
        { ja: `承認待ちです (${name})`, en: `Your mail waits for approval (${name})` },
      )
    case 'rejected':
      return both(
        `${name} への投稿は承認されませんでした。\n\n${end.text}`,
        `Your mail to ${name} was rejected by a moderator.\n\n${end.text}`,
        notPosted,
      )
    case 'expired':
      return both(
        `${name} への投稿は ${end.days} 日以内に承認されなかったため破棄されました。`,
        `Nobody decided about your mail to ${name} within ${end.days} days; it was dropped.`,
        notPosted,
      )
  }
}

/** To owners: members that reach nobody. */
export const unresolvedWords = (
  list: MailingList,
  members: readonly string[],
): Pick<Notice, 'subject' | 'text'> => {
  const name = formatAddress(list.address)
  const shown = members.map((member) => `  ${member}`).join('\n')
  return {
    subject: {
      ja: `宛先のないメンバーがいます (${name})`,
      en: `Members that reach nobody (${name})`,
    },
    text: {
      ja: `${name} の次のメンバーには宛先がなく、投稿が届いていません。\n${shown}\n\nwatari list member rm で外すか、宛先を直してください。`,
      en: `These members of ${name} lead to nobody and got no post.\n${shown}\n\nTake them out (watari list member rm) or correct them.`,
    },
  }
}

/** To owners: what is known of the members is old. */
export const staleWords = (
  list: MailingList,
  sources: readonly string[],
): Pick<Notice, 'subject' | 'text'> => {
  const name = formatAddress(list.address)
  const shown = sources.map((source) => `  ${source}`).join('\n')
  return {
    subject: {
      ja: `古い名簿で配送しました (${name})`,
      en: `Posted to members as they were last known (${name})`,
    },
    text: {
      ja: `ディレクトリの現在の回答が得られない、または大幅に減っていて確認が必要なため、${name} の投稿は最後に分かっていた名簿で配送されました。\n${shown}`,
      en: `A directory does not answer, or names far fewer than before: posts of ${name} went to the members as they were last known.\n${shown}`,
    },
  }
}

/** Lines of a notice; more help nobody. */
const SUSPENDED_SHOWN_MAX = 100

/** To owners: members to whom nothing is sent any more. */
export const suspendedWords = (
  list: MailingList,
  members: readonly string[],
): Pick<Notice, 'subject' | 'text'> => {
  const name = formatAddress(list.address)
  const shown = members
    .slice(0, SUSPENDED_SHOWN_MAX)
    .map((member) => `  ${member}`)
    .join('\n')
  return {
    subject: {
      ja: `配送を停止したメンバーがいます (${name})`,
      en: `Members to whom no more is sent (${name})`,
    },
    text: {
      ja: `${name} の次のメンバー宛の投稿が繰り返し戻ってきたため、配送を停止しました。\n${shown}\n\nアドレスを直すか、メンバーから外してください。再開するには:\n  watari list posts ${name} --resume アドレス`,
      en: `Posts of ${name} to these members came back again and again; nothing more is sent there.\n${shown}\n\nCorrect the address, or take the member out. To send there again:\n  watari list posts ${name} --resume ADDRESS`,
    },
  }
}

import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import type { Notice, Words } from './notices.ts'

type Said = Pick<Notice, 'subject' | 'text'>

/** How an order by mail ended, for whoever gave it. */
export type CommandEnd =
  | 'joined'
  | 'left'
  | 'approval' // owners were asked
  | 'closed' // nobody joins by themselves
  | 'onlyOwn' // only people with an account here do
  | 'stays' // nobody goes by themselves
  | 'notMember'
  | 'excluded'
  | 'declined' // an owner has said no
  | 'expired' // the answer came too late

/** To whoever has asked how it works. */
export function helpWords(list: MailingList): Said {
  const name = formatAddress(list.address)
  const at = (purpose: 'join' | 'leave' | 'request' | 'owner'): string =>
    formatAddress(purposeAddress(list.address, purpose))
  const about = list.description === undefined ? '' : `${list.description}\n\n`
  return {
    subject: { ja: `${name} の使い方`, en: `How to use ${name}` },
    text: {
      ja: `${about}参加: 次の宛先へ空のメールを送ると参加できます (${JOINING[list.subscription].ja})。\n  ${at('join')}\n退会: 次の宛先へ空のメールを送ると退会できます。\n  ${at('leave')}\n${at('request')} に件名「参加」「退会」「ヘルプ」(join, leave, help) で送っても同じです。\n管理者への連絡:\n  ${at('owner')}`,
      en: `${about}To join, send an empty mail to (${JOINING[list.subscription].en})\n  ${at('join')}\nTo leave, send an empty mail to\n  ${at('leave')}\nMail to ${at('request')} with the subject join, leave or help does the same.\nPeople who look after the list read\n  ${at('owner')}`,
    },
  }
}

const JOINING: Readonly<Record<MailingList['subscription'], Words>> = {
  closed: {
    ja: 'このリストは管理者が参加者を追加します',
    en: 'owners of this list add its members',
  },
  domain: { ja: '組織内の利用者に限ります', en: 'for people with an account here' },
  confirm: { ja: '確認のメールが届きます', en: 'a mail asks you to confirm it' },
  open: { ja: '確認のメールが届きます', en: 'a mail asks you to confirm it' },
  approve: { ja: '管理者の承認が必要です', en: 'an owner approves it' },
}

/** To an address in whose name somebody asks; only whoever reads mail there can answer. */
export function questionWords(
  list: MailingList,
  {
    errand,
    member,
    answer,
    days,
  }: {
    readonly errand: 'j' | 'l'
    readonly member: Address
    readonly answer: Address
    readonly days: number
  },
): Pick<Notice, 'subject' | 'text' | 'replyTo'> {
  const [name, who] = [formatAddress(list.address), formatAddress(member)]
  const what =
    errand === 'j'
      ? { ja: `${name} への参加`, en: `joining ${name}` }
      : { ja: `${name} からの退会`, en: `leaving ${name}` }
  return {
    replyTo: answer,
    subject: { ja: `${what.ja}の確認`, en: `Please confirm ${what.en}` },
    text: {
      ja: `${who} さんから、${what.ja}の申し込みがありました。\n\n手続きを続けるには、このメールにそのまま返信してください。\n  ${formatAddress(answer)}\n心当たりがなければ、何もする必要はありません。${days} 日以内に返信がなければ何も変わりません。`,
      en: `Somebody has asked for ${what.en} as ${who}.\n\nTo go on, just answer this mail.\n  ${formatAddress(answer)}\nIf it was not you, there is nothing to do: without an answer within ${days} days nothing changes.`,
    },
  }
}

/** To owners: somebody wants to be in. */
export function admissionWords(
  list: MailingList,
  asked: {
    readonly who: string
    readonly admit: Address
    readonly decline: Address
    readonly days: number
  },
): Said {
  const { who, admit, decline, days } = asked
  const name = formatAddress(list.address)
  return {
    subject: { ja: `参加の申し込み: ${who} (${name})`, en: `${who} asks to join ${name}` },
    text: {
      ja: `${who} さんから ${name} への参加の申し込みがありました。\n\n承認するには、次の宛先へ空のメールを送ってください。\n  ${formatAddress(admit)}\n断るには、次の宛先へ送ってください。\n  ${formatAddress(decline)}\n${days} 日を過ぎると、この申し込みは無効になります。`,
      en: `${who} asks to join ${name}.\n\nTo let them in, send an empty mail to\n  ${formatAddress(admit)}\nTo decline, send one to\n  ${formatAddress(decline)}\nAfter ${days} days the request lapses.`,
    },
  }
}

/** To whoever has asked: what became of it. */
export function endWords(list: MailingList, end: CommandEnd): Said {
  const name = formatAddress(list.address)
  const leave = formatAddress(purposeAddress(list.address, 'leave'))
  const owner = formatAddress(purposeAddress(list.address, 'owner'))
  const { subject, text } = ENDS[end]
  const filled = (words: string): string =>
    words.replace(/\{(name|leave|owner)\}/g, (_, key) =>
      key === 'name' ? name : key === 'leave' ? leave : owner,
    )
  return {
    subject: { ja: filled(subject.ja), en: filled(subject.en) },
    text: { ja: filled(text.ja), en: filled(text.en) },
  }
}

const ENDS: Readonly<Record<CommandEnd, { readonly subject: Words; readonly text: Words }>> = {
  joined: {
    subject: { ja: '{name} に参加しました', en: 'You are a member of {name}' },
    text: {
      ja: '{name} に参加しています。投稿は {name} へ送ります。\n退会するには、次の宛先へ空のメールを送ってください。\n  {leave}',
      en: 'You are a member of {name}: post to it by mail to {name}.\nTo leave, send an empty mail to\n  {leave}',
    },
  },
  left: {
    subject: { ja: '{name} を退会しました', en: 'You have left {name}' },
    text: {
      ja: '{name} の投稿はもう届きません。',
      en: 'No more posts of {name} are sent to you.',
    },
  },
  approval: {
    subject: { ja: '{name}: 承認をお待ちください', en: '{name}: an owner is asked' },
    text: {
      ja: '{name} への参加の申し込みを管理者に送りました。承認されると、お知らせのメールが届きます。',
      en: 'Your request to join {name} was sent to its owners. You get a mail when one of them has approved it.',
    },
  },
  closed: {
    subject: { ja: '{name} には参加できません', en: 'You cannot join {name} by yourself' },
    text: {
      ja: '{name} の参加者は管理者が追加します。参加を希望する場合は管理者に連絡してください。\n  {owner}',
      en: 'Owners add the members of {name}. To be added, write to them:\n  {owner}',
    },
  },
  onlyOwn: {
    subject: { ja: '{name} には参加できません', en: 'You cannot join {name}' },
    text: {
      ja: '{name} に参加できるのは、組織内の利用者だけです。\n  {owner}',
      en: 'Only people with an account here can join {name}. Its owners read\n  {owner}',
    },
  },
  stays: {
    subject: { ja: '{name} からは退会できません', en: 'You cannot leave {name} by yourself' },
    text: {
      ja: '{name} の参加者は管理者が決めます。退会を希望する場合は管理者に連絡してください。\n  {owner}',
      en: 'Owners decide who is in {name}. To be taken out, write to them:\n  {owner}',
    },
  },
  notMember: {
    subject: { ja: '{name} に参加していません', en: 'You are not a member of {name}' },
    text: {
      ja: 'このアドレスは {name} に登録されていません。別のアドレスで登録されている場合は、そのアドレスから送ってください。',
      en: 'This address is not in {name}. If you are in it by another address, write from there.',
    },
  },
  excluded: {
    subject: { ja: '{name} には参加できません', en: 'You cannot join {name}' },
    text: {
      ja: '{name} への参加は管理者によって止められています。管理者に連絡してください。\n  {owner}',
      en: 'An owner of {name} keeps you out of it. Write to its owners:\n  {owner}',
    },
  },
  declined: {
    subject: { ja: '{name} への参加は承認されませんでした', en: 'Your request to join {name}' },
    text: {
      ja: '{name} への参加の申し込みは承認されませんでした。管理者の連絡先:\n  {owner}',
      en: 'An owner of {name} has declined your request to join it. Its owners read\n  {owner}',
    },
  },
  expired: {
    subject: { ja: '{name}: 確認の期限が過ぎています', en: '{name}: too late' },
    text: {
      ja: '確認の期限が過ぎています。もう一度申し込んでください。',
      en: 'Your answer came too late. Please ask again.',
    },
  },
}

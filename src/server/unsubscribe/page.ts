/** What the page of a link says. */
export type LeaveState =
  | { readonly kind: 'ask' | 'left' | 'stays'; readonly list: string; readonly member: string }
  | { readonly kind: 'unknown' | 'later' }

export const STYLE =
  'body{font-family:"Hiragino Sans","Noto Sans JP","Yu Gothic UI",Meiryo,sans-serif;line-height:1.7;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1c1d22;background:#fff}button{font:inherit;min-height:44px;padding:0 1.2rem;border:1px solid #2f3d8f;border-radius:6px;background:#2f3d8f;color:#fff}section{margin:0 0 2rem}p{overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{color:#e9e9ee;background:#17181c}button{background:#aab4f5;border-color:#aab4f5;color:#17181c}}'

/** A whole page in both languages, without a script: whoever reads it may be anybody, anywhere. */
export function leavePage(state: LeaveState): string {
  const sections = (['ja', 'en'] as const).map((language) => {
    const { title, text, button } = WORDS[state.kind][language]
    const filled = (words: string): string =>
      words
        .replaceAll('{list}', () => ('list' in state ? escaped(state.list) : ''))
        .replaceAll('{member}', () => ('member' in state ? escaped(state.member) : ''))
    const form =
      button === undefined
        ? ''
        : `<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>${button}</button></form>`
    return `<section lang="${language}"><h1>${filled(title)}</h1><p>${filled(text)}</p>${form}</section>`
  })
  return `<!doctype html><html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${WORDS[state.kind].ja.title.replace('{list}', '')} · Watari</title><style>${STYLE}</style></head><body><main>${sections.join('')}</main></body></html>`
}

interface Said {
  readonly title: string
  readonly text: string
  readonly button?: string
}

const WORDS: Readonly<Record<LeaveState['kind'], { readonly ja: Said; readonly en: Said }>> = {
  ask: {
    ja: {
      title: '退会の確認',
      text: '{member} を「{list}」から退会させます。投稿は届かなくなります。',
      button: '退会する',
    },
    en: {
      title: 'Leave the list',
      text: '{member} leaves “{list}” and gets no more of its posts.',
      button: 'Leave',
    },
  },
  left: {
    ja: { title: '退会しました', text: '「{list}」の投稿は、もう {member} に届きません。' },
    en: { title: 'Done', text: 'No more posts of “{list}” are sent to {member}.' },
  },
  stays: {
    ja: {
      title: '退会できません',
      text: '「{list}」の参加者は管理者が決めます。管理者に連絡してください。',
    },
    en: {
      title: 'Not possible',
      text: 'Owners of “{list}” decide who is in it. Please write to them.',
    },
  },
  unknown: {
    ja: { title: 'このリンクは無効です', text: '退会用の宛先へメールを送ることもできます。' },
    en: {
      title: 'This link is not valid',
      text: 'You can also leave by mail, to the address that is named in each post.',
    },
  },
  later: {
    ja: { title: '今は処理できません', text: 'しばらくしてから、もう一度お試しください。' },
    en: { title: 'Not possible just now', text: 'Please try again in a few minutes.' },
  },
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

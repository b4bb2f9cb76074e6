import { useMemo } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { sizeText } from '#web/parts/times.ts'

import type { Desk } from './desk.ts'
import { Icon } from './icons.tsx'
import { textOf } from './messages.ts'
import { plain } from './nouns.ts'
import type { Message, Part } from './nouns.ts'

/** ASCII only: what follows an address in Japanese without a blank is no part of it. */
const LINK = /https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/g
/** Signs that end a sentence rather than an address. */
const END = /[.,;:!?'")\]]+$/

/** The text of a message. Quotations are paler, addresses can be followed; nothing else is made of it. */
export function BodyText({ message }: { readonly message: Message }): ReactNode {
  const { t } = useWords()
  const text = useMemo(() => textOf(message), [message])
  const blocks = useMemo(() => blocksOf(text), [text])
  const isHtml = message.textBody.some(({ type }) => type === 'text/html')
  const isCut = Object.values(message.bodyValues).some(({ isTruncated }) => isTruncated)
  return (
    <div className="body">
      {text.trim() === '' && <p className="faint">{t('reader.noText')}</p>}
      {blocks.map(({ isQuoted, lines }, index) => (
        <p key={index} className={isQuoted ? 'said quoted' : 'said'} dir="auto">
          {linked(lines)}
        </p>
      ))}
      {isHtml && <p className="faint note">{t('reader.html')}</p>}
      {isCut && <p className="faint note">{t('reader.cut')}</p>}
    </div>
  )
}

function blocksOf(text: string): { readonly isQuoted: boolean; readonly lines: string }[] {
  const blocks: { isQuoted: boolean; lines: string[] }[] = []
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    const isQuoted = /^\s?>/.test(line)
    const last = blocks.at(-1)
    if (last?.isQuoted === isQuoted) last.lines.push(line)
    else blocks.push({ isQuoted, lines: [line] })
  }
  return blocks.map(({ isQuoted, lines }) => ({ isQuoted, lines: lines.join('\n') }))
}

function linked(text: string): ReactNode[] {
  const pieces: ReactNode[] = []
  let at = 0
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(END, '')
    pieces.push(text.slice(at, match.index))
    pieces.push(
      <a key={match.index} href={url} target="_blank" rel="noopener noreferrer nofollow">
        {url}
      </a>,
    )
    at = match.index + url.length
  }
  pieces.push(text.slice(at))
  return pieces
}

/** What came with it, to be saved; never opened in the page. */
export function Attachments(props: { readonly desk: Desk; readonly message: Message }): ReactNode {
  const { t, language } = useWords()
  const { desk, message } = props
  const media = message.textBody.filter(({ type }) => !type.startsWith('text/'))
  const all = new Map<string, Part>()
  for (const part of [...media, ...message.attachments]) all.set(part.blobId, part)
  if (all.size === 0) return null
  return (
    <ul className="attachments" aria-label={t('reader.attachments')}>
      {Array.from(all.values(), (part) => {
        const name = plain(part.name ?? '') || nameless(t('reader.nameless'), part.type)
        return (
          <li key={part.blobId}>
            <a
              href={desk.client.downloadUrl(
                { accountId: message.accountId, blobId: part.blobId },
                name,
                'application/octet-stream',
              )}
              download={name}
              title={t('reader.save', { name })}
            >
              <Icon name="clip" />
              <bdi className="attachment-name">{name}</bdi>
              <span className="faint">{sizeText(language, part.size)}</span>
            </a>
          </li>
        )
      })}
    </ul>
  )
}

const nameless = (word: string, type: string): string =>
  type === 'message/rfc822'
    ? `${word}.eml`
    : /^image\/(?:png|gif|webp|jpeg)$/.test(type)
      ? `${word}.${type.slice(6)}`
      : word

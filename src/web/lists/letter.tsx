import type { ReactNode } from 'react'

import type { VerdictBody } from '#contract/admin/mail.ts'
import type { LetterBody } from '#contract/admin/posts.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'
import { dateText, sizeText } from '#web/parts/times.ts'

/** What a mail says: text alone, whatever it is made of. Nothing of it can be followed or opened. */
export function Letter({ letter }: { readonly letter: LetterBody }): ReactNode {
  const { t, language } = useWords()
  const { text, form, isCut, attachments } = letter
  return (
    <>
      <div className="post-text" dir="auto">
        {text.trim() === '' ? <span className="faint">{t('letter.noText')}</span> : text}
      </div>
      {form !== 'plain' && <p className="faint">{t(`letter.${form}`)}</p>}
      {isCut && <p className="faint">{t('letter.cut')}</p>}
      {attachments.length > 0 && (
        <>
          <h3>{t('letter.attachments', { count: attachments.length })}</h3>
          <ul className="outcomes">
            {attachments.map(({ name, type, sizeBytes }, index) => (
              <li key={index}>
                <bdi>{name === '' ? t('letter.nameless') : name}</bdi>{' '}
                <span className="faint">{`${type} · ${sizeText(language, sizeBytes)}`}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <details>
        <summary>{t('post.header')}</summary>
        <pre className="code scrolled" tabIndex={0}>
          {letter.header}
        </pre>
      </details>
    </>
  )
}

/** The fields that people read; others stand in the header. */
const FIELDS: readonly string[] = ['From', 'Reply-To', 'To', 'Cc', 'Date', 'Subject']

/** From whom and to whom, as the mail has it; when, on the reader's clock. */
export function LetterFields({ letter }: { readonly letter: LetterBody }): ReactNode {
  const { t, language } = useWords()
  const shown = (name: string, value: string): string =>
    name === 'Date' && !Number.isNaN(Date.parse(value)) ? dateText(language, value) : value
  return (
    <dl className="facts facts-narrow letter-fields">
      {letter.fields
        .filter(({ name }) => FIELDS.includes(name))
        .map(({ name, value }, index) => (
          <div key={index}>
            <dt>{t(`letter.${name}`)}</dt>
            <dd title={value}>
              <bdi>{shown(name, value)}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  )
}

/** What the judges found, in a word that opens its reasons. */
export function Verdict({ verdict }: { readonly verdict: VerdictBody | null }): ReactNode {
  const { t } = useWords()
  if (verdict === null) return <p className="faint">{t('verdict.none')}</p>
  const { hits, auth, score } = verdict
  const [key, kind] = verdictLine(verdict)
  return (
    <details>
      <summary>
        <Mark kind={kind}>{t(`verdict.${key}`, { name: verdict.virus.name ?? '' })}</Mark>{' '}
        {t('verdict.why')}
      </summary>
      <ul className="outcomes">
        <li>{t('verdict.score', { score: String(score) })}</li>
        {hits.map(({ name, score: own, detail }) => (
          <li key={name} lang="en">
            {name} {own}
            {detail !== undefined && <span className="faint">{` ${detail}`}</span>}
          </li>
        ))}
        {auth.map(({ method, result }, index) => (
          <li key={index} lang="en">{`${method.toUpperCase()}: ${result}`}</li>
        ))}
      </ul>
    </details>
  )
}

function verdictLine({
  virus,
  class: found,
  degraded,
}: VerdictBody): readonly [key: string, kind: MarkKind] {
  if (virus.kind === 'infected') return ['infected', 'virus']
  if (found === 'spam') return ['spam', 'bad']
  if (found === 'suspected') return ['suspected', 'warn']
  if (virus.kind !== 'clean') return ['unscanned', 'hatched']
  return degraded.length > 0 ? ['degraded', 'hatched'] : ['clean', 'good']
}

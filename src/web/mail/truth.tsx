import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { Mark, MARKS } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

import { readAuthenticity, readVerdict } from './authenticity.ts'
import type { Authenticity, VerdictShown } from './authenticity.ts'
import { domainOf, plain } from './nouns.ts'
import type { Message } from './nouns.ts'

const WORDS: Readonly<Record<Authenticity['word'], MarkKind>> = {
  proved: 'good',
  partly: 'good',
  forged: 'bad',
  unknown: 'plain',
}

/** Who it is really from, and one line on the verdict that opens its reasons. */
export function Truth({ message }: { readonly message: Message }): ReactNode {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  const verdict = readVerdict(message['header:X-Watari-Verdict:asText'])
  const [author] = message.from ?? []
  const domain = plain(domainOf(author?.email ?? ''))
  const authenticity = readAuthenticity(message['header:Authentication-Results:asText:all'], {
    isJudged: verdict !== undefined,
    fromDomain: domain,
  })
  if (verdict === undefined) return null
  const { key, kind } = verdictLine(verdict)
  return (
    <div className="truth">
      <p className="truth-line">
        <Mark kind={WORDS[authenticity.word]}>{t(`truth.${authenticity.word}`, { domain })}</Mark>{' '}
        <button
          type="button"
          className={`mark mark-${kind} why`}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <span aria-hidden="true">{MARKS[kind]} </span>
          {t(`verdict.${key}`)} <span className="why-word">{t('verdict.why')}</span>
        </button>
      </p>
      {isOpen && <Reasons verdict={verdict} authenticity={authenticity} />}
    </div>
  )
}

function verdictLine(verdict: VerdictShown): { readonly key: string; readonly kind: MarkKind } {
  if (verdict.virus === 'infected') return { key: 'infected', kind: 'virus' }
  if (verdict.class === 'spam') return { key: 'spam', kind: 'bad' }
  if (verdict.class === 'suspected') return { key: 'suspected', kind: 'warn' }
  if (verdict.virus !== 'clean') return { key: 'unscanned', kind: 'hatched' }
  if (verdict.degraded.length > 0) return { key: 'degraded', kind: 'hatched' }
  return { key: 'clean', kind: 'good' }
}

function Reasons(props: {
  readonly verdict: VerdictShown
  readonly authenticity: Authenticity
}): ReactNode {
  const { t } = useWords()
  const { verdict, authenticity } = props
  const rules = verdict.rules.toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score))
  return (
    <div className="reasons">
      <p>{t('reasons.score', { score: verdict.score })}</p>
      {rules.length === 0 ? (
        <p>{t('reasons.noRules')}</p>
      ) : (
        <table>
          <caption className="only-read">{t('reasons.rules')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('reasons.rule')}</th>
              <th scope="col">{t('reasons.points')}</th>
            </tr>
          </thead>
          <tbody>
            {rules.map(({ name, score }) => (
              <tr key={name}>
                <td>
                  <code>{name}</code>
                </td>
                <td className="points">{score > 0 ? `+${score}` : score}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {authenticity.results.length > 0 && (
        <p>
          {t('reasons.sender')}{' '}
          {authenticity.results.map(({ method, result }, index) => (
            <code key={index} className="result">
              {method.toUpperCase()} {result}
            </code>
          ))}
        </p>
      )}
      <p>{t(`reasons.virus.${virusKey(verdict.virus)}`)}</p>
      {verdict.degraded.length > 0 && (
        <p>{t('reasons.degraded', { what: verdict.degraded.join(', ') })}</p>
      )}
      <p className="faint">
        {t('reasons.case')} <code>{verdict.caseId}</code>
      </p>
    </div>
  )
}

const virusKey = (virus: string): string =>
  ['clean', 'infected', 'unscannable'].includes(virus) ? virus : 'unavailable'

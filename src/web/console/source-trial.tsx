import { Button, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { NewSourceBody, SourceBody, SourceTrialBody } from '#contract/admin/sources.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { lengthText, numberText } from '#web/parts/times.ts'

import { ask, part } from '#web/parts/api.ts'
import { SourceMark } from './source-mark.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

/** Of long lists so many are shown. */
const SHOWN = 100

/** Reads a source once as it is set, takes nothing, and shows what there is. */
export function SourceTrial(props: {
  readonly name: string
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { name, onClose } = props
  const found = useQuery({
    queryKey: ['source-trial', name],
    queryFn: () => tried(name),
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  })
  return (
    <Dialog title={t('source.testOf', { name })} isWide onClose={onClose}>
      <div className="stack">
        {found.isFetching && (
          <>
            <p role="status">{t('source.testing')}</p>
            <Skeleton height={120} />
          </>
        )}
        {found.error !== null && <Trouble error={found.error} />}
        {found.data !== undefined && <Tried trial={found.data} />}
        <div className="acts">
          <Button variant="default" onClick={onClose}>
            {t('close')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

/** Reads it once, as it is set or as it would be. */
export const tried = (name: string, as?: NewSourceBody): Promise<SourceTrialBody> =>
  ask('POST', `/directory/sources/${part(name)}/test`, { body: as === undefined ? {} : { as } })

/** What a reading found. */
export function Tried({ trial }: { readonly trial: SourceTrialBody }): ReactNode {
  const { t, language } = useWords()
  const { people, sample, exceptions, hosts } = trial
  const number = numberText(language, people)
  return (
    <>
      <p role="status">
        <strong>{t('source.found', { count: people, number })}</strong> {t('source.nothingTaken')}
      </p>
      {sample.length > 0 && (
        <div className="scrolled" tabIndex={0} role="group" aria-label={t('source.sample')}>
          <table className="plain">
            <caption className="faint">{t('source.sample')}</caption>
            <thead>
              <tr>
                <th>{t('people.address')}</th>
                <th>{t('people.name')}</th>
                <th>DN</th>
              </tr>
            </thead>
            <tbody>
              {sample.map(({ dn, address, name }) => (
                <tr key={dn}>
                  <td>{address}</td>
                  <td>{name}</td>
                  <td>{dn}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <HostList hosts={hosts} />
      <NoteList notes={exceptions} />
    </>
  )
}

/** Each host of a source, and how it is. */
export function HostList({ hosts }: { readonly hosts: SourceBody['hosts'] }): ReactNode {
  const { t, language } = useWords()
  if (hosts.length === 0) return null
  return (
    <section>
      <h3>{t('source.hosts')}</h3>
      <ul className="outcomes">
        {hosts.map(({ url, state, error, followed, lagSeconds }) => (
          <li key={url}>
            <SourceMark state={state} /> <span className="code">{url}</span>{' '}
            {followed === true && <Mark kind="plain">{t('source.followed')}</Mark>}{' '}
            {lagSeconds !== undefined && lagSeconds > 0 && (
              <Mark kind="warn">
                {t('source.lag', { time: lengthText(language, lagSeconds * 1_000) })}
              </Mark>
            )}
            {error !== undefined && (
              <div className="faint" lang="en">
                {error}
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What of a source is not taken, and why. */
export function NoteList({ notes }: { readonly notes: SourceBody['notes'] }): ReactNode {
  const { t, language } = useWords()
  if (notes.length === 0) return null
  return (
    <section>
      <h3>{t('source.notTaken', { count: notes.length })}</h3>
      <ul className="outcomes">
        {notes.slice(0, SHOWN).map(({ source, text }) => (
          <li key={`${source} ${text}`}>
            <div lang="en">{text}</div>
            <div className="faint">{source}</div>
          </li>
        ))}
      </ul>
      {notes.length > SHOWN && (
        <p className="faint">
          {t('source.moreNotes', { number: numberText(language, notes.length - SHOWN) })}
        </p>
      )}
    </section>
  )
}

import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { TFunction } from 'i18next'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { ExplainedBody } from '#contract/admin/sources.ts'
import { setQuery, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { Mark } from '#web/parts/mark.tsx'

import { ask, part, queryOf } from '#web/parts/api.ts'
import { Trouble } from '#web/parts/trouble.tsx'

/** Who says what of an address, and who is believed. */
export function Explain(): ReactNode {
  const { t } = useWords()
  const address = useAddress().query.get('q') ?? ''
  const found = useQuery({
    queryKey: ['explain', address],
    queryFn: ({ signal }) =>
      ask<ExplainedBody>('GET', `/directory/explain/${part(address)}`, { signal }),
    enabled: address !== '',
    retry: false,
    gcTime: 0,
  })
  return (
    <>
      <p className="faint">{t('explain.hint')}</p>
      <Question key={address} address={address} again={() => void found.refetch()} />
      {found.error !== null && <Trouble error={found.error} />}
      {found.data !== undefined && <Explained explained={found.data} />}
    </>
  )
}

function Question(props: { readonly address: string; readonly again: () => void }): ReactNode {
  const { t } = useWords()
  const [text, setText] = useState(props.address)
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        const asked = text.trim()
        if (asked === props.address) props.again()
        else setQuery({ q: asked })
      }}
    >
      <TextInput
        aria-label={t('people.address')}
        placeholder="hanako@campus.example"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-search
        type="search"
        spellCheck={false}
        required
      />
      <Button type="submit">{t('explain.ask')}</Button>
    </form>
  )
}

function Explained({ explained }: { readonly explained: ExplainedBody }): ReactNode {
  const { t, language } = useWords()
  const { address, account, origins, isOwn, disabled, password } = explained
  if (account === undefined)
    return (
      <p className="answer" role="status">
        {t('explain.nobody', { address })}
      </p>
    )
  const names = [...(isOwn ? [t('explain.here')] : []), ...origins.map(({ source }) => source)]
  const by = new Intl.ListFormat(language).format(names)
  return (
    <section aria-label={address}>
      <p className="answer" role="status">
        {names.length === 0
          ? t('explain.isGone', { address, account })
          : address === account
            ? t('explain.isItself', { address, by })
            : t('explain.is', { address, account, by })}{' '}
        {disabled && <Mark kind="bad">{t('people.disabled')}</Mark>}
      </p>
      <p>
        {t('explain.password')}: {checkerText(t, password)}
      </p>
      {explained.id !== undefined && (
        <p>
          <Link to={`/console/people${queryOf({ id: explained.id })}`}>{t('explain.open')}</Link>
        </p>
      )}
      <h2>{t('explain.believed')}</h2>
      <div className="scrolled" tabIndex={0} role="group" aria-label={t('explain.believed')}>
        <table className="plain">
          <thead>
            <tr>
              <th>{t('explain.what')}</th>
              <th>{t('explain.value')}</th>
              <th>{t('explain.by')}</th>
            </tr>
          </thead>
          <tbody>
            {explained.rows.map(({ what, value, by: who }) => (
              <tr key={`${what} ${value}`}>
                <td>{t(`explain.${what}`, { defaultValue: what })}</td>
                <td>{value}</td>
                <td>{who === 'here' ? t('explain.here') : who}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {origins.length > 0 && (
        <>
          <h2>{t('explain.said')}</h2>
          <div className="scrolled" tabIndex={0} role="group" aria-label={t('explain.said')}>
            <table className="plain">
              <thead>
                <tr>
                  <th>{t('explain.by')}</th>
                  <th>{t('people.name')}</th>
                  <th>{t('people.addresses')}</th>
                  <th>DN</th>
                </tr>
              </thead>
              <tbody>
                {origins.map(({ source, name, addresses, dn, disabled: isOff }) => (
                  <tr key={source}>
                    <td>{source}</td>
                    <td>
                      {name} {isOff === true && <Mark kind="bad">{t('people.disabled')}</Mark>}
                    </td>
                    <td>{addresses.join(', ')}</td>
                    <td>{dn}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  )
}

/** Who checks the password, in the page's language as far as it has words for that. */
function checkerText(t: TFunction, password: string): ReactNode {
  if (password === 'nobody') return t('explain.byNobody')
  const scheme = /^a hash \((.+)\)$/.exec(password)?.[1]
  if (scheme !== undefined) return t('explain.byHash', { scheme })
  const [, source, dn] = /^a bind to (\S+) as (.+)$/s.exec(password) ?? []
  if (source !== undefined) return t('explain.byBind', { source, dn })
  return <span lang="en">{password}</span>
}

import { Button, PasswordInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { setQuery } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { useNotices } from '#web/parts/notices.tsx'

import { ask, part, queryOf } from './api.ts'

/** One account: what it is, and what can be done with it. */
export function PersonDetail({ person }: { readonly person: UserBody }): ReactNode {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const [password, setPassword] = useState('')
  const change = async (work: Promise<unknown>, text: string, undo?: () => void): Promise<void> => {
    try {
      await work
      tell({ kind: 'done', text, ...(undo !== undefined && { undo }) })
    } catch (thrown) {
      tell({ kind: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) })
    }
    await client.invalidateQueries({ queryKey: ['/users'] })
  }
  const patch = (body: object) => ask('PATCH', `/users/${part(person.id)}`, { body })
  const { address } = person
  const disable = (disabled: boolean): Promise<void> =>
    change(
      patch({ disabled }),
      t(disabled ? 'people.didDisable' : 'people.didEnable', { address }),
      () => void disable(!disabled),
    )
  const setAdmin = (admin: boolean): Promise<void> =>
    change(
      patch({ admin }),
      t(admin ? 'people.didAdmin' : 'people.didNoAdmin', { address }),
      () => void setAdmin(!admin),
    )
  return (
    <aside className="sheet detail" aria-label={person.address}>
      <div className="detail-head">
        <h2>{person.name ?? person.username}</h2>
        <button type="button" aria-label={t('close')} onClick={() => setQuery({ id: undefined })}>
          ×
        </button>
      </div>
      <dl className="facts facts-narrow">
        <div>
          <dt>{t('people.address')}</dt>
          <dd>{[person.address, ...person.addresses].join(', ')}</dd>
        </div>
        {person.forward !== undefined && (
          <div>
            <dt>{t('people.forward')}</dt>
            <dd>
              {person.forward.to.join(', ')}{' '}
              {t(person.forward.keep ? 'people.keeps' : 'people.keepsNot')}
            </dd>
          </div>
        )}
        {person.delegated.length > 0 && (
          <div>
            <dt>{t('people.delegated')}</dt>
            <dd>{person.delegated.join(', ')}</dd>
          </div>
        )}
      </dl>
      <div className="acts">
        <Button variant="default" size="compact-sm" onClick={() => void disable(!person.disabled)}>
          {t(person.disabled ? 'people.enable' : 'people.disable')}
        </Button>
        <Button variant="default" size="compact-sm" onClick={() => void setAdmin(!person.admin)}>
          {t(person.admin ? 'people.noAdmin' : 'people.makeAdmin')}
        </Button>
      </div>
      <h3>{t('people.newPassword')}</h3>
      <form
        className="search"
        onSubmit={(event) => {
          event.preventDefault()
          const body = { password }
          setPassword('')
          void change(
            ask('POST', `/users/${part(person.id)}/password`, { body }),
            t('people.didPassword', { address }),
          )
        }}
      >
        <PasswordInput
          aria-label={t('people.newPassword')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
          required
        />
        <Button type="submit" variant="default">
          {t('people.set')}
        </Button>
      </form>
      <p>
        <Link to={`/console/trace${queryOf({ q: address })}`}>{t('people.trace')}</Link>
      </p>
    </aside>
  )
}

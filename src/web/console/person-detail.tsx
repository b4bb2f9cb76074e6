import { Button, PasswordInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { setQuery } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { Mark } from '#web/parts/mark.tsx'
import { ROLES } from '#model/role.ts'
import type { Role } from '#model/role.ts'

import { useAct } from './acts.ts'
import { ask, part, queryOf } from '#web/parts/api.ts'
import { Confirm } from './confirm.tsx'
import { EditRow, listOf } from './edit-row.tsx'
import type { Values } from './edit-row.tsx'
import { May, useMay } from './may.tsx'
import { factChange, factFields, factValues } from './person-facts.ts'
import { PersonHistory } from './person-history.tsx'
import { LifeMark, Rename, useRestore } from './person-life.tsx'
import { PersonScripts } from './person-scripts.tsx'
import { PersonStorage } from './person-storage.tsx'
import { quotaChange, quotaFields, quotaValues } from './quota-fields.ts'
import { Sheet } from '#web/parts/sheet.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const pathOf = (id: string): string => `/users/${part(id)}`

/** One account: what it is, and what can be done with it. */
export function PersonDetail({ id }: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const found = useQuery({
    queryKey: ['/users', 'one', id],
    queryFn: ({ signal }) => ask<UserBody>('GET', pathOf(id), { signal }),
  })
  const may = useMay()
  const person = found.data
  if (person === undefined)
    return (
      <Sheet title={t('people.title')}>
        {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      </Sheet>
    )
  const canTouch = may('people.help') && (may('roles.write') || person.role === 'user')
  return (
    <Sheet title={person.name ?? person.username}>
      <p>
        <span className="code">{person.address}</span> <LifeMark person={person} />{' '}
        {person.role !== 'user' && <Mark kind="plain">{t(`people.${person.role}`)}</Mark>}
      </p>
      {canTouch && <Rights person={person} />}
      {(person.formerAddresses ?? []).map(({ address, keptUntil }) => (
        <p key={address} className="faint">
          {t('life.former', { address, until: keptUntil.slice(0, 10) })}
        </p>
      ))}
      <PersonStorage person={person} />
      {canTouch && may('people.write') && <Fields person={person} />}
      <p>
        {person.forward === undefined
          ? t('people.noForward')
          : t(person.forward.keep ? 'people.forwardsKeep' : 'people.forwards', {
              to: person.forward.to.join(', '),
            })}{' '}
        <Link to={`/console/destinations${queryOf({ tab: 'forwards', q: person.address })}`}>
          {t('destinations.forwards')}
        </Link>
      </p>
      {canTouch && (
        <>
          <h3>{t('people.newPassword')}</h3>
          <NewPassword person={person} />
        </>
      )}
      <May do="content.read">
        <PersonScripts id={id} address={person.address} />
      </May>
      <p>
        <Link to={`/console/people${queryOf({ tab: 'explain', q: person.address })}`}>
          {t('people.whoSays')}
        </Link>
      </p>
      <May do="history.read">
        <PersonHistory id={id} />
      </May>
      <May do="trace.read">
        <p>
          <Link to={`/console/trace${queryOf({ q: person.address })}`}>{t('people.trace')}</Link>
        </p>
      </May>
    </Sheet>
  )
}

/** Disable, give a role, delete. */
function Rights({ person }: { readonly person: UserBody }): ReactNode {
  const { t } = useWords()
  const act = useAct('/users')
  const [isDeleting, setDeleting] = useState(false)
  const [isRenaming, setRenaming] = useState(false)
  const restore = useRestore()
  const { address } = person
  const patch = (body: object) => ask('PATCH', pathOf(person.id), { body })
  const disable = (disabled: boolean): Promise<boolean> =>
    act({
      work: () => patch({ disabled }),
      text: t(disabled ? 'people.didDisable' : 'people.didEnable', { address }),
      undo: () => void disable(!disabled),
    })
  const setRole = (role: Role, before: Role): Promise<boolean> =>
    act({
      work: () => patch({ role }),
      text: t('people.didRole', { address, role: t(`people.${role}`) }),
      undo: () => void setRole(before, role),
    })
  const remove = async (): Promise<void> => {
    setDeleting(false)
    const isDone = await act({
      work: () => ask('DELETE', pathOf(person.id)),
      text: t('people.didDelete', { address }),
      undo: () => void restore(person),
    })
    if (isDone) setQuery({ id: undefined })
  }
  return (
    <div className="acts">
      <Button variant="default" size="compact-sm" onClick={() => void disable(!person.disabled)}>
        {t(person.disabled ? 'people.enable' : 'people.disable')}
      </Button>
      <May do="roles.write">
        <select
          aria-label={t('people.role')}
          value={person.role}
          onChange={(event) => void setRole(event.currentTarget.value as Role, person.role)}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {t(`people.${role}`)}
            </option>
          ))}
        </select>
      </May>
      <May do="people.write">
        <Button variant="default" size="compact-sm" onClick={() => setRenaming(true)}>
          {t('life.rename')}
        </Button>
        <Button color="red.9" size="compact-sm" onClick={() => setDeleting(true)}>
          {t('people.delete')}
        </Button>
      </May>
      {isRenaming && <Rename person={person} onClose={() => setRenaming(false)} />}
      {isDeleting && (
        <Confirm
          title={t('people.deleteTitle')}
          text={t('people.deleteText', { address })}
          ask={t('people.deleteAsk', { address })}
          word={address}
          action={t('people.delete')}
          onClose={() => setDeleting(false)}
          onConfirm={() => void remove()}
        />
      )}
    </div>
  )
}

const seenOf = (person: UserBody) => ({
  values: {
    name: person.name ?? '',
    ...factValues(person),
    addresses: person.addresses.join(', '),
    delegated: person.delegated.join(', '),
    ...quotaValues(person.quota),
  },
  version: person.version,
})

function Fields({ person }: { readonly person: UserBody }): ReactNode {
  const { t } = useWords()
  const save = async (values: Values, ifMatch: string): Promise<unknown> =>
    ask('PATCH', pathOf(person.id), {
      body: {
        name: values['name'],
        ...factChange(values),
        addresses: listOf(values['addresses']),
        delegated: listOf(values['delegated']),
        quota: quotaChange(t, values),
      },
      ifMatch,
    })
  return (
    <EditRow
      fields={[
        { name: 'name', label: t('people.name'), isOptional: true },
        ...factFields(t),
        { name: 'addresses', label: t('people.addresses'), isOptional: true },
        { name: 'delegated', label: t('people.delegated'), isOptional: true },
        ...quotaFields(t),
      ]}
      seen={seenOf(person)}
      save={save}
      now={async () => seenOf(await ask<UserBody>('GET', pathOf(person.id)))}
      said={t('edit.saved', { name: person.address })}
      lists={['/users']}
    />
  )
}

function NewPassword({ person }: { readonly person: UserBody }): ReactNode {
  const { t } = useWords()
  const [password, setPassword] = useState('')
  const act = useAct('/users')
  return (
    <form
      className="search"
      onSubmit={(event) => {
        event.preventDefault()
        const body = { password }
        setPassword('')
        void act({
          work: () => ask('POST', `${pathOf(person.id)}/password`, { body }),
          text: t('people.didPassword', { address: person.address }),
        })
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
  )
}

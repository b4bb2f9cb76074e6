import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

import { useAct } from './acts.ts'
import { ask, part } from '#web/parts/api.ts'

const KINDS: Readonly<Record<UserBody['state'], MarkKind>> = {
  notBegun: 'plain',
  active: 'good',
  grace: 'warn',
  left: 'hatched',
  suspended: 'bad',
  deleted: 'bad',
}

/** What an account is now, by its days and by what was decided. */
export function LifeMark({ person }: { readonly person: UserBody }): ReactNode {
  const { t } = useWords()
  const { state, startsOn, expiresOn } = person
  return (
    <Mark kind={KINDS[state]}>
      {t(`life.${state}`, { day: (state === 'notBegun' ? startsOn : expiresOn) ?? '' })}
    </Mark>
  )
}

/** Brings back who was deleted. */
export function useRestore(): (person: Pick<UserBody, 'id' | 'address'>) => Promise<boolean> {
  const { t } = useWords()
  const act = useAct('/users')
  return ({ id, address }) =>
    act({
      work: () => ask('POST', `/users/${part(id)}/restore`),
      text: t('life.didRestore', { address }),
    })
}

/** Gives an account another main address; the one of before still takes mail for a while. */
export function Rename(props: {
  readonly person: UserBody
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { person, onClose } = props
  const act = useAct('/users')
  const [address, setAddress] = useState(person.address)
  const rename = async (): Promise<void> => {
    const isDone = await act({
      work: () => ask('POST', `/users/${part(person.id)}/rename`, { body: { address } }),
      text: t('life.didRename', { before: person.address, address }),
    })
    if (isDone) onClose()
  }
  return (
    <Dialog title={t('life.renameTitle')} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void rename()
        }}
      >
        <p>{t('life.renameText', { address: person.address })}</p>
        <TextInput
          label={t('life.newAddress')}
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
          required
          withAsterisk={false}
          autoComplete="off"
          spellCheck={false}
        />
        <div className="acts">
          <Button type="submit" disabled={address.trim() === person.address}>
            {t('life.rename')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

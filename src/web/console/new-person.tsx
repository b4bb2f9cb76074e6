import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { ask } from '#web/parts/api.ts'
import { Trouble } from '#web/parts/trouble.tsx'

/** A new account. */
export function NewPerson({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const [address, setAddress] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const add = useMutation({
    mutationFn: () =>
      ask<UserBody>('POST', '/users', {
        body: { address, password, ...(name !== '' && { name }) },
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['/users'] })
      tell({ kind: 'done', text: t('people.added', { address: made.address }) })
      onClose()
    },
  })
  return (
    <Dialog title={t('people.add')} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <TextInput
          label={t('people.address')}
          description={t('people.addressHint')}
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
          required
          withAsterisk={false}
        />
        <TextInput
          label={t('people.name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label={t('login.password')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
          required
          withAsterisk={false}
        />
        {add.error !== null && <Trouble error={add.error} />}
        <div className="acts">
          <Button type="submit" loading={add.isPending}>
            {t('people.add')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

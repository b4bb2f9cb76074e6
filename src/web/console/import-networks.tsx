import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { networksOf } from './networks-of.ts'

const FIRST = 5

export interface AccessChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/** Networks of a file: shown before they are added. */
export function ImportNetworks(props: {
  readonly change: (change: AccessChange) => Promise<boolean>
  readonly onClose: () => void
}): ReactNode {
  const { t, language } = useWords()
  const [networks, setNetworks] = useState<readonly string[]>()
  const [isBusy, setBusy] = useState(false)
  return (
    <Dialog title={t('access.import')} onClose={props.onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (networks === undefined) return
          setBusy(true)
          void props.change({ add: networks, remove: [] }).then((isDone) => {
            setBusy(false)
            if (isDone) props.onClose()
          })
        }}
      >
        <p>{t('access.importText')}</p>
        <input
          type="file"
          accept=".csv,.txt,text/csv,text/plain"
          aria-label={t('access.file')}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? []
            void file?.text().then((text) => setNetworks(networksOf(text)))
          }}
        />
        {networks !== undefined && (
          <p>
            {t('access.found', {
              count: networks.length,
              number: numberText(language, networks.length),
              first: networks.slice(0, FIRST).join(', '),
            })}
          </p>
        )}
        <div className="acts">
          <Button type="submit" disabled={(networks ?? []).length === 0} loading={isBusy}>
            {t('access.add')}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

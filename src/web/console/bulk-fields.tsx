import { TextInput } from '@mantine/core'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import type { BulkTexts } from './bulk-change.ts'

/** What becomes of many: what is left empty stays as it is. */
export function BulkFields(props: {
  readonly texts: BulkTexts
  readonly onChange: (texts: BulkTexts) => void
}): ReactNode {
  const { t } = useWords()
  const { texts } = props
  const set = (some: Partial<BulkTexts>): void => props.onChange({ ...texts, ...some })
  return (
    <div className="pairs">
      {(['addTags', 'removeTags'] as const).map((name) => (
        <TextInput
          key={name}
          label={t(`bulk.${name}`)}
          description={t('people.tagsHint')}
          value={texts[name]}
          onChange={(event) => set({ [name]: event.currentTarget.value })}
          autoComplete="off"
        />
      ))}
      {(['startsOn', 'expiresOn'] as const).map((name) => (
        <TextInput
          key={name}
          type="date"
          label={t(`people.${name}`)}
          value={texts[name]}
          onChange={(event) => set({ [name]: event.currentTarget.value })}
        />
      ))}
      <label className="field">
        {t('bulk.act')}
        <select
          value={texts.act}
          onChange={(event) => set({ act: event.currentTarget.value as BulkTexts['act'] })}
        >
          <option value="">{t('bulk.actNone')}</option>
          <option value="disable">{t('bulk.actDisable')}</option>
          <option value="enable">{t('bulk.actEnable')}</option>
          <option value="delete">{t('bulk.actDelete')}</option>
        </select>
      </label>
    </div>
  )
}

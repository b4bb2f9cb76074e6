import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { withPart } from './filter-text.ts'

/** Names of what filters over our own directory know of people, which offices ask for. */
const TYPES = ['tag', 'ou', 'title', 'o', 'cn', 'uid', 'mail'] as const

/** A condition in words, put behind the filter: for those who do not write filters. */
export function FilterPart(props: {
  readonly filter: string
  readonly put: (filter: string) => void
}): ReactNode {
  const { t } = useWords()
  const [type, setType] = useState<string>(TYPES[0])
  const [value, setValue] = useState('')
  const add = (): void => {
    if (value.trim() === '') return
    props.put(withPart(props.filter, type, value.trim()))
    setValue('')
  }
  return (
    <div className="filter-part">
      <NativeSelect
        label={t('filter.type')}
        value={type}
        onChange={(event) => setType(event.currentTarget.value)}
        data={TYPES.map((each) => ({ value: each, label: t(`filter.type.${each}`) }))}
      />
      <TextInput
        label={t('filter.value')}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        onKeyDown={(event) => {
          // Enter means this part; the one that ends a composition means nothing.
          if (event.key !== 'Enter') return
          event.preventDefault()
          if (!event.nativeEvent.isComposing) add()
        }}
      />
      <Button variant="default" disabled={value.trim() === ''} onClick={add}>
        {t('filter.put')}
      </Button>
    </div>
  )
}

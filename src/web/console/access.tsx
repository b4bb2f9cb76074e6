import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import { useAddress } from '#web/parts/address.ts'
import { choiceColumn } from '#web/parts/choice-column.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { useAct } from './acts.ts'
import { ask } from '#web/parts/api.ts'
import { FilterText } from '#web/parts/filter-text.tsx'
import { ImportNetworks } from './import-networks.tsx'
import type { AccessChange } from './import-networks.tsx'
import { networksOf } from './networks-of.ts'
import { May, useMay } from './may.tsx'
import { PageTable } from '#web/parts/page-table.tsx'
import { useRows } from '#web/parts/rows-of.ts'
import { TableTools, useColumns } from './table-tools.tsx'

interface Written {
  readonly rows: number
  readonly added: number
  readonly removed: number
}

/** Networks that may use the relay without a password. */
export function Access(): ReactNode {
  const { t } = useWords()
  const search = useAddress().query.get('q') ?? ''
  const query = { search }
  const may = useMay()
  const list = useRows<string>('/access', query)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isImporting, setImporting] = useState(false)
  const change = useChange()
  const all = useAccessColumns(chosen, setChosen)
  const columns = useColumns('access', all)
  return (
    <div className="page-full">
      <div className="head">
        <h1>{t('access.title')}</h1>
        <May do="settings.write">
          <Button variant="default" size="compact-sm" onClick={() => setImporting(true)}>
            {t('access.import')}
          </Button>
        </May>
        <TableTools table="relay-access" all={all} columns={columns} path="/access" query={query} />
      </div>
      <p className="faint">{t('access.hint')}</p>
      <May do="settings.write">
        <AddNetworks change={change} />
      </May>
      <div className="filters">
        <FilterText name="q" label={t('access.search')} />
        {chosen.size > 0 && may('settings.write') && (
          <Button
            color="red.9"
            onClick={() => {
              const remove = [...chosen]
              setChosen(new Set())
              void change({ add: [], remove })
            }}
          >
            {t('access.remove', { count: chosen.size })}
          </Button>
        )}
      </div>
      <PageTable
        label={t('access.title')}
        list={list}
        columns={columns.shown}
        keyOf={(row) => row}
        chosen={chosen}
        onChoose={setChosen}
        empty={t(search === '' ? 'access.empty' : 'people.none')}
      />
      {isImporting && <ImportNetworks change={change} onClose={() => setImporting(false)} />}
    </div>
  )
}

function AddNetworks(props: {
  readonly change: (change: AccessChange) => Promise<boolean>
}): ReactNode {
  const { t } = useWords()
  const [text, setText] = useState('')
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault()
        const add = networksOf(text)
        void props.change({ add, remove: [] }).then((isDone) => isDone && setText(''))
      }}
    >
      <textarea
        className="filter networks"
        aria-label={t('access.networks')}
        placeholder={t('access.networks')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        rows={2}
        required
      />
      <Button type="submit">{t('access.add')}</Button>
    </form>
  )
}

function useAccessColumns(
  chosen: ReadonlySet<string>,
  setChosen: (chosen: ReadonlySet<string>) => void,
): readonly Column<string>[] {
  const { t } = useWords()
  return [
    choiceColumn<string>(t, {
      keyOf: (row) => row,
      nameOf: (row) => row,
      chosen,
      onChoose: setChosen,
    }),
    {
      key: 'network',
      label: t('access.network'),
      width: '1fr',
      cell: (row) => row,
      text: (row) => row,
    },
  ]
}

function useChange(): (change: AccessChange) => Promise<boolean> {
  const { t, language } = useWords()
  const act = useAct('/access')
  const change = async (body: AccessChange): Promise<boolean> => {
    let done: Written | undefined
    return act({
      work: async () => (done = await ask<Written>('POST', '/access', { body })),
      text: () =>
        t('access.did', {
          added: numberText(language, done?.added ?? 0),
          removed: numberText(language, done?.removed ?? 0),
          rows: numberText(language, done?.rows ?? 0),
        }),
      undo: () => void change({ add: body.remove, remove: body.add }),
    })
  }
  return change
}

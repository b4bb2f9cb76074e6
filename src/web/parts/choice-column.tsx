import type { TFunction } from 'i18next'

import type { Column } from './data-table.tsx'

/** The column by which rows of a table are chosen, for what is done with many; by keyboard `x` does it. */
export function choiceColumn<Row>(
  t: TFunction,
  of: {
    readonly keyOf: (row: Row) => string
    /** What a row is called, where it is read out. */
    readonly nameOf: (row: Row) => string
    readonly chosen: ReadonlySet<string>
    readonly onChoose: (keys: ReadonlySet<string>) => void
    /** Where all rows are here: the head chooses all of them, or none. */
    readonly all?: readonly string[]
  },
): Column<Row> {
  const { keyOf, nameOf, chosen, onChoose, all = [] } = of
  const isAll = all.every((key) => chosen.has(key))
  return {
    key: 'choose',
    label:
      all.length === 0 ? (
        <span className="only-read">{t('table.chooseHead')}</span>
      ) : (
        <input
          type="checkbox"
          aria-label={t('table.chooseAll')}
          checked={isAll}
          onChange={() => onChoose(new Set(isAll ? [] : all))}
        />
      ),
    width: '24px',
    cell: (row) => (
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={t('table.choose', { name: nameOf(row) })}
        checked={chosen.has(keyOf(row))}
        onChange={() => onChoose(chosen.symmetricDifference(new Set([keyOf(row)])))}
        onClick={(event) => event.stopPropagation()}
      />
    ),
  }
}

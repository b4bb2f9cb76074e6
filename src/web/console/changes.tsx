import type { ReactNode } from 'react'

import type { SettingChangeBody } from '#contract/admin/settings.ts'
import { useWords } from '#web/parts/language.ts'

import { textOfValue } from './setting-text.ts'

/** Of a large table's rows. */
const ROWS_SHOWN = 10

/** What changes: before and after, side by side. */
export function Changes(props: {
  readonly changes: readonly SettingChangeBody[]
  readonly types?: ReadonlyMap<string, string>
}): ReactNode {
  const { t } = useWords()
  if (props.changes.length === 0) return <p className="faint">{t('settings.noChange')}</p>
  return (
    <table className="plain">
      <thead>
        <tr>
          <th>{t('settings.key')}</th>
          <th>{t('settings.before')}</th>
          <th>{t('settings.after')}</th>
        </tr>
      </thead>
      <tbody>
        {props.changes.map((change) => (
          <tr key={change.key}>
            <td className="code">{change.key}</td>
            {'added' in change ? (
              <td colSpan={2}>
                {t('settings.rowsChanged', {
                  before: change.rowsBefore,
                  after: change.rowsAfter,
                  added: some(change.added),
                  removed: some(change.removed),
                })}
              </td>
            ) : (
              <>
                <td>
                  <del>{valueText(change.before, props.types?.get(change.key))}</del>
                </td>
                <td>
                  <ins>{valueText(change.after, props.types?.get(change.key))}</ins>
                </td>
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )

  function some(rows: readonly string[]): string {
    if (rows.length <= ROWS_SHOWN) return rows.length === 0 ? '–' : rows.join(' ')
    const first = rows.slice(0, ROWS_SHOWN).join(' ')
    return t('mail.andMore', { first, count: rows.length - ROWS_SHOWN })
  }

  function valueText(value: Parameters<typeof textOfValue>[1], type: string | undefined): string {
    if (value === null) return t('settings.standard')
    const text = textOfValue(type ?? '', value)
    return text === '' ? t('settings.nothing') : text
  }
}

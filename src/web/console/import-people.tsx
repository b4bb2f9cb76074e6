import { Button, Checkbox } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { ReactNode } from 'react'

import type { CensusBody } from '#contract/admin/import.ts'
import type { SourcesBody } from '#contract/admin/sources.ts'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { ask } from '#web/parts/api.ts'
import { countsOf, importAll, readFiles } from './import-run.ts'
import type { Outcome, ReadFiles } from './import-run.ts'
import { ImportReport } from './import-report.tsx'
import { May, useMay } from './may.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const FILE_FORMATS: readonly CensusBody['format'][] = ['csv', 'ldif', 'passwd', 'aliases']

interface Progress {
  readonly isDone: boolean
  readonly at: number
  readonly of: number
}

/** People and groups of files: what would become of each is shown before anything is done. */
export function ImportPeople(): ReactNode {
  const { t, language } = useWords()
  const client = useQueryClient()
  const may = useMay()
  const [format, setFormat] = useState('')
  const [map, setMap] = useState('')
  const [replaces, setReplaces] = useState(false)
  const [read, setRead] = useState<ReadFiles>()
  const [outcome, setOutcome] = useState<Outcome>()
  const [isDone, setDone] = useState(false)
  const [progress, setProgress] = useState<Progress>()
  const [error, setError] = useState<unknown>()
  const picker = useRef<HTMLInputElement>(null)
  const maps = useQuery({
    queryKey: ['/directory/sources'],
    queryFn: ({ signal }) => ask<SourcesBody>('GET', '/directory/sources', { signal }),
    enabled: may('sources.read'),
  })
  const run = async (files: ReadFiles, dryRun: boolean, replacePasswords: boolean) => {
    setError(undefined)
    setProgress({ isDone: !dryRun, at: 0, of: files.people.length + files.groups.length })
    try {
      const found = await importAll(files, { dryRun, replacePasswords }, (at, of) =>
        setProgress({ isDone: !dryRun, at, of }),
      )
      setOutcome(found)
      setDone(!dryRun)
    } catch (thrown) {
      setError(thrown)
    }
    setProgress(undefined)
    if (!dryRun)
      await Promise.all(
        ['/users', '/aliases', '/forwards'].map((list) =>
          client.invalidateQueries({ queryKey: [list] }),
        ),
      )
  }
  const look = async (chosen: {
    readonly format: string
    readonly map: string
    readonly replaces: boolean
  }): Promise<void> => {
    const files = [...(picker.current?.files ?? [])]
    if (files.length === 0) return
    setError(undefined)
    setOutcome(undefined)
    setDone(false)
    try {
      const found = await readFiles(files, chosen)
      setRead(found)
      await run(found, true, chosen.replaces)
    } catch (thrown) {
      setRead(undefined)
      setError(thrown)
    }
  }
  const chosen = { format, map, replaces }
  const counts = outcome === undefined ? undefined : countsOf(outcome.rows)
  const coming = counts === undefined ? 0 : counts.added + counts.changed
  return (
    <>
      <p className="faint">{t('import.hint')}</p>
      <div className="filters">
        <May do="people.write">
          <input
            ref={picker}
            type="file"
            multiple
            aria-label={t('import.file')}
            accept=".ldif,.csv,.tsv,.txt,.passwd,.aliases,text/*"
            disabled={progress !== undefined}
            onChange={() => void look(chosen)}
          />
          <select
            aria-label={t('import.format')}
            value={format}
            onChange={(event) => {
              setFormat(event.currentTarget.value)
              void look({ ...chosen, format: event.currentTarget.value })
            }}
          >
            <option value="">{t('import.byName')}</option>
            {FILE_FORMATS.map((each) => (
              <option key={each} value={each}>
                {t(`import.${each}`)}
              </option>
            ))}
          </select>
          <select
            aria-label={t('source.map')}
            value={map}
            onChange={(event) => {
              setMap(event.currentTarget.value)
              void look({ ...chosen, map: event.currentTarget.value })
            }}
          >
            <option value="">{t('import.mapNone')}</option>
            {(maps.data?.maps ?? []).map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
          <Checkbox
            label={t('import.replace')}
            checked={replaces}
            onChange={(event) => {
              setReplaces(event.currentTarget.checked)
              void look({ ...chosen, replaces: event.currentTarget.checked })
            }}
          />
        </May>
        <div className="tools">
          <Button
            component="a"
            variant="default"
            size="compact-sm"
            href="/api/v1/directory/export"
            download="watari-people.csv"
          >
            {t('import.export')}
          </Button>
        </div>
      </div>
      {error !== undefined && <Trouble error={error} />}
      {progress !== undefined && (
        <p role="status">
          {t(progress.isDone ? 'import.doing' : 'import.looking', {
            at: numberText(language, progress.at),
            of: numberText(language, progress.of),
          })}
        </p>
      )}
      {counts !== undefined && progress === undefined && (
        <>
          <p className="answer" role="status">
            {t(isDone ? 'import.done' : 'import.would', {
              added: numberText(language, counts.added),
              changed: numberText(language, counts.changed),
              same: numberText(language, counts.same),
              refused: numberText(language, counts.refused),
            })}
          </p>
          {!isDone && read !== undefined && (
            <div className="acts">
              <Button disabled={coming === 0} onClick={() => void run(read, false, replaces)}>
                {t('import.do', { count: coming, number: numberText(language, coming) })}
              </Button>
            </div>
          )}
        </>
      )}
      {outcome !== undefined && read !== undefined && (
        <ImportReport rows={outcome.rows} exceptions={read.exceptions} />
      )}
    </>
  )
}

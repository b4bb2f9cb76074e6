import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { choiceColumn } from '#web/parts/choice-column.tsx'
import type { Column } from '#web/parts/data-table.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { dateText, relativeText, sizeText } from '#web/parts/times.ts'

import { STATE_MARKS, stateOf } from './queue-state.ts'

/** What a message of the queue is in a table. */
export function useQueueColumns(
  chosen: ReadonlySet<string>,
  setChosen: (chosen: ReadonlySet<string>) => void,
): readonly Column<QueueMessageBody>[] {
  const { t, language } = useWords()
  return [
    choiceColumn<QueueMessageBody>(t, {
      keyOf: ({ queueId }) => queueId,
      nameOf: ({ queueId }) => queueId,
      chosen,
      onChoose: setChosen,
    }),
    {
      key: 'state',
      label: t('queue.state'),
      width: '104px',
      cell: (row) => <Mark kind={STATE_MARKS[stateOf(row)]}>{t(`queue.${stateOf(row)}`)}</Mark>,
      text: stateOf,
    },
    {
      key: 'from',
      label: t('mail.from'),
      width: 'minmax(90px, 1fr)',
      cell: ({ from }) => (from === '' ? t('mail.system') : from),
      text: ({ from }) => from,
    },
    {
      key: 'to',
      label: t('mail.to'),
      width: 'minmax(90px, 1fr)',
      cell: ({ recipients }) =>
        recipients.length > 1
          ? t('mail.andMore', { first: recipients[0]!.address, count: recipients.length - 1 })
          : recipients[0]?.address,
      text: ({ recipients }) => recipients.map(({ address }) => address).join(' '),
    },
    {
      key: 'received',
      label: t('mail.received'),
      width: '110px',
      isExtra: true,
      cell: ({ received }) => (
        <span title={dateText(language, received)}>{relativeText(language, received)}</span>
      ),
      text: ({ received }) => received,
    },
    {
      key: 'status',
      label: t('queue.last'),
      width: 'minmax(90px, 1.4fr)',
      isExtra: true,
      cell: ({ recipients }) =>
        recipients.find(({ lastStatus }) => lastStatus !== undefined)?.lastStatus ??
        recipients.find(({ hold }) => hold !== undefined)?.hold,
      text: ({ recipients }) =>
        recipients.map(({ lastStatus, hold }) => lastStatus ?? hold ?? '').join(' '),
    },
    {
      key: 'size',
      label: t('mail.size'),
      width: '76px',
      isExtra: true,
      cell: ({ sizeBytes }) => sizeText(language, sizeBytes),
      text: ({ sizeBytes }) => String(sizeBytes),
    },
    {
      key: 'id',
      label: t('queue.id'),
      width: '124px',
      isExtra: true,
      cell: ({ queueId }) => <span className="code">{queueId}</span>,
      text: ({ queueId }) => queueId,
    },
    {
      key: 'node',
      label: t('queue.node'),
      width: '110px',
      isExtra: true,
      cell: ({ node }) => node,
      text: ({ node }) => node,
    },
  ]
}

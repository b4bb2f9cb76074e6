import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { isFault } from '#base/outcome.ts'
import { counted } from '#base/text.ts'
import { systemClock } from '#base/time.ts'
import { isWholeDatabase } from '#store/db/check.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { rebuildMailboxes } from '#store/mailbox/upkeep/rebuild.ts'
import type { RebuildProgress, RebuildReport } from '#store/mailbox/upkeep/rebuild.ts'
import { verbOf } from './context.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** store: what is done to the files of a mail store that does not run. */
export function storeCommands(program: Command, io: CliIo): void {
  program
    .command('store')
    .description('the mail store of this machine, while it is stopped')
    .command('rebuild')
    .description('make a lost or damaged mailbox.db anew from its journal and segments')
    .option('--dry-run', 'show what would come back, and change nothing')
    .option('--force', 'also where mailbox.db shows no damage')
    .action((options: { dryRun?: boolean; force?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const { data = 'var' }: { data?: string } = command.optsWithGlobals()
      const dir = join(data, 'store')
      const dryRun = options.dryRun === true
      refuseNeedless(dir, dryRun || options.force === true)
      const report = rebuilt(dir, dryRun, (step) => verb.progress(progressText(step)))
      const body = { ...bodyOf(report), dryRun }
      verb.show(body, () => textOf(report, dryRun))
    })
}

function refuseNeedless(dir: string, isMeant: boolean): void {
  if (!existsSync(join(dir, 'journal')))
    throw new CliError(
      'notFound',
      `${dir} holds no journal of a mail store`,
      'Name the data folder with --data; without a journal, restore a backup.',
    )
  if (isMeant) return
  const path = join(dir, 'mailbox.db')
  if (isWholeDatabase({ path, kind: 'mailbox', migrations: MIGRATIONS }))
    throw new CliError(
      'conflict',
      `${path} shows no damage`,
      'Start it as it is; --dry-run shows what a rebuild would bring, --force makes it.',
    )
}

function rebuilt(
  dir: string,
  dryRun: boolean,
  onProgress: (step: RebuildProgress) => void,
): RebuildReport {
  try {
    return rebuildMailboxes({ dir, clock: systemClock, dryRun, onProgress })
  } catch (thrown) {
    if (isFault(thrown, 'locked'))
      throw new CliError('locked', thrown.message, 'Stop all roles on this folder first.')
    if (isFault(thrown, 'full') || isFault(thrown, 'io') || isFault(thrown, 'notFound'))
      throw new CliError(
        thrown.code,
        thrown.message,
        'Nothing was changed; mend that and run it again.',
      )
    throw thrown
  }
}

const progressText = ({ part, records, of }: RebuildProgress): string =>
  `${part}: ${records}${of === undefined ? '' : ` of ${of}`} records`

const bodyOf = ({ lastAtMs, ...rest }: RebuildReport) => ({
  ...rest,
  ...(lastAtMs !== undefined && { lastAt: new Date(lastAtMs).toISOString() }),
})

const PROVES = {
  whole: 'The journal is whole: everything is as it was.',
  tail: 'The journal is whole but for the last second before the power went: flags, moves and deletions of that second may be missing; programs hear of all messages anew.',
  part: 'The journal is damaged: flags, moves and deletions may be missing, and deleted mail may be back; UIDVALIDITY changed, so that programs fetch everything anew.',
} as const

function textOf(report: RebuildReport, dryRun: boolean): string {
  const doubtful = report.accounts.filter(
    ({ refiled, renumbered, unreadable }) => refiled + renumbered + unreadable > 0,
  )
  const messages = report.accounts.reduce((sum, each) => sum + each.messages, 0)
  const lines = [
    `${dryRun ? 'would bring back' : 'brought back'} ${counted(messages, 'message')} of ${counted(report.accounts.length, 'account')}`,
    ...(report.lastAtMs === undefined
      ? []
      : [`last change: ${new Date(report.lastAtMs).toISOString()}`]),
    PROVES[report.proves],
    ...report.damaged.map((where) => `cannot be read: ${where}`),
    ...(report.aside === undefined ? [] : [`kept aside: ${report.aside}`]),
  ]
  const rows =
    doubtful.length === 0
      ? ''
      : table(
          ['ACCOUNT', 'MESSAGES', 'FILED ANEW', 'NEW UIDVALIDITY', 'UNREADABLE'],
          doubtful.map((each) => [
            each.accountId,
            each.messages,
            each.refiled,
            each.renumbered,
            each.unreadable,
          ]),
        )
  return `${lines.join('\n')}\n${rows}`
}

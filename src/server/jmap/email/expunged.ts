import type { EmailId } from '#model/mailbox.ts'
import { keepingOf } from '#engine/retention/keeping.ts'
import { utcDate } from './header-forms.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { RETENTION } from '#server/jmap/room.ts'
import type { Answer, Method } from '#server/jmap/room.ts'

/**
 * Email/expunged (ours): what lies in no mailbox any more and can come back, a page at a time, the
 * first that came first: `{since?: UTCDate, after?: Id}` to `{list, next: Id|null}`.
 */
export const emailExpunged: Method = {
  name: 'Email/expunged',
  capability: RETENTION,
  args: ['since', 'after'],
  async run(call, args): Promise<Answer> {
    const since = args.string('since')
    const sinceMs = since === undefined ? 0 : Date.parse(since)
    if (Number.isNaN(sinceMs)) throw invalidArguments('since is not a UTCDate')
    const after = args.id('after') as EmailId | undefined
    const keeping = keepingOf(call.room.store, call.room.clock)
    const { emails, next } = await keeping.gone({
      accountId: call.account.id,
      sinceMs,
      ...(after !== undefined && { after }),
    })
    return {
      list: emails.map(({ emailId, path, subject, from, sizeBytes, goneAtMs }) => ({
        id: emailId,
        mailbox: path,
        subject,
        from,
        size: sizeBytes,
        expungedAt: utcDate(goneAtMs),
      })),
      next: next ?? null,
    }
  },
}

/**
 * Email/restore (ours): `{ids}` to `{restored}`, how many came back. Each is another email from now on;
 * those that lie somewhere still, or are gone for good, are left out.
 */
export const emailRestore: Method = {
  name: 'Email/restore',
  capability: RETENTION,
  args: ['ids'],
  async run(call, args): Promise<Answer> {
    const ids = args.ids('ids')
    if (ids === undefined) throw invalidArguments('ids is missing')
    if (ids.length > call.room.limits.maxObjectsInSet) throw new MethodError('requestTooLarge')
    const { results } = await call.room.store.commit({
      contents: [],
      commits: [
        {
          accountId: call.account.id,
          changes: [{ kind: 'restore', emailIds: ids as readonly EmailId[] }],
        },
      ],
    })
    const [result] = results
    const restored = result?.kind === 'committed' ? result.results[0] : undefined
    if (restored?.kind !== 'restore')
      throw new MethodError(
        'serverFail',
        result?.kind === 'refused' ? result.refusal.text : 'nothing came back',
      )
    return { restored: restored.restored }
  },
}

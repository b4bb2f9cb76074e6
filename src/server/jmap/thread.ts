import type { ThreadId } from '#model/mailbox.ts'
import { picked, propertiesOf } from './args.ts'
import { idsToGet } from './ids.ts'
import { MethodError } from './method-error.ts'
import { MAIL } from './room.ts'
import type { Method } from './room.ts'
import { emailState } from './states.ts'

/** RFC 8621 §3.1. */
export const threadGet: Method = {
  name: 'Thread/get',
  capability: MAIL,
  args: ['ids', 'properties'],
  async run(call, args) {
    const properties = propertiesOf(args, ['id', 'emailIds'])
    const ids = idsToGet(call, args)
    if (ids === undefined)
      throw new MethodError('requestTooLarge', 'An account has many threads: name ids')
    const { state, threads } = await call.room.store.threads({
      accountId: call.account.id,
      threadIds: ids as readonly ThreadId[],
    })
    const list = ids.flatMap((id, index) => {
      const emailIds = threads[index]
      return emailIds === undefined ? [] : [picked({ id, emailIds }, properties)]
    })
    return {
      state: emailState(state),
      list,
      notFound: ids.filter((_, index) => threads[index] === undefined),
    }
  },
}

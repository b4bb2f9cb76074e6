import type { ThreadId } from '#model/mailbox.ts'
import { picked, propertiesOf } from '#server/jmap/method/args.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { MethodError } from '#server/jmap/method/method-error.ts'
import { MAIL, asked } from '#server/jmap/room.ts'
import type { Method } from '#server/jmap/room.ts'
import { emailState } from '#server/jmap/method/states.ts'

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
      ...asked(call),
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

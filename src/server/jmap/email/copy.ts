import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { CORE, MAIL } from '#server/jmap/room.ts'
import type { Method } from '#server/jmap/room.ts'

/** Copies between accounts: whoever logs in has one only (RFC 8620 §5.4, RFC 8620 §6.3). */
const refusing: Method['run'] = (call, args) => {
  const from = args.id('fromAccountId')
  if (from === undefined) throw invalidArguments('fromAccountId is missing')
  if (from !== call.account.id) throw new MethodError('fromAccountNotFound')
  throw invalidArguments('a copy goes to another account')
}

export const emailCopy: Method = {
  name: 'Email/copy',
  capability: MAIL,
  args: [
    'fromAccountId',
    'ifFromInState',
    'ifInState',
    'create',
    'onSuccessDestroyOriginal',
    'destroyFromIfInState',
  ],
  run: async (call, args) => refusing(call, args),
}

export const blobCopy: Method = {
  name: 'Blob/copy',
  capability: CORE,
  args: ['fromAccountId', 'blobIds'],
  run: async (call, args) => refusing(call, args),
}

import type { Account } from '#model/account.ts'
import { BLOB, CORE, MAIL } from './room.ts'
import type { Call } from './room.ts'
import type { Share } from './shares.ts'

/** What an account of others is for: their identities, submissions and quotas are nobody else's affair. */
export const SHARED_CAPABILITIES: readonly string[] = [CORE, MAIL, BLOB]

/** The login's own account, or one that it has a share in (RFC 8620 §1.6.2). */
export async function accountOf(
  { login, room }: Pick<Call, 'login' | 'room'>,
  id: string,
): Promise<{ readonly account: Account; readonly share?: Share } | undefined> {
  if (id === login.id) return { account: login }
  const share = (await room.shares.of(login.id)).find(({ accountId }) => accountId === id)
  const account = share && room.directory.account(share.accountId)
  return account && { account, share }
}

/** All accounts of others that the login has a share in. */
export async function sharedAccounts({
  login,
  room,
}: Pick<Call, 'login' | 'room'>): Promise<{ readonly account: Account; readonly share: Share }[]> {
  const shares = await room.shares.of(login.id)
  return shares.flatMap((share) => {
    const account = room.directory.account(share.accountId)
    return account === undefined ? [] : [{ account, share }]
  })
}

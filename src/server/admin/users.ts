import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { timedId } from '#base/id.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { ok } from '#base/outcome.ts'
import { done, page, passwordBody } from '#contract/admin/common.ts'
import { newUser, user, userChange, usersQuery, writtenUser } from '#contract/admin/directory.ts'
import type { UserBody } from '#contract/admin/directory.ts'
import { PeopleIndex } from '#engine/people/people-index.ts'
import { adopt, isToAdopt } from '#model/adoption.ts'
import type { Account, AccountId } from '#model/account.ts'
import { lifeOf } from '#model/account-life.ts'
import { formatAddress } from '#model/address.ts'
import { factsAfter, withoutFacts } from '#model/person-facts.ts'
import { roleOf, withRole } from '#model/role.ts'
import type { Role } from '#model/role.ts'
import type { Directory } from '#store/directory/directory.ts'
import { basisOf } from '#store/directory/app-passwords.ts'
import { hashPassword, isKnownHash, isPassword, schemeOf } from '#store/directory/password.ts'
import { makeScramKeys } from '#store/directory/scram-keys.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { versioned, writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { keepAWayIn } from './last-administrator.ts'
import { need } from './permission.ts'
import { effectiveQuota, withQuota } from './quota.ts'
import { fullPage, usagesIfTold } from './usages.ts'
import { userIdRoutes } from './user-ids.ts'
import { accountOf, addressIn, addressOf, inTurns, lower, mainAddress } from './lookup.ts'

const named = z.object({ user: z.string() })

export function userRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const people = new PeopleIndex(deps.directory, deps.clock)
  people.warm()
  app.addHook('onClose', async () => people.close())
  const body = (account: Account): UserBody => ({
    ...userBody(directory, account),
    state: lifeOf(account, directory.moment),
    effectiveQuota: effectiveQuota(deps, account),
  })

  userIdRoutes(app, deps, people)

  app.get(
    '/users',
    {
      config: { permission: 'people.read' },
      schema: { querystring: usersQuery, response: { 200: page(user) } },
    },
    async ({ query }) => {
      const { search, tag, used, fullFrom: percent, limit, after } = query
      const ask = { search, tag, limit, after, isDeleted: query.deleted === 'true' }
      if (percent !== undefined) {
        const { items, next } = await fullPage(deps, people, { ...ask, percent })
        return {
          items: items.map((each) => ({ ...body(each.account), used: each.used })),
          ...(next !== undefined && { next }),
        }
      }
      const { items: accounts, next } = await people.page(ask)
      const shown = await inTurns(accounts, (account) => ({
        account,
        body: body(account),
      }))
      const told = used && (await usagesIfTold(deps, accounts))
      const items = shown.map(({ account, body: row }) => {
        const held = told?.get(account)
        return { ...row, ...(held !== undefined && { used: held }) }
      })
      return { items, ...(next !== undefined && { next }) }
    },
  )

  app.get(
    '/users/:user',
    { config: { permission: 'people.read' }, schema: { params: named, response: { 200: user } } },
    async ({ params }) => body(accountOf(directory, params.user)),
  )

  app.post(
    '/users',
    {
      config: { permission: 'people.write' },
      schema: { body: newUser, response: { 201: writtenUser } },
    },
    async (request, reply) => {
      const { address, name, addresses, delegated, quota } = request.body
      const secrets = await secretsOf(deps, request.body)
      const main = addressIn(directory, lower(address))
      const account: Account = {
        id: timedId(deps.clock.nowMs()) as AccountId,
        username: main.localpart,
        domain: main.domain,
        ...(name !== undefined && { name }),
        ...factsAfter({}, request.body),
        ...withRole(givenRole(request.body, 'user')),
        disabled: false,
        ...secrets,
        credentialVersion: 1,
        addresses: (addresses ?? []).map(addressOf),
        delegated: (delegated ?? []).map(addressOf),
        ...withQuota(undefined, quota),
      }
      const pending = await writeDirectory(deps, request, userTarget(deps, account.id), () =>
        ok([{ kind: 'put', row: { kind: 'account', account } }]),
      )
      return reply.code(201).send({ ...body(account), pending })
    },
  )

  app.patch(
    '/users/:user',
    {
      config: { permission: 'people.help' },
      schema: { params: named, body: userChange, response: { 200: writtenUser } },
    },
    async (request) => {
      const { disabled, ...more } = request.body
      // Suspending is all that a help desk may do here.
      if (Object.values(more).some((value) => value !== undefined)) need(request, 'people.write')
      const { addresses, delegated, name, quota, afterLeaving } = more
      const { id } = accountOf(directory, request.params.user)
      const pending = await changeAccount(
        deps,
        request,
        id,
        ({ quota: before, role, ...account }) => ({
          ...withoutFacts(withAfterLeaving(account, afterLeaving)),
          ...factsAfter(account, request.body),
          ...withRole(givenRole(more, roleOf({ admin: account.admin, ...(role && { role }) }))),
          ...withQuota(before, quota),
          ...(name !== undefined && { name }),
          ...(disabled !== undefined && { disabled }),
          ...(addresses !== undefined && { addresses: addresses.map(addressOf) }),
          ...(delegated !== undefined && { delegated: delegated.map(addressOf) }),
        }),
      )
      return { ...body(directory.account(id)!), pending }
    },
  )

  app.post(
    '/users/:user/password',
    {
      config: { permission: 'people.help' },
      schema: { params: named, body: passwordBody, response: { 200: done } },
    },
    async (request) => {
      const { id } = accountOf(directory, request.params.user)
      const secrets = await secretsOf(deps, request.body, directory.account(id))
      if (secrets === undefined) throw noPassword()
      const pending = await changeAccount(deps, request, id, (account) => {
        const { scram: _, ...rest } = account // keys of the old password would still let it in
        const credentialVersion = account.credentialVersion + 1
        // Where passwords of the source become ours, one that is set here is ours already.
        if (isToAdopt(account, (name) => directory.source(name)))
          return { ...adopt(rest, secrets), credentialVersion }
        return { ...rest, ...secrets, credentialVersion }
      })
      return { pending }
    },
  )
}

/** All of its row, and nothing else: the version is made of it. */
export function userBody(
  now: Directory,
  account: Account,
): Omit<UserBody, 'effectiveQuota' | 'state'> {
  const row = now.forward(account.id)
  return versioned({
    id: account.id,
    address: mainAddress(account),
    username: account.username,
    domain: account.domain,
    ...(account.name !== undefined && { name: account.name }),
    ...factsBody(account),
    admin: account.admin,
    role: roleOf(account),
    disabled: account.disabled,
    ...(account.credential !== undefined && {
      passwordScheme: schemeOf(account.credential),
      scram: account.scram !== undefined,
    }),
    ...(account.credential === undefined &&
      account.bind !== undefined && { passwordScheme: 'bind' }),
    ...(account.origins !== undefined && {
      sources: account.isGone === true ? [] : account.origins.map(({ source }) => source),
    }),
    addresses: account.addresses.map(formatAddress),
    delegated: account.delegated.map(formatAddress),
    ...(account.formerAddresses !== undefined && {
      formerAddresses: account.formerAddresses.map(({ address, ...until }) => ({
        address: formatAddress(address),
        ...until,
      })),
    }),
    ...(account.deletedAt !== undefined && { deletedAt: account.deletedAt }),
    ...(account.profile !== undefined && { profile: { ...account.profile } }),
    ...(account.afterLeaving !== undefined && {
      afterLeaving: {
        to: account.afterLeaving.to.map(formatAddress),
        until: account.afterLeaving.until,
      },
    }),
    ...(account.quota !== undefined && { quota: account.quota }),
    ...(row !== undefined && { forward: { to: row.to.map(formatAddress), keep: row.keep } }),
  })
}

function withAfterLeaving<T extends Pick<Account, 'afterLeaving'>>(
  account: T,
  change: { readonly to: readonly string[]; readonly until: string } | null | undefined,
): T {
  if (change === undefined) return account
  const { afterLeaving: _, ...rest } = account
  if (change === null) return rest as T
  return { ...account, afterLeaving: { to: change.to.map(addressOf), until: change.until } }
}

const factsBody = (account: Account) => {
  const { formerNames, tags, ...facts } = factsAfter(account)
  return {
    ...facts,
    ...(formerNames !== undefined && { formerNames: [...formerNames] }),
    ...(tags !== undefined && { tags: [...tags] }),
  }
}

export const userTarget = (deps: AdminDeps, id: AccountId): Target => ({
  key: `account:${id}`,
  name: nameOf(deps.directory.directory.account(id)),
  version: (now) => {
    const account = now.account(id)
    return account && userBody(now, account).version
  },
})

const nameOf = (account: Account | undefined): string =>
  account === undefined ? 'the account' : mainAddress(account)

/** Changes the row as it is when it is this write's turn, so that two changes at once both count. */
export const changeAccount = (
  deps: AdminDeps,
  request: FastifyRequest,
  id: AccountId,
  make: (account: Account) => Account,
) =>
  writeDirectory(deps, request, userTarget(deps, id), (now) => {
    const account = make(accountOf(now, id))
    keepAWayIn(request, now, id, account)
    return ok([{ kind: 'put', row: { kind: 'account', account } }])
  })

/** The password's octets; text is taken as UTF-8, exactly as it stands. */
function passwordOf(body: {
  readonly password?: string | undefined
  readonly passwordBase64?: string | undefined
  readonly passwordHash?: string | undefined
}): Octets | undefined {
  const { password, passwordBase64 } = body
  const octets =
    passwordBase64 !== undefined
      ? Buffer.from(passwordBase64, 'base64')
      : password === undefined
        ? undefined
        : fromUtf8(password)
  if (octets !== undefined && !isPassword(octets)) throw noPassword()
  return octets
}

/** A hash of ours and SCRAM keys of the password, or the hash that was brought in; undefined: neither was given. */
export async function secretsOf(
  deps: AdminDeps,
  body: Parameters<typeof passwordOf>[0],
  account?: Account,
): Promise<Pick<Account, 'credential' | 'scram'> | undefined> {
  const { passwordHash } = body
  const password = passwordOf(body)
  if (passwordHash === undefined) return password && ownSecrets(deps, password, account)
  if (password !== undefined)
    throw new ApiError('invalid', 'a password and a hash', 'Give one of the two.')
  if (!isKnownHash(passwordHash))
    throw new ApiError(
      'invalid',
      'this hash cannot be checked',
      'Known: {SSHA}, {SSHA256}, {SSHA512}, {CRYPT} with $1$, $5$, $6$ or $2b$, {PBKDF2}, {ARGON2}, argon2id.',
    )
  return { credential: passwordHash }
}

async function ownSecrets(
  { settings: { settings } }: AdminDeps,
  password: Octets,
  account: Account | undefined,
): Promise<Pick<Account, 'credential' | 'scram'>> {
  // On the salt of the programs' passwords, which could not log in by SCRAM otherwise.
  const { appPasswords = [] } = account ?? {}
  const basis = basisOf({ appPasswords }) ?? {
    iterations: settings['auth.scramIterations'],
    salt: undefined,
  }
  const scram = settings['auth.scram']
    ? await makeScramKeys(password, basis.iterations, basis.salt)
    : undefined
  return { credential: await hashPassword(password), ...(scram !== undefined && { scram }) }
}

const noPassword = (): ApiError =>
  new ApiError(
    'invalid',
    'this cannot be a password',
    'Give 1 to 1,000 octets without NUL, CR and LF.',
  )

/** `admin` takes an administrator's right away, and no other role. */
function givenRole(
  { admin, role }: { readonly admin?: boolean | undefined; readonly role?: Role | undefined },
  before: Role,
): Role {
  if (role !== undefined && admin !== undefined && (role === 'administrator') !== admin)
    throw new ApiError(
      'invalid',
      `admin: ${admin} and role: ${role} contradict one another`,
      'Give role alone.',
    )
  if (role !== undefined) return role
  if (admin === undefined) return before
  if (admin) return 'administrator'
  return before === 'administrator' ? 'user' : before
}

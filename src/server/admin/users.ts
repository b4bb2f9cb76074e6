import { z } from 'zod'
import { timedId } from '#base/id.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { done, page, pageQuery, passwordBody } from '#contract/admin/common.ts'
import {
  forward,
  newUser,
  user,
  userChange,
  userForward,
  writtenForward,
  writtenUser,
} from '#contract/admin/directory.ts'
import type { UserBody } from '#contract/admin/directory.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import { hashPassword, isKnownHash, isPassword, schemeOf } from '#store/directory/password.ts'
import { authorOf, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf, addressIn, addressOf, lower, mainAddress, pageOf } from './lookup.ts'

const named = z.object({ user: z.string() })
const userQuery = pageQuery.extend({ search: z.string().optional() })

export function userRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const body = (account: Account): UserBody => userBody(deps, account)
  const write = async (edits: DirectoryEdit[], request: Parameters<typeof authorOf>[0]) => {
    taken(await deps.directory.write(edits, authorOf(request)))
    return [...(await deps.hub.settled())]
  }

  app.get(
    '/users',
    { schema: { querystring: userQuery, response: { 200: page(user) } } },
    async ({ query }) => {
      const wanted = query.search === undefined ? undefined : lower(query.search)
      const found = directory
        .accounts()
        .filter(
          (account) =>
            wanted === undefined ||
            mainAddress(account).includes(wanted) ||
            lower(account.name ?? '').includes(wanted) ||
            account.addresses.some((address) => lower(formatAddress(address)).includes(wanted)),
        )
      const { items, ...next } = pageOf(found, mainAddress, query)
      return { items: items.map(body), ...next }
    },
  )

  app.get(
    '/users/:user',
    { schema: { params: named, response: { 200: user } } },
    async ({ params }) => body(accountOf(directory, params.user)),
  )

  app.post(
    '/users',
    { schema: { body: newUser, response: { 201: writtenUser } } },
    async (request, reply) => {
      const { address, name, admin, addresses, delegated } = request.body
      const credential = await credentialOf(request.body)
      const main = addressIn(directory, lower(address))
      const account: Account = {
        id: timedId(deps.clock.nowMs()) as AccountId,
        username: main.localpart,
        domain: main.domain,
        ...(name !== undefined && { name }),
        admin: admin ?? false,
        disabled: false,
        ...(credential !== undefined && { credential }),
        credentialVersion: 1,
        addresses: (addresses ?? []).map(addressOf),
        delegated: (delegated ?? []).map(addressOf),
      }
      const pending = await write([{ kind: 'put', row: { kind: 'account', account } }], request)
      return reply.code(201).send({ ...body(account), pending })
    },
  )

  app.patch(
    '/users/:user',
    { schema: { params: named, body: userChange, response: { 200: writtenUser } } },
    async (request) => {
      const { addresses, delegated, name, admin, disabled } = request.body
      const { id } = accountOf(directory, request.params.user)
      const pending = await change(deps, request, id, (account) => ({
        ...account,
        ...(name !== undefined && { name }),
        ...(admin !== undefined && { admin }),
        ...(disabled !== undefined && { disabled }),
        ...(addresses !== undefined && { addresses: addresses.map(addressOf) }),
        ...(delegated !== undefined && { delegated: delegated.map(addressOf) }),
      }))
      return { ...body(directory.account(id)!), pending }
    },
  )

  app.post(
    '/users/:user/password',
    { schema: { params: named, body: passwordBody, response: { 200: done } } },
    async (request) => {
      const { id } = accountOf(directory, request.params.user)
      const credential = await credentialOf(request.body)
      if (credential === undefined) throw noPassword()
      const pending = await change(deps, request, id, (account) => ({
        ...account,
        credential,
        credentialVersion: account.credentialVersion + 1,
      }))
      return { pending }
    },
  )

  app.delete(
    '/users/:user',
    { schema: { params: named, response: { 200: done } } },
    async (request) => {
      const { id } = accountOf(directory, request.params.user)
      const edits: DirectoryEdit[] = []
      if (directory.forward(id) !== undefined) edits.push({ kind: 'remove', key: `forward:${id}` })
      edits.push({ kind: 'remove', key: `account:${id}` })
      return { pending: await write(edits, request) }
    },
  )

  app.get(
    '/forwards',
    { schema: { querystring: pageQuery, response: { 200: page(userForward) } } },
    async ({ query }) => {
      const all = directory.forwards().flatMap(({ accountId, to, keep }) => {
        const account = directory.account(accountId)
        return account === undefined
          ? []
          : [{ user: mainAddress(account), to: to.map(formatAddress), keep }]
      })
      return pageOf(all, (item) => item.user, query)
    },
  )

  app.put(
    '/users/:user/forward',
    { schema: { params: named, body: forward, response: { 200: writtenForward } } },
    async (request) => {
      const account = accountOf(directory, request.params.user)
      const to = request.body.to.map((text) => addressIn(directory, text))
      const { keep } = request.body
      const row = { kind: 'forward', forward: { accountId: account.id, to, keep } } as const
      const pending = await write([{ kind: 'put', row }], request)
      return { user: mainAddress(account), to: to.map(formatAddress), keep, pending }
    },
  )

  app.delete(
    '/users/:user/forward',
    { schema: { params: named, response: { 200: done } } },
    async (request) => {
      const account = accountOf(directory, request.params.user)
      if (directory.forward(account.id) === undefined)
        throw new ApiError(
          'notFound',
          `${mainAddress(account)} is not forwarded`,
          'watari forward ls shows the forwards.',
        )
      return { pending: await write([{ kind: 'remove', key: `forward:${account.id}` }], request) }
    },
  )
}

function userBody(deps: AdminDeps, account: Account): UserBody {
  const row = deps.directory.directory.forward(account.id)
  return {
    id: account.id,
    address: mainAddress(account),
    username: account.username,
    domain: account.domain,
    ...(account.name !== undefined && { name: account.name }),
    admin: account.admin,
    disabled: account.disabled,
    ...(account.credential !== undefined && { passwordScheme: schemeOf(account.credential) }),
    addresses: account.addresses.map(formatAddress),
    delegated: account.delegated.map(formatAddress),
    ...(row !== undefined && { forward: { to: row.to.map(formatAddress), keep: row.keep } }),
  }
}

/** Changes the row as it is when it is this write's turn, so that two changes at once both count. */
async function change(
  deps: AdminDeps,
  request: Parameters<typeof authorOf>[0],
  id: AccountId,
  make: (account: Account) => Account,
) {
  taken(
    await deps.directory.update((now) => {
      const account = make(accountOf(now, id))
      return { ok: true, value: [{ kind: 'put', row: { kind: 'account', account } }] }
    }, authorOf(request)),
  )
  return [...(await deps.hub.settled())]
}

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

/** A hash of ours of the password, or the hash that was brought in; undefined: neither was given. */
async function credentialOf(body: Parameters<typeof passwordOf>[0]): Promise<string | undefined> {
  const { passwordHash } = body
  const password = passwordOf(body)
  if (passwordHash === undefined) return password === undefined ? undefined : hashPassword(password)
  if (password !== undefined)
    throw new ApiError('invalid', 'a password and a hash', 'Give one of the two.')
  if (!isKnownHash(passwordHash))
    throw new ApiError(
      'invalid',
      'this hash cannot be checked',
      'Known: {SSHA}, {SSHA256}, {SSHA512}, {CRYPT} with $1$, $5$, $6$ or $2b$, {PBKDF2}, {ARGON2}, argon2id.',
    )
  return passwordHash
}

const noPassword = (): ApiError =>
  new ApiError(
    'invalid',
    'this cannot be a password',
    'Give 1 to 1,000 octets without NUL, CR and LF.',
  )

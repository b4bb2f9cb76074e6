import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { explained } from '#contract/admin/sources.ts'
import { formatAddress } from '#model/address.ts'
import { isKept } from '#model/account-life.ts'
import type { Person } from '#model/person.ts'
import { schemeOf } from '#store/directory/password.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { addressIn, mainAddress } from './lookup.ts'

/** Who says what of an address, and who is believed. */
export function explainRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/directory/explain/:address',
    {
      config: { permission: 'people.read' },
      schema: { params: z.object({ address: z.string() }), response: { 200: explained } },
    },
    async ({ params }: FastifyRequest<{ Params: { address: string } }>) =>
      explain(deps, params.address),
  )
}

function explain(deps: AdminDeps, text: string): z.infer<typeof explained> {
  const { directory } = deps.directory
  const address = addressIn(directory, text)
  const former = directory.byFormerAddress(address)
  const isFormer = former !== undefined && isKept(former.former, directory.moment)
  const account = directory.byAddress(address) ?? (isFormer ? former.account : undefined)
  if (account === undefined)
    return {
      address: formatAddress(address),
      isOwn: false,
      disabled: false,
      password: 'nobody',
      origins: [],
      rows: [],
    }
  const readings = deps.sources?.readings() ?? []
  const origins = ((account.isGone !== true && account.origins) || []).map(
    ({ source: name, key, dn }) => ({
      source: name,
      dn,
      person: readings.find((reading) => reading.source.name === name)?.people.get(key)?.person,
    }),
  )
  const isOwn = account.isOwn === true || account.origins === undefined
  const by = (said: (person: Person) => boolean): string =>
    origins.find(({ person }) => person !== undefined && said(person))?.source ?? 'here'
  const { credential, bind } = account
  const password =
    credential !== undefined
      ? `a hash (${schemeOf(credential)})`
      : bind === undefined
        ? 'nobody'
        : `a bind to ${bind.source} as ${bind.dn}`
  return {
    address: formatAddress(address),
    id: account.id,
    account: mainAddress(account),
    isOwn,
    disabled: account.disabled,
    password,
    origins: origins.map(({ source: name, dn, person }) => ({
      source: name,
      dn,
      ...(person?.name !== undefined && { name: person.name }),
      addresses: [...(person?.addresses ?? [])],
      ...(person?.disabled !== undefined && { disabled: person.disabled }),
    })),
    rows: [
      ...(account.name === undefined
        ? []
        : [{ what: 'name', value: account.name, by: by(({ name }) => name === account.name) }]),
      ...account.addresses.map((each) => ({
        what: 'address',
        value: formatAddress(each),
        by: by(({ addresses }) => addresses.includes(formatAddress(each))),
      })),
      ...(account.formerAddresses ?? []).map(({ address: each, keptUntil }) => ({
        what: 'former address',
        value: `${formatAddress(each)} (until ${keptUntil.slice(0, 10)})`,
        by: 'here',
      })),
    ],
  }
}

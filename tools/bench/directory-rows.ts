import type { Account, AccountId } from '#model/account.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'

export const DOMAIN = 'campus.example'
const DEPARTMENTS = 100
const FAMILY = ['渡辺', '佐藤', '髙橋', '山﨑', '齋藤', '伊藤', '中村', '小林', '加藤', '吉田']
const GIVEN = ['花子', '太郎', 'さくら', '蓮', '結衣', '大翔', '陽菜', '悠真', '美咲', '翔太']

/** A directory of a university: how many accounts, and what they bring with them. */
export interface RowCounts {
  readonly accounts: number
  readonly aliases: number
  readonly groups: number
  readonly forwards: number
}

/** 200,000 accounts have 500,000 addresses: their own, another one each, and aliases. */
export const countsOf = (accounts: number): RowCounts => ({
  accounts,
  aliases: Math.floor(accounts / 2),
  groups: Math.floor(accounts / 100),
  forwards: Math.floor(accounts / 40),
})

export const further = (i: number): Address => ({
  localpart: `hanako.watanabe.${i}`,
  domain: DOMAIN,
})

export const aliasOf = (i: number): Address => ({ localpart: `受付.${i}`, domain: DOMAIN })

export const department = (i: number): string => `dept${i % DEPARTMENTS}.${DOMAIN}`

const accountRow = (i: number): DirectoryRow => {
  const name = `${FAMILY[i % FAMILY.length]} ${GIVEN[(i >> 3) % GIVEN.length]}`
  const account: Account = {
    id: `bench-0193a1b2c3d4-${i}` as AccountId,
    username: `u${i}`,
    domain: i % 3 === 0 ? department(2 * i) : DOMAIN,
    name,
    admin: false,
    disabled: false,
    credential: `$argon2id$v=19$m=19456,t=2,p=1$${'s'.repeat(22)}$${'h'.repeat(43)}`,
    // Those who have changed their password here.
    ...(i % 2 === 0 && {
      scram: `SCRAM-SHA-256$65536:${'s'.repeat(24)}$${'k'.repeat(44)}:${'v'.repeat(44)}`,
    }),
    credentialVersion: 1,
    addresses: [further(i)],
    delegated: [],
  }
  return { kind: 'account', account }
}

/** Departments are sub-domains, half of them converted to the university's; then people, aliases, groups, forwards. */
export function* directoryRows(counts: RowCounts): Generator<DirectoryRow> {
  const { accounts, aliases, groups, forwards } = counts
  for (let i = 0; i < DEPARTMENTS; i++) {
    const convertTo = i % 2 === 0 ? {} : { convertTo: DOMAIN }
    yield { kind: 'domain', domain: { name: department(i), ...convertTo } }
  }
  for (let i = 0; i < accounts; i++) yield accountRow(i)
  for (let i = 0; i < aliases; i++)
    yield { kind: 'alias', alias: { from: aliasOf(i), to: [further((i * 7) % accounts)] } }
  for (let i = 0; i < groups; i++) {
    const to = Array.from({ length: 30 }, (_, member) => further((i * 30 + member) % accounts))
    yield { kind: 'alias', alias: { from: { localpart: `group${i}`, domain: DOMAIN }, to } }
  }
  for (let i = 0; i < forwards; i++) {
    const accountId = `bench-0193a1b2c3d4-${i * 40 + 1}` as AccountId
    const to = [{ localpart: `u${i}`, domain: 'else.example' }]
    yield { kind: 'forward', forward: { accountId, to, keep: true } }
  }
}

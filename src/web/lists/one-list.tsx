import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { ListBody } from '#contract/admin/lists.ts'
import { useAddress } from '#web/parts/address.ts'
import { ApiFailure, ask, part } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { Link } from '#web/parts/link.tsx'
import { NotFound } from '#web/parts/not-found.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

import { Members } from './members.tsx'
import { pathOf } from './my-lists.tsx'
import { Post } from './post.tsx'
import { Posts } from './posts.tsx'
import { Recipients } from './recipients.tsx'
import { Rules } from './rules.tsx'
import { useRights } from './session.ts'
import { Waiting } from './waiting.tsx'

/** One list: who is in it, what waits, what was posted, and its rules. */
export function OneList(props: { readonly address: string; readonly number?: string }): ReactNode {
  const { t } = useWords()
  const { address, number } = props
  const { query } = useAddress()
  const found = useQuery({
    queryKey: [`/lists/${part(address)}`],
    queryFn: () => ask<ListBody>('GET', `/lists/${part(address)}`, { background: true }),
  })
  const list = found.data
  const { mayChange, mayDecide, mayLook } = useRights(list)
  const tabs = [
    ...(mayLook ? ['members'] : []),
    ...(mayDecide ? ['waiting'] : []),
    'posts',
    ...(mayLook ? ['recipients'] : []),
    ...(mayChange ? ['rules'] : []),
  ]
  const tab =
    number === undefined ? (tabs.find((each) => each === query.get('tab')) ?? tabs[0]!) : 'posts'
  // Whether there is none or it is not theirs to see: people hear the same.
  if (found.error instanceof ApiFailure && [403, 404].includes(found.error.status))
    return <NotFound back="/lists" />
  if (list === undefined)
    return found.error === null ? (
      <p className="faint">{t('loading')}</p>
    ) : (
      <Trouble error={found.error} retry={() => void found.refetch()} />
    )
  const path = pathOf(list.address)
  return (
    <div className="page-full">
      <title>{`${list.name ?? list.address} · Watari`}</title>
      <p className="crumb">
        <Link to="/lists">{t('lists.title')}</Link>
      </p>
      <h1>{list.name ?? list.address}</h1>
      <p className="list-address">
        {list.address}
        {list.closed && ` · ${t('lists.closed')}`}
      </p>
      <nav className="tabs" aria-label={list.name ?? list.address}>
        {tabs.map((each, index) => (
          <Link
            key={each}
            to={`${path}${index === 0 ? '' : `?tab=${each}`}`}
            current={each === tab}
          >
            {t(`list.${each}`)}
          </Link>
        ))}
      </nav>
      {number === undefined ? (
        <Room tab={tab} list={list} mayChange={mayChange} />
      ) : (
        <Post list={list} number={number} mayChange={mayChange} mayDecide={mayDecide} />
      )}
    </div>
  )
}

function Room(props: {
  readonly tab: string
  readonly list: ListBody
  readonly mayChange: boolean
}): ReactNode {
  const { tab, list, mayChange } = props
  switch (tab) {
    case 'waiting':
      return <Waiting list={list} />
    case 'posts':
      return <Posts list={list} />
    case 'recipients':
      return <Recipients list={list} />
    case 'rules':
      return <Rules key={list.version} list={list} />
    default:
      return <Members list={list} mayChange={mayChange} />
  }
}

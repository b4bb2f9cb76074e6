import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { HomeBody, HomeServersBody } from '#contract/admin/home.ts'
import { ask } from '#web/parts/api.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'
import { dateText, lengthText, numberText } from '#web/parts/times.ts'
import { Trouble } from '#web/parts/trouble.tsx'

import { useAct } from './acts.ts'
import { Confirm } from './confirm.tsx'
import { May } from './may.tsx'

const PATH = '/directory/home'
const LIVE_MS = 5_000
/** Of changes that are not taken so many are shown. */
const SHOWN = 100

type LdapHome = HomeBody & { readonly state: NonNullable<HomeBody['state']> }

const KINDS: Readonly<Record<LdapHome['state'], MarkKind>> = {
  copying: 'plain',
  starting: 'plain',
  well: 'good',
  replica: 'warn',
  held: 'warn',
  away: 'bad',
}

/** Where the rows of the directory lie, how its servers are, and how they are moved. */
export function Home(): ReactNode {
  const { t } = useWords()
  const found = useQuery({
    queryKey: [PATH],
    queryFn: ({ signal }) => ask<HomeBody>('GET', PATH, { signal, background: true }),
    refetchInterval: LIVE_MS,
  })
  const home = found.data
  return (
    <>
      <p className="faint">{t('home.hint')}</p>
      {found.error !== null && <Trouble error={found.error} />}
      {home?.kind === 'embedded' && <Embedded error={home.error} />}
      {home?.state !== undefined && <OnLdap home={{ ...home, state: home.state }} />}
    </>
  )
}

const PROVISION = `printf %s "$SERVICE" | npx watari directory provision \\
  --provider ldap1.campus.example --replica ldap2.campus.example \\
  --password-stdin --admin cn=admin,cn=config --admin-password-file config.pw`
const MOVE = `printf %s "$SERVICE" | npx watari directory home ldap \\
  --url ldaps://ldap1.campus.example --replica ldaps://ldap2.campus.example --password-stdin`

function Embedded({ error }: { readonly error: string | undefined }): ReactNode {
  const { t } = useWords()
  return (
    <>
      <p>
        <Mark kind="good">{t('home.embedded')}</Mark> {t('home.embeddedMeans')}
      </p>
      {error !== undefined && (
        <p className="said-no">
          {t('home.notMoved')} <span lang="en">{error}</span>
        </p>
      )}
      <h2>{t('home.how')}</h2>
      <ol className="steps">
        <li>
          {t('home.howFirst')}
          <pre className="code token">{PROVISION}</pre>
        </li>
        <li>
          {t('home.howMove')}
          <pre className="code token">{MOVE}</pre>
        </li>
      </ol>
      <p className="faint">{t('home.howBack')}</p>
    </>
  )
}

function OnLdap({ home }: { readonly home: LdapHome }): ReactNode {
  const { t, language } = useWords()
  const { state, error, notes = [], copied = 0 } = home
  const timeOf = (iso: string | undefined): string =>
    iso === undefined ? t('home.none') : dateText(language, iso)
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('home.base'), <span className="code">{home.base}</span>],
    [t('home.since'), t('home.sinceBy', { date: timeOf(home.since), who: home.by ?? '' })],
    [t('home.wrote'), timeOf(home.wroteAt)],
    [t('home.news'), timeOf(home.newsAt)],
    [t('home.waiting'), numberText(language, home.waiting ?? 0)],
    ...(home.scripts === undefined
      ? []
      : [[t('home.scripts'), <Scripts scripts={home.scripts} />] as const]),
  ]
  return (
    <>
      <p>
        <Mark kind={KINDS[state]}>{t(`home.${state}`)}</Mark>{' '}
        {t(`home.${state}Means`, { number: numberText(language, copied) })}
      </p>
      {error !== undefined && (
        <p className="said-no" lang="en">
          {error}
        </p>
      )}
      {state !== 'copying' && (
        <May do="roles.write">
          <Acts home={home} />
        </May>
      )}
      <dl className="facts">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Servers />
      {notes.length > 0 && (
        <section>
          <h2>{t('home.notTaken', { count: notes.length })}</h2>
          <ul className="outcomes">
            {notes.slice(0, SHOWN).map(({ key, text }) => (
              <li key={key}>
                <div lang="en">{text}</div>
                <div className="faint code">{key}</div>
              </li>
            ))}
          </ul>
          {notes.length > SHOWN && (
            <p className="faint">
              {t('source.moreNotes', { number: numberText(language, notes.length - SHOWN) })}
            </p>
          )}
        </section>
      )}
    </>
  )
}

/** Users' scripts, which go there by the store. */
function Scripts({ scripts }: { readonly scripts: NonNullable<HomeBody['scripts']> }): ReactNode {
  const { t } = useWords()
  const { state, waiting, error } = scripts
  return (
    <>
      {t(`home.${state}`)}
      {waiting > 0 && ` (${t('home.scriptsWait', { count: waiting })})`}
      {error !== undefined && (
        <div className="said-no" lang="en">
          {error}
        </div>
      )}
    </>
  )
}

/** The provider and each replica, and how far behind it is. */
function Servers(): ReactNode {
  const { t, language } = useWords()
  const path = `${PATH}/servers`
  const found = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => ask<HomeServersBody>('GET', path, { signal, background: true }),
    refetchInterval: LIVE_MS,
  })
  return (
    <section>
      <h2>{t('home.servers')}</h2>
      <ul className="outcomes">
        {(found.data?.servers ?? []).map((server) => (
          <li key={server.url}>
            <Mark kind={server.state === 'well' ? 'good' : 'bad'}>
              {t(`source.${server.state}`)}
            </Mark>{' '}
            <span className="code">{server.url}</span>{' '}
            {t(server.part === 'provider' ? 'home.provider' : 'home.replicaServer')}{' '}
            {server.followed && <Mark kind="plain">{t('home.follows')}</Mark>}{' '}
            {server.lagSeconds !== undefined &&
              (server.lagSeconds === 0 ? (
                <Mark kind="plain">{t('home.upToDate')}</Mark>
              ) : (
                <Mark kind="warn">
                  {t('home.lag', { time: lengthText(language, server.lagSeconds * 1_000) })}
                </Mark>
              ))}
            {server.contextCsn !== undefined && (
              <div className="faint">
                {t('home.csn')} <span className="code">{server.contextCsn}</span>
              </div>
            )}
            {server.error !== undefined && (
              <div className="faint" lang="en">
                {server.error}
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Acts({ home }: { readonly home: LdapHome }): ReactNode {
  const { t } = useWords()
  const act = useAct(PATH, '/users')
  const [isLeaving, setLeaving] = useState(false)
  const { base = '', notes = [], waiting = 0 } = home
  const accept = (): Promise<boolean> =>
    act({ work: () => ask('POST', `${PATH}/accept`), text: t('home.accepted') })
  const leave = async (): Promise<void> => {
    await act({ work: () => ask('DELETE', PATH), text: t('home.left') })
    setLeaving(false)
  }
  return (
    <div className="acts">
      {home.state === 'held' && (
        <Button color="red.9" size="compact-sm" onClick={() => void accept()}>
          {t('home.accept')}
        </Button>
      )}
      <Button variant="default" size="compact-sm" onClick={() => setLeaving(true)}>
        {t('home.leave')}
      </Button>
      {isLeaving && (
        <Confirm
          title={t('home.leave')}
          text={t('home.leaveText', { count: notes.length + waiting })}
          ask={t('home.leaveAsk', { base })}
          word={base}
          action={t('home.leave')}
          onConfirm={() => void leave()}
          onClose={() => setLeaving(false)}
        />
      )}
    </div>
  )
}

import { silentLog } from '#base/log.ts'
import { Quotas } from '#engine/deliver/quotas.ts'
import { NO_QUOTA } from '#model/quota.ts'
import type { Quota, QuotaRule } from '#model/quota.ts'
import { fakeAccount } from './directory.ts'
import type { FakeMailboxStore } from './mailbox-store.ts'

export type Limits = Quota & Pick<QuotaRule, 'mailboxes'>

/** One quota for whoever asks. */
export const fakeQuotas = (store: FakeMailboxStore, quota: () => Limits = () => NO_QUOTA): Quotas =>
  new Quotas({
    mailboxes: store,
    directory: { account: () => fakeAccount('hanako@campus.example'), domain: () => undefined },
    defaults: () => ({ ...quota(), warnPercent: 90 }),
    newId: () => 'N1',
    events: { emit: () => undefined },
    clock: store.clock,
    log: silentLog,
  })

import { z } from 'zod'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { FOREIGN_MEMBERS_MAX } from '#model/foreign-list.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { subjectTag } from './mailman2.ts'

const MEMBER = z.object({
  email: z.string(),
  display_name: z.string().optional(),
  delivery_mode: z.string().optional(),
  moderation_action: z.string().nullish(),
})

/** One page of a roster, as `GET /3.1/lists/ID/roster/member?count=…` answers. */
export const MAILMAN3_PAGE = z.object({
  total_size: z.number(),
  entries: z.array(MEMBER).default([]),
})
export type Mailman3Member = z.infer<typeof MEMBER>

/** One page of `GET /3.1/lists`. */
export const MAILMAN3_LISTS = z.object({
  total_size: z.number(),
  entries: z.array(z.object({ list_id: z.string(), fqdn_listname: z.string() })).default([]),
})

const CONFIG = z.object({
  fqdn_listname: z.string(),
  display_name: z.string().default(''),
  description: z.string().default(''),
  info: z.string().default(''),
  subject_prefix: z.string().default(''),
  post_id: z.number().default(1),
  default_member_action: z.string().default('defer'),
  default_nonmember_action: z.string().default('hold'),
  subscription_policy: z.string().default('confirm'),
  reply_goes_to_list: z.string().default('no_munging'),
  archive_policy: z.string().default('public'),
  digests_enabled: z.boolean().default(true),
  max_message_size: z.number().default(0),
  preferred_language: z.string().default('en'),
  emergency: z.boolean().default(false),
  accept_these_nonmembers: z.array(z.string()).default([]),
})

/** A list of Mailman 3 by what its REST API says of it: `…/config` and its three rosters. */
export function listOfMailman3(answers: {
  readonly config: unknown
  readonly members: readonly Mailman3Member[]
  readonly owners: readonly Mailman3Member[]
  readonly moderators: readonly Mailman3Member[]
}): Outcome<ForeignList, string> {
  const parsed = CONFIG.safeParse(answers.config)
  if (!parsed.success) return err(`it is no list of Mailman 3: ${z.prettifyError(parsed.error)}`)
  if (answers.members.length > FOREIGN_MEMBERS_MAX)
    return err(`the list has more than ${FOREIGN_MEMBERS_MAX} members`)
  const config = parsed.data
  const tag = subjectTag(config.subject_prefix)
  const name = config.description || config.display_name
  const accepted = config.accept_these_nonmembers.length
  return ok({
    address: config.fqdn_listname.toLowerCase(),
    ...(name !== '' && { name }),
    ...(config.info !== '' && { description: config.info }),
    owners: answers.owners.map(({ email }) => email),
    moderators: answers.moderators.map(({ email }) => email),
    members: answers.members.map(memberOf),
    posting: postingOf(config),
    others: /^(?:reject|discard)$/u.test(config.default_nonmember_action) ? 'refuse' : 'hold',
    subscription:
      ({ open: 'open', confirm: 'confirm', moderate: 'approve' } as const)[
        config.subscription_policy as 'open'
      ] ?? 'approve',
    ...(tag !== undefined && { subjectTag: tag }),
    replyTo: config.reply_goes_to_list === 'point_to_list' ? 'list' : 'author',
    archive:
      ({ never: 'none', private: 'members', public: 'public' } as const)[
        config.archive_policy as 'never'
      ] ?? 'members',
    ...(config.digests_enabled && { digest: 'day' as const }),
    ...(config.max_message_size > 0 && { sizeMaxBytes: config.max_message_size * 1024 }),
    language: config.preferred_language === 'ja' ? 'ja' : 'en',
    nextNumber: Math.max(1, config.post_id),
    left:
      accepted === 0 ? [] : [`accept_these_nonmembers: ${accepted} may post without being members`],
  })
}

function postingOf(config: z.infer<typeof CONFIG>): NonNullable<ForeignList['posting']> {
  if (config.emergency || config.default_member_action === 'hold') return 'moderated'
  if (/^(?:reject|discard)$/u.test(config.default_member_action)) return 'announce'
  return /^(?:accept|defer)$/u.test(config.default_nonmember_action) ? 'anyone' : 'members'
}

function memberOf(member: Mailman3Member): ForeignMember {
  const { email, display_name: name = '', delivery_mode: mode = 'regular' } = member
  return {
    address: email,
    ...(name !== '' && { name }),
    delivery: /digest/u.test(mode) ? 'digest' : 'each',
    ...(member.moderation_action === 'hold' && { isModerated: true as const }),
  }
}

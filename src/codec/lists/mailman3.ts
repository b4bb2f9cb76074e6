import { z } from 'zod'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { FOREIGN_MEMBERS_MAX } from '#model/foreign-list.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { subjectTag } from './mailman2.ts'

const MEMBER = z.object({
  email: z.string(),
  member_id: z.string().optional(),
  display_name: z.string().optional(),
  delivery_mode: z.string().optional(),
  moderation_action: z.string().nullish(),
})

/** `GET /3.1/members/ID/all/preferences`: a roster does not say who gets no posts. */
export const MAILMAN3_PREFERENCES = z.object({ delivery_status: z.string().optional() })

/** `GET /3.1/lists/ID/bans`, and `…/held`: how many there are. */
export const MAILMAN3_COUNT = z.object({ total_size: z.number() })

/** One page of a roster, as `GET /3.1/lists/ID/roster/member?count=…` answers. */
export const MAILMAN3_PAGE = z.object({
  total_size: z.number(),
  entries: z.array(MEMBER).default([]),
})
/** A member, with `delivery_status` of its preferences: `enabled`, or why nothing is sent (`by_user` …). */
export type Mailman3Member = z.infer<typeof MEMBER> & { readonly delivery_status?: string }

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
  unsubscription_policy: z.string().default('confirm'),
  member_roster_visibility: z.string().default('moderators'),
  emergency: z.boolean().default(false),
  acceptable_aliases: z.array(z.string()).default([]),
  accept_these_nonmembers: z.array(z.string()).default([]),
})

/** A list of Mailman 3 by what its REST API says of it: `…/config` its four rosters, and two counts. */
export function listOfMailman3(answers: {
  readonly config: unknown
  readonly members: readonly Mailman3Member[]
  readonly owners: readonly Mailman3Member[]
  readonly moderators: readonly Mailman3Member[]
  /** People of whom it has a rule though they are no members. */
  readonly others?: readonly Mailman3Member[]
  readonly bans?: number
  readonly held?: number
}): Outcome<ForeignList, string> {
  const parsed = CONFIG.safeParse(answers.config)
  if (!parsed.success) return err(`it is no list of Mailman 3: ${z.prettifyError(parsed.error)}`)
  if (answers.members.length > FOREIGN_MEMBERS_MAX)
    return err(`the list has more than ${FOREIGN_MEMBERS_MAX} members`)
  const config = parsed.data
  const tag = subjectTag(config.subject_prefix)
  const name = config.description || config.display_name
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
    ...(/moderate/u.test(config.unsubscription_policy) && { leaving: 'owners' as const }),
    roster: /^(?:members|public)$/u.test(config.member_roster_visibility) ? 'members' : 'owners',
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
    left: leftOf(config, answers),
  })
}

function leftOf(
  config: z.infer<typeof CONFIG>,
  answers: {
    readonly others?: readonly Mailman3Member[]
    readonly bans?: number
    readonly held?: number
  },
): string[] {
  const { others = [], bans = 0, held = 0 } = answers
  const accepted =
    config.accept_these_nonmembers.length +
    others.filter((each) => each.moderation_action === 'accept').length
  const aliases = config.acceptable_aliases
  return [
    ...(accepted > 0
      ? [`accept_these_nonmembers: ${accepted} may post without being members`]
      : []),
    ...(aliases.length > 0
      ? [`acceptable_aliases: ${aliases.join(', ')}: what leads to the list is an alias here`]
      : []),
    ...(bans > 0 ? [`bans: ${bans} may not subscribe`] : []),
    ...(held > 0 ? [`held: ${held} posts wait for a moderator there`] : []),
  ]
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
    delivery: isSent(member) ? (/digest/u.test(mode) ? 'digest' : 'each') : 'none',
    ...(member.moderation_action === 'hold' && { isModerated: true as const }),
  }
}

const isSent = ({ delivery_status: status = 'enabled' }: Mailman3Member): boolean =>
  status === 'enabled' || status === 'unknown'

import type { Attribute, ResourceSchema, Schema } from './schema.ts'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const ENTERPRISE_USER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
/** Ours; of the form that Entra ID takes for extensions. */
export const WATARI_USER = 'urn:ietf:params:scim:schemas:extension:watari:2.0:User'

const text = (name: string, description: string, more: Partial<Attribute> = {}): Attribute => ({
  name,
  type: 'string',
  description,
  ...more,
})
const readOnly = { mutability: 'readOnly' } as const

const CORE: Schema = {
  id: USER,
  name: 'User',
  description: 'An account',
  attributes: [
    text('userName', 'Its address; a bare name is one of the default domain.', {
      required: true,
      uniqueness: 'server',
    }),
    {
      name: 'name',
      type: 'complex',
      description: 'The name of the person.',
      subAttributes: [
        text('formatted', 'The whole name; the same as displayName.'),
        text('familyName', 'The family name.'),
        text('givenName', 'The given name.'),
      ],
    },
    text('displayName', 'The whole name, as mail shows it.'),
    text('title', 'Title or office.'),
    text('preferredLanguage', 'As in Accept-Language: ja.'),
    { name: 'active', type: 'boolean', description: 'Whether it lets anybody in.' },
    text('password', '1 to 1,000 octets in UTF-8, without NUL, CR and LF.', {
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
    }),
    {
      name: 'emails',
      type: 'complex',
      multiValued: true,
      description: 'Its addresses, all in domains of this installation; userName is always one.',
      subAttributes: [
        text('value', 'The address.'),
        text('display', 'The address.', readOnly),
        text('type', 'work: the primary one.', { canonicalValues: ['work', 'other'] }),
        { name: 'primary', type: 'boolean', description: 'One of them is.' },
      ],
    },
    {
      name: 'groups',
      type: 'complex',
      multiValued: true,
      ...readOnly,
      description: 'Groups that it is a member of; they are changed at the group.',
      subAttributes: [
        text('value', 'The id of the group.', { caseExact: true, ...readOnly }),
        {
          name: '$ref',
          type: 'reference',
          caseExact: true,
          referenceTypes: ['Group'],
          ...readOnly,
          description: 'Where the group is.',
        },
        text('display', 'Its name.', readOnly),
        text('type', 'direct: nested ones are not told.', readOnly),
      ],
    },
    {
      name: 'roles',
      type: 'complex',
      multiValued: true,
      ...readOnly,
      description: 'What it may do here beside its own mail; that is given here and nowhere else.',
      subAttributes: [text('value', 'The role.', readOnly)],
    },
  ],
}

const ENTERPRISE: Schema = {
  id: ENTERPRISE_USER,
  name: 'EnterpriseUser',
  description: 'What an organisation says of a person',
  attributes: [
    text('employeeNumber', 'The number of the person.'),
    text('costCenter', 'The cost centre.'),
    text('organization', 'The organisation.'),
    text('division', 'The division.'),
    text('department', 'The department.'),
    {
      name: 'manager',
      type: 'complex',
      description: 'Whom the person reports to.',
      subAttributes: [
        text('value', 'The id of the manager.', { caseExact: true }),
        {
          name: '$ref',
          type: 'reference',
          caseExact: true,
          referenceTypes: ['User'],
          ...readOnly,
          description: 'Where the manager is.',
        },
        text('displayName', 'The name of the manager.', readOnly),
      ],
    },
  ],
}

const WATARI: Schema = {
  id: WATARI_USER,
  name: 'WatariUser',
  description: 'What a mail platform says of an account',
  attributes: [
    {
      name: 'quotaBytes',
      type: 'integer',
      description: 'What it may hold; 0: no limit; absent: as its domain says.',
    },
    { name: 'quotaMessages', type: 'integer', description: 'Likewise.' },
    text('forwardTo', 'Addresses that its mail goes on to.', { multiValued: true }),
    {
      name: 'forwardKeep',
      type: 'boolean',
      description: 'Whether what goes on stays here, too; absent: it does.',
    },
    text('delegated', 'Addresses that it may also send under.', { multiValued: true }),
    text('reading', 'How the name is said: やまだ はなこ.'),
    text('formerNames', 'Names borne before, to be found by.', { multiValued: true }),
    text('tags', 'Cohort, faculty, office: 2027入学, 法学部.', { multiValued: true }),
    text('startsOn', 'The first day of use: 2027-04-01.'),
    text('expiresOn', 'The last day of use: 2031-03-31.'),
    text('sources', 'Other directories that say what it is; what they say is changed there.', {
      multiValued: true,
      ...readOnly,
    }),
    text('passwordHash', 'Instead of a password: {SSHA}, {CRYPT}, {PBKDF2}, argon2id …', {
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
    }),
  ],
}

/** RFC 7643 §4.1: identity providers send them without being asked, and no mail depends on them. */
const UNKEPT = `nickName profileUrl userType locale timezone phoneNumbers ims photos addresses
  entitlements x509Certificates`

export const USER_SCHEMA: ResourceSchema = {
  core: CORE,
  extensions: [ENTERPRISE, WATARI],
  unkept: new Set(UNKEPT.toLowerCase().split(/\s+/)),
}

import type { ResourceSchema, Schema } from './schema.ts'

export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const WATARI_GROUP = 'urn:ietf:params:scim:schemas:extension:watari:2.0:Group'

const CORE: Schema = {
  id: GROUP,
  name: 'Group',
  description: 'An address that leads to the mailboxes of its members',
  attributes: [
    {
      name: 'displayName',
      type: 'string',
      required: true,
      description: 'Its name.',
    },
    {
      name: 'members',
      type: 'complex',
      multiValued: true,
      description: 'Accounts and groups here; outside addresses are of the extension.',
      subAttributes: [
        {
          name: 'value',
          type: 'string',
          caseExact: true,
          mutability: 'immutable',
          description: 'The id of the account or the group.',
        },
        {
          name: '$ref',
          type: 'reference',
          caseExact: true,
          mutability: 'readOnly',
          referenceTypes: ['User', 'Group'],
          description: 'Where it is.',
        },
        {
          name: 'type',
          type: 'string',
          mutability: 'immutable',
          canonicalValues: ['User', 'Group'],
          description: 'What it is.',
        },
        {
          name: 'display',
          type: 'string',
          mutability: 'readOnly',
          description: 'Its name.',
        },
      ],
    },
  ],
}

const WATARI: Schema = {
  id: WATARI_GROUP,
  name: 'WatariGroup',
  description: 'What a mail platform says of a group',
  attributes: [
    {
      name: 'address',
      type: 'string',
      uniqueness: 'server',
      description: 'Its address; absent when it is made: displayName, where that can be one.',
    },
    {
      name: 'outsideMembers',
      type: 'string',
      multiValued: true,
      description: 'Addresses that are no account and no group here.',
    },
  ],
}

export const GROUP_SCHEMA: ResourceSchema = {
  core: CORE,
  extensions: [WATARI],
  unkept: new Set(),
}

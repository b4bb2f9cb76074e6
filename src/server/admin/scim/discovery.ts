import { GROUP_SCHEMA } from '#codec/scim/group-schema.ts'
import { describe } from '#codec/scim/schema.ts'
import type { ResourceSchema } from '#codec/scim/schema.ts'
import { USER_SCHEMA } from '#codec/scim/user-schema.ts'
import { BULK_OPERATIONS_MAX } from './bulk.ts'
import { COUNT_MAX } from './query.ts'

export const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024

/** What this service provider can do (RFC 7643 §5). */
export const providerConfig = (base: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: {
    supported: true,
    maxOperations: BULK_OPERATIONS_MAX,
    maxPayloadSize: PAYLOAD_BYTES_MAX,
  },
  filter: { supported: true, maxResults: COUNT_MAX },
  changePassword: { supported: true },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of this installation, of a role that may change people',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
})

const TYPES = [
  { id: 'User', endpoint: '/Users', description: 'Accounts', schema: USER_SCHEMA },
  { id: 'Group', endpoint: '/Groups', description: 'Addresses with members', schema: GROUP_SCHEMA },
] as const

export const resourceTypes = (base: string): readonly { readonly id: string }[] =>
  TYPES.map(({ id, endpoint, description, schema }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id,
    name: id,
    endpoint,
    description,
    schema: schema.core.id,
    schemaExtensions: schema.extensions.map((each) => ({ schema: each.id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${id}` },
  }))

export const schemas = (base: string): readonly { readonly id: string }[] =>
  TYPES.flatMap(({ schema }: { readonly schema: ResourceSchema }) => [
    schema.core,
    ...schema.extensions,
  ]).map((schema) => ({
    ...describe(schema),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema.id}` },
  }))

/** Why a request cannot be carried out, in SCIM's own words (RFC 7644 §3.12 table 9). */
export interface ScimProblem {
  readonly scimType:
    | 'invalidFilter'
    | 'tooMany'
    | 'uniqueness'
    | 'mutability'
    | 'invalidSyntax'
    | 'invalidPath'
    | 'noTarget'
    | 'invalidValue'
  readonly detail: string
}

/** How a problem comes out of the depth of a reading; each reader of this folder ends it as an outcome. */
export class Refused extends Error implements ScimProblem {
  readonly scimType: ScimProblem['scimType']
  readonly detail: string
  constructor(scimType: ScimProblem['scimType'], detail: string) {
    super(detail)
    this.scimType = scimType
    this.detail = detail
  }
}

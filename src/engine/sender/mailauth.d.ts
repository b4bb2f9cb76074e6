/** The part of mailauth that we use; the package has no types of its own. */
declare module 'mailauth' {
  interface Status {
    readonly result: string
  }
  export interface AuthenticateResult {
    readonly spf?: { readonly status: Status; readonly domain?: string } | false
    readonly dkim?: {
      readonly results?: readonly {
        readonly status: Status
        readonly signingDomain?: string
        readonly selector?: string
      }[]
    }
    readonly dmarc?: { readonly status: Status; readonly domain?: string } | false
  }
  export function dkimSign(
    message: Buffer,
    options: {
      readonly canonicalization: string
      readonly signatureData: readonly {
        readonly signingDomain: string
        readonly selector: string
        readonly privateKey: string
      }[]
    },
  ): Promise<{ readonly signatures: string; readonly errors: readonly unknown[] }>
  export function authenticate(
    message: Buffer,
    options: {
      readonly ip: string
      readonly helo: string
      readonly sender: string
      readonly mta: string
      readonly disableArc: boolean
      readonly disableBimi: boolean
      readonly resolver: (name: string, type: string) => Promise<readonly unknown[]>
    },
  ): Promise<AuthenticateResult>
}

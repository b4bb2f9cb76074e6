/** Why an edit is refused, and what to do instead; both are shown to the administrator. */
export interface DirectoryRefusal {
  readonly code: 'invalid' | 'notFound' | 'conflict' | 'limit'
  readonly message: string
  readonly remedy: string
}

export const refuse = (
  code: DirectoryRefusal['code'],
  message: string,
  remedy: string,
): DirectoryRefusal => ({ code, message, remedy })

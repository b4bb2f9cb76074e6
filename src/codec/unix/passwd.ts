import { toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** An account of a Unix system. */
export interface UnixAccount {
  readonly line: number
  readonly name: string
  /** What stands there: a hash, or a sign that it lies elsewhere. */
  readonly password: string
  readonly uid: number
  /** The first part of the field that fingers know: the name of a person. */
  readonly fullName: string
}

/** `/etc/passwd`, or what `getent passwd` prints (passwd(5)); lines of other forms are given as they stand. */
export function readPasswd(
  file: Octets,
): readonly (UnixAccount | { readonly line: number; readonly text: string })[] {
  return toUtf8(file)
    .split('\n')
    .map((text, index) => ({ line: index + 1, text: text.replace(/\r$/, '') }))
    .filter(({ text }) => text.trim() !== '' && !text.startsWith('#'))
    .map(({ line, text }) => {
      const [name = '', password = '', uid = '', , gecos = '', ...rest] = text.split(':')
      if (rest.length !== 2 || name === '' || !/^\d{1,10}$/.test(uid)) return { line, text }
      // The letter & stands for the name, capitalised.
      const full = gecos.split(',')[0]!.replaceAll('&', name[0]!.toUpperCase() + name.slice(1))
      return { line, name, password, uid: Number(uid), fullName: full.trim() }
    })
}

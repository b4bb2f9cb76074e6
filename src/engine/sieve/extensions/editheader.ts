import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import { exactField } from '#codec/mime/compose.ts'
import { checkedText } from '#engine/sieve/arguments.ts'
import { writtenField } from '#engine/sieve/edits.ts'
import type { EditedField } from '#engine/sieve/edits.ts'
import { fieldName } from '#engine/sieve/fields.ts'
import { endRun, fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension } from '#engine/sieve/language.ts'
import { takeMatch } from '#engine/sieve/match.ts'

import { takeIndex } from './index.ts'

/** Characters of the value of a field that is added. */
const FIELD_CHARACTERS_MAX = 16_384
/** What tells the way of a mail and that a machine wrote it stays (RFC 5293 §6). */
const KEPT: ReadonlySet<string> = new Set(['received', 'auto-submitted'])
/** Fields that our own programs read or write; a script could forge them. */
const isOurs = (key: string): boolean =>
  key.startsWith('x-watari-') ||
  ['authentication-results', 'return-path', 'delivered-to'].includes(key)

const addheader: SieveCommandRule = {
  needs: 'editheader',
  compile(args) {
    const isLast = args.flag('last')
    const name = checkedText(args.text('the name of a field'), (text) => {
      if (isOurs(fieldName(text))) fail(`the field "${text}" cannot be added`)
      return text
    })
    const value = checkedText(args.text('a value'), (text) =>
      text.includes('\0') ? fail('a value cannot hold NUL') : text,
    )
    return (run) => {
      const text = value.of(run).replace(/\r?\n(?=[ \t])/g, '') // it may come folded
      if (text.length > FIELD_CHARACTERS_MAX)
        endRun(`a field that is added has more than ${FIELD_CHARACTERS_MAX} characters`)
      const made = name.of(run)
      run.edit().add(writtenField(made, exactField(made, text)), isLast)
    }
  },
}

const deleteheader: SieveCommandRule = {
  needs: 'editheader',
  compile(args) {
    const occurrences = takeIndex(args, { extension: 'editheader' })
    const match = takeMatch(args)
    const name = checkedText(args.text('the name of a field'), fieldName)
    const values = args.left > 0 ? args.texts('values') : undefined
    return (run) => {
      const key = name.of(run)
      // RFC 5293 §6: as if they were not there.
      if (KEPT.has(key) || isOurs(key)) return
      const named = run.header.header(key).length
      if (named === 0) return
      const edits = run.edit()
      const meant = occurrences(edits.fields.filter((field) => field.key === key))
      const patterns = values?.of(run)
      const gone = new Set(
        meant.filter((field) => patterns === undefined || match(run, [valueOf(field)], patterns)),
      )
      edits.setFields(edits.fields.filter((field) => !gone.has(field)))
    }
  },
}

const valueOf = ({ octets }: EditedField): string => {
  const [field] = headerFields(octets)
  return decodeWords(field?.value ?? '').trim()
}

export const editheader: SieveExtension = {
  names: { editheader: 'RFC 5293' },
  commands: { addheader, deleteheader },
}

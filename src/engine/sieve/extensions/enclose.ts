import { createHash } from 'node:crypto'

import { concatOctets, fromUtf8 } from '#base/octets.ts'
import { textField } from '#codec/mime/compose.ts'
import { headerFields } from '#codec/mime/header.ts'
import { checkedTexts } from '#engine/sieve/arguments.ts'
import { writtenField } from '#engine/sieve/edits.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule } from '#engine/sieve/language.ts'

import { replaceBody, textEntity } from './replace.ts'

/**
 * Makes the message an attachment of a new one that says a text (RFC 5703 §6). The new one keeps the fields that
 * tell who wrote what to whom, and the trace.
 */
export const enclose: SieveCommandRule = {
  needs: 'enclose',
  compile(args) {
    const subject = args.tagText('subject')
    const fields = args.tagTexts('headers')
    const written = fields && checkedTexts(fields, (texts) => texts.map(checkedField))
    const text = args.text('a text')
    return (run) => {
      const edits = run.edit()
      const inner = edits.octets()
      run.step(inner.byteLength / 1_024)
      const boundary = `watari-${createHash('sha256').update(inner).digest('hex').slice(0, 40)}`
      const entity = concatOctets([
        fromUtf8(`Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\n`),
        textEntity(text.of(run)),
        fromUtf8(
          `\r\n--${boundary}\r\nContent-Type: message/rfc822\r\n` +
            `Content-Disposition: attachment\r\n\r\n`,
        ),
        inner,
        fromUtf8(`\r\n--${boundary}--\r\n`),
      ])
      replaceBody(edits, entity)
      const own = (written?.of(run) ?? []).map((field) => {
        const [name = '', value = ''] = splitField(field)
        return writtenField(name, textField(name, value))
      })
      if (subject !== undefined)
        own.push(writtenField('Subject', textField('Subject', subject.of(run))))
      const set = new Set(own.map(({ key }) => key))
      edits.setFields([...edits.fields.filter(({ key }) => !set.has(key)), ...own])
    }
  },
}

const splitField = (field: string): readonly string[] => {
  const colon = field.indexOf(':')
  return [field.slice(0, colon).trim(), field.slice(colon + 1).trim()]
}

/** `Name: value` in one line; what tells of the body is not for scripts to say. */
function checkedField(field: string): string {
  const line = field.replace(/[\r\n]+/g, ' ')
  const [parsed] = headerFields(fromUtf8(`${line}\r\n`))
  if (parsed === undefined) fail(`"${field}" is no field of a header`)
  if (/^(?:content-|mime-version$|received$|x-watari-)/.test(parsed.key))
    fail(`the field "${parsed.name}" cannot be set`)
  return line
}

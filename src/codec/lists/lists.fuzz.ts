import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { listOfFml } from './fml.ts'
import { listOfMailman2Texts } from './mailman2.ts'
import { readPickle } from './pickle.ts'
import { readPythonSettings } from './python-settings.ts'
import { listOfSympa } from './sympa.ts'

const OPCODES = "(.012NILFJKMGSTUVX])}ltdaesupqrghjciobR\n'0".split('')
const pickles = fc
  .array(
    fc.oneof(
      fc.constantFrom(...OPCODES).map((name) => name.charCodeAt(0)),
      fc.integer({ min: 0, max: 255 }),
    ),
    { maxLength: 200 },
  )
  .map((octets) => Uint8Array.from(octets))

const settings = fc
  .array(
    fc.oneof(
      fc.constantFrom('a = ', '[', ']', '(', ')', '{', '}', ':', ',', '\n', '"""', "'", '#', '\\'),
      fc.constantFrom('None', '1.5', "u'か'", '$MAIL_LIST = "', '";', 'owner\n', 'email a@b\n'),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

describe('files of other list managers', () => {
  it('are read, or are an error, whatever stands in them', () => {
    fc.assert(fc.property(pickles, (octets) => void readPickle(octets)))
    fc.assert(
      fc.property(settings, (text) => {
        readPythonSettings(text)
        const config = fromUtf8(text)
        listOfMailman2Texts({ config, members: config })
        listOfFml({ config, actives: config, seq: config })
        listOfSympa({ nowMs: 0, config, members: config, stats: config, name: 'x' })
      }),
    )
  })
})

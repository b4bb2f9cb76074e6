import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bufferOf, fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { attributeNames } from './attribute-types.ts'
import { someFilter } from '#test/fake/ldap-filters.ts'
import {
  BerReader,
  ENUMERATED,
  Malformed,
  SET,
  boolean,
  context,
  contextOf,
  element,
  elementLength,
  integer,
  octetString,
  sequence,
} from './ber.ts'
import {
  commonCsns,
  csnCookie,
  csnVector,
  hasCsn,
  isBehind,
  lagMs,
  newerCsns,
  readCsnCookie,
} from './csn.ts'
import { EntryTextReader } from './entry-texts.ts'
import { encodeFilter, equal, parseFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import { nextPage, pagedControl } from './paged.ts'
import { encodeRequest } from './request.ts'
import { messageLength, readResponse } from './response.ts'
import { readSyncDone, readSyncInfo, readSyncState } from './sync.ts'
import { readPostRead } from './write-controls.ts'

const octets = fc.uint8Array({ maxLength: 40 })
const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -(2 ** 47), max: 2 ** 47 - 1 }),
  fc.constantFrom(0, -1, 127, 128, -128, -129, 255, 256, 2 ** 31 - 1, -(2 ** 31)),
)

test('whatever comes from a server is a message or an error, never more (RFC 4511 §5.1)', () => {
  const started = octets.map((rest) => Uint8Array.of(0x30, rest.length, ...rest))
  const controlled = octets.map((value) =>
    ['1.3.6.1.4.1.4203.1.9.1.2', '1.3.6.1.4.1.4203.1.9.1.3', '1.2.840.113556.1.4.319'].map(
      (oid) => ({ oid, value }),
    ),
  )
  fc.assert(
    fc.property(fc.oneof(octets, started), controlled, (raw, controls) => {
      for (const read of [messageLength, readResponse, readSyncInfo, readCsnCookie]) read(raw)
      for (const read of [readSyncState, readSyncDone, nextPage]) read(controls)
    }),
    { numRuns: 2_000 },
  )
})

test('an answer is read as it was written, and each cut of it is an error', () => {
  const attribute = fc.record({ type: text, values: fc.array(octets, { maxLength: 4 }) })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      text,
      fc.array(attribute, { maxLength: 4 }),
      fc.nat(),
      (id, dn, attributes, cut) => {
        const list = attributes.map(({ type, values }) =>
          sequence(octetString(type), element(SET, ...values.map((value) => octetString(value)))),
        )
        const entry = element(0x64, octetString(dn), sequence(...list))
        const control = sequence(octetString('1.2.3'), boolean(true), octetString('渡り'))
        const whole = sequence(integer(id), entry, element(contextOf(0), control))
        const read = readResponse(whole)
        assert.ok(read.ok)
        assert.deepEqual(plain(read.value), {
          id,
          response: { op: 'entry', entry: { dn, attributes: plain(attributes) } },
          controls: [{ oid: '1.2.3', critical: true, value: plain(fromUtf8('渡り')) }],
        })
        assert.equal(elementLength(whole), whole.length)
        assert.equal(readResponse(whole.subarray(0, cut % whole.length)).ok, false)
      },
    ),
  )
})

test('entries as texts say what they say as octets, the next one of the same search likewise', () => {
  const type = fc.constantFrom('uid', 'UID', 'cn', 'cn;lang-ja', 'objectClass', '表示名')
  const value = fc.oneof(
    octets,
    text.map(fromUtf8),
    fc.constantFrom('person', '\ufffd', 'あ'.repeat(70)).map(fromUtf8),
  )
  const attribute = fc.record({ type, values: fc.array(value, { maxLength: 3 }) })
  const entry = fc.record({ dn: text, attributes: fc.array(attribute, { maxLength: 5 }) })
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), octets, fc.nat(), (entries, noise, cut) => {
      const { read } = new EntryTextReader()
      for (const { dn, attributes } of entries) {
        const list = attributes.map((each) =>
          sequence(
            octetString(each.type),
            element(SET, ...each.values.map((one) => octetString(one))),
          ),
        )
        const parts = Buffer.concat([noise, octetString(dn), sequence(...list), noise])
        const end = parts.length - noise.length
        const texts = new Map<string, string[]>()
        const others = new Map<string, number[][]>()
        for (const each of attributes) {
          const name = each.type.toLowerCase()
          texts.set(name, texts.get(name) ?? [])
          for (const one of each.values) {
            const read = toUtf8Strict(one)
            if (read !== undefined) texts.get(name)!.push(read)
            else others.set(name, [...(others.get(name) ?? []), [...one]])
          }
        }
        const found = read(parts, noise.length, end)
        assert.equal(found.dn, dn)
        assert.deepEqual(found.texts, texts)
        assert.deepEqual(
          [...found.octets].map(([name, all]) => [name, all.map((one) => [...one])]),
          [...others],
        )
        assert.equal(found.hasOptions, texts.has('cn;lang-ja'))
        assert.throws(
          () => read(parts, noise.length, end - 1 - (cut % (end - noise.length))),
          Malformed,
        )
      }
    }),
  )
})

test('names of attributes are read out of what a schema says of them (RFC 4512 §4.1.2)', () => {
  const names = attributeNames([
    "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: NAME ''x''' SUP name )",
    "( 1.3.6.1.4.1.4203.666.1.7 NAME 'entryCSN' DESC 'NAME' EQUALITY CSNMatch )",
    "( 1.2.3 DESC 'nameless' )",
    '何か',
  ])
  assert.deepEqual([...names], ['cn', 'commonname', 'entrycsn'])
})

test('numbers, truth values and texts of every length go and come back', () => {
  fc.assert(
    fc.property(
      number,
      fc.boolean(),
      fc.integer({ min: 0, max: 70_000 }),
      (value, flag, length) => {
        const reader = new BerReader(
          Buffer.concat([integer(value), boolean(flag), octetString(new Uint8Array(length))]),
        )
        assert.equal(reader.integer(), value)
        assert.equal(reader.boolean(), flag)
        assert.equal(reader.octets().length, length)
        assert.ok(reader.done)
      },
    ),
  )
})

test('what somebody typed is a value of a filter, never its syntax (RFC 4515 §3)', () => {
  fc.assert(
    fc.property(
      fc.oneof(text, fc.constantFrom('*', ')(uid=*', '\\2a', 'a)(|(b=c', '\0')),
      (typed) => {
        const reader = new BerReader(encodeFilter(equal('uid', typed))).enter(contextOf(3))
        assert.equal(reader.text(), 'uid')
        assert.deepEqual(plain(reader.octets()), plain(fromUtf8(typed)))
        assert.ok(reader.done)
      },
    ),
  )
})

test('a filter that was written out is read as the same one', () => {
  const part = fc.uint8Array({ minLength: 1, maxLength: 8 })
  const filter = someFilter({ value: octets, part, hasTypes: true })
  fc.assert(
    fc.property(filter, (whole) => {
      const read = parseFilter(written(whole))
      assert.ok(read.ok, read.ok ? '' : `${written(whole)}: ${read.error}`)
      assert.deepEqual(plain(encodeFilter(read.value)), plain(encodeFilter(whole)))
    }),
  )
})

test('any text is a filter or an error that says where', () => {
  const pieces = fc.array(
    fc.constantFrom(
      '(',
      ')',
      '&',
      '|',
      '!',
      'uid',
      '=',
      '*',
      ':',
      'dn',
      '\\',
      '2a',
      '~=',
      '花',
      ' ',
    ),
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const read = parseFilter(parts.join(''))
      if (read.ok) encodeFilter(read.value)
      else assert.match(read.error, /at character \d+$/)
    }),
  )
  assert.equal(parseFilter(`${'(!'.repeat(100)}(a=b)${')'.repeat(100)}`).ok, false)
})

test('every request is one element, whatever is asked in it', () => {
  fc.assert(
    fc.property(text, octets, number, (dn, value, any) => {
      // RFC 4511 §4.1.1.1: up to maxInt.
      const id = Math.abs(any) % 2 ** 31
      const attribute = { type: 'cn', values: [value] }
      for (const request of [
        { op: 'bind', dn, by: { kind: 'simple', password: value } },
        { op: 'bind', dn, by: { kind: 'sasl', mechanism: 'PLAIN', credentials: value } },
        { op: 'unbind' },
        { op: 'search', base: dn, scope: 'one', filter: equal('cn', dn), attributes: [dn] },
        { op: 'modify', dn, changes: [{ kind: 'replace', ...attribute }] },
        { op: 'add', dn, attributes: [attribute] },
        { op: 'delete', dn },
        { op: 'rename', dn, rdn: dn, deleteOldRdn: true, superior: dn },
        { op: 'abandon', id: 1 },
        { op: 'extended', oid: '1.2.3', value },
      ] as const) {
        const octets = encodeRequest(id, request, [pagedControl(10, value)])
        const message = new BerReader(octets)
        assert.equal(elementLength(octets), octets.length)
        const parts = message.enter()
        assert.equal(parts.integer(), id)
        parts.skip()
        assert.equal(parts.enter(contextOf(0)).enter().text(), '1.2.840.113556.1.4.319')
      }
    }),
  )
})

test('what a server says of its content is read as RFC 4533 has it', () => {
  const uuid = Uint8Array.from({ length: 16 }, (_, at) => at)
  const name = '00010203-0405-0607-0809-0a0b0c0d0e0f'
  const cookie = octetString('rid=001,csn=…')
  const told = (value: Octets) => plain(readSyncInfo(value))
  const kept = plain(fromUtf8('rid=001,csn=…'))
  assert.deepEqual(told(element(context(0), fromUtf8('rid=001,csn=…'))), {
    ok: true,
    value: { kind: 'cookie', cookie: kept },
  })
  assert.deepEqual(told(element(contextOf(1), cookie, boolean(false))), {
    ok: true,
    value: { kind: 'deletesTold', isDone: false, cookie: kept },
  })
  assert.deepEqual(told(element(contextOf(2))), {
    ok: true,
    value: { kind: 'presentTold', isDone: true },
  })
  for (const kind of ['deleted', 'present'] as const) {
    const ids = element(SET, octetString(uuid))
    assert.deepEqual(told(element(contextOf(3), cookie, boolean(kind === 'deleted'), ids)), {
      ok: true,
      value: { kind, uuids: [name], cookie: kept },
    })
  }
  const state = sequence(integer(3, ENUMERATED), octetString(uuid), cookie)
  assert.deepEqual(plain(readSyncState([{ oid: '1.3.6.1.4.1.4203.1.9.1.2', value: state }])), {
    ok: true,
    value: { state: 'delete', uuid: name, cookie: kept },
  })
})

test('the name that an entry tells itself is taken for that of its state where it is the same, and else not', () => {
  const uuids = fc.uint8Array({ minLength: 16, maxLength: 16 })
  const nameOf = (uuid: Octets, own?: string): unknown => {
    const value = sequence(integer(1, ENUMERATED), octetString(uuid))
    const read = readSyncState([{ oid: '1.3.6.1.4.1.4203.1.9.1.2', value }], own)
    return read.ok ? read.value?.uuid : read
  }
  fc.assert(
    fc.property(
      uuids,
      fc.nat(35),
      fc.constantFrom('0', 'f', 'F', '-', 'é', ''),
      (uuid, at, sign) => {
        const name = nameOf(uuid) as string
        assert.equal(name.replaceAll('-', ''), Buffer.from(uuid).toString('hex'))
        assert.equal(nameOf(uuid, name), name)
        assert.equal(nameOf(uuid, name.slice(0, at) + sign + name.slice(at + 1)), name)
      },
    ),
  )
})

test('how far servers of OpenLDAP have come is compared change by change of each that writes', () => {
  const csn = fc
    .record({ second: fc.integer({ min: 0, max: 59 }), server: fc.integer({ min: 0, max: 3 }) })
    .map(
      ({ second, server }) =>
        `202611272321${String(second).padStart(2, '0')}.000000Z#000000#00${server}#000000`,
    )
  const vector = fc.array(csn, { maxLength: 5 }).map(csnVector)
  fc.assert(
    fc.property(vector, vector, csn, (a, b, one) => {
      const both = newerCsns(a, b)
      assert.equal(hasCsn(both, one), hasCsn(a, one) || hasCsn(b, one))
      assert.equal(hasCsn(commonCsns(a, b), one), hasCsn(a, one) && hasCsn(b, one))
      assert.equal(isBehind(both, a) || isBehind(a, commonCsns(a, b)), false)
      assert.equal(isBehind(a, a) || lagMs(a, a) > 0, false)
      assert.deepEqual(readCsnCookie(csnCookie(a))?.csns, a)
    }),
  )
  const cookie = fromUtf8('rid=001,sid=00a,csn=20261127232100.000000Z#000000#001#000000;no csn')
  const read = readCsnCookie(cookie)
  assert.ok(read)
  assert.equal(read.serverId, '00a')
  const later = csnVector(['20261127232201.500000Z#000000#001#000000'])
  assert.equal(lagMs(read.csns, later), 61_500)
  assert.equal(readCsnCookie(fromUtf8('ldap://host#cn=x#csn=1')), undefined) // another server's
})

/** As RFC 4515 writes it; every octet of a value escaped. */
function written(filter: Filter): string {
  const escaped = (value: Octets): string =>
    bufferOf(value).toString('hex').replaceAll(/../g, '\\$&')
  switch (filter.kind) {
    case 'and':
      return `(&${filter.filters.map(written).join('')})`
    case 'or':
      return `(|${filter.filters.map(written).join('')})`
    case 'not':
      return `(!${written(filter.filter)})`
    case 'present':
      return `(${filter.type}=*)`
    case 'substrings': {
      const parts = [filter.initial, ...filter.any, filter.final]
      return `(${filter.type}=${parts.map((part) => (part === undefined ? '' : escaped(part))).join('*')})`
    }
    case 'extensible': {
      const { rule } = filter
      return `(${filter.type ?? ''}${filter.ofDn ? ':dn' : ''}${rule === undefined ? '' : `:${rule}`}:=${escaped(filter.value)})`
    }
    default: {
      const sign = { equal: '=', atLeast: '>=', atMost: '<=', approximate: '~=' }[filter.kind]
      return `(${filter.type}${sign}${escaped(filter.value)})`
    }
  }
}

/** Octets of any kind as plain arrays, so that they compare by what they hold. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

test('an entry after a change is read from any octets, or they are refused (RFC 4527)', () => {
  const attribute = { type: 'entryCSN', values: [Uint8Array.of(1, 2)] }
  fc.assert(
    fc.property(octets, (value) => {
      const read = readPostRead([{ oid: '1.3.6.1.1.13.2', value }])
      assert.equal(typeof read.ok, 'boolean')
    }),
  )
  const entry = element(
    0x64,
    octetString('cn=花子'),
    sequence(
      sequence(octetString(attribute.type), element(SET, octetString(attribute.values[0]!))),
    ),
  )
  const read = readPostRead([{ oid: '1.3.6.1.1.13.2', value: entry }])
  assert.deepEqual(
    plain(read.ok ? read.value : read),
    plain({ dn: 'cn=花子', attributes: [attribute] }),
  )
  assert.deepEqual(readPostRead([]), { ok: true, value: undefined })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { ForeignList } from '#model/foreign-list.ts'
import { listOfMailman2, listOfMailman2Texts } from './mailman2.ts'
import { PickledObject, readPickle } from './pickle.ts'

// Made by Python 2.7 from one dict of settings of Mailman 2.1, Japanese in EUC-JP, with protocols 0, 1 and 2.
const PROTOCOL_0 =
  'KGRwMQpTJ2Jhbl9saXN0JwpwMgoobHAzCnNTJ2NyZWF0ZWRfYXQnCnA0CkYxMTAwMDAwMDAwLjI1CnNTJ3Bhc3N3b3JkcycKcDUK' +
  'KGRwNgpTJ2ljaGlyb0BjYW1wdXMuZXhhbXBsZScKcDcKUydzZWNyZXQnCnA4CnNzUydkZXNjcmlwdGlvbicKcDkKUydceGI3XHhk' +
  'MFx4YmFceGQxXHhiM1x4ZDhceGE1XHhiY1x4YTVceGRmJwpwMTAKc1MnZ2VuZXJpY19ub25tZW1iZXJfYWN0aW9uJwpwMTEKSTIK' +
  'c1MndHVwJwpwMTIKKEkxCnRwMTMKc1MnYmlnJwpwMTQKTDExODA1OTE2MjA3MTc0MTEzMDM0MjRMCnNTJ2FjY2VwdF90aGVzZV9u' +
  'b25tZW1iZXJzJwpwMTUKKGxwMTYKUydeLipAcGFydG5lclxcLmV4YW1wbGUkJwpwMTcKYXNTJ3VzZXJfb3B0aW9ucycKcDE4Cihk' +
  'cDE5ClMnc2FidXJvQGNhbXB1cy5leGFtcGxlJwpwMjAKSTM4NApzc1Mnc3ViamVjdF9wcmVmaXgnCnAyMQpTJ1tzZW1pbmFyICUw' +
  'NWRdICcKcDIyCnNTJ21vZGVyYXRvcicKcDIzCihscDI0ClMndGFyb0BjYW1wdXMuZXhhbXBsZScKcDI1CmFzUydwb3N0X2lkJwpw' +
  'MjYKRjEyMzQKc1MnbWF4X21lc3NhZ2Vfc2l6ZScKcDI3Ckk0MDAKc1MnZGVmYXVsdF9tZW1iZXJfbW9kZXJhdGlvbicKcDI4Ckkw' +
  'MApzUydtZW1iZXJzJwpwMjkKKGRwMzAKZzcKSTAKc2cyMApJMApzUydnb25lQG9sZC5leGFtcGxlJwpwMzEKSTAKc1Mnamlyb0Bj' +
  'YW1wdXMuZXhhbXBsZScKcDMyClMnSmlyb0BDYW1wdXMuRXhhbXBsZScKcDMzCnNzUydvd25lcicKcDM0CihscDM1ClMnaGFuYWtv' +
  'QGNhbXB1cy5leGFtcGxlJwpwMzYKYXNTJ2RlbGl2ZXJ5X3N0YXR1cycKcDM3CihkcDM4CmczMQooSTQKRjE1MDAwMDAwMDAuNQp0' +
  'cDM5CnNzUydwYXNzd29yZCcKcDQwClMnNWJhYTYxZTRjOWI5M2YzZjA2ODIyNTBiNmNmODMzMWI3ZWU2OGZkOCcKcDQxCnNTJ2Jv' +
  'dW5jZV9pbmZvJwpwNDIKKGRwNDMKZzMxCihpTWFpbG1hbi5Cb3VuY2VyCl9Cb3VuY2VJbmZvCnA0NAooZHA0NQpTJ25vdGljZXNs' +
  'ZWZ0JwpwNDYKSTMKc1MnbGFzdG5vdGljZScKcDQ3CihJMApJMApJMAp0cDQ4CnNTJ21lbWJlcicKcDQ5CmczMQpzUydzY29yZScK' +
  'cDUwCkY1CnNTJ2Nvb2tpZScKcDUxCk5zUydkYXRlJwpwNTIKKEkyMDE4CkkxCkkyCnRwNTMKc2Jzc1MnYXJjaGl2ZScKcDU0Ckkw' +
  'MQpzUydhcmNoaXZlX3ByaXZhdGUnCnA1NQpJMQpzUydpbmZvJwpwNTYKUydceGNiXHhlOFx4YmRceGI1XHhiZlx4ZTVceGNkXHhj' +
  'Ylx4YzZceGZjXG5ceGM2XHhmM1x4YjlceGQ0XHhjY1x4ZGMnCnA1NwpzUyd1c2VybmFtZXMnCnA1OAooZHA1OQpnNwpWXHU5MjM0' +
  'XHU2NzI4IFx1NGUwMFx1OTBjZQpwNjAKc2czMgpTJ1x4YmFceGI0XHhjNlx4YTMgXHhjNlx4ZjNceGNmXHhiYScKcDYxCnNzUydt' +
  'c2dfZm9vdGVyJwpwNjIKUydfX19cbiUocmVhbF9uYW1lKXMnCnA2MwpzUydwcmVmZXJyZWRfbGFuZ3VhZ2UnCnA2NApTJ2phJwpw' +
  'NjUKc1MnbWVtYmVyX21vZGVyYXRpb25fYWN0aW9uJwpwNjYKSTAKc1MncmVwbHlfZ29lc190b19saXN0JwpwNjcKSTEKc1MnbmVn' +
  'JwpwNjgKSS01CnNTJ2RpZ2VzdGFibGUnCnA2OQpJMQpzUydlbWVyZ2VuY3knCnA3MApJMApzUydkaWdlc3RfbWVtYmVycycKcDcx' +
  'CihkcDcyClMnc2hpcm9AZWxzZXdoZXJlLmV4YW1wbGUnCnA3MwpJMApzc1MncmVhbF9uYW1lJwpwNzQKUydTZW1pbmFyJwpwNzUK' +
  'c1MnZGF0YV92ZXJzaW9uJwpwNzYKSTExMApzUydob3N0X25hbWUnCnA3NwpTJ0xpc3RzLkNhbXB1cy5FeGFtcGxlJwpwNzgKc1Mn' +
  'bm9uZScKcDc5Ck5zUyd1bWxhdXQnCnA4MApW/ApzUyd0b3BpY3MnCnA4MQoobHA4MgpzUydzdWJzY3JpYmVfcG9saWN5JwpwODMK' +
  'STMKcy4='
const PROTOCOL_1 =
  'fXEBKFUIYmFuX2xpc3RxAl1VCmNyZWF0ZWRfYXRxA0dB0GQqwBAAAFUJcGFzc3dvcmRzcQR9cQVVFWljaGlyb0BjYW1wdXMuZXhh' +
  'bXBsZXEGVQZzZWNyZXRxB3NVC2Rlc2NyaXB0aW9ucQhVCrfQutGz2KW8pd9VGGdlbmVyaWNfbm9ubWVtYmVyX2FjdGlvbnEJSwJV' +
  'A3R1cHEKKEsBdHELVQNiaWdxDEwxMTgwNTkxNjIwNzE3NDExMzAzNDI0TApVF2FjY2VwdF90aGVzZV9ub25tZW1iZXJzcQ1dcQ5V' +
  'FV4uKkBwYXJ0bmVyXC5leGFtcGxlJHEPYVUMdXNlcl9vcHRpb25zcRB9cRFVFXNhYnVyb0BjYW1wdXMuZXhhbXBsZXESTYABc1UO' +
  'c3ViamVjdF9wcmVmaXhxE1UPW3NlbWluYXIgJTA1ZF0gcRRVCW1vZGVyYXRvcnEVXXEWVRN0YXJvQGNhbXB1cy5leGFtcGxlcRdh' +
  'VQdwb3N0X2lkcRhHQJNIAAAAAABVEG1heF9tZXNzYWdlX3NpemVxGU2QAVUZZGVmYXVsdF9tZW1iZXJfbW9kZXJhdGlvbnEaSTAw' +
  'ClUHbWVtYmVyc3EbfXEcKGgGSwBoEksAVRBnb25lQG9sZC5leGFtcGxlcR1LAFUTamlyb0BjYW1wdXMuZXhhbXBsZXEeVRNKaXJv' +
  'QENhbXB1cy5FeGFtcGxlcR91VQVvd25lcnEgXXEhVRVoYW5ha29AY2FtcHVzLmV4YW1wbGVxImFVD2RlbGl2ZXJ5X3N0YXR1c3Ej' +
  'fXEkaB0oSwRHQdZaC8AgAAB0cSVzVQhwYXNzd29yZHEmVSg1YmFhNjFlNGM5YjkzZjNmMDY4MjI1MGI2Y2Y4MzMxYjdlZTY4ZmQ4' +
  'cSdVC2JvdW5jZV9pbmZvcSh9cSloHShjTWFpbG1hbi5Cb3VuY2VyCl9Cb3VuY2VJbmZvCnEqb31xKyhVC25vdGljZXNsZWZ0cSxL' +
  'A1UKbGFzdG5vdGljZXEtKEsASwBLAHRxLlUGbWVtYmVycS9oHVUFc2NvcmVxMEdAFAAAAAAAAFUGY29va2llcTFOVQRkYXRlcTIo' +
  'TeIHSwFLAnRxM3Vic1UHYXJjaGl2ZXE0STAxClUPYXJjaGl2ZV9wcml2YXRlcTVLAVUEaW5mb3E2VRHL6L21v+XNy8b8CsbzudTM' +
  '3FUJdXNlcm5hbWVzcTd9cTgoaAZYDQAAAOmItOacqCDkuIDpg45xOWgeVQm6tMajIMbzz7p1VQptc2dfZm9vdGVycTpVEV9fXwol' +
  'KHJlYWxfbmFtZSlzcTtVEnByZWZlcnJlZF9sYW5ndWFnZXE8VQJqYXE9VRhtZW1iZXJfbW9kZXJhdGlvbl9hY3Rpb25xPksAVRJy' +
  'ZXBseV9nb2VzX3RvX2xpc3RxP0sBVQNuZWdxQEr7////VQpkaWdlc3RhYmxlcUFLAVUJZW1lcmdlbmN5cUJLAFUOZGlnZXN0X21l' +
  'bWJlcnNxQ31xRFUXc2hpcm9AZWxzZXdoZXJlLmV4YW1wbGVxRUsAc1UJcmVhbF9uYW1lcUZVB1NlbWluYXJxR1UMZGF0YV92ZXJz' +
  'aW9ucUhLblUJaG9zdF9uYW1lcUlVFExpc3RzLkNhbXB1cy5FeGFtcGxlcUpVBG5vbmVxS05VBnVtbGF1dHFMWAIAAADDvFUGdG9w' +
  'aWNzcU1dVRBzdWJzY3JpYmVfcG9saWN5cU5LA3Uu'
const PROTOCOL_2 =
  'gAJ9cQEoVQhiYW5fbGlzdHECXVUKY3JlYXRlZF9hdHEDR0HQZCrAEAAAVQlwYXNzd29yZHNxBH1xBVUVaWNoaXJvQGNhbXB1cy5l' +
  'eGFtcGxlcQZVBnNlY3JldHEHc1ULZGVzY3JpcHRpb25xCFUKt9C60bPYpbyl31UYZ2VuZXJpY19ub25tZW1iZXJfYWN0aW9ucQlL' +
  'AlUDdHVwcQpLAYVxC1UDYmlncQyKCQAAAAAAAAAAQFUXYWNjZXB0X3RoZXNlX25vbm1lbWJlcnNxDV1xDlUVXi4qQHBhcnRuZXJc' +
  'LmV4YW1wbGUkcQ9hVQx1c2VyX29wdGlvbnNxEH1xEVUVc2FidXJvQGNhbXB1cy5leGFtcGxlcRJNgAFzVQ5zdWJqZWN0X3ByZWZp' +
  'eHETVQ9bc2VtaW5hciAlMDVkXSBxFFUJbW9kZXJhdG9ycRVdcRZVE3Rhcm9AY2FtcHVzLmV4YW1wbGVxF2FVB3Bvc3RfaWRxGEdA' +
  'k0gAAAAAAFUQbWF4X21lc3NhZ2Vfc2l6ZXEZTZABVRlkZWZhdWx0X21lbWJlcl9tb2RlcmF0aW9ucRqJVQdtZW1iZXJzcRt9cRwo' +
  'aAZLAGgSSwBVEGdvbmVAb2xkLmV4YW1wbGVxHUsAVRNqaXJvQGNhbXB1cy5leGFtcGxlcR5VE0ppcm9AQ2FtcHVzLkV4YW1wbGVx' +
  'H3VVBW93bmVycSBdcSFVFWhhbmFrb0BjYW1wdXMuZXhhbXBsZXEiYVUPZGVsaXZlcnlfc3RhdHVzcSN9cSRoHUsER0HWWgvAIAAA' +
  'hnElc1UIcGFzc3dvcmRxJlUoNWJhYTYxZTRjOWI5M2YzZjA2ODIyNTBiNmNmODMzMWI3ZWU2OGZkOHEnVQtib3VuY2VfaW5mb3Eo' +
  'fXEpaB0oY01haWxtYW4uQm91bmNlcgpfQm91bmNlSW5mbwpxKm99cSsoVQtub3RpY2VzbGVmdHEsSwNVCmxhc3Rub3RpY2VxLUsA' +
  'SwBLAIdxLlUGbWVtYmVycS9oHVUFc2NvcmVxMEdAFAAAAAAAAFUGY29va2llcTFOVQRkYXRlcTJN4gdLAUsCh3EzdWJzVQdhcmNo' +
  'aXZlcTSIVQ9hcmNoaXZlX3ByaXZhdGVxNUsBVQRpbmZvcTZVEcvovbW/5c3LxvwKxvO51MzcVQl1c2VybmFtZXNxN31xOChoBlgN' +
  'AAAA6Yi05pyoIOS4gOmDjnE5aB5VCbq0xqMgxvPPunVVCm1zZ19mb290ZXJxOlURX19fCiUocmVhbF9uYW1lKXNxO1UScHJlZmVy' +
  'cmVkX2xhbmd1YWdlcTxVAmphcT1VGG1lbWJlcl9tb2RlcmF0aW9uX2FjdGlvbnE+SwBVEnJlcGx5X2dvZXNfdG9fbGlzdHE/SwFV' +
  'A25lZ3FASvv///9VCmRpZ2VzdGFibGVxQUsBVQllbWVyZ2VuY3lxQksAVQ5kaWdlc3RfbWVtYmVyc3FDfXFEVRdzaGlyb0BlbHNl' +
  'd2hlcmUuZXhhbXBsZXFFSwBzVQlyZWFsX25hbWVxRlUHU2VtaW5hcnFHVQxkYXRhX3ZlcnNpb25xSEtuVQlob3N0X25hbWVxSVUU' +
  'TGlzdHMuQ2FtcHVzLkV4YW1wbGVxSlUEbm9uZXFLTlUGdW1sYXV0cUxYAgAAAMO8VQZ0b3BpY3NxTV1VEHN1YnNjcmliZV9wb2xp' +
  'Y3lxTksDdS4='
/** The same, with an object in it that would run `touch` where a pickle is trusted. */
const EVIL =
  'gAJ9cQEoVQZ0b3BpY3NxAl1xA1UJbW9kZXJhdG9ycQRdcQVVE3Rhcm9AY2FtcHVzLmV4YW1wbGVxBmFVGG1lbWJlcl9tb2RlcmF0' +
  'aW9uX2FjdGlvbnEHSwBVBW93bmVycQhdcQlVFWhhbmFrb0BjYW1wdXMuZXhhbXBsZXEKYVULYm91bmNlX2luZm9xC31xDFUQZ29u' +
  'ZUBvbGQuZXhhbXBsZXENKGNNYWlsbWFuLkJvdW5jZXIKX0JvdW5jZUluZm8KcQ5vfXEPKFULbm90aWNlc2xlZnRxEEsDVQpsYXN0' +
  'bm90aWNlcRFLAEsASwCHcRJVBm1lbWJlcnETaA1VBXNjb3JlcRRHQBQAAAAAAABVBmNvb2tpZXEVTlUEZGF0ZXEWTeIHSwFLAodx' +
  'F3Vic1UPZGVsaXZlcnlfc3RhdHVzcRh9cRloDUsER0HWWgvAIAAAhnEac1UPYXJjaGl2ZV9wcml2YXRlcRtLAVUMdXNlcl9vcHRp' +
  'b25zcRx9cR1VFXNhYnVyb0BjYW1wdXMuZXhhbXBsZXEeTYABc1UJZW1lcmdlbmN5cR9LAFUDbmVncSBK+////1UOZGlnZXN0X21l' +
  'bWJlcnNxIX1xIlUXc2hpcm9AZWxzZXdoZXJlLmV4YW1wbGVxI0sAc1UZZGVmYXVsdF9tZW1iZXJfbW9kZXJhdGlvbnEkiVUHYXJj' +
  'aGl2ZXEliFUMZGF0YV92ZXJzaW9ucSZLblUQc3Vic2NyaWJlX3BvbGljeXEnSwNVCXBhc3N3b3Jkc3EofXEpVRVpY2hpcm9AY2Ft' +
  'cHVzLmV4YW1wbGVxKlUGc2VjcmV0cStzVQtkZXNjcmlwdGlvbnEsVQq30LrRs9ilvKXfcS1VGGdlbmVyaWNfbm9ubWVtYmVyX2Fj' +
  'dGlvbnEuSwJVA3R1cHEvSwGFcTBVA2JpZ3ExigkAAAAAAAAAAEBVF2FjY2VwdF90aGVzZV9ub25tZW1iZXJzcTJdcTNVFV4uKkBw' +
  'YXJ0bmVyXC5leGFtcGxlJHE0YVUOc3ViamVjdF9wcmVmaXhxNVUPW3NlbWluYXIgJTA1ZF0gcTZVCXVzZXJuYW1lc3E3fXE4KGgq' +
  'WA0AAADpiLTmnKgg5LiA6YOOcTlVE2ppcm9AY2FtcHVzLmV4YW1wbGVxOlUJurTGoyDG88+6dVUKZGlnZXN0YWJsZXE7SwFVB3Bv' +
  'c3RfaWRxPEdAk0gAAAAAAFUQbWF4X21lc3NhZ2Vfc2l6ZXE9TZABVQdtZW1iZXJzcT59cT8oaCpLAGgeSwBoDUsAaDpVE0ppcm9A' +
  'Q2FtcHVzLkV4YW1wbGVxQHVVCGJhbl9saXN0cUFdcUJVCHBhc3N3b3JkcUNVKDViYWE2MWU0YzliOTNmM2YwNjgyMjUwYjZjZjgz' +
  'MzFiN2VlNjhmZDhxRFUEaW5mb3FFY3Bvc2l4CnN5c3RlbQpxRlUadG91Y2ggL3RtcC9wd25lZC1ieS1waWNrbGVxR4VxSFJxSVUE' +
  'bm9uZXFKTlUKbXNnX2Zvb3RlcnFLVRFfX18KJShyZWFsX25hbWUpc3FMVRJwcmVmZXJyZWRfbGFuZ3VhZ2VxTVUCamFxTlUScmVw' +
  'bHlfZ29lc190b19saXN0cU9LAVUKY3JlYXRlZF9hdHFQR0HQZCrAEAAAVQlyZWFsX25hbWVxUVUHU2VtaW5hcnFSVQlob3N0X25h' +
  'bWVxU1UUTGlzdHMuQ2FtcHVzLkV4YW1wbGVxVFUGdW1sYXV0cVVYAgAAAMO8dS4='

const octets = (base64: string) => Buffer.from(base64, 'base64')

const SEMINAR: ForeignList = {
  address: 'seminar@lists.campus.example',
  name: '経済学ゼミ',
  description: '毎週水曜日\n二行目',
  owners: ['hanako@campus.example'],
  moderators: ['taro@campus.example'],
  members: [],
  posting: 'members',
  others: 'refuse',
  subscription: 'approve',
  subjectTag: '[seminar %n]',
  replyTo: 'list',
  archive: 'members',
  digest: 'day',
  sizeMaxBytes: 400 * 1024,
  language: 'ja',
  nextNumber: 1234,
  left: [
    'accept_these_nonmembers: 1 may post without being members',
    'msg_footer: is added to no post here (17 characters)',
  ],
}
const MEMBERS: ForeignList['members'] = [
  { address: 'gone@old.example', delivery: 'none' },
  { address: 'ichiro@campus.example', name: '鈴木 一郎', delivery: 'each' },
  { address: 'Jiro@Campus.Example', name: '佐藤 二郎', delivery: 'each' },
  { address: 'saburo@campus.example', delivery: 'each', isModerated: true },
  { address: 'shiro@elsewhere.example', delivery: 'digest' },
]

const byAddress = (members: ForeignList['members']) =>
  members.toSorted((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1))

describe('a list of Mailman 2', () => {
  for (const [protocol, pickle] of [PROTOCOL_0, PROTOCOL_1, PROTOCOL_2].entries())
    it(`is read from its config.pck of protocol ${protocol}`, () => {
      const read = listOfMailman2(octets(pickle))
      assert.ok(read.ok, JSON.stringify(read))
      assert.deepEqual(byAddress(read.value.members), MEMBERS)
      assert.deepEqual({ ...read.value, members: [] }, SEMINAR)
    })

  it('is read from what config_list and list_members print', () => {
    const config = `# -*- python -*-
# -*- coding: utf-8 -*-
## "seminar" mailing list configuration settings
real_name = 'Seminar'
owner = ['hanako@campus.example',
         "taro@campus.example", ]
host_name = 'lists.campus.example'
description = 'It\\'s "経済学" ' 'ゼミ'
info = """毎週
水曜日"""
subject_prefix = '[seminar:%d] '
post_id = 77.0
generic_nonmember_action = 1
default_member_moderation = True
member_moderation_action = 1
archive = False
max_message_size = 0
header_filter_rules = [('^X-Spam', 3, False), ]
topics = []
`
    const read = listOfMailman2Texts({
      config: fromUtf8(config),
      members: fromUtf8('鈴木 一郎 <ichiro@campus.example>\njiro@campus.example\n\n'),
      digestMembers: fromUtf8('"O\'Neil, S." <shiro@elsewhere.example>\n'),
    })
    assert.ok(read.ok, JSON.stringify(read))
    const { members, ...list } = read.value
    assert.deepEqual(members, [
      { address: 'ichiro@campus.example', name: '鈴木 一郎', delivery: 'each' },
      { address: 'jiro@campus.example', delivery: 'each' },
      { address: 'shiro@elsewhere.example', name: "O'Neil, S.", delivery: 'digest' },
    ])
    assert.deepEqual(list, {
      address: 'seminar@lists.campus.example',
      name: 'It\'s "経済学" ゼミ',
      description: '毎週\n水曜日',
      owners: ['hanako@campus.example', 'taro@campus.example'],
      moderators: [],
      posting: 'announce',
      others: 'hold',
      subscription: 'confirm',
      subjectTag: '[seminar:%n]',
      replyTo: 'author',
      archive: 'none',
      language: 'ja',
      nextNumber: 77,
      left: ['header_filter_rules: 1 filter posts by their header'],
    })
  })

  it('names the line that is no literal, and runs none', () => {
    const code = 'real_name = "x"\ninfo = __import__("os").system("true")\n'
    const read = (config: string) =>
      listOfMailman2Texts({ config: fromUtf8(config), members: fromUtf8('') })
    assert.deepEqual(read(code), {
      ok: false,
      error: 'it is no output of config_list: line 2: here is no literal of Python',
    })
    assert.match(JSON.stringify(read(`a = ${'['.repeat(10_000)}`)), /too deep/)
  })
})

describe('a pickle', () => {
  it('that would run a program is data, and what it names stays a name', () => {
    const read = readPickle(octets(EVIL))
    assert.ok(read.ok && read.value instanceof Map)
    const info = read.value.get('info')
    assert.ok(info instanceof PickledObject)
    assert.match(info.of, /^(?:posix|os)\.system$/)
    const list = listOfMailman2(octets(EVIL))
    assert.ok(list.ok)
    assert.equal(list.value.description, undefined)
    const short = readPickle(fromLatin1("cos\nsystem\n(S'touch x'\ntR."))
    assert.ok(short.ok && short.value instanceof PickledObject)
  })

  it('has numbers of any size, signs, truth and text as Python wrote them', () => {
    for (const pickle of [PROTOCOL_0, PROTOCOL_1, PROTOCOL_2]) {
      const read = readPickle(octets(pickle))
      assert.ok(read.ok && read.value instanceof Map)
      const { value } = read
      const found = ['big', 'neg', 'none', 'umlaut', 'tup', 'archive', 'created_at'].map((name) =>
        value.get(name),
      )
      assert.deepEqual(found, [2n ** 70n, -5, null, 'ü', [1], true, 1_100_000_000.25])
    }
  })

  it('that is cut, or none, is an error', () => {
    for (const pickle of [PROTOCOL_0, PROTOCOL_2]) {
      const whole = octets(pickle)
      for (let length = 0; length < whole.length; length += 13)
        assert.equal(readPickle(whole.subarray(0, length)).ok, false)
    }
    const odd = ['', '.', '0.', 'K', 'h\u0001.', '\u0080\u0004.', '}(K\u0001u.', "S'a.", '\u0095']
    for (const each of odd) assert.equal(readPickle(fromLatin1(each)).ok, false, each)
    assert.equal(listOfMailman2(fromLatin1('N.')).ok, false)
  })
})

import type { NewSourceBody, SourceBody } from '#contract/admin/sources.ts'

/** A source as it stands in a form. */
export interface SourceTexts {
  readonly name: string
  /** One a line. */
  readonly urls: string
  readonly base: string
  readonly filter: string
  readonly map: string
  readonly key: string
  readonly order: string
  readonly bindDn: string
  readonly bindPassword: string
  readonly bindCertificate: string
  readonly bindKey: string
  readonly auth: 'bind' | 'hash'
  readonly adoptPasswords: boolean
  readonly ca: string
  readonly plain: boolean
  readonly groups: boolean
}

export const blankSource: SourceTexts = {
  name: '',
  urls: '',
  base: '',
  filter: '',
  map: '',
  key: '',
  order: '',
  bindDn: '',
  bindPassword: '',
  bindCertificate: '',
  bindKey: '',
  auth: 'bind',
  adoptPasswords: false,
  ca: '',
  plain: false,
  groups: false,
}

export const textsOf = (source: SourceBody): SourceTexts => ({
  ...blankSource,
  name: source.name,
  urls: source.urls.join('\n'),
  base: source.base,
  filter: source.filter ?? '',
  map: source.map ?? '',
  key: source.key,
  order: String(source.order),
  bindDn: source.bindDn ?? '',
  bindCertificate: source.bindCertificate ?? '',
  auth: source.auth,
  adoptPasswords: source.adoptPasswords === true,
  ca: source.ca ?? '',
  plain: source.plain === true,
  groups: source.groups === true,
})

/** What the API is told; what is empty is left to it. */
export function sourceOf(texts: SourceTexts): NewSourceBody {
  const { filter, map, key, order, bindDn, bindPassword, auth, ca, plain } = texts
  const given = (name: string, text: string): object =>
    text.trim() === '' ? {} : { [name]: text.trim() }
  return {
    urls: texts.urls.split(/\s+/).filter(Boolean),
    base: texts.base.trim(),
    ...given('filter', filter),
    ...given('map', map),
    ...given('key', key),
    ...(order.trim() !== '' && { order: Number(order) }),
    ...given('bindDn', bindDn),
    ...(bindPassword !== '' && { bindPasswordBase64: base64Of(bindPassword) }),
    ...given('bindCertificate', texts.bindCertificate),
    ...given('bindKey', texts.bindKey),
    auth,
    ...(auth === 'bind' && texts.adoptPasswords && { adoptPasswords: true }),
    ...(ca.trim() !== '' && { ca }),
    ...(plain && { plain }),
    groups: texts.groups,
  }
}

const base64Of = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))

import type { Words } from './words.ts'

/** What every page says. */
export const EN: Words = {
  loading: 'Loading…',
  close: 'Close',
  undo: 'Undo',
  'look.scheme': 'Light or dark',
  'look.auto': 'Auto',
  'look.light': 'Light',
  'look.dark': 'Dark',
  'meter.title': 'Storage',
  'meter.octets': '{{used}} of {{limit}} used',
  'meter.mails': '{{used}} of {{limit}} mails',
  'meter.near': 'nearly full',
  'meter.full': 'full',
  'login.title': 'Log in',
  'login.username': 'User name or e-mail address',
  'login.password': 'Password',
  'login.show': 'Show the password',
  'login.enter': 'Log in',
  'login.wrong': 'The user name or the password is wrong.',
  'login.slowed': 'There were too many wrong passwords. Please try again in a few minutes.',
  'trouble.away': 'The control centre does not answer now.',
  'trouble.refused': 'This was not done.',
  'trouble.mailGoesOn': 'Mail goes on without it.',
  'trouble.retry': 'Try again',
  'shell.skip': 'To the page',
  'shell.leave': 'Log out',
  broken: 'This page has failed. Mail goes on.',
  'table.cut':
    'The first {{rows}} rows are shown. Narrow the list with a filter to see the others.',
  cancel: 'Cancel',
  'notFound.title': 'Page not found',
  'notFound.text':
    'There is no page at this address, or none that your account may see. Please check the address:',
  'notFound.back': 'To the first page',
}

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { decodeWords } from '#codec/mime/encoded-word.ts'

import { startFakeDns } from '#test/fake/dns-server.ts'
import { dkimResults } from '#test/fake/signing.ts'
import { startSink } from '#test/fake/smtp-sink.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { webOrigin } from './jmap.ts'
import { copiesOf, imap } from './mail.ts'
import { sendBy } from './wire.ts'

const LIST = 'seminar@campus.example'

interface Posts {
  readonly items: readonly { readonly number: number; readonly subject: string }[]
}

describe('a mailing list', () => {
  let watari: Installation
  let cli: CommandLine
  const dir = mkdtempSync(join(tmpdir(), 'watari-lists-'))
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
    const file = join(dir, 'aliases')
    writeFileSync(file, 'seminar: hanako, taro\n')
    const from = ['--from', 'aliases', '--domain', 'campus.example', '--owner', 'admin']
    await cli.run(['list', 'import', file, ...from])
  })
  after(async () => {
    await watari.remove()
    rmSync(dir, { recursive: true, force: true })
  })

  const mail = (user: string, id: string, subject: string): string =>
    `From: ${user}@campus.example\r\nTo: ${LIST}\r\nSubject: ${subject}\r\nMessage-ID: <${id}@campus.example>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0900\r\n\r\n渡り廊下で。\r\n`
  const post = async (user: string, id: string, subject: string): Promise<void> => {
    const login = { user, password: watari.password(user) }
    const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca, login } as const
    const envelope = { from: `${user}@campus.example`, to: LIST }
    assert.match(await sendBy(way, { ...envelope, content: mail(user, id, subject) }), /^250 /)
  }
  const posts = (...more: string[]) => cli.json<Posts>(['list', 'posts', LIST, ...more])

  it('takes a post of a member to all members, under a number, and keeps it', async () => {
    await post('hanako', 'p1', '歓迎会')
    const reader = await imap(watari, 'taro')
    await until(
      'it is there',
      async () => (await copiesOf(reader, '<p1@campus.example>')).length > 0,
    )
    const [copy, ...more] = await copiesOf(reader, '<p1@campus.example>')
    await reader.logout()
    assert.equal(more.length, 0)
    const text = copy!.source.toString()
    assert.match(text, /^Return-Path: <seminar-bounces@campus\.example>/)
    assert.match(text, /\r\nList-Id: .*<seminar\.campus\.example>\r\n/)
    assert.ok(text.endsWith('\r\n\r\n渡り廊下で。\r\n'), text)
    assert.deepEqual(
      (await posts()).items.map(({ number, subject }) => [number, decodeWords(subject)]),
      [[1, '歓迎会']],
    )
    assert.equal(
      await cli.run(['list', 'post', LIST, '1', '--recipients']),
      'hanako@campus.example\ntaro@campus.example\n',
    )
  })

  it('is sent as by whom its owner lets, to anybody, from its address', async () => {
    const login = { user: 'taro', password: watari.password('taro') }
    const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca, login } as const
    const envelope = { from: LIST, to: 'hanako@campus.example' }
    const content = mail('seminar', 's1', '事務局より').replace(`To: ${LIST}`, 'To: hanako')
    assert.match(await sendBy(way, { ...envelope, content }), /^550 5\.7\.1 /)
    await cli.run(['list', 'settings', LIST, '--sender', 'taro'])
    assert.match(await sendBy(way, { ...envelope, content }), /^250 /)
    const reader = await imap(watari, 'hanako')
    const copies = () => copiesOf(reader, '<s1@campus.example>')
    await until('it is there', async () => (await copies()).length > 0)
    const text = (await copies())[0]!.source.toString()
    await reader.logout()
    assert.match(text, /^Return-Path: <taro@campus\.example>/)
    assert.match(text, /\r\nFrom: seminar@campus\.example\r\n/)
    await cli.run(['list', 'settings', LIST, '--remove-sender', 'taro'])
    assert.match(await sendBy(way, { ...envelope, content }), /^550 5\.7\.1 /)
  })

  it('holds what comes in the name of a member without a login, until somebody approves it', async () => {
    const envelope = { from: 'hanako@campus.example', to: LIST }
    const way = { port: watari.port(25) }
    const content = mail('hanako', 'p2', '送別会')
    assert.match(await sendBy(way, { ...envelope, content }), /^250 /)
    await until('it waits', async () => (await posts('--held')).items.length === 1)
    assert.equal((await posts()).items.length, 1)
    await cli.run(['list', 'approve', LIST, '1'])
    assert.deepEqual(
      (await posts()).items.map(({ number }) => number),
      [2, 1],
    )
    assert.deepEqual((await posts('--held')).items, [])
    await cli.refused(['list', 'approve', LIST, '1'], 1)
  })

  it('signs the copy of each member elsewhere, over a link of their own, by the key that the name service has (RFC 8058)', async () => {
    const [dns, sink] = await Promise.all([startFakeDns(), startSink()])
    try {
      await cli.run(['settings', 'set', 'dns.servers', dns.address])
      await cli.run(['route', 'set', 'far.example', `smtp:127.0.0.1:${sink.port}`])
      await cli.run(['list', 'member', 'add', LIST, 'jiro@far.example', 'saburo@far.example'])
      const made = await cli.run(['dkim', 'create', 'campus.example'])
      const [, name, strings] = /^(\S+)\. IN TXT (.+)$/m.exec(made)!
      await cli.refused(['dkim', 'activate', 'campus.example'], 1)
      const texts = [...strings!.matchAll(/"([^"]*)"/g)].map(([, text]) => text!)
      dns.zone = { [`${name} TXT`]: [texts] }
      assert.match(await cli.run(['dkim', 'check', 'campus.example']), / published {2}published /)
      assert.match(await cli.run(['dkim', 'activate', 'campus.example']), / signing /)
      await cli.run(['settings', 'set', 'web.publicUrl', 'https://mail.campus.example'])
      await post('hanako', 'p3', '懇親会')
      await sink.taken(2)
      const records = { [name!]: texts.join('') }
      const links = sink.mails.map(({ content }) => {
        const text = content.toString('latin1')
        assert.match(text, /\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/)
        const [signature] = /^DKIM-Signature:.*?\r\n(?!\t)/ms.exec(text)!
        const signed = /\th=([^;]+);/.exec(signature)![1]!.replaceAll(/\s/g, '').split(':')
        assert.ok(signed.includes('list-unsubscribe') && signed.includes('list-unsubscribe-post'))
        return /^List-Unsubscribe: <(https:\S+)>/m.exec(text)?.[1]
      })
      for (const { content } of sink.mails)
        assert.equal((await dkimResults(content, records))[0], 'pass')
      assert.equal(new Set(links).size, 2)
      assert.ok(!links.includes(undefined))
      const selector = name!.split('.')[0]!
      assert.match(await cli.run(['dkim', 'rotate', 'campus.example']), /then: watari dkim rotate/)
      assert.match(await cli.run(['dkim', 'retire', 'campus.example', selector]), /record until 20/)
    } finally {
      await Promise.all([dns.close(), sink.close()])
    }
  })
  it('is joined and left by mail and by one click, by somebody elsewhere, in the language of the list', async () => {
    const [dns, sink] = await Promise.all([startFakeDns(), startSink()])
    const vogel = 'vogel@birds.example'
    const write = async (to: string, id: string, subject: string): Promise<void> => {
      const content = `From: Vogel <${vogel}>\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${id}@birds.example>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0900\r\n\r\n\r\n`
      const envelope = { from: vogel, to, content }
      assert.match(await sendBy({ port: watari.port(25) }, envelope), /^250 /)
    }
    let seen = 0
    /** The next mail that they get: its subject, its text, and the address that an answer goes to. */
    const next = async () => {
      const number = ++seen
      await until(`mail ${number} is there`, () => sink.mails.length >= number)
      const text = sink.mails[number - 1]!.content.toString('latin1')
      const [head = '', body = ''] = text.split(/\r\n\r\n/)
      const field = (name: string): string =>
        new RegExp(`^${name}: ((?:.|\\r\\n[ \\t])*?)\\r\\n(?![ \\t])`, 'im').exec(
          `${head}\r\n`,
        )?.[1] ?? ''
      const isBase64 = /base64/i.test(field('Content-Transfer-Encoding'))
      return {
        subject: decodeWords(field('Subject')),
        text: isBase64 ? Buffer.from(body, 'base64').toString('utf8') : body,
        answerTo: /[^\s<>]+@campus\.example/.exec(field('Reply-To') || field('From'))![0],
        field,
      }
    }
    const isIn = async (): Promise<boolean> =>
      (await cli.run(['list', 'member', 'ls', LIST])).includes(vogel)
    try {
      await cli.run(['settings', 'set', 'dns.servers', dns.address])
      await cli.run(['settings', 'set', 'web.publicUrl', webOrigin(watari)])
      await cli.run(['route', 'set', 'birds.example', `smtp:127.0.0.1:${sink.port}`])
      await cli.run(['list', 'settings', LIST, 'subscription=confirm', 'language=ja'])
      await write('seminar-request@campus.example', 'r1', 'help')
      assert.match((await next()).text, /seminar-join@campus\.example/)
      await write('seminar-join@campus.example', 'j1', '')
      const question = await next()
      assert.match(question.text, /手続きを続けるには.*To go on/s)
      assert.match(question.answerTo, /^seminar-confirm\+/)
      assert.equal(await isIn(), false)
      await write(question.answerTo, 'j2', `Re: ${question.subject}`)
      await until('they are a member', isIn)
      await next()
      await post('hanako', 'p8', '一回で退会')
      const copy = await next()
      assert.equal(copy.field('List-Unsubscribe-Post'), 'List-Unsubscribe=One-Click')
      const link = /<(https:[^>]+)>/.exec(copy.field('List-Unsubscribe'))![1]!
      // Whoever only looks, as programs do, changes nothing.
      assert.equal((await fetch(link)).status, 200)
      assert.equal(await isIn(), true)
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const click = { method: 'POST', headers, body: 'List-Unsubscribe=One-Click' }
      assert.equal((await fetch(link, click)).status, 200)
      await until('the click has ended it', async () => !(await isIn()))
      // In English first, and by mail.
      await cli.run(['list', 'settings', LIST, 'language=en'])
      await write('seminar-join@campus.example', 'j3', '')
      const again = await next()
      assert.match(again.text, /To go on.*手続きを続けるには/s)
      await write(again.answerTo, 'j4', `Re: ${again.subject}`)
      await until('they are a member again', isIn)
      // Who is logged in is not asked again.
      const login = { user: 'taro', password: watari.password('taro') }
      const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca, login } as const
      const envelope = { from: 'taro@campus.example', to: 'seminar-leave@campus.example' }
      assert.match(await sendBy(way, { ...envelope, content: mail('taro', 'l1', '') }), /^250 /)
      await until('he has left', async () => {
        return !(await cli.run(['list', 'member', 'ls', LIST])).includes('taro@')
      })
    } finally {
      await Promise.all([dns.close(), sink.close()])
    }
  })
})

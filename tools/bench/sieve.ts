import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromUtf8 } from '#base/octets.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import { runSieve } from '#engine/sieve/run.ts'
import { pigeonholeRoot } from '#test/peers/pigeonhole.ts'
import { median, table, type Part } from './setup.ts'

const MAILS = 1_000
const ROUNDS = 5

/** What an office's scripts look at: addresses, Japanese subjects, lists, sizes, the body. */
const SCRIPT = `require ["fileinto", "variables", "body", "imap4flags", "regex", "relational", "comparator-i;ascii-numeric"];
if header :contains "subject" ["会議", "[急]"] { addflag "\\\\Flagged"; }
if address :domain :is "from" ["lab.campus.example", "partner.example"] { fileinto "work"; stop; }
if header :matches "list-id" "*<*@*" { fileinto "lists.\${2}"; stop; }
if header :regex "subject" "^\\\\[([a-z]+)-([0-9]+)\\\\]" { fileinto "tickets.\${1}"; stop; }
if allof (size :over 2K, body :contains "請求書") { fileinto "invoices"; stop; }
if header :value "ge" :comparator "i;ascii-numeric" "x-priority" "4" { fileinto "low"; stop; }
if anyof (header :is "precedence" "bulk", exists "list-unsubscribe") { fileinto "bulk"; stop; }
keep;
`

function mailOf(i: number): string {
  const subject = Buffer.from(`${i % 3 === 0 ? '会議' : 'お知らせ'} ${i} 号`).toString('base64')
  const lines = [
    `Received: from a.example by mx.campus.example with ESMTP id ${i}; Tue, 01 Sep 2026 10:00:00 +0900`,
    `From: 山田 <taro${i}@${i % 5 === 0 ? 'lab.campus.example' : 'example.com'}>`,
    'To: hanako@campus.example',
    `Subject: ${i % 7 === 0 ? `[case-${i}] x` : `=?utf-8?b?${subject}?=`}`,
    ...(i % 11 === 0 ? [`List-Id: l <l${i % 3}@lists.example>`] : []),
    'Date: Tue, 01 Sep 2026 10:00:00 +0900',
    `Message-ID: <${i}@example.com>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...(Buffer.from(`${i % 13 === 0 ? '請求書' : '本文'}\n`.repeat(200))
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ]
  return lines.join('\r\n')
}

/** Scripts on 1,000 mails: compiled once by both sides. */
export const sieve: Part = {
  name: 'sieve',
  what: `one script on ${MAILS} mails, ms, compiled once, beside Pigeonhole`,
  run(say) {
    const root = pigeonholeRoot(say)
    const mails = Array.from({ length: MAILS }, (_, i) => mailOf(i))
    const home = join(root, 'tmp/watari-bench')
    rmSync(home, { recursive: true, force: true })
    mkdirSync(join(home, 'mail/cur'), { recursive: true })
    for (const each of ['new', 'tmp']) mkdirSync(join(home, 'mail', each))
    writeFileSync(join(home, 'script.sieve'), SCRIPT)
    for (const [i, mail] of mails.entries()) {
      writeFileSync(join(home, `${i}.eml`), mail)
      writeFileSync(join(home, `mail/cur/${1_000_000 + i}.M1.a:2,`), mail)
    }
    writeFileSync(
      join(home, 'dovecot.conf'),
      'mail_uid = 65534\nmail_gid = 65534\nfirst_valid_uid = 1\nmail_location = maildir:/tmp/watari-bench/mail\n' +
        'mail_home = /tmp/watari-bench\nlog_path = /dev/null\nprotocols =\nssl = no\n',
    )
    execFileSync('chown', ['-R', '65534:65534', home])
    /** Runs it in the root; the milliseconds of processor time that its programs took. */
    const run = (script: string): number => {
      const { status, stdout, stderr } = spawnSync(
        'chroot',
        [root, 'sh', '-c', `${script} || exit 1; times`],
        { maxBuffer: 2 ** 28 },
      )
      if (status !== 0) throw new Error(`Pigeonhole: ${stderr.toString().slice(-500)}`)
      const [user, system] = [...stdout.toString().matchAll(/(\d+)m([\d.]+)s/g)].slice(-2)
      return [user!, system!].reduce(
        (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
        0,
      )
    }
    const conf = '-c /tmp/watari-bench/dovecot.conf'
    run(`cd /tmp/watari-bench && sievec ${conf} script.sieve && chown 65534 script.svbin`)
    const [ours, eachMail, oneProcess]: Took[][] = [[], [], []]
    let filed = 0
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.cpuUsage()
      const own = timed(() => {
        filed = judged(mails.map(fromUtf8))
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1_000
      })
      ours!.push(own)
      oneProcess!.push(
        timed(() =>
          run(
            `cd /tmp/watari-bench && USER=nobody HOME=/tmp/watari-bench sieve-filter ${conf} script.sieve INBOX >/dev/null`,
          ),
        ),
      )
      if (round === 0)
        eachMail!.push(
          timed(() =>
            run(
              `cd /tmp/watari-bench && i=0; while [ $i -lt ${MAILS} ]; do sieve-test ${conf} script.sieve $i.eml >/dev/null 2>&1 || exit 1; i=$((i+1)); done`,
            ),
          ),
        )
    }
    const middle = (all: readonly Took[]): Took => ({
      ms: median(all.map(({ ms }) => ms)),
      processorMs: median(all.map(({ processorMs }) => processorMs)),
    })
    const mine = middle(ours!)
    const row = (name: string, { ms, processorMs }: Took): string[] => [
      name,
      ms.toFixed(0),
      (ms / mine.ms).toFixed(1),
      processorMs.toFixed(0),
      (processorMs / mine.processorMs).toFixed(1),
    ]
    say(
      table([
        ['what', 'ms', 'to Watari', 'processor ms', 'to Watari'],
        row(`Watari, one process (${filed} filed)`, mine),
        row('sieve-filter over a maildir, one process', middle(oneProcess!)),
        row('sieve-test, a process a mail', middle(eachMail!)),
      ]),
    )
    return Promise.resolve()
  },
}

/** Each mail read from its octets, as in a delivery. */
function judged(mails: readonly Uint8Array[]): number {
  const program = compileSieve(SCRIPT)
  if (!program.ok) throw new Error(JSON.stringify(program.error))
  let filed = 0
  for (const octets of mails) {
    const result = runSieve(program.value, {
      ...sieveContent(octets, octets.byteLength, undefined),
      envelopeFrom: null,
      envelopeTo: { localpart: 'hanako', domain: 'campus.example' },
      mailboxExists: () => true,
    })
    if (!result.ok) throw new Error(result.error.message)
    filed += result.value.actions.filter(({ kind }) => kind === 'fileinto').length
  }
  return filed
}

interface Took {
  readonly ms: number
  readonly processorMs: number
}

/** `act` says how much processor time it took. */
function timed(act: () => number): Took {
  const start = performance.now()
  const processorMs = act()
  return { ms: performance.now() - start, processorMs }
}

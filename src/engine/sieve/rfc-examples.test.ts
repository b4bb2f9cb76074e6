import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { trySieve } from '#app/judging/sieve-bench.ts'
import type { SieveTrial } from '#app/judging/sieve-bench.ts'

const MAIL = `Received: from mx by here; Tue, 30 Jun 2026 09:00:00 -0400
Received: from there by mx; Mon, 29 Jun 2026 12:00:00 -0400
From: "The Boss" <boss@frobnitzm.edu>
To: me@example.com, roadrunner@acme.example.com
Cc: ken@example.net
Date: Tue, 30 Jun 2026 08:00:00 -0700
Subject: Re: [acme-users] *** make money fast $$$
List-Id: Mailing List <acme-users@lists.example.net>
X-Caffeine: C8H10N4O2
X-Priority: 1
Message-ID: <1@frobnitzm.edu>
Content-Type: multipart/mixed; boundary=cut

preamble
--cut
Content-Type: text/plain

MAKE MONEY FAST!!! Dear Mary,
--cut
Content-Type: image/png; name="picture.exe"
Content-Disposition: attachment; filename="picture.exe"

x
--cut--
`

interface Example {
  readonly of: string
  readonly script: string
  readonly does: readonly string[]
  readonly around?: SieveTrial['around']
  readonly mail?: string
  readonly envelope?: Partial<SieveTrial['envelope']>
}

/** What the RFCs give as examples, shortened, with what they say that each does; their misprints are left out. */
const EXAMPLES: readonly Example[] = [
  { of: '5228 §2.4.2.1', script: 'require "reject"; reject text: # why\nYour message\n..is refused\n.\n;', does: ['reject Your message\r\n.is refused\r\n'] },
  { of: '5228 §2.7.1', script: 'if header :matches "subject" "*\\\\*\\\\* make *" { discard; }', does: ['discard'] },
  { of: '5228 §2.7.4', script: 'require "fileinto"; if address :domain :is ["From", "To"] "frobnitzm.edu" { fileinto "edu"; }', does: ['fileinto edu'] },
  { of: '5228 §2.10.2', script: 'if size :over 500K { discard; }', does: ['keep INBOX'] },
  { of: '5228 §3.1', script: 'require "fileinto"; if header :contains "from" "coyote" { discard; } elsif header :contains ["subject"] ["$$$"] { discard; } else { fileinto "INBOX"; }', does: ['discard'] },
  { of: '5228 §3.1 (2)', script: 'if header :contains ["From"] ["coyote"] { redirect "acm@example.com"; } elsif header :contains "Subject" "$$$" { redirect "postmaster@example.com"; } else { redirect "field@example.com"; }', does: ['redirect postmaster@example.com'] },
  { of: '5228 §4.1', script: 'require "fileinto"; if header :contains ["from"] "boss" { fileinto "INBOX.harassment"; }', does: ['fileinto INBOX.harassment'] },
  { of: '5228 §4.3', script: 'if size :under 1M { keep; } else { discard; }', does: ['keep INBOX'] },
  { of: '5228 §4.4', script: 'if header :contains ["from"] ["idiot@example.com"] { discard; }', does: ['keep INBOX'] },
  { of: '5228 §5.1', script: 'if address :is :all "from" "boss@frobnitzm.edu" { discard; }', does: ['discard'] },
  { of: '5228 §5.4', script: 'require "envelope"; if envelope :all :is "from" "tim@example.com" { discard; }', does: ['discard'], envelope: { from: 'tim@example.com' } },
  { of: '5228 §5.5', script: 'if not exists ["From","Date"] { discard; }', does: ['keep INBOX'] },
  { of: '5228 §5.7', script: 'if allof (header :contains ["X-Caffeine"] [""], not header :is ["X-Caffeine"] [""]) { discard; }', does: ['discard'] },
  { of: '5228 §9', script: 'require ["fileinto"];\nif header :is "Sender" "owner-ietf-mta-filters@imc.example" { fileinto "filter"; }\nelsif address :DOMAIN :is ["From", "To"] "example.com" { keep; }\nelsif anyof (NOT address :all :contains ["To", "Cc", "Bcc"] "me@example.com", header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) { fileinto "spam"; } else { fileinto "personal"; }', does: ['keep INBOX'] },
  { of: '3894 §3', script: 'require ["copy", "fileinto"]; if header :contains "subject" "money" { fileinto :copy "incoming"; } redirect :copy "me@example.net";', does: ['fileinto incoming', 'redirect me@example.net', 'keep INBOX'] },
  { of: '5173 §5.1', script: 'require "body"; if body :raw :contains "MAKE MONEY FAST" { discard; }', does: ['discard'] },
  { of: '5173 §5.2', script: 'require ["body", "fileinto"]; if body :content "text" :contains ["dear mary", "to whom"] { fileinto "letters"; } if not body :content "audio/mp3" :contains "" { keep; }', does: ['fileinto letters', 'keep INBOX'] },
  { of: '5173 §5.3', script: 'require ["body", "fileinto"]; if body :text :contains "project schedule" { discard; }', does: ['keep INBOX'] },
  { of: '5183 §4', script: 'require ["environment", "copy"]; if environment :is "location" "MDA" { redirect :copy "tim@example.com"; }', does: ['redirect tim@example.com', 'keep INBOX'] },
  { of: '5229 §3', script: 'require ["variables", "fileinto"]; set "company" "ACME"; fileinto "&%${}!${doh}${company}|${dollar}{regarding}";', does: ['fileinto &%${}!ACME|{regarding}'] },
  { of: '5229 §3.2', script: 'require ["fileinto", "variables"]; if header :matches "List-ID" "*<*@*" { fileinto "INBOX.lists.${2}"; stop; }', does: ['fileinto INBOX.lists.acme-users'] },
  { of: '5229 §3.2 (2)', script: 'require ["fileinto", "variables"]; if header :matches "Subject" "*[acme-users*]*" { set "m" "${2}"; } if address :matches ["To", "Cc"] ["coyote@**.com", "roadrunner@**.com"] { fileinto "${0}|${1}|${2}|${m}"; }', does: ['fileinto roadrunner@acme.example.com||acme.example|'] },
  { of: '5229 §4.1', script: 'require ["variables", "fileinto"]; set "a" "juMBlEd lETteRS"; set :length "b" "${a}"; set :lower "c" "${a}"; set :upperfirst "d" "${a}"; set :upperfirst :lower "e" "${a}"; set :quotewildcard "f" "Rock*"; fileinto "${b}|${c}|${d}|${e}|${f}";', does: ['fileinto 15|jumbled letters|JuMBlEd lETteRS|Jumbled letters|Rock\\*'] },
  { of: '5229 §5', script: 'require "variables"; set "state" "${state} pending"; if string :matches " ${state} " "* pending *" { discard; }', does: ['discard'] },
  { of: '5231 §6', script: 'require ["relational", "comparator-i;ascii-numeric", "fileinto"]; if header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["3"] { fileinto "Priority"; } elsif address :count "gt" :comparator "i;ascii-numeric" ["to"] ["5"] { fileinto "SPAM"; }', does: ['fileinto Priority'] },
  { of: '5231 §7', script: 'require "relational"; if address :count "ge" :comparator "i;ascii-casemap" ["to", "cc"] ["3"] { discard; }', does: ['discard'] },
  { of: '5232 §3.1', script: 'require ["fileinto", "imap4flags", "variables"]; if size :under 15M { set "myflags" "\\\\Deleted"; addflag "myflags" "\\\\Answered"; fileinto :flags "${myflags}" "Big messages"; }', does: ['fileinto Big messages \\Deleted \\Answered'] },
  { of: '5232 §3.2', script: 'require "imap4flags"; addflag "\\\\Deleted"; addflag ["\\\\Answered"]; removeflag "\\\\deleted"; keep;', does: ['keep INBOX \\Answered'] },
  { of: '5232 §5', script: 'require ["fileinto", "imap4flags"]; addflag "\\\\Seen"; if header :contains "subject" "money" { addflag "$Work"; } fileinto "INBOX.s"; addflag "$L"; keep :flags "\\\\Flagged";', does: ['fileinto INBOX.s \\Seen $Work', 'keep INBOX \\Flagged'] },
  { of: '5233 §4', script: 'require ["envelope", "subaddress", "fileinto"]; if envelope :detail "to" "mta-filters" { fileinto "inbox.ietf-mta-filters"; } if envelope :user "to" "ken" { keep; }', does: ['fileinto inbox.ietf-mta-filters', 'keep INBOX'], envelope: { to: 'ken+mta-filters@example.org' } },
  { of: '5235 §3.2', script: 'require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"]; if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; } elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3" { fileinto "INBOX.spam-trap"; }', does: ['fileinto INBOX.spam-trap'], around: { spamValue: 6 } },
  { of: '5235 §3.2 (2)', script: 'require ["spamtestplus", "fileinto", "relational", "comparator-i;ascii-numeric"]; if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.u"; } elsif spamtest :percent :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.not-spam"; } elsif spamtest :percent :value "lt" :comparator "i;ascii-numeric" "37" { fileinto "INBOX.spam-trap"; } else { discard; }', does: ['fileinto INBOX.spam-trap'], around: { spamValue: 3, spamPercent: 30 } },
  { of: '5235 §3.3', script: 'require ["virustest", "fileinto", "relational", "comparator-i;ascii-numeric"]; if virustest :value "eq" :comparator "i;ascii-numeric" "4" { fileinto "INBOX.quarantine"; } elsif virustest :value "eq" :comparator "i;ascii-numeric" "5" { discard; }', does: ['discard'], around: { virusValue: 5 } },
  { of: '5260 §4.4', script: 'require ["date", "relational", "fileinto"]; if allof (date :value "ge" :originalzone "date" "hour" "08", date :value "lt" :originalzone "date" "hour" "17") { fileinto "office"; }', does: ['fileinto office'] },
  { of: '5260 §5.1', script: 'require ["date", "relational", "fileinto"]; if anyof (currentdate :is "weekday" "0", currentdate :is "weekday" "6", currentdate :value "lt" "hour" "09") { redirect "pager@example.com"; } if allof (currentdate :value "ge" "date" "2007-06-30", currentdate :value "le" "date" "2027-07-07") { keep; }', does: ['redirect pager@example.com', 'keep INBOX'], around: { nowMs: Date.UTC(2026, 6, 5, 12) } },
  { of: '5260 §6.1', script: 'require ["date", "relational", "index", "fileinto"]; if date :value "gt" :index 2 :zone "-0500" "received" "iso8601" "2007-02-26T09:00:00-05:00" { redirect "aftercutoff@example.org"; }', does: ['redirect aftercutoff@example.org'] },
  { of: '5293 §4', script: 'require ["editheader", "fileinto"]; addheader "X-Sieve-Filtered" "<kim@job.example.com>"; addheader :last "X-Last" "<kim@job.example.com>"; if header "X-Sieve-Filtered" "<kim@job.example.com>" { discard; }', does: ['discard'] },
  { of: '5293 §5', script: 'require "editheader"; deleteheader "X-Caffeine"; deleteheader :index 1 :contains "List-Id" "acme"; if not anyof (exists "x-caffeine", exists "list-id") { discard; }', does: ['discard'] },
  { of: '5429 §2.1', script: 'require ["ereject"]; if address "from" "boss@frobnitzm.edu" { ereject "I no longer accept mail from this address"; }', does: ['reject I no longer accept mail from this address'] },
  { of: '5435 §3.7', script: 'require ["enotify", "fileinto", "variables"]; if header :contains "from" "boss" { notify :importance "1" :message "This is probably very important" "mailto:alm@example.com"; stop; }', does: ['notify mailto:alm@example.com', 'keep INBOX'] },
  { of: '5435 §6', script: 'require ["enotify", "fileinto", "variables", "envelope"]; if header :matches "from" "*@*.*" { set "d" "${2}"; set :encodeurl "body_param" "Safe body&evil=evilbody"; notify "mailto:b@example.com?body=${body_param}"; }', does: ['notify mailto:b@example.com?body=Safe%20body%26evil%3Devilbody', 'keep INBOX'] },
  { of: '5435 §4', script: 'require "enotify"; if not valid_notify_method ["mailto:", "http://gw.example.net/notify?test"] { stop; } discard;', does: ['keep INBOX'] },
  { of: '5435 §5', script: 'require "enotify"; if notify_method_capability "xmpp:tim@example.com?message" "Online" "yes" { discard; } else { notify "mailto:tel@example.com"; }', does: ['notify mailto:tel@example.com', 'keep INBOX'] },
  { of: '5436 §3', script: 'require ["enotify"]; notify :from "me@example.com" :importance "1" "mailto:0123456789@sms.example.net?to=backup@example.com&subject=important%20message&body=x";', does: ['notify mailto:0123456789@sms.example.net?to=backup@example.com&subject=important%20message&body=x', 'keep INBOX'] },
  { of: '5463 §4', script: 'require ["fileinto", "ihave"]; if ihave ["vnd.none"] { vnd_none "x"; }', does: [] },
  { of: '5463 §4 (2)', script: 'require "ihave"; if ihave "foo" { foo :bar "x"; } elsif ihave "fileinto" { fileinto "x"; }', does: ['fileinto x'] },
  { of: '5490 §3.1', script: 'require ["fileinto", "mailbox"]; if mailboxexists "Partners" { fileinto "Partners"; } else { fileinto :create "Newsletters"; }', does: ['fileinto Newsletters'], around: { mailboxes: ['INBOX'] } },
  { of: '5490 §3.3', script: 'require ["mboxmetadata", "servermetadata"]; if metadata :is "INBOX" "/private/vendor/vacation" "on" { discard; } if servermetadataexists "/private/x" { discard; }', does: ['discard'], around: { annotations: { INBOX: { '/private/vendor/vacation': 'on' } } } },
  { of: '5703 §9.1', script: 'require ["foreverypart", "mime", "fileinto"]; foreverypart { if header :mime :contains "Content-Disposition" "attachment" { fileinto "atts"; break; } }', does: ['fileinto atts'] },
  { of: '5703 §4.1', script: 'require ["mime", "fileinto"]; if header :mime :type "Content-Type" "multipart" { fileinto "m"; } if header :mime :anychild :subtype "content-type" "png" { fileinto "png"; } if header :mime :anychild :contenttype "content-type" "text/plain" { fileinto "plain"; } if header :mime :anychild :param "filename" :contains "Content-Disposition" "exe" { fileinto "exe"; }', does: ['fileinto m', 'fileinto png', 'fileinto plain', 'fileinto exe'] },
  { of: '5703 §9.3', script: 'require ["mime", "variables", "extracttext", "foreverypart", "fileinto"]; foreverypart { if header :mime :type "Content-Type" "text" { extracttext :first 10 "msg"; break; } } fileinto "${msg}";', does: ['fileinto MAKE MONEY'] },
  { of: '6131 §3', script: 'require ["vacation-seconds"]; vacation :addresses ["tjs@example.edu"] :seconds 1800 "I am in a meeting";', does: ['keep INBOX'] },
  { of: '6134 §2.9', script: 'require ["envelope", "extlists", "fileinto", "spamtest", "relational", "comparator-i;ascii-numeric"]; if envelope :list "from" ":addrbook:default" { fileinto "known"; }', does: ['fileinto known'], envelope: { from: 'boss@frobnitzm.edu' }, around: { lists: { ':addrbook:default': ['boss@frobnitzm.edu'] } } },
  { of: '6134 §2.9.4', script: 'require ["extlists"]; redirect :list "tag:example.com,2026:list/staff";', does: ['redirect a@example.com'], around: { lists: { 'tag:example.com,2026:list/staff': ['a@example.com'] } } },
  { of: '6609 §3.2', script: 'require ["include"]; include :personal "always_allow"; include :global "spam_tests"; include :optional "none";', does: ['fileinto spam'], around: { scripts: { personal: { always_allow: 'if address "from" "x@example.com" { keep; stop; }' }, global: { spam_tests: 'require ["fileinto", "include"]; if header :contains "subject" "money" { fileinto "spam"; return; } discard;' } } } },
  { of: '6609 §3.4.1', script: 'require ["variables", "include", "fileinto"]; global "test"; global "test_mailbox"; set "test" "$$$"; include "subject_tests"; if string "${test_mailbox}" "spam" { fileinto "${test_mailbox}"; }', does: ['fileinto spam'], around: { scripts: { personal: { subject_tests: 'require ["variables", "include"]; global ["test", "test_mailbox"]; if header :contains "Subject" "${test}" { set "test_mailbox" "spam"; } set "global.other" "x"; ' } } } },
  { of: '7352 §5.2', script: 'require ["duplicate", "variables", "fileinto", "mailbox"]; if header :matches "subject" "*[*]*" { if duplicate :handle "a" :uniqueid "${2}" :seconds 900 :last { discard; } else { fileinto :create "a/${2}"; } }', does: ['fileinto a/acme-users'] },
  { of: '8579 §6', script: 'require ["fileinto", "special-use", "mailbox"]; if specialuse_exists "\\\\Junk" { fileinto :specialuse "\\\\Junk" "Spam"; } else { fileinto :specialuse "\\\\Archive" :create "INBOX/a"; }', does: ['fileinto Junk'], around: { specialUses: { '\\Junk': 'Junk' } } },
  { of: '8580 §6', script: 'require ["enotify", "fcc"]; notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";', does: ['notify mailto:ken@example.com', 'keep INBOX'] },
  { of: '9042 §4', script: 'require ["fileinto", "mailboxid"]; if mailboxidexists "F1" { fileinto :mailboxid "F1" "INBOX.harassment"; }', does: ['fileinto x'], around: { mailboxIds: { F1: 'x' } } },
  { of: '5463 §4 (3)', script: 'require ["ihave", "fileinto"]; if ihave "variables" { fileinto "x"; }', does: [] },
  { of: '5703 §4.2', script: 'require ["mime", "fileinto"]; if address :mime :is :all "content-from" "tim@example.com" { fileinto "INBOX.part-from-tim"; }', does: ['fileinto INBOX.part-from-tim'], mail: 'Content-From: Tim <tim@example.com>\n\n' },
  { of: '6009 §4.1', script: 'require ["envelope", "envelope-dsn", "relational", "comparator-i;ascii-numeric", "fileinto"]; if allof (envelope "notify" "FAILURE", envelope :comparator "i;ascii-numeric" :count "eq" "notify" "1") { fileinto "failure only"; } if envelope :matches "orcpt" "rfc822;*@example.com" { fileinto "orcpt"; }', does: ['fileinto failure only', 'fileinto orcpt'], around: { dsn: { notify: ['FAILURE'], orcpt: 'rfc822;tim@example.com' } } },
  { of: '6009 §5.1', script: 'require ["envelope", "envelope-deliverby", "relational", "comparator-i;ascii-numeric"]; if anyof (envelope :contains "bytimerelative" "-", envelope :value "eq" :comparator "i;ascii-numeric" "bytimerelative" "0") { discard; }', does: ['discard'], around: { by: { seconds: -3, mode: 'notify', isTraced: false }, nowMs: 10_000 } },
  { of: '6009 §5.1 (2)', script: 'require ["envelope", "envelope-deliverby", "relational", "date", "variables", "fileinto"]; if envelope :matches :zone "+0000" "bytimeabsolute" "*T*:*:*" { set "bdate" "${0}"; set "bhour" "${2}"; if currentdate :zone "+0000" :value "ge" "iso8601" "${bdate}" { fileinto "missed-${bhour}"; } }', does: ['fileinto missed-22'], around: { by: { seconds: -3_600, mode: 'return', isTraced: false }, nowMs: Date.UTC(2026, 10, 28, 23, 30), zoneMinutes: 540 } },
  { of: '6009 §6.2', script: 'require ["copy", "redirect-dsn"]; if address "from" "boss@frobnitzm.edu" { redirect :copy :notify "NEVER" "elsewhere@example.com"; }', does: ['redirect elsewhere@example.com', 'keep INBOX'] },
  { of: '6009 §7.2', script: 'require ["copy", "redirect-deliverby", "date", "variables", "relational", "comparator-i;ascii-numeric"]; if currentdate :value "lt" :comparator "i;ascii-numeric" "hour" "22" { if currentdate :matches "date" "*" { set "date" "${0}"; } if currentdate :matches "zone" "*" { set "zone" "${0}"; } redirect :copy :bytimeabsolute "${date}T20:00:00${zone}" :bymode "return" "cellphone@example.com"; }', does: ['redirect cellphone@example.com', 'keep INBOX'], around: { nowMs: Date.UTC(2026, 10, 28, 3), zoneMinutes: 540 } },
  { of: '8580 §6.1', script: 'require ["enotify", "fcc"]; if notify_method_capability "xmpp:" "fcc" "yes" { discard; } elsif notify_method_capability "mailto:" "fcc" "yes" { notify :fcc "INBOX.Sent" "mailto:ken@example.com"; }', does: ['notify mailto:ken@example.com', 'keep INBOX'] },
] // prettier-ignore

for (const { of, script, does, around, mail = MAIL, envelope = {} } of EXAMPLES)
  test(`the example of RFC ${of} does what is said there`, () => {
    const { errors, actions } = trySieve({
      script,
      message: fromUtf8(mail),
      envelope: { from: 'taro@campus.example', to: 'me@example.com', ...envelope },
      around,
    })
    assert.deepEqual(errors, [])
    const done = actions.map(({ kind, mailbox, address, text, flags = [] }) =>
      [kind, mailbox ?? address ?? text ?? '', ...flags].filter((word) => word !== '').join(' '),
    )
    assert.deepEqual(done, does.length === 0 ? ['keep INBOX'] : does)
  })

/**
 * The truth about mailboxes. The account comes first in each key, so that an account's rows lie
 * together and can be handed to another database whole. `aid` is this database's short name of an
 * account; `mid`, `eid` and `tid` are numbers of the account's own and never used twice.
 *
 * A row of `message` holds what a view shows and nothing more: it is read 100,000 at a time. What
 * is the same for all copies of a message (octets, meta, prefix, thread) stands in `email`.
 * Blob columns are a BlobRef (`content.ts`): kind 0 is a segment, 1 a file of its own, 2 a block of a segment.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE account (
  aid INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  tag TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  next_mid INTEGER NOT NULL,
  next_eid INTEGER NOT NULL,
  used_bytes INTEGER NOT NULL DEFAULT 0,
  used_messages INTEGER NOT NULL DEFAULT 0,
  quota_bytes INTEGER,
  quota_messages INTEGER,
  made_at INTEGER NOT NULL
);
CREATE TABLE mailbox (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  use TEXT,
  noselect INTEGER NOT NULL DEFAULT 0,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL DEFAULT 1,
  modseq INTEGER NOT NULL,
  made_modseq INTEGER NOT NULL,
  named_modseq INTEGER NOT NULL,
  import_modseq INTEGER NOT NULL DEFAULT 0,
  purged_modseq INTEGER NOT NULL,
  messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  retain_days INTEGER,
  keywords TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (aid, mid)
) WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_name ON mailbox (aid, parent, name);
CREATE TABLE message (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  size INTEGER NOT NULL,
  internal_at INTEGER NOT NULL,
  saved_at INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  uidl TEXT,
  PRIMARY KEY (aid, mid, uid)
) WITHOUT ROWID;
CREATE INDEX message_modseq ON message (aid, mid, modseq);
CREATE INDEX message_email ON message (aid, eid);
CREATE TABLE gone (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  size INTEGER NOT NULL,
  internal_at INTEGER NOT NULL,
  saved_at INTEGER NOT NULL,
  eid INTEGER,
  uidl TEXT,
  gone_at INTEGER NOT NULL,
  PRIMARY KEY (aid, mid, uid)
) WITHOUT ROWID;
CREATE INDEX gone_modseq ON gone (aid, mid, modseq);
CREATE INDEX gone_email ON gone (aid, eid) WHERE eid IS NOT NULL;
CREATE INDEX gone_kept ON gone (gone_at) WHERE eid IS NOT NULL;
CREATE INDEX gone_released ON gone (gone_at) WHERE eid IS NULL;
CREATE TABLE email (
  aid INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  tid INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  file INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  meta_kind INTEGER NOT NULL,
  meta_file INTEGER NOT NULL,
  meta_offset INTEGER NOT NULL,
  meta_length INTEGER NOT NULL,
  prefix BLOB,
  PRIMARY KEY (aid, eid)
) WITHOUT ROWID;
CREATE INDEX email_file ON email (kind, file);
CREATE INDEX email_meta_file ON email (meta_kind, meta_file);
CREATE TABLE thread (
  aid INTEGER NOT NULL,
  key INTEGER NOT NULL,
  tid INTEGER NOT NULL,
  PRIMARY KEY (aid, key)
) WITHOUT ROWID;
CREATE TABLE subscription (
  aid INTEGER NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (aid, path)
) WITHOUT ROWID;
CREATE TABLE dup (
  aid INTEGER NOT NULL,
  delivery_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (aid, delivery_id)
) WITHOUT ROWID;
CREATE INDEX dup_at ON dup (at);
CREATE TABLE script (
  aid INTEGER NOT NULL,
  name TEXT NOT NULL,
  active INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (aid, name)
) WITHOUT ROWID;
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  aid INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  entry TEXT NOT NULL,
  kind INTEGER NOT NULL,
  file INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  made_at INTEGER NOT NULL
);
CREATE INDEX outbox_account ON outbox (aid);
`,
  // What JMAP asks for: the emails of a thread, and mailboxes that are no more.
  `
CREATE INDEX email_thread ON email (aid, tid);
CREATE TABLE gone_mailbox (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (aid, mid)
) WITHOUT ROWID;
`,
  // What is known of purged rows: a UID is not brought along below them, changes are not told from before.
  `
ALTER TABLE mailbox ADD COLUMN purged_uid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gone_mailbox ADD COLUMN purged_modseq INTEGER NOT NULL DEFAULT 0;
`,
  // Since when the directory has the account no more.
  `
ALTER TABLE account ADD COLUMN removed_at INTEGER;
CREATE INDEX account_removed ON account (removed_at) WHERE removed_at IS NOT NULL;
`,
  // Retention: days 0 are for ever, null as the mailbox above; where deleted mailboxes stood, for what comes back.
  `
ALTER TABLE mailbox ADD COLUMN retain_from INTEGER;
CREATE INDEX mailbox_retain ON mailbox (aid) WHERE retain_days > 0;
ALTER TABLE gone_mailbox ADD COLUMN path TEXT;
CREATE TABLE expiry (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ran_at INTEGER NOT NULL
);
`,
  // What JMAP keeps beside mail: objects with a log of their changes, uploads, mail that is sent later.
  `
CREATE TABLE object (
  aid INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  made_seq INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  gone_at INTEGER,
  entry TEXT,
  value TEXT NOT NULL,
  PRIMARY KEY (aid, kind, id)
) WITHOUT ROWID;
CREATE INDEX object_seq ON object (aid, kind, seq);
CREATE INDEX object_entry ON object (entry) WHERE entry IS NOT NULL;
CREATE INDEX object_made ON object (kind, made_at) WHERE gone_at IS NULL;
CREATE INDEX object_gone ON object (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE object_state (
  aid INTEGER NOT NULL,
  kind TEXT NOT NULL,
  seq INTEGER NOT NULL,
  told_from INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (aid, kind)
) WITHOUT ROWID;
CREATE TABLE upload (
  aid INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  file INTEGER NOT NULL,
  length INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (aid, id)
) WITHOUT ROWID;
CREATE INDEX upload_file ON upload (file);
CREATE INDEX upload_made ON upload (made_at);
ALTER TABLE outbox ADD COLUMN release_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN sort_order INTEGER;
`,
  // The views that stand in files: up to which change, and the CRC-32 of the file. Others are not ours.
  `
CREATE TABLE kept_view (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (aid, mid)
) WITHOUT ROWID;
`,
  // What compaction has written of blocks into each segment: octets before compression, how often
  // they were rewritten, and how many a row named when somebody last counted.
  `
CREATE TABLE segment (
  file INTEGER PRIMARY KEY,
  raw_bytes INTEGER NOT NULL,
  blocks INTEGER NOT NULL,
  level INTEGER NOT NULL,
  live_bytes INTEGER,
  live_at INTEGER NOT NULL DEFAULT 0
);
`,
  // When the daily purge ran, and by which time: what tells a jump of the clock.
  `
CREATE TABLE purge_run (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ran_at INTEGER NOT NULL,
  as_of INTEGER NOT NULL,
  kept_ms INTEGER NOT NULL
);
`,
  // Quota: whether its owner was warned, when last told that mail is refused, and what is still to be said.
  `
ALTER TABLE account ADD COLUMN quota_warned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN quota_refused_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN quota_notice TEXT;
`,
  // How far the reading of all octets has come, and which emails' cannot be read.
  `
CREATE TABLE scrub (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  part TEXT NOT NULL,
  kind INTEGER NOT NULL,
  file INTEGER NOT NULL,
  aid INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  began_at INTEGER NOT NULL
);
CREATE TABLE damaged (
  aid INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  found_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (aid, eid)
) WITHOUT ROWID;
`,
  // Who else may do what in a mailbox, and what each of them has read: bits of 4,096 UIDs a row.
  `
CREATE TABLE acl (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  who TEXT NOT NULL,
  rights TEXT NOT NULL,
  PRIMARY KEY (aid, mid, who)
) WITHOUT ROWID;
CREATE INDEX acl_who ON acl (who);
CREATE TABLE reader (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  who TEXT NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (aid, mid, who)
) WITHOUT ROWID;
CREATE INDEX reader_who ON reader (who);
CREATE TABLE seen (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  who TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY (aid, mid, who, chunk)
) WITHOUT ROWID;
`,
  // UIDLs that were brought along, to find out whether one is there already.
  `
CREATE INDEX message_uidl ON message (aid, uidl) WHERE uidl IS NOT NULL;
`,
  // Up to which commit the journal was told, and where its last whole snapshot begins.
  `
CREATE TABLE journal (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  n INTEGER NOT NULL,
  snapshot INTEGER,
  snapshot_bytes INTEGER NOT NULL DEFAULT 0
);
INSERT INTO journal VALUES (1, 0, NULL, 0);
`,
  // The first UID that is recent for whoever selects the mailbox next (RFC 3501 §2.3.2).
  `
ALTER TABLE mailbox ADD COLUMN recent_uid INTEGER NOT NULL DEFAULT 1;
UPDATE mailbox SET recent_uid = uidnext;
`,
  // UIDs of copies that are made in steps, while the last step is still to come: it comes, or they go again.
  `
CREATE TABLE copying (
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  first_uid INTEGER NOT NULL,
  last_uid INTEGER NOT NULL,
  PRIMARY KEY (aid, mid, first_uid)
) WITHOUT ROWID;
`,
  // Emails whose threads are named after another: what a whole view asks for.
  `
CREATE INDEX email_reply ON email (aid, eid, tid) WHERE tid <> eid;
`,
  // Where in the segments the commits stand that a power loss may have taken back, and what proves them ours.
  `
ALTER TABLE journal ADD COLUMN redo_file INTEGER;
ALTER TABLE journal ADD COLUMN redo_offset INTEGER;
ALTER TABLE journal ADD COLUMN redo_key BLOB;
`,
  // What scripts know of earlier deliveries, each until its time.
  `
CREATE TABLE memory (
  aid INTEGER NOT NULL,
  key TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (aid, key)
) WITHOUT ROWID;
CREATE INDEX memory_until ON memory (until);
`,
  // What people say of mails by moving them into \\Junk and out of it, until it is handed on, and a while after.
  `
CREATE TABLE junk_report (
  aid INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  word TEXT NOT NULL,
  at INTEGER NOT NULL,
  waits INTEGER NOT NULL,
  PRIMARY KEY (aid, eid)
) WITHOUT ROWID;
CREATE INDEX junk_report_waits ON junk_report (at) WHERE waits = 1;
`,
  // What JMAP names scripts and their texts by; of those of before it is made of name and text.
  `
ALTER TABLE script ADD COLUMN id TEXT;
ALTER TABLE script ADD COLUMN digest TEXT;
`,
  // What has happened to messages of mailboxes that have a script for it, until it has run.
  `
CREATE TABLE script_event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  aid INTEGER NOT NULL,
  mid INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  eid INTEGER NOT NULL,
  cause TEXT NOT NULL,
  changed INTEGER NOT NULL,
  who TEXT,
  script TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX script_event_account ON script_event (aid);
`,
  // What the last commits answered, and which mails of foreign peers came last: for whoever has not heard it.
  `
CREATE TABLE operation (
  slot INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  outcome BLOB NOT NULL
);
CREATE TABLE arrival (
  door TEXT NOT NULL,
  slot INTEGER NOT NULL,
  delivery_id TEXT NOT NULL,
  octets_key TEXT NOT NULL,
  recipients TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (door, slot)
) WITHOUT ROWID;
`,
]

/** From here on a database can be behind its segments. */
export const REDO_VERSION = 18

/** Copies and places in rounds: made anew where they are missing, so the journal leaves them out. */
export const UNTOLD_TABLES = ['kept_view', 'scrub'] as const

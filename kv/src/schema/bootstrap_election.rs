//! Whom the bootstrap setting has made super admin.

use super::Migration;

/// The setting names an address, and an address can pass to somebody else: it elects once. Triggers
/// write that down, so that no path can forget to; what the statement that fires one does about
/// conflicts would override `OR IGNORE` there.
pub(super) const BOOTSTRAP_ELECTION: Migration = &[
    "CREATE TABLE bootstrap_election (
        address TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        elected_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "INSERT OR IGNORE INTO bootstrap_election (address, person_id, elected_at)
     SELECT lower(email), person_id, changed_at FROM person
      WHERE admin_role_source = 'bootstrap' AND email IS NOT NULL",
    "CREATE TRIGGER bootstrap_election_insert AFTER INSERT ON person
      WHEN NEW.admin_role_source = 'bootstrap' AND NEW.email IS NOT NULL BEGIN
        INSERT INTO bootstrap_election (address, person_id, elected_at)
        SELECT lower(NEW.email), NEW.person_id, NEW.changed_at
         WHERE NOT EXISTS (SELECT 1 FROM bootstrap_election WHERE address = lower(NEW.email)); END",
    "CREATE TRIGGER bootstrap_election_update AFTER UPDATE OF admin_role_source ON person
      WHEN NEW.admin_role_source = 'bootstrap' AND NEW.email IS NOT NULL BEGIN
        INSERT INTO bootstrap_election (address, person_id, elected_at)
        SELECT lower(NEW.email), NEW.person_id, NEW.changed_at
         WHERE NOT EXISTS (SELECT 1 FROM bootstrap_election WHERE address = lower(NEW.email)); END",
];

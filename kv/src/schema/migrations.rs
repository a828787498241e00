//! Every step of the schema. The build script packs them (`build.rs`): nothing else reads this.

mod audit;
mod bootstrap_election;
mod directory;
mod flow;
mod rate_bucket;
mod tenant_credential;

use audit::AUDIT;
use bootstrap_election::BOOTSTRAP_ELECTION;
use directory::DIRECTORY;
use flow::FLOWS;
use rate_bucket::RATE_BUCKET;
use tenant_credential::TENANT_CREDENTIAL;

/// One step of the schema: statements that run together or not at all.
pub type Migration = &'static [&'static str];

/// Every migration, oldest first. A released one is never edited.
pub const MIGRATIONS: &[Migration] = &[
    FIRST,
    LOGOUT_AND_WORKSPACES,
    DIRECTORY,
    RATE_BUCKET,
    FLOWS,
    TENANT_CREDENTIAL,
    BOOTSTRAP_ELECTION,
    AUDIT,
];

const FIRST: Migration = &[
    "CREATE TABLE tenant (
        tenant_id TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE person (
        person_id TEXT PRIMARY KEY,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        email TEXT,
        name TEXT,
        status TEXT NOT NULL DEFAULT 'active',
        admin_role TEXT,
        admin_role_source TEXT,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        UNIQUE (issuer, subject)
    ) STRICT",
    "CREATE TABLE workspace (
        workspace_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT",
    "CREATE UNIQUE INDEX workspace_default ON workspace (tenant_id) WHERE kind = 'default'",
    "CREATE TABLE membership (
        person_id TEXT NOT NULL,
        workspace_id TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        removed_at INTEGER,
        PRIMARY KEY (person_id, workspace_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE pending_login (
        state_hash TEXT PRIMARY KEY,
        browser_hash TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        consumed_at INTEGER
    ) STRICT",
    "CREATE INDEX pending_login_browser ON pending_login (browser_hash, created_at)",
    "CREATE INDEX pending_login_expiry ON pending_login (expires_at)",
    "CREATE TABLE redeemed_code (
        code_hash TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX redeemed_code_expiry ON redeemed_code (expires_at)",
    "CREATE TABLE session (
        sid TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        workspace_id TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        code_hash TEXT,
        code_challenge TEXT,
        code_expires_at INTEGER,
        code_consumed_at INTEGER,
        generation INTEGER NOT NULL DEFAULT 0,
        rotated_from INTEGER,
        rotated_at INTEGER,
        ended_at INTEGER,
        end_reason TEXT,
        revocation_forgotten INTEGER NOT NULL DEFAULT 0,
        scaikey_sid TEXT,
        scaikey_tokens BLOB
    ) STRICT",
    "CREATE UNIQUE INDEX session_code ON session (code_hash) WHERE code_hash IS NOT NULL",
    "CREATE INDEX session_person ON session (person_id)",
    "CREATE INDEX session_scaikey_sid ON session (scaikey_sid) WHERE scaikey_sid IS NOT NULL",
    "CREATE INDEX session_expiry ON session (expires_at)",
    "CREATE TABLE upstream_refresh (
        token_hash TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        lease_until INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        outcome BLOB,
        expires_at INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX upstream_refresh_expiry ON upstream_refresh (expires_at)",
    "CREATE TABLE upstream_grant (
        token_hash TEXT PRIMARY KEY,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        auth_time INTEGER,
        nonce_hash TEXT,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX upstream_grant_expiry ON upstream_grant (expires_at)",
];

const LOGOUT_AND_WORKSPACES: Migration = &[
    "ALTER TABLE workspace ADD COLUMN description TEXT",
    "ALTER TABLE workspace ADD COLUMN updated_at INTEGER",
    "CREATE UNIQUE INDEX workspace_personal ON workspace (created_by, tenant_id)
        WHERE kind = 'personal'",
    "CREATE INDEX membership_workspace ON membership (workspace_id) WHERE removed_at IS NULL",
    "CREATE INDEX person_tenant ON person (tenant_id)",
    // ScaiKey's logout names a subject whose issuer here may be one of several.
    "CREATE INDEX person_subject ON person (subject)",
    "ALTER TABLE session ADD COLUMN narrowed_at INTEGER",
    "CREATE TABLE logout_token (
        token_hash TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX logout_token_expiry ON logout_token (expires_at)",
    "CREATE TABLE key_search (
        key_set TEXT PRIMARY KEY,
        began_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE exchanged_token (
        name TEXT PRIMARY KEY,
        sealed BLOB NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX exchanged_token_expiry ON exchanged_token (expires_at)",
];

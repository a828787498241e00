//! The keys with which a tenant speaks to ScaiGrid.

use super::Migration;

pub(super) const TENANT_CREDENTIAL: Migration = &["CREATE TABLE tenant_credential (
        tenant_id TEXT PRIMARY KEY,
        sealed BLOB NOT NULL,
        set_by TEXT NOT NULL,
        set_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID"];

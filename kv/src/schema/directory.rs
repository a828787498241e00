//! The third step: the mirror of ScaiKey's directory, its change log, the runs of the sync and the
//! deliveries of the webhook.
//!
//! A column `…_at` beside mirrored fields is ScaiKey's time of what is known of them, so that an
//! older event changes nothing. `changed_at` and `cause` say when and by what a row was last written;
//! triggers copy them into the change log, so that no path can forget to.

use super::Migration;

pub(super) const DIRECTORY: Migration = &[
    // Partners and tenants.
    "CREATE TABLE partner (
        partner_id TEXT PRIMARY KEY,
        name TEXT,
        status TEXT NOT NULL DEFAULT 'active',
        deleted_at INTEGER,
        name_at INTEGER NOT NULL DEFAULT 0,
        status_at INTEGER NOT NULL DEFAULT 0,
        presence_at INTEGER NOT NULL DEFAULT 0,
        changed_at INTEGER NOT NULL,
        cause TEXT NOT NULL
    ) STRICT, WITHOUT ROWID",
    "ALTER TABLE tenant ADD COLUMN name TEXT",
    "ALTER TABLE tenant ADD COLUMN slug TEXT",
    "ALTER TABLE tenant ADD COLUMN partner_id TEXT",
    "ALTER TABLE tenant ADD COLUMN status TEXT NOT NULL DEFAULT 'active'",
    "ALTER TABLE tenant ADD COLUMN deleted_at INTEGER",
    // NULL: known from a sign-in alone.
    "ALTER TABLE tenant ADD COLUMN synced_at INTEGER",
    "ALTER TABLE tenant ADD COLUMN name_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN slug_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN partner_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN presence_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tenant ADD COLUMN cause TEXT NOT NULL DEFAULT 'sign_in'",
    // People. One row is both the person who signs in and the user of the mirror.
    "ALTER TABLE person ADD COLUMN deleted_at INTEGER",
    "ALTER TABLE person ADD COLUMN synced_at INTEGER",
    "ALTER TABLE person ADD COLUMN email_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE person ADD COLUMN name_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE person ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE person ADD COLUMN presence_at INTEGER NOT NULL DEFAULT 0",
    // When it was last deleted: a membership that is older went with it.
    "ALTER TABLE person ADD COLUMN gone_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE person ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE person ADD COLUMN cause TEXT NOT NULL DEFAULT 'sign_in'",
    // Members are found by both; either alone is shared by too many.
    "DROP INDEX person_tenant",
    "CREATE INDEX person_of_tenant ON person (tenant_id, subject)",
    "CREATE INDEX person_email ON person (lower(email))",
    "CREATE INDEX person_admin ON person (admin_role) WHERE admin_role IS NOT NULL",
    // Who may act: themselves, their tenant and its partner in order.
    "CREATE VIEW active_person AS
        SELECT p.person_id, p.tenant_id, p.issuer, p.subject, p.email, p.admin_role, p.admin_role_source
          FROM person p
         WHERE p.status = 'active' AND p.deleted_at IS NULL
           AND NOT EXISTS (
             SELECT 1 FROM tenant t LEFT JOIN partner q ON q.partner_id = t.partner_id
              WHERE t.tenant_id = p.tenant_id
                AND (t.status <> 'active' OR t.deleted_at IS NOT NULL
                  OR q.status <> 'active' OR q.deleted_at IS NOT NULL))",
    // Groups.
    "CREATE TABLE directory_group (
        tenant_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        name TEXT,
        group_type TEXT,
        deleted_at INTEGER,
        synced_at INTEGER NOT NULL,
        name_at INTEGER NOT NULL DEFAULT 0,
        type_at INTEGER NOT NULL DEFAULT 0,
        presence_at INTEGER NOT NULL DEFAULT 0,
        gone_at INTEGER NOT NULL DEFAULT 0,
        changed_at INTEGER NOT NULL,
        cause TEXT NOT NULL,
        PRIMARY KEY (tenant_id, group_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX directory_group_id ON directory_group (group_id)",
    "CREATE TABLE group_membership (
        tenant_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        deleted_at INTEGER,
        presence_at INTEGER NOT NULL DEFAULT 0,
        changed_at INTEGER NOT NULL,
        cause TEXT NOT NULL,
        PRIMARY KEY (tenant_id, group_id, user_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX group_membership_user ON group_membership (user_id)",
    // What the last applied sync covered: until when its reading makes older events void.
    "CREATE TABLE directory_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        users_at INTEGER NOT NULL DEFAULT 0,
        user_status_at INTEGER NOT NULL DEFAULT 0,
        groups_at INTEGER NOT NULL DEFAULT 0,
        memberships_at INTEGER NOT NULL DEFAULT 0,
        tenants_at INTEGER NOT NULL DEFAULT 0,
        read_until INTEGER NOT NULL DEFAULT 0,
        users_method TEXT,
        synced_at INTEGER,
        requested_at INTEGER
    ) STRICT",
    "INSERT INTO directory_state (one) VALUES (1)",
    // What events changed while that sync read: an older reading stays their limit (`sync_apply`).
    "CREATE TABLE unsettled (
        kind TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        id TEXT NOT NULL,
        floor_at INTEGER NOT NULL,
        PRIMARY KEY (kind, tenant_id, group_id, id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE sync_run (
        sync_id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_by TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        lease_until INTEGER NOT NULL,
        phase TEXT NOT NULL,
        users_seen INTEGER NOT NULL DEFAULT 0,
        groups_seen INTEGER NOT NULL DEFAULT 0,
        memberships_seen INTEGER NOT NULL DEFAULT 0,
        finished_at INTEGER,
        outcome TEXT,
        code TEXT,
        report TEXT,
        log_cursor INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE webhook_delivery (
        delivery_id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at INTEGER NOT NULL,
        event_id TEXT,
        event_type TEXT,
        tenant_id TEXT,
        body_digest TEXT,
        outcome TEXT NOT NULL,
        code TEXT,
        count INTEGER NOT NULL DEFAULT 1
    ) STRICT",
    // One delivery of an event has its effect; the rest are duplicates.
    "CREATE UNIQUE INDEX webhook_event ON webhook_delivery (event_id)
        WHERE outcome IN ('applied', 'ignored', 'stale')",
    "CREATE UNIQUE INDEX webhook_repeated ON webhook_delivery (event_id) WHERE outcome = 'duplicate'",
    "CREATE INDEX webhook_delivery_received ON webhook_delivery (received_at)",
    "CREATE INDEX webhook_delivery_outcome ON webhook_delivery (outcome, received_at)",
    // The change log.
    "CREATE TABLE change_log (
        cursor INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        entity TEXT NOT NULL,
        action TEXT NOT NULL,
        tenant_id TEXT,
        id TEXT NOT NULL,
        group_id TEXT,
        fields TEXT NOT NULL,
        cause TEXT NOT NULL
    ) STRICT",
    "CREATE TRIGGER person_created AFTER INSERT ON person WHEN NEW.deleted_at IS NULL
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'user', 'created', NEW.tenant_id, NEW.subject, '', NEW.cause);
     END",
    "CREATE TRIGGER person_changed AFTER UPDATE OF
       email, name, status, tenant_id, admin_role, admin_role_source, deleted_at ON person
     WHEN NEW.email IS NOT OLD.email OR NEW.name IS NOT OLD.name OR NEW.status IS NOT OLD.status
       OR NEW.tenant_id IS NOT OLD.tenant_id OR NEW.admin_role IS NOT OLD.admin_role
       OR NEW.admin_role_source IS NOT OLD.admin_role_source
       OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'user',
         CASE WHEN NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN 'deleted'
              WHEN NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN 'restored'
              ELSE 'updated' END,
         NEW.tenant_id, NEW.subject,
         rtrim(iif(NEW.email IS NOT OLD.email, 'email,', '')
            || iif(NEW.name IS NOT OLD.name, 'display_name,', '')
            || iif(NEW.status IS NOT OLD.status, 'status,', '')
            || iif(NEW.tenant_id IS NOT OLD.tenant_id, 'tenant_id,', '')
            || iif(NEW.admin_role IS NOT OLD.admin_role, 'admin_role,', '')
            || iif(NEW.admin_role_source IS NOT OLD.admin_role_source, 'admin_role_source,', ''), ','),
         NEW.cause);
     END",
    "CREATE TRIGGER group_created AFTER INSERT ON directory_group WHEN NEW.deleted_at IS NULL
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'group', 'created', NEW.tenant_id, NEW.group_id, '', NEW.cause);
     END",
    "CREATE TRIGGER group_changed AFTER UPDATE OF name, group_type, deleted_at ON directory_group
     WHEN NEW.name IS NOT OLD.name OR NEW.group_type IS NOT OLD.group_type
       OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'group',
         CASE WHEN NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN 'deleted'
              WHEN NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN 'restored'
              ELSE 'updated' END,
         NEW.tenant_id, NEW.group_id,
         rtrim(iif(NEW.name IS NOT OLD.name, 'name,', '')
            || iif(NEW.group_type IS NOT OLD.group_type, 'group_type,', ''), ','),
         NEW.cause);
     END",
    "CREATE TRIGGER membership_created AFTER INSERT ON group_membership WHEN NEW.deleted_at IS NULL
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, group_id, fields, cause)
       VALUES (NEW.changed_at, 'membership', 'created', NEW.tenant_id, NEW.user_id, NEW.group_id, '',
               NEW.cause);
     END",
    "CREATE TRIGGER membership_changed AFTER UPDATE OF deleted_at ON group_membership
     WHEN (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, group_id, fields, cause)
       VALUES (NEW.changed_at, 'membership', iif(NEW.deleted_at IS NULL, 'restored', 'deleted'),
               NEW.tenant_id, NEW.user_id, NEW.group_id, '', NEW.cause);
     END",
    "CREATE TRIGGER tenant_created AFTER INSERT ON tenant WHEN NEW.deleted_at IS NULL
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'tenant', 'created', NEW.tenant_id, NEW.tenant_id, '', NEW.cause);
     END",
    "CREATE TRIGGER tenant_changed AFTER UPDATE OF name, slug, partner_id, status, deleted_at ON tenant
     WHEN NEW.name IS NOT OLD.name OR NEW.slug IS NOT OLD.slug
       OR NEW.partner_id IS NOT OLD.partner_id OR NEW.status IS NOT OLD.status
       OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
     BEGIN
       INSERT INTO change_log (at, entity, action, tenant_id, id, fields, cause)
       VALUES (NEW.changed_at, 'tenant',
         CASE WHEN NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN 'deleted'
              WHEN NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN 'restored'
              ELSE 'updated' END,
         NEW.tenant_id, NEW.tenant_id,
         rtrim(iif(NEW.name IS NOT OLD.name, 'name,', '')
            || iif(NEW.slug IS NOT OLD.slug, 'slug,', '')
            || iif(NEW.partner_id IS NOT OLD.partner_id, 'partner_id,', '')
            || iif(NEW.status IS NOT OLD.status, 'status,', ''), ','),
         NEW.cause);
     END",
    "CREATE TRIGGER partner_created AFTER INSERT ON partner WHEN NEW.deleted_at IS NULL
     BEGIN
       INSERT INTO change_log (at, entity, action, id, fields, cause)
       VALUES (NEW.changed_at, 'partner', 'created', NEW.partner_id, '', NEW.cause);
     END",
    "CREATE TRIGGER partner_changed AFTER UPDATE OF name, status, deleted_at ON partner
     WHEN NEW.name IS NOT OLD.name OR NEW.status IS NOT OLD.status
       OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
     BEGIN
       INSERT INTO change_log (at, entity, action, id, fields, cause)
       VALUES (NEW.changed_at, 'partner',
         CASE WHEN NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN 'deleted'
              WHEN NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN 'restored'
              ELSE 'updated' END,
         NEW.partner_id,
         rtrim(iif(NEW.name IS NOT OLD.name, 'name,', '')
            || iif(NEW.status IS NOT OLD.status, 'status,', ''), ','),
         NEW.cause);
     END",
];

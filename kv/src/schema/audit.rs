//! The audit log: who did what to whom, written by triggers in the transaction of what was done.
//!
//! Rows are numbered without gaps. Those without a hash are the tail that is not sealed yet; a sealed
//! one can't be changed, and goes only behind the mark that `audit_state` keeps of what was forgotten.

use super::Migration;

/// Who a `cause` is, as an actor: what [`crate::directory::Cause`] writes, but that an administrator is
/// the person.
macro_rules! actor {
    () => {
        "iif(NEW.cause LIKE 'admin:%', 'person:' || substr(NEW.cause, 7), NEW.cause)"
    };
}

pub(super) const AUDIT: Migration = &[
    "CREATE TABLE audit_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        action TEXT NOT NULL,
        outcome TEXT NOT NULL DEFAULT 'success',
        actor TEXT,
        tenant_id TEXT,
        target TEXT,
        detail TEXT NOT NULL DEFAULT '{}',
        request_id TEXT,
        source TEXT,
        count INTEGER NOT NULL DEFAULT 1,
        -- SHA-256 over the one before it and this row; NULL until it is sealed.
        hash TEXT
    ) STRICT",
    "CREATE INDEX audit_tenant ON audit_log (tenant_id, seq)",
    "CREATE INDEX audit_unsealed ON audit_log (action, target) WHERE hash IS NULL",
    "CREATE TABLE audit_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        -- The last row that was forgotten, and its hash.
        purged_seq INTEGER NOT NULL DEFAULT 0,
        purged_hash TEXT NOT NULL DEFAULT '',
        -- What the last seal says: see the crate `audit`.
        sealed_seq INTEGER NOT NULL DEFAULT 0,
        sealed_hash TEXT NOT NULL DEFAULT '',
        sealed_from INTEGER NOT NULL DEFAULT 1,
        sealed_at INTEGER,
        tag TEXT
    ) STRICT",
    "INSERT INTO audit_state (one) VALUES (1)",
    "CREATE TRIGGER audit_sealed_is_final BEFORE UPDATE ON audit_log
     WHEN OLD.hash IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.action <> OLD.action
     BEGIN
       SELECT raise(ABORT, 'the audit log is append-only');
     END",
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit_log
     WHEN OLD.seq > (SELECT purged_seq FROM audit_state WHERE one = 1)
     BEGIN
       SELECT raise(ABORT, 'the audit log is append-only');
     END",
    "CREATE TRIGGER audit_purged AFTER UPDATE OF purged_seq ON audit_state
     WHEN NEW.purged_seq <> OLD.purged_seq
     BEGIN
       INSERT INTO audit_log (at, action, actor, target, detail)
       VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'audit.purged', 'scaigate',
         'audit', json_object('through', NEW.purged_seq, 'hash', NEW.purged_hash));
     END",
    // Signing in, and what comes of it.
    "CREATE TRIGGER audit_first_sign_in AFTER INSERT ON person WHEN NEW.cause = 'sign_in'
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target)
       VALUES (NEW.last_seen_at, 'sign_in', 'person:' || NEW.person_id, NEW.tenant_id,
         'person:' || NEW.person_id);
     END",
    "CREATE TRIGGER audit_sign_in AFTER UPDATE OF last_seen_at ON person WHEN NEW.cause = 'sign_in'
     BEGIN
       INSERT INTO audit_log (at, action, outcome, actor, tenant_id, target)
       VALUES (NEW.last_seen_at, 'sign_in',
         iif(EXISTS (SELECT 1 FROM active_person a WHERE a.person_id = NEW.person_id),
           'success', 'refused'),
         'person:' || NEW.person_id, NEW.tenant_id, 'person:' || NEW.person_id);
     END",
    "CREATE TRIGGER audit_session_started AFTER INSERT ON session
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target)
       VALUES (NEW.created_at, 'session.started', 'person:' || NEW.person_id, NEW.tenant_id,
         'session:' || NEW.sid);
     END",
    "CREATE TRIGGER audit_session_ended AFTER UPDATE OF ended_at ON session
     WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
       VALUES (NEW.ended_at, 'session.ended',
         CASE NEW.end_reason WHEN 'logout' THEN 'person:' || NEW.person_id
                             WHEN 'backchannel_logout' THEN 'scaikey' ELSE 'scaigate' END,
         NEW.tenant_id, 'session:' || NEW.sid,
         json_object('reason', NEW.end_reason, 'person_id', NEW.person_id));
     END",
    // Roles.
    concat!(
        "CREATE TRIGGER audit_role_at_birth AFTER INSERT ON person WHEN NEW.admin_role IS NOT NULL
         BEGIN
           INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
           VALUES (NEW.changed_at, 'role.changed', ",
        actor!(),
        ", NEW.tenant_id, 'person:' || NEW.person_id,
             json_object('from', NULL, 'to', NEW.admin_role, 'by', NEW.admin_role_source));
         END"
    ),
    concat!(
        "CREATE TRIGGER audit_role AFTER UPDATE OF admin_role, admin_role_source ON person
         WHEN NEW.admin_role IS NOT OLD.admin_role OR NEW.admin_role_source IS NOT OLD.admin_role_source
         BEGIN
           INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
           VALUES (NEW.changed_at, 'role.changed', ",
        actor!(),
        ", NEW.tenant_id, 'person:' || NEW.person_id,
             json_object('from', OLD.admin_role, 'to', NEW.admin_role,
               'by', coalesce(NEW.admin_role_source, OLD.admin_role_source)));
         END"
    ),
    "CREATE TRIGGER audit_membership_given AFTER INSERT ON membership
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
       SELECT NEW.created_at, 'membership.changed', NULL, w.tenant_id, 'person:' || NEW.person_id,
              json_object('workspace_id', NEW.workspace_id, 'from', NULL, 'to', NEW.role)
         FROM (SELECT (SELECT tenant_id FROM workspace x WHERE x.workspace_id = NEW.workspace_id)
                 AS tenant_id) w;
     END",
    "CREATE TRIGGER audit_membership AFTER UPDATE OF role, removed_at ON membership
     WHEN NEW.role <> OLD.role OR (NEW.removed_at IS NULL) <> (OLD.removed_at IS NULL)
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
       SELECT coalesce(NEW.removed_at, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
              'membership.changed', NULL, w.tenant_id, 'person:' || NEW.person_id,
              json_object('workspace_id', NEW.workspace_id,
                'from', iif(OLD.removed_at IS NULL, OLD.role, NULL),
                'to', iif(NEW.removed_at IS NULL, NEW.role, NULL))
         FROM (SELECT (SELECT tenant_id FROM workspace x WHERE x.workspace_id = NEW.workspace_id)
                 AS tenant_id) w;
     END",
    // Tenants' keys.
    "CREATE TRIGGER audit_credential_set AFTER INSERT ON tenant_credential
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
       VALUES (NEW.set_at, 'credential.set', NULL, NEW.tenant_id, 'credential:scaigrid',
         json_object('replaces', json('false')));
     END",
    "CREATE TRIGGER audit_credential_changed AFTER UPDATE OF sealed ON tenant_credential
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target, detail)
       SELECT iif(anew, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.set_at),
              iif(anew, 'credential.sealed_anew', 'credential.set'), iif(anew, 'scaigate', NULL),
              NEW.tenant_id, 'credential:scaigrid',
              iif(anew, '{}', json_object('replaces', json('true')))
         FROM (SELECT NEW.set_at = OLD.set_at AND NEW.set_by = OLD.set_by AS anew);
     END",
    "CREATE TRIGGER audit_credential_removed AFTER DELETE ON tenant_credential
     BEGIN
       INSERT INTO audit_log (at, action, actor, tenant_id, target)
       VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'credential.removed', NULL,
         OLD.tenant_id, 'credential:scaigrid');
     END",
    // What keeps the mirror.
    "CREATE TRIGGER audit_sync AFTER UPDATE OF outcome ON sync_run
     WHEN OLD.outcome IS NULL AND NEW.outcome IS NOT NULL
     BEGIN
       INSERT INTO audit_log (at, action, outcome, actor, target, detail)
       VALUES (coalesce(NEW.finished_at, NEW.started_at), 'sync.ended', NEW.outcome,
         iif(NEW.started_by = 'call' AND NEW.outcome <> 'abandoned', NULL, 'scaigate'),
         'sync:' || NEW.sync_id,
         json_object('code', NEW.code, 'started_by', NEW.started_by, 'users', NEW.users_seen,
           'groups', NEW.groups_seen));
     END",
    "CREATE TRIGGER audit_webhook AFTER INSERT ON webhook_delivery WHEN NEW.outcome <> 'refused'
     BEGIN
       INSERT INTO audit_log (at, action, outcome, actor, tenant_id, target, detail)
       VALUES (NEW.received_at, 'webhook.received', NEW.outcome, 'scaikey', NEW.tenant_id,
         'event:' || NEW.event_id, json_object('type', NEW.event_type));
     END",
    // In the same transaction, so the row is not sealed.
    "CREATE TRIGGER audit_webhook_outcome AFTER UPDATE OF outcome ON webhook_delivery
     WHEN NEW.outcome <> OLD.outcome
     BEGIN
       UPDATE audit_log SET outcome = NEW.outcome
        WHERE action = 'webhook.received' AND target = 'event:' || NEW.event_id AND hash IS NULL;
     END",
    // Anybody can send what is refused: one row a minute of each kind, while it is not sealed.
    "CREATE TRIGGER audit_webhook_refused AFTER INSERT ON webhook_delivery WHEN NEW.outcome = 'refused'
     BEGIN
       INSERT INTO audit_log (at, action, outcome, target, count)
       SELECT NEW.received_at, 'webhook.refused', 'refused', NEW.code, 0
        WHERE NOT EXISTS (SELECT 1 FROM audit_log
          WHERE action = 'webhook.refused' AND target = NEW.code AND hash IS NULL
            AND at / 60000 = NEW.received_at / 60000);
       UPDATE audit_log SET count = count + NEW.count
        WHERE action = 'webhook.refused' AND target = NEW.code AND hash IS NULL
          AND at / 60000 = NEW.received_at / 60000;
     END",
    // Flows.
    "CREATE TRIGGER audit_flow_deleted AFTER UPDATE OF deleted_at ON flow
     WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
     BEGIN
       INSERT INTO audit_log (at, action, tenant_id, target)
       VALUES (NEW.deleted_at, 'flow.deleted', NEW.tenant_id, 'flow:' || NEW.flow_id);
     END",
    "CREATE TRIGGER audit_flow_access_given AFTER INSERT ON flow_acl
     BEGIN
       INSERT INTO audit_log (at, action, tenant_id, target, detail)
       VALUES (NEW.granted_at, 'flow.access_given', NEW.tenant_id, 'flow:' || NEW.flow_id,
         json_object('to', NEW.principal_type || ':' || NEW.principal_id, 'level', NEW.level));
     END",
    "CREATE TRIGGER audit_flow_access_taken AFTER DELETE ON flow_acl
     BEGIN
       INSERT INTO audit_log (at, action, tenant_id, target, detail)
       VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'flow.access_taken',
         OLD.tenant_id, 'flow:' || OLD.flow_id,
         json_object('from', OLD.principal_type || ':' || OLD.principal_id, 'level', OLD.level));
     END",
    "CREATE TRIGGER audit_flow_deployed AFTER INSERT ON flow_deployment
     BEGIN
       INSERT INTO audit_log (at, action, outcome, tenant_id, target, detail)
       VALUES (NEW.created_at, 'flow.deployed', NEW.status, NEW.tenant_id, 'flow:' || NEW.flow_id,
         json_object('deployment_id', NEW.deployment_id, 'patch', NEW.patch));
     END",
    "CREATE TRIGGER audit_flow_deployment AFTER UPDATE OF status ON flow_deployment
     WHEN NEW.status <> OLD.status
     BEGIN
       INSERT INTO audit_log (at, action, outcome, tenant_id, target, detail)
       VALUES (coalesce(NEW.finished_at, NEW.created_at), 'flow.deployed', NEW.status, NEW.tenant_id,
         'flow:' || NEW.flow_id,
         json_object('deployment_id', NEW.deployment_id, 'patch', NEW.patch, 'code', NEW.code));
     END",
    "CREATE TRIGGER audit_catalog_published AFTER INSERT ON catalog_version
     BEGIN
       INSERT INTO audit_log (at, action, tenant_id, target, detail)
       VALUES (NEW.published_at, 'catalog.published', NEW.tenant_id, 'package:' || NEW.package_id,
         json_object('version', NEW.major || '.' || NEW.minor || '.' || NEW.patch));
     END",
    "CREATE TRIGGER audit_catalog_removed AFTER DELETE ON catalog_package
     BEGIN
       INSERT INTO audit_log (at, action, tenant_id, target)
       VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'catalog.removed',
         OLD.tenant_id, 'package:' || OLD.package_id);
     END",
];

//! Flows with their versions, access lists and deployments, and the catalogs of the tenants.
//!
//! Every table is keyed by tenant. What a version holds is never written again.

use super::Migration;

pub(super) const FLOWS: Migration = &[
    "CREATE TABLE flow (
        flow_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT,
        owner_issuer TEXT NOT NULL,
        owner_id TEXT NOT NULL,
        -- The version is 1.0.{patch}: nothing documented raises the other two.
        patch INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX flow_tenant ON flow (tenant_id, updated_at) WHERE deleted_at IS NULL",
    "CREATE TABLE flow_version (
        tenant_id TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        patch INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        content BLOB NOT NULL,
        UNIQUE (tenant_id, flow_id, patch)
    ) STRICT",
    "CREATE TRIGGER flow_version_is_final BEFORE UPDATE ON flow_version
     BEGIN
       SELECT raise(ABORT, 'a version is never written again');
     END",
    "CREATE TABLE flow_acl (
        acl_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        principal_type TEXT NOT NULL CHECK (principal_type IN ('user', 'group')),
        -- Whose subject it is, for a user; empty for a group.
        principal_issuer TEXT NOT NULL,
        principal_id TEXT NOT NULL,
        level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 4),
        granted_by TEXT NOT NULL,
        granted_at INTEGER NOT NULL,
        UNIQUE (tenant_id, flow_id, principal_type, principal_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX flow_acl_principal ON flow_acl (tenant_id, principal_type, principal_id)",
    "CREATE TABLE flow_deployment (
        deployment_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL,
        flow_id TEXT NOT NULL,
        patch INTEGER NOT NULL,
        status TEXT NOT NULL,
        code TEXT,
        core_id TEXT,
        published_slug TEXT,
        deployed_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        finished_at INTEGER
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX flow_deployment_flow ON flow_deployment (tenant_id, flow_id, created_at)",
    "CREATE TABLE catalog_package (
        tenant_id TEXT NOT NULL,
        package_id TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT,
        major INTEGER NOT NULL,
        minor INTEGER NOT NULL,
        patch INTEGER NOT NULL,
        author_issuer TEXT NOT NULL,
        author_id TEXT NOT NULL,
        author_email TEXT,
        visibility TEXT NOT NULL CHECK (visibility IN ('tenant', 'groups')),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (tenant_id, package_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE catalog_group (
        tenant_id TEXT NOT NULL,
        package_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        PRIMARY KEY (tenant_id, package_id, group_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE catalog_version (
        tenant_id TEXT NOT NULL,
        package_id TEXT NOT NULL,
        major INTEGER NOT NULL,
        minor INTEGER NOT NULL,
        patch INTEGER NOT NULL,
        published_by TEXT NOT NULL,
        published_at INTEGER NOT NULL,
        readme TEXT,
        content BLOB NOT NULL,
        UNIQUE (tenant_id, package_id, major, minor, patch)
    ) STRICT",
    "CREATE TRIGGER catalog_version_is_final BEFORE UPDATE ON catalog_version
     BEGIN
       SELECT raise(ABORT, 'a version is never written again');
     END",
];

//! `sync`, `directory` and `webhook`: the mirror of ScaiKey's directory.

use scaigate_problem::Code::*;
use scaigate_types::AdminRole::{SuperAdmin, TenantAdmin};

use crate::codes::ADMINISTRATOR;
use crate::operation::Caller;
use crate::schema::{any_object, bounded, count, flag, maybe, named, number, object, word};
use crate::{Operation, Schema};

/// How an administrator's role is spelt.
pub(crate) fn admin_role() -> Schema {
    word(&[TenantAdmin, SuperAdmin].map(scaigate_types::AdminRole::as_str))
}

fn admin(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("directory", method, path, id, summary)
        .bearer()
        .limited()
        .fails(ADMINISTRATOR)
}

fn tenant_id(operation: Operation) -> Operation {
    operation.query(
        "tenant_id",
        bounded(1, 128),
        "Of this tenant; a tenant administrator's is its own, whatever is asked for.",
    )
}

fn listing(operation: Operation) -> Operation {
    listed(tenant_id(operation))
}

fn listed(operation: Operation) -> Operation {
    operation
        .query("search", bounded(0, 256), "Part of a name or address, without regard to case, or an identifier.")
        .query("status", bounded(0, 32), "`active`, `suspended`, `deleted`, …; deleted ones are listed unless another is asked for.")
        .query("page", number(1, 1_000_000, 1), "Which page.")
        .query("per_page", number(1, 500, 100), "How many rows a page has.")
}

fn sync(method: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("sync", method, "/v1/admin/sync", id, summary)
        .bearer()
        .fails(ADMINISTRATOR)
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        sync("GET", "syncState", "How far a sync is, and what the last one did")
            .json(200, "The run under way and the last that ended.", named("SyncState")),
        sync("POST", "sync", "Make the mirror what ScaiKey's directory is")
            .takes(&["application/json"], false, object(&[("force?", flag())]))
            .query("force", word(&["true", "false"]), "Apply it even if less than half of the mirror is left.")
            .fails(&[SyncRunning, SyncSuperseded, SyncSuspiciousShrink, SyncIncomplete, SyncForbidden, ClientRefused, InvalidGrant,
                UnsupportedGrantType, InvalidScope])
            .json(200, "The documented statistics.", named("SyncReport")),
        listing(admin("GET", "/v1/admin/users", "users", "Users of every tenant"))
            .query("why", bounded(0, 320), "Instead of a list: why somebody with this e-mail address can or can't do something.")
            .json(200, "A page of users, or what was found out.", crate::schema::either(&[named("Users"), named("Why")])),
        tenant_id(admin("POST", "/v1/admin/users/{id}/role", "giveRole", "Give a user an administrator's role"))
            .json_body(object(&[("role", admin_role())]))
            .fails(&[UserNotFound, UserAmbiguous, LastSuperAdmin])
            .empty(204, "Given."),
        tenant_id(admin("DELETE", "/v1/admin/users/{id}/role", "takeRole", "Take a user's administrator's role"))
            .fails(&[UserNotFound, UserAmbiguous, LastSuperAdmin])
            .empty(204, "Taken."),
        listing(admin("GET", "/v1/admin/groups", "groups", "Groups of every tenant"))
            .json(200, "A page of groups.", named("Groups")),
        listing(admin("GET", "/v1/admin/groups/{id}/members", "groupMembers", "The members of a group"))
            .fails(&[GroupNotFound])
            .json(200, "A page of members.", named("Members")),
        listing(admin("GET", "/v1/admin/tenant/users", "tenantUsers", "Users of the caller's tenant"))
            .json(200, "A page of users.", named("Users")),
        listing(admin("GET", "/v1/admin/tenant/groups", "tenantGroups", "Groups of the caller's tenant"))
            .json(200, "A page of groups.", named("Groups")),
        listing(admin("GET", "/v1/admin/tenant/groups/{id}/members", "tenantGroupMembers", "The members of a group of the caller's tenant"))
            .fails(&[GroupNotFound])
            .json(200, "A page of members.", named("Members")),
        listed(admin("GET", "/v1/admin/tenant/flows", "tenantFlows", "Flows of the caller's tenant"))
            .json(200, "A page of flows, whoever may see them else.", named("TenantFlows")),
        tenant_id(admin("GET", "/v1/admin/changes", "changes", "What has changed in the directory, in order"))
            .query("cursor", count(), "Changes after this one.")
            .query("limit", number(1, 1000, 100), "How many at most.")
            .fails(&[CursorExpired])
            .json(200, "A page of the change log.", named("Changes")),
        admin("GET", "/v1/admin/webhooks/deliveries", "deliveries", "What ScaiKey has delivered, and what was refused")
            .query("outcome", bounded(0, 32), "Of this outcome.")
            .query("page", number(1, 1_000_000, 1), "Which page.")
            .query("per_page", number(1, 500, 100), "How many rows a page has.")
            .json(200, "A page of deliveries.", named("Deliveries")),
        Operation::new("webhook", "POST", "/v1/webhooks/scaikey", "webhook", "What ScaiKey tells of its directory")
            .about("The signature is `t=<unix seconds>,v1=<hex of HMAC-SHA256>` over the body as it is sent. Either documented envelope.")
            .caller(Caller::Signature)
            .header("x-scaikey-signature", true, "The signature.")
            .header("x-scaikey-timestamp", true, "The same seconds as in the signature.")
            .takes(&["application/json"], true, any_object())
            .fails(&[ConfigurationInvalid, StoreUnavailable, SchemaNewer, WebhookNotConfigured, WebhookSignatureMissing,
                WebhookSignatureMismatch, WebhookTimestampMissing, WebhookTimestampOutOfWindow, WebhookMalformed, WebhookEventConflict])
            .json(200, "Taken in; a type that is not known is not handled.",
                object(&[("handled", flag()), ("duplicate?", flag())])),
    ]
}

/// The administrator's role of somebody who may have none.
pub(crate) fn nullable_role() -> Schema {
    maybe(admin_role())
}

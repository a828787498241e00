//! Receiving a webhook of ScaiKey (`contract/scaiflow.md` 2.3, `contract/scaikey.md` section 4).
//!
//! The event and its effect are one transaction, which is durable before anybody is told that the
//! event was handled: what is cut short is sent again, and what is sent again has its effect once.

use http::HeaderMap;
use scaigate_kv::directory::event::{self, Effect, UserKey};
use scaigate_kv::directory::webhook_delivery::{self, Claim, Delivery, Outcome};
use scaigate_kv::directory::{self, Cause, Scope, Stamp};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{
    Clock, Database, GroupId, Issuer, PersonId, Subject, TenantId, Timestamp, Transaction,
};

use crate::election;
use crate::settings::DirectorySettings;
use crate::status::stored;
use crate::webhook::{
    Envelope, Event, Field, MAX_BODY, SignatureError, Status, UserChange, WINDOW, WebhookSecrets,
    parse, verify,
};

/// What a receiver works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The secrets; without any no delivery can be trusted.
    pub secrets: Option<&'a WebhookSecrets>,
    /// The issuer that the issuers of the tenants' people are made of.
    pub issuer: &'a Issuer,
    /// The settings of the directory.
    pub settings: &'a DirectorySettings,
}

/// What became of a delivery that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The documented answer.
    pub is_handled: bool,
    /// Whether it had been received before.
    pub is_duplicate: bool,
    /// Whether a sync is due because of it.
    pub wants_sync: bool,
}

fn refused(error: SignatureError) -> Problem {
    let code = match error {
        SignatureError::BodyTooLarge => {
            return Problem::new(Code::PayloadTooLarge).with("limit_bytes", MAX_BODY);
        }
        SignatureError::SignatureMissing => Code::WebhookSignatureMissing,
        SignatureError::TimestampMissing => Code::WebhookTimestampMissing,
        SignatureError::TimestampMalformed | SignatureError::TimestampOutOfWindow => {
            Code::WebhookTimestampOutOfWindow
        }
        SignatureError::SignatureMalformed
        | SignatureError::TimestampDiffers
        | SignatureError::SignatureMismatch => Code::WebhookSignatureMismatch,
    };
    Problem::new(code).with("reason", error.to_string())
}

fn malformed(reason: impl Into<String>, field: Option<&'static str>) -> Problem {
    Problem::new(Code::WebhookMalformed)
        .with("reason", reason.into())
        .with("field", field)
}

/// Receives a delivery.
///
/// # Errors
/// [`Code::WebhookNotConfigured`] and the other `webhook_…` codes for what does not hold; a store does
/// not answer, and then nothing was done.
pub async fn receive(
    ports: &impl Ports,
    context: Context<'_>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Received, Problem> {
    let Some(secrets) = context.secrets else {
        return Err(Problem::new(Code::WebhookNotConfigured));
    };
    let now = ports.clock().now();
    let verified = verify(headers, body, secrets, now).map_err(refused)?;
    let envelope = parse(&verified).map_err(|error| malformed(error.to_string(), error.field()))?;
    let event =
        Event::of(&envelope).map_err(|error| malformed(error.to_string(), Some(error.field())))?;
    handle(ports, context, &envelope, &event, now).await
}

async fn handle(
    ports: &impl Ports,
    context: Context<'_>,
    envelope: &Envelope,
    event: &Event,
    now: Timestamp,
) -> Result<Received, Problem> {
    let delivery = Delivery {
        event_id: envelope.event_id().as_str(),
        event_type: envelope.event_type(),
        tenant_id: envelope.tenant_id().map(TenantId::as_str),
        body_digest: envelope.digest(),
    };
    let is_mirrored = !matches!(event, Event::Unknown | Event::Informational);
    let expected = if is_mirrored {
        Outcome::Applied
    } else {
        Outcome::Ignored
    };
    let mut received = Received {
        is_handled: event.is_handled(),
        is_duplicate: false,
        wants_sync: false,
    };
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let claim = webhook_delivery::claim(&tx, delivery, expected, now)
        .await
        .map_err(failure::database)?;
    match claim {
        Claim::New => {}
        Claim::Conflict => return Err(Problem::new(Code::WebhookEventConflict)),
        Claim::Duplicate => {
            received.is_duplicate = true;
            webhook_delivery::repeated(&tx, delivery, now)
                .await
                .map_err(failure::database)?;
            tx.commit().await.map_err(failure::database)?;
            return Ok(received);
        }
    }
    if is_mirrored {
        let stamp = Stamp {
            cause: Cause::Webhook(delivery.event_id.to_owned()),
            now,
            // One from the future would hide what really comes later.
            at: envelope.occurred_at().min(now.plus(WINDOW)),
        };
        let mut applied = Applied::begin(ports, &tx, context, &stamp).await?;
        applied.event(event).await?;
        received.wants_sync = applied.finish(delivery.event_id).await?;
    }
    tx.commit().await.map_err(failure::database)?;
    Ok(received)
}

/// An event as it is applied.
struct Applied<'a, P, T> {
    ports: &'a P,
    tx: &'a T,
    context: Context<'a>,
    stamp: &'a Stamp,
    effect: Effect,
    /// Whether a role may have changed with it.
    elects: bool,
    /// Whose sessions may have to end.
    inactive: Option<Inactive>,
    wants_sync: bool,
    /// Until when the last applied sync may or may not have seen the event.
    ambiguous: bool,
}

enum Inactive {
    All,
    Person(PersonId),
}

impl<'a, P: Ports, T: Transaction> Applied<'a, P, T> {
    async fn begin(
        ports: &'a P,
        tx: &'a T,
        context: Context<'a>,
        stamp: &'a Stamp,
    ) -> Result<Self, Problem> {
        let state = directory::state(tx).await.map_err(failure::database)?;
        Ok(Self {
            ports,
            tx,
            context,
            stamp,
            effect: Effect::Stale,
            elects: false,
            inactive: None,
            wants_sync: false,
            ambiguous: stamp.at >= state.users_at && stamp.at <= state.read_until,
        })
    }

    async fn event(&mut self, event: &Event) -> Result<(), Problem> {
        match event {
            Event::UserChanged { user, is_created } => self.user(user, *is_created).await,
            Event::UserStatus {
                user_id,
                tenant_id,
                status,
            } => self.user_status(user_id, tenant_id.as_ref(), status).await,
            Event::GroupChanged {
                group_id,
                tenant_id,
                name,
                group_type,
                is_created,
            } => {
                let Some(tenant_id) = self
                    .group_tenant(group_id, tenant_id.as_ref(), None)
                    .await?
                else {
                    return Ok(());
                };
                self.elects = true;
                self.effect = event::group(
                    self.tx,
                    &tenant_id,
                    group_id,
                    name.as_deref().map(Some),
                    group_type.as_deref(),
                    *is_created,
                    self.stamp,
                )
                .await
                .map_err(failure::database)?;
                Ok(())
            }
            Event::GroupDeleted {
                group_id,
                tenant_id,
            } => {
                let Some(tenant_id) = self
                    .group_tenant(group_id, tenant_id.as_ref(), None)
                    .await?
                else {
                    return Ok(());
                };
                self.elects = true;
                self.effect = event::group_deleted(self.tx, &tenant_id, group_id, self.stamp)
                    .await
                    .map_err(failure::database)?;
                Ok(())
            }
            Event::Membership {
                group_id,
                user_id,
                tenant_id,
                present,
            } => {
                let tenant_id = self
                    .group_tenant(group_id, tenant_id.as_ref(), Some(user_id))
                    .await?;
                let Some(tenant_id) = tenant_id else {
                    return Ok(());
                };
                self.elects = true;
                self.effect =
                    event::membership(self.tx, &tenant_id, group_id, user_id, *present, self.stamp)
                        .await
                        .map_err(failure::database)?;
                // Who is not mirrored may have got access by it: only reading ScaiKey tells who that is.
                if *present && self.effect == Effect::Applied {
                    self.wants_sync = !event::has_user(self.tx, &tenant_id, user_id)
                        .await
                        .map_err(failure::database)?;
                }
                Ok(())
            }
            Event::TenantChanged { .. }
            | Event::TenantDeleted { .. }
            | Event::PartnerChanged { .. }
            | Event::PartnerDeleted { .. } => self.tenant_or_partner(event).await,
            Event::RefreshUsers { user, .. } => {
                if let Some(user) = user {
                    self.user(user, true).await?;
                }
                self.effect = Effect::Applied;
                self.wants_sync = true;
                Ok(())
            }
            Event::Informational | Event::Unknown => Ok(()),
        }
    }

    /// The tenant of a user's event: the one it names, else the one where the user is known. Where
    /// neither says, reading ScaiKey again does.
    async fn user_tenant(
        &mut self,
        user_id: &Subject,
        named: Option<&TenantId>,
    ) -> Result<Option<TenantId>, Problem> {
        if let Some(named) = named {
            return Ok(Some(named.clone()));
        }
        let known = event::tenants_of_user(self.tx, user_id)
            .await
            .map_err(failure::database)?;
        Ok(self.only(known))
    }

    async fn group_tenant(
        &mut self,
        group_id: &GroupId,
        named: Option<&TenantId>,
        member: Option<&Subject>,
    ) -> Result<Option<TenantId>, Problem> {
        if let Some(named) = named {
            return Ok(Some(named.clone()));
        }
        let mut known = event::tenants_of_group(self.tx, group_id)
            .await
            .map_err(failure::database)?;
        if let (true, Some(user_id)) = (known.is_empty(), member) {
            known = event::tenants_of_user(self.tx, user_id)
                .await
                .map_err(failure::database)?;
        }
        Ok(self.only(known))
    }

    fn only(&mut self, mut known: Vec<TenantId>) -> Option<TenantId> {
        if known.len() == 1 {
            return known.pop();
        }
        self.effect = Effect::Applied;
        self.wants_sync = true;
        None
    }

    fn issuer(&self, tenant_id: &TenantId) -> Result<Issuer, Problem> {
        self.context
            .issuer
            .of_tenant(tenant_id)
            .map_err(|_| malformed("the tenant is no part of an issuer", Some("tenant_id")))
    }

    async fn user(&mut self, user: &UserChange, is_created: bool) -> Result<(), Problem> {
        let tenant_id = self
            .user_tenant(&user.user_id, user.tenant_id.as_ref())
            .await?;
        let Some(tenant_id) = tenant_id else {
            return Ok(());
        };
        if user.status == Some(Status::Deleted) {
            return self.user_deleted(&tenant_id, &user.user_id).await;
        }
        let status = user.status.as_ref().map(|status| stored(status.as_str()));
        let change = event::UserChange {
            email: field(&user.email),
            name: field(&user.display_name),
            status: status.as_deref(),
            is_present: is_created,
        };
        self.change_user(&tenant_id, &user.user_id, change).await
    }

    async fn user_status(
        &mut self,
        user_id: &Subject,
        tenant_id: Option<&TenantId>,
        status: &Status,
    ) -> Result<(), Problem> {
        let Some(tenant_id) = self.user_tenant(user_id, tenant_id).await? else {
            return Ok(());
        };
        if *status == Status::Deleted {
            return self.user_deleted(&tenant_id, user_id).await;
        }
        let status = stored(status.as_str());
        let change = event::UserChange {
            status: Some(&status),
            ..event::UserChange::default()
        };
        self.change_user(&tenant_id, user_id, change).await
    }

    async fn change_user(
        &mut self,
        tenant_id: &TenantId,
        user_id: &Subject,
        change: event::UserChange<'_>,
    ) -> Result<(), Problem> {
        let issuer = self.issuer(tenant_id)?;
        let key = UserKey {
            issuer: &issuer,
            tenant_id,
            user_id,
        };
        // A status decides who may be super admin; so does a creation.
        self.elects = change.status.is_some() || change.is_present;
        self.effect = event::user(self.tx, key, change, self.stamp)
            .await
            .map_err(failure::database)?;
        if change.status.is_some_and(|status| status != "active") {
            self.end_sessions_of(key).await?;
        }
        Ok(())
    }

    async fn user_deleted(
        &mut self,
        tenant_id: &TenantId,
        user_id: &Subject,
    ) -> Result<(), Problem> {
        let issuer = self.issuer(tenant_id)?;
        let key = UserKey {
            issuer: &issuer,
            tenant_id,
            user_id,
        };
        self.elects = true;
        self.effect = event::user_deleted(self.tx, key, self.stamp)
            .await
            .map_err(failure::database)?;
        self.end_sessions_of(key).await
    }

    async fn end_sessions_of(&mut self, key: UserKey<'_>) -> Result<(), Problem> {
        let person_id = event::person_id(self.tx, key)
            .await
            .map_err(failure::database)?;
        self.inactive = person_id.map(Inactive::Person);
        Ok(())
    }

    async fn tenant_or_partner(&mut self, event: &Event) -> Result<(), Problem> {
        self.elects = true;
        self.inactive = Some(Inactive::All);
        let effect = match event {
            Event::TenantChanged {
                tenant_id,
                name,
                slug,
                partner_id,
                status,
                is_created,
            } => {
                let is_deleted = *status == Some(Status::Deleted);
                let status = status.as_ref().map(|status| stored(status.as_str()));
                let change = event::TenantChange {
                    name: name.as_deref().map(Some),
                    slug: slug.as_deref(),
                    partner_id: partner_id.as_ref(),
                    status: status.as_deref().filter(|_| !is_deleted),
                    is_present: if is_deleted {
                        Some(false)
                    } else {
                        is_created.then_some(true)
                    },
                };
                event::tenant(self.tx, tenant_id, change, self.stamp).await
            }
            Event::TenantDeleted { tenant_id } => {
                let change = event::TenantChange {
                    is_present: Some(false),
                    ..event::TenantChange::default()
                };
                event::tenant(self.tx, tenant_id, change, self.stamp).await
            }
            Event::PartnerChanged {
                partner_id,
                status,
                name,
                is_created,
            } => {
                let is_deleted = *status == Some(Status::Deleted);
                let status = status.as_ref().map(|status| stored(status.as_str()));
                let present = if is_deleted {
                    Some(false)
                } else {
                    is_created.then_some(true)
                };
                event::partner(
                    self.tx,
                    partner_id,
                    name.as_deref().map(Some),
                    status.as_deref().filter(|_| !is_deleted),
                    present,
                    self.stamp,
                )
                .await
            }
            Event::PartnerDeleted { partner_id } => {
                event::partner(self.tx, partner_id, None, None, Some(false), self.stamp).await
            }
            _ => return Ok(()),
        };
        self.effect = effect.map_err(failure::database)?;
        Ok(())
    }

    /// What follows from the event. Whether a sync is due because of it.
    async fn finish(self, event_id: &str) -> Result<bool, Problem> {
        if self.effect == Effect::Stale {
            webhook_delivery::set_outcome(self.tx, event_id, Outcome::Stale)
                .await
                .map_err(failure::database)?;
            return Ok(false);
        }
        if self.elects && self.context.settings.elects() {
            election::reconcile(self.ports, self.tx, self.context.settings, self.stamp).await?;
        }
        match &self.inactive {
            None => {}
            Some(Inactive::All) => {
                election::end_sessions_of_inactive(self.ports, self.tx, Scope::All).await?;
            }
            Some(Inactive::Person(person_id)) => {
                let scope = Scope::Person(person_id);
                election::end_sessions_of_inactive(self.ports, self.tx, scope).await?;
            }
        }
        // The last sync was reading when this happened: it may have seen what came after.
        let wants_sync = self.wants_sync || self.ambiguous;
        if wants_sync {
            directory::request_sync(self.tx, self.stamp.now)
                .await
                .map_err(failure::database)?;
        }
        Ok(wants_sync)
    }
}

fn field(field: &Field<String>) -> event::Field<'_> {
    match field {
        Field::Absent => None,
        Field::Null => Some(None),
        Field::Value(text) => Some(Some(text)),
    }
}

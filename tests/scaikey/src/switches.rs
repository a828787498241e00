//! The switches: standing behaviour, named lies, transport faults. All may change while the emulator runs.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::fault::{Fault, Planned};
use crate::keys::SigningAlg;
use crate::webhook::{Envelope, EventNames};

/// Which `iss` the tokens of platform flows carry (`contract/scaikey.md` 8.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformIssuer {
    /// `{base}`.
    #[default]
    Base,
    /// `{base}/tenants/{tenant_id}` for people; service tokens keep `{base}`.
    Tenant,
}

/// What the `groups` claim holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupsClaim {
    /// Group names.
    #[default]
    Names,
    /// Group ids.
    Ids,
}

/// The envelope of list answers (`contract/scaikey.md` 3.1: untyped, so all three occur).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListEnvelope {
    /// `{"data": [..], "meta": {..}}`.
    #[default]
    Data,
    /// `{"items": [..], "total": n, "page": n, "per_page": n}`.
    Items,
    /// `[..]`.
    BareArray,
}

/// The spelling of user and member rows, and of what events say (`contract/scaikey.md` 7.2, 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserShape {
    /// `id`, `first_name`, `last_name`, `tenant_id`.
    #[default]
    Flat,
    /// `id`, `first_name`, `last_name`, and the tenant nested as `tenant.{id,name,slug}`.
    NestedTenant,
    /// `user_id`, `display_name`, `tenant_id`.
    UserId,
}

/// What an honest ScaiKey may do one way or another. In JSON a missing field keeps its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// `authorize` with a `login_hint` of a seeded person redirects at once with a code. Default off.
    pub auto_login: bool,
    /// With `auto_login` and no `login_hint`: sign this e-mail address in.
    pub auto_login_email: Option<String>,
    /// `GET /.well-known/openid-configuration` works. Default off (404).
    pub plain_discovery: bool,
    /// `iss` of tokens of platform flows. The `iss` response parameter is always what discovery names.
    pub platform_issuer: PlatformIssuer,
    /// The algorithm that signs. Default RS256.
    pub signing_alg: SigningAlg,
    /// Discovery declares `authorization_response_iss_parameter_supported: true`. Default on.
    pub declare_iss_parameter: bool,
    /// The authorization response carries `iss` (RFC 9207). Default on.
    pub send_iss_parameter: bool,
    /// `grant_type=password` works. Default off.
    pub password_grant: bool,
    /// A refresh returns a new refresh token and kills the old one. Default on.
    pub rotate_refresh: bool,
    /// A replayed refresh token ends its whole family. Default on (the harsher of what 1.5 leaves open).
    pub refresh_reuse_revokes_family: bool,
    /// A refresh returns a new ID token (without nonce). Default on.
    pub refresh_id_token: bool,
    /// Scopes beyond `allowed_scopes` are refused with `invalid_scope` instead of dropped. Default off.
    pub refuse_excess_scope: bool,
    /// Scopes beyond the subject token's are refused in token exchange. Default on (N-124).
    pub refuse_exchange_excess: bool,
    /// Access tokens carry a `jti`. Default on; ScaiKey's pages do not show one (2.2), but without it two tokens of
    /// one second are the same string.
    pub access_token_jti: bool,
    /// Access tokens carry `email`, `name` and `groups` (`contract/scaikey.md` 8.6). Default off.
    pub access_token_identity: bool,
    /// Access tokens of people carry this `permissions` array. Default absent.
    pub permissions: Option<Vec<String>>,
    /// The `typ` header of access tokens. Default `JWT`.
    pub access_token_typ: String,
    /// What `groups` holds.
    pub groups_claim: GroupsClaim,
    /// Lifetime of ID tokens, seconds. Default 3600.
    pub id_token_seconds: i64,
    /// Lifetime of authorization codes, seconds. Default 60.
    pub code_seconds: i64,
    /// Lifetime of refresh tokens, seconds. Default 30 days.
    pub refresh_seconds: i64,
    /// The envelope of lists.
    pub list_envelope: ListEnvelope,
    /// The spelling of user rows.
    pub user_shape: UserShape,
    /// `per_page` when none is asked. Default 20.
    pub default_per_page: usize,
    /// Largest `per_page`; more is cut to it. Default 1000.
    pub max_per_page: usize,
    /// `me` is accepted as application id in effective users and assignees (8.16). Default on.
    pub application_me: bool,
    /// Answers carry `Date`. Default on.
    pub date_header: bool,
    /// `Date` is this many seconds ahead of the clock (behind it when negative). Default 0.
    pub date_skew_seconds: i64,
    /// The envelope of events about changes (8.1).
    pub webhook_envelope: Envelope,
    /// What those events call a membership (8.2).
    pub webhook_names: EventNames,
    /// The spelling of their `data` (8.3). Default `NestedTenant`, ScaiDNS's sample.
    pub webhook_data: UserShape,
    /// Self-registrations accepted in sixty seconds; one more is 429. Default: any number.
    pub registrations_per_minute: Option<u32>,
    /// A self-registration nobody decides on expires after these seconds. Default 7 days.
    pub registration_seconds: i64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            auto_login: false,
            auto_login_email: None,
            plain_discovery: false,
            platform_issuer: PlatformIssuer::default(),
            signing_alg: SigningAlg::default(),
            declare_iss_parameter: true,
            send_iss_parameter: true,
            password_grant: false,
            rotate_refresh: true,
            refresh_reuse_revokes_family: true,
            refresh_id_token: true,
            refuse_excess_scope: false,
            refuse_exchange_excess: true,
            access_token_jti: true,
            access_token_identity: false,
            permissions: None,
            access_token_typ: "JWT".to_owned(),
            groups_claim: GroupsClaim::default(),
            id_token_seconds: 3_600,
            code_seconds: 60,
            refresh_seconds: 30 * 86_400,
            list_envelope: ListEnvelope::default(),
            user_shape: UserShape::default(),
            default_per_page: 20,
            max_per_page: 1_000,
            application_me: true,
            date_header: true,
            date_skew_seconds: 0,
            webhook_envelope: Envelope::default(),
            webhook_names: EventNames::default(),
            webhook_data: UserShape::NestedTenant,
            registrations_per_minute: None,
            registration_seconds: 7 * 86_400,
        }
    }
}

/// The switchboard of one emulator. Every method takes effect with the next request.
#[derive(Default)]
pub struct Switches(Switchboard);

type Switchboard = scaigate_emulation::Switches<Behaviour, Deviation, Endpoint, Planned>;

impl Deref for Switches {
    type Target = Switchboard;

    fn deref(&self) -> &Switchboard {
        &self.0
    }
}

impl Switches {
    pub(crate) fn with(behaviour: Behaviour) -> Self {
        Self(Switchboard::with(behaviour))
    }

    /// The next `times` requests to the endpoint meet this fault. Faults of one endpoint queue up.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.plan(endpoint, Planned::next(fault, Some(times)));
    }

    /// The `nth` request from now on (1: the next) meets this fault, those before it none.
    pub fn fail_nth(&self, endpoint: Endpoint, fault: Fault, nth: u32) {
        let mut planned = Planned::next(fault, Some(1));
        planned.after = nth.saturating_sub(1);
        self.plan(endpoint, planned);
    }

    /// Requests for this page of a list meet this fault: the next `times` of them, or all until `heal`.
    /// A request without `page` asks for page 1.
    pub fn fail_page(&self, endpoint: Endpoint, fault: Fault, page: u64, times: Option<u32>) {
        let mut planned = Planned::next(fault, times);
        planned.page = Some(page);
        self.plan(endpoint, planned);
    }

    /// Every request to the endpoint meets this fault, until `heal`.
    pub fn fail_always(&self, endpoint: Endpoint, fault: Fault) {
        let planned = vec![Planned::next(fault, None)];
        self.lock().faults.insert(endpoint, planned);
    }

    /// The fault that a request meets; `page` is what its query asks for.
    pub(crate) fn draw_fault(&self, endpoint: Endpoint, page: Option<&str>) -> Option<Fault> {
        let mut setting = self.lock();
        let queue = setting.faults.get_mut(&endpoint)?;
        queue.retain(|planned| planned.times != Some(0));
        let page = page.map_or(Some(1), |page| page.parse().ok());
        queue
            .iter_mut()
            .find(|planned| planned.page.is_none() || planned.page == page)?
            .meet()
    }
}

//! Who is calling: typed, so that a service can't stand in for a person, nor the reverse.

use std::rc::Rc;

use scaigate_problem::{Code, Problem};
use scaigate_types::{
    Actor, AdminRole, ClientId, Issuer, PersonId, SessionId, Subject, TenantId, Timestamp,
    WorkspaceId, WorkspaceRole,
};

/// Somebody who may call.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person, proven by our session token or by ScaiKey's access token.
    User(Rc<User>),
    /// A service: its `sub` is its `client_id` (`contract/scaikey.md` 2.2).
    Service(Rc<Service>),
    /// A test user whom nothing proves (`scaiwave_auth_mode`, `env=dev`).
    Dev(Rc<User>),
}

/// By what a user is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Our session token.
    Session(SessionId),
    /// An access token of ScaiKey.
    AccessToken,
    /// Any bearer, in the modes `mock` and `hybrid`.
    Mock,
    /// The `X-Dev-*` headers.
    DevHeaders,
}

impl Credential {
    /// The name shown.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::AccessToken => "access_token",
            Self::Mock => "mock",
            Self::DevHeaders => "dev_headers",
        }
    }
}

/// A person who calls.
#[derive(Clone, Debug)]
pub struct User {
    /// With `subject`, the identity.
    pub issuer: Issuer,
    /// Unique within the issuer.
    pub subject: Subject,
    /// The tenant in which the person acts.
    pub tenant_id: TenantId,
    /// The person's row; `None` for one who has neither signed in nor registered here.
    pub person_id: Option<PersonId>,
    /// For display.
    pub email: Option<String>,
    /// For display.
    pub name: Option<String>,
    /// The administrator role here.
    pub admin_role: Option<AdminRole>,
    /// The person's own workspace. A session says the one that there was when its token was made.
    pub personal_workspace_id: Option<WorkspaceId>,
    /// The workspace and the role in it, where the credential names one.
    pub workspace: Option<(WorkspaceId, WorkspaceRole)>,
    /// What the token was issued for; empty for a session.
    pub scopes: Vec<String>,
    /// Permissions that ScaiKey sends, if it does.
    pub permissions: Vec<String>,
    /// Roles that ScaiKey sends.
    pub roles: Vec<String>,
    /// Groups that ScaiKey sends.
    pub groups: Vec<String>,
    /// By what the person is known.
    pub credential: Credential,
    /// When the credential ends; `None` for one that does not.
    pub expires_at: Option<Timestamp>,
}

/// A service that calls.
#[derive(Clone, Debug)]
pub struct Service {
    /// Who issued its token.
    pub issuer: Issuer,
    /// Which client it is.
    pub client_id: ClientId,
    /// Its tenant; `None` for a client of the platform.
    pub tenant_id: Option<TenantId>,
    /// Whether ScaiKey lets it act across tenants (`platform_token`).
    pub is_platform: bool,
    /// What the token was issued for.
    pub scopes: Vec<String>,
    /// Permissions that ScaiKey sends, if it does.
    pub permissions: Vec<String>,
    /// Roles that ScaiKey sends.
    pub roles: Vec<String>,
    /// When the token ends.
    pub expires_at: Timestamp,
}

impl Principal {
    /// Who that is in the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::User(user) | Self::Dev(user) => Actor {
                name: match &user.person_id {
                    Some(person_id) => format!("person:{}", person_id.as_str()),
                    None => format!("subject:{}", user.subject.as_str()),
                },
                tenant_id: Some(user.tenant_id.clone()),
            },
            Self::Service(service) => Actor {
                name: format!("service:{}", service.client_id.as_str()),
                tenant_id: service.tenant_id.clone(),
            },
        }
    }

    /// Whether it is the same verdict on the same credential, not one that says the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::User(one), Self::User(other)) | (Self::Dev(one), Self::Dev(other)) => {
                Rc::ptr_eq(one, other)
            }
            (Self::Service(one), Self::Service(other)) => Rc::ptr_eq(one, other),
            (Self::User(_) | Self::Service(_) | Self::Dev(_), _) => false,
        }
    }

    /// Where it lies in memory: as long as it is kept, nobody else's.
    #[must_use]
    pub fn address(&self) -> usize {
        match self {
            Self::User(user) | Self::Dev(user) => Rc::as_ptr(user).addr(),
            Self::Service(service) => Rc::as_ptr(service).addr(),
        }
    }

    /// The person, proven or a test user.
    ///
    /// # Errors
    /// [`Code::UserRequired`] for a service.
    pub fn into_user(self) -> Result<Rc<User>, Problem> {
        self.user().cloned()
    }

    /// The same, where the principal stays.
    ///
    /// # Errors
    /// As [`Self::into_user`].
    pub fn user(&self) -> Result<&Rc<User>, Problem> {
        match self {
            Self::User(user) | Self::Dev(user) => Ok(user),
            Self::Service(_) => {
                Err(Problem::new(Code::UserRequired)
                    .with_sw_code("SW_AUTH_INSUFFICIENT_PERMISSION"))
            }
        }
    }
}

/// What came of looking at a request's credential. A store or a ScaiKey that does not answer is
/// none of these.
#[derive(Debug)]
pub enum Authentication {
    /// There is none.
    NotPresented,
    /// Somebody.
    Authenticated(Principal),
    /// One that does not hold, and why.
    Rejected(Problem),
}

impl Authentication {
    /// Whoever calls, where somebody must.
    ///
    /// # Errors
    /// [`Code::AuthenticationRequired`], or why the credential was rejected.
    pub fn required(self) -> Result<Principal, Problem> {
        match self {
            Self::Authenticated(principal) => Ok(principal),
            Self::NotPresented => Err(Problem::new(Code::AuthenticationRequired)),
            Self::Rejected(problem) => Err(problem),
        }
    }
}

//! Who may use flows at all: people of ScaiKey with the permission (S-05, S-07).

use std::rc::Rc;

use scaigate_kv::flow::Viewer;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::permission;
use scaigate_scaigrid::path::Permission;
use scaigate_signin::{Ports, Principal, User};

/// A person of ScaiKey who may look at flows.
#[derive(Clone, Debug)]
pub struct Reader {
    user: Rc<User>,
}

/// A person of ScaiKey who may change flows, and see what they change.
#[derive(Clone, Debug)]
pub struct Writer(Reader);

impl Reader {
    /// The person.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// As the stores know them.
    #[must_use]
    pub fn viewer(&self) -> Viewer<'_> {
        Viewer {
            issuer: &self.user.issuer,
            subject: &self.user.subject,
            tenant_id: &self.user.tenant_id,
            admin_role: self.user.admin_role,
        }
    }
}

impl Writer {
    /// The same person as a reader.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.0
    }

    pub(crate) fn viewer(&self) -> Viewer<'_> {
        self.0.viewer()
    }
}

/// This needs somebody who signed in through ScaiKey; `auth_mode` says what there is instead.
#[must_use]
pub fn login_required(auth_mode: &str) -> Problem {
    Problem::new(Code::ScaikeyLoginRequired).with("auth_mode", auth_mode)
}

/// What it is that nobody is known where ScaiKey is not configured: nobody can be (S-05, S-07), whatever
/// is presented.
#[must_use]
pub fn without_scaikey(problem: Problem) -> Problem {
    match problem.code() {
        Code::AuthenticationRequired | Code::TokenInvalid | Code::OidcNotConfigured => {
            login_required("dev_token")
        }
        _ => problem,
    }
}

/// Somebody who may look.
///
/// # Errors
/// [`Code::ScaikeyLoginRequired`] for a test user, [`Code::UserRequired`] for a service,
/// [`Code::InsufficientScope`]; a store does not answer.
pub async fn reader(ports: &impl Ports, principal: Principal) -> Result<Reader, Problem> {
    person(ports, principal, Permission::View).await
}

/// Somebody who may change.
///
/// # Errors
/// As [`reader`].
pub async fn writer(ports: &impl Ports, principal: Principal) -> Result<Writer, Problem> {
    person(ports, principal, Permission::Manage)
        .await
        .map(Writer)
}

async fn person(
    ports: &impl Ports,
    principal: Principal,
    needed: Permission,
) -> Result<Reader, Problem> {
    match &principal {
        Principal::User(_) | Principal::Service(_) => {}
        Principal::Dev(user) => return Err(login_required(user.credential.as_str())),
    }
    let user = principal.into_user()?;
    permission::require(ports, &Principal::User(Rc::clone(&user)), needed).await?;
    Ok(Reader { user })
}

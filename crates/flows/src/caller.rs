//! Who may use flows at all: people of ScaiKey with the permission (S-05, S-07).

use std::rc::Rc;

use scaigate_kv::flow::{self, Viewer};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, Principal, User, failure};

use crate::permission::{self, Held};

/// A person of ScaiKey who may look at flows.
#[derive(Clone, Debug)]
pub struct Reader {
    user: Rc<User>,
    held: Held,
}

/// A person of ScaiKey who may change flows.
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

/// Somebody who may look.
///
/// # Errors
/// [`Code::ScaikeyLoginRequired`] for a test user, [`Code::UserRequired`] for a service,
/// [`Code::InsufficientScope`]; a store does not answer.
pub async fn reader(ports: &impl Ports, principal: Principal) -> Result<Reader, Problem> {
    let user = match principal {
        Principal::User(user) => user,
        Principal::Dev(user) => return Err(login_required(user.credential.as_str())),
        service @ Principal::Service(_) => service.into_user()?,
    };
    let role = match &user.person_id {
        Some(person_id) if !permission::token_decides(&user) => {
            flow::default_role(ports.db(), person_id, &user.tenant_id)
                .await
                .map_err(failure::database)?
        }
        _ => None,
    };
    let held = permission::held(&user, role);
    if !held.view {
        return Err(lacks(permission::VIEW, held));
    }
    Ok(Reader { user, held })
}

/// Somebody who may change.
///
/// # Errors
/// As [`reader`].
pub async fn writer(ports: &impl Ports, principal: Principal) -> Result<Writer, Problem> {
    let reader = reader(ports, principal).await?;
    if !reader.held.manage {
        return Err(lacks(permission::MANAGE, reader.held));
    }
    Ok(Writer(reader))
}

fn lacks(required: &str, held: Held) -> Problem {
    Problem::new(Code::InsufficientScope)
        .with("required", [required].as_slice())
        .with("present", held.names())
}

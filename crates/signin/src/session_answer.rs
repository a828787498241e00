//! The session an app gets.

use std::time::Duration;

use scaigate_jose::{RefreshToken, SessionClaims};
use scaigate_kv::people::{Membership, Person};
use scaigate_kv::session::Session;
use scaigate_problem::{Code, Problem};
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Entropy, Secret};
use serde_json::{Value, json};

use crate::ports::Ports;
use crate::settings::Settings;

/// A session token, its refresh token, and what the app shows of them.
#[derive(Debug)]
pub struct SessionAnswer {
    /// The session token.
    pub access_token: Secret<String>,
    /// The current refresh token.
    pub refresh_token: Secret<String>,
    /// Life of the session token.
    pub expires_in: Duration,
    /// Whose it is.
    pub person: Person,
    /// Where it acts.
    pub workspace: Membership,
}

impl SessionAnswer {
    /// Makes the tokens of `session` for `workspace`.
    ///
    /// # Errors
    /// [`Code::Internal`] when a token can't be signed.
    pub(crate) fn mint(
        ports: &impl Ports,
        settings: &Settings,
        session: &Session,
        person: Person,
        workspace: Membership,
    ) -> Result<Self, Problem> {
        let sessions = &settings.sessions;
        let now = ports.clock().now();
        // The last session token of a session does not outlive it.
        let expires_in = sessions.session_ttl.min(session.expires_at.since(now));
        let claims = SessionClaims {
            issuer: settings.deployment.public_url.as_str().to_owned(),
            subject: person.subject.clone(),
            subject_issuer: person.issuer.clone(),
            person_id: person.person_id.clone(),
            tenant_id: person.tenant_id.clone(),
            workspace_id: workspace.workspace_id.clone(),
            role: workspace.role,
            admin_role: person.admin_role,
            personal_workspace_id: person.personal_workspace_id.clone(),
            email: person.email.clone(),
            name: person.name.clone(),
            sid: session.sid.clone(),
            generation: session.generation,
            jti: base64url(&ports.entropy().bytes::<16>()),
            issued_at: now,
            expires_at: now.plus(expires_in),
        };
        let access_token = sessions
            .signer
            .sign(&claims)
            .map_err(|_| Problem::new(Code::Internal))?;
        let refresh_token =
            RefreshToken::issue(&sessions.refresh, &session.sid, session.generation);
        Ok(Self {
            access_token: Secret::new(access_token),
            refresh_token,
            expires_in,
            person,
            workspace,
        })
    }

    /// The documented answer (`product.md` section 4). Holds the tokens.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let person = &self.person;
        json!({
            "access_token": self.access_token.expose(),
            "token_type": "Bearer",
            "expires_in": self.expires_in.as_secs(),
            "refresh_after": refresh_after(self.expires_in),
            "refresh_token": self.refresh_token.expose(),
            "user": {
                "id": person.person_id.as_str(),
                "sub": person.subject.as_str(),
                "email": person.email,
                "name": person.name,
                "admin_role": person.admin_role,
            },
            "tenant_id": person.tenant_id.as_str(),
            "workspace": membership_json(&self.workspace),
        })
    }
}

/// A workspace as its member sees it.
#[must_use]
pub fn membership_json(membership: &Membership) -> Value {
    json!({
        "workspace_id": membership.workspace_id.as_str(),
        "name": membership.name,
        "role": membership.role,
    })
}

/// When to refresh: 80 % of the life, in seconds (S-30).
#[must_use]
pub const fn refresh_after(expires_in: Duration) -> u64 {
    expires_in.as_secs().saturating_mul(4) / 5
}

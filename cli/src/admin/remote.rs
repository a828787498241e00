//! Users and roles by way of a server.

use http::Method;
use scaigate_types::{AdminRole, TenantId};
use serde_json::{Value, json};

use super::Directory;
use super::user::User;
use crate::api::Api;
use crate::arguments::UserFilter;
use crate::failure::Failure;
use crate::http_client::{TIMEOUT, segment};

/// A server.
pub struct Remote<'a>(pub Api<'a>);

impl Directory for Remote<'_> {
    fn users(&self, filter: &UserFilter) -> Result<Value, Failure> {
        let (page, per_page) = (filter.page.to_string(), filter.per_page.to_string());
        let query: Vec<_> = [
            ("search", filter.search.as_deref()),
            ("status", filter.status.as_deref()),
            ("tenant_id", filter.tenant.as_ref().map(TenantId::as_str)),
            ("page", Some(page.as_str())),
            ("per_page", Some(per_page.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        self.0.get("/v1/admin/users", &query)
    }

    fn set_role(&self, user: &User, role: Option<AdminRole>) -> Result<Option<usize>, Failure> {
        let path = format!("/v1/admin/users/{}/role", segment(&user.id));
        let query = [("tenant_id", user.tenant_id.as_str())];
        let body = role.map(|role| json!({ "role": role.as_str() }));
        let method = match role {
            Some(_) => Method::POST,
            None => Method::DELETE,
        };
        self.0.send(method, &path, &query, body.as_ref(), TIMEOUT)?;
        Ok(None)
    }

    fn why(&self, email: &str) -> Result<Value, Failure> {
        self.0.get("/v1/admin/users", &[("why", email)])
    }
}

//! `scaigate admin`: roles and users, by way of a server or on its database file.

mod findings;
mod local;
mod remote;
mod user;

use scaigate_types::{AdminRole, TenantId};
use serde_json::{Value, json};

use crate::api::Api;
use crate::arguments::{Admin, Place, UserFilter};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::output::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::terminal;

use local::Local;
pub use local::not_opened;
pub use local::open_database;
use remote::Remote;
use user::User;

/// Rows of a page when somebody is looked for.
const SEARCH_ROWS: u32 = 500;
/// Most pages looked through: a search by address that finds more is no search for one person.
const SEARCH_PAGES: u32 = 20;

/// Where users and their roles are.
trait Directory {
    /// A page of users as the route shows it: `{users, total, page, per_page}`.
    fn users(&self, filter: &UserFilter) -> Result<Value, Failure>;
    /// Gives a role, or takes it. How many sessions that narrowed, where it is known.
    fn set_role(&self, user: &User, role: Option<AdminRole>) -> Result<Option<usize>, Failure>;
    /// What is known of an address: `{"why": {…}}`.
    fn why(&self, email: &str) -> Result<Value, Failure>;
}

/// Runs one of the commands.
///
/// # Errors
/// Whatever went wrong.
pub fn run(command: Admin, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    let at = |place: &Place, scope: &str| -> Result<Box<dyn Directory + '_>, Failure> {
        Ok(match &place.database {
            Some(file) => Box::new(Local::open(file, place.key_value.as_deref(), settings)?),
            None => Box::new(Remote(Api::connect(http, settings, &place.server, scope)?)),
        })
    };
    match command {
        Admin::Grant {
            email,
            role,
            tenant,
            place,
        } => {
            let directory = at(&place, "admin:read admin:write")?;
            change(
                directory.as_ref(),
                &email,
                tenant.as_ref(),
                Some(role.into()),
            )
        }
        Admin::Revoke {
            email,
            tenant,
            place,
        } => {
            let directory = at(&place, "admin:read admin:write")?;
            change(directory.as_ref(), &email, tenant.as_ref(), None)
        }
        Admin::Users { filter, place } => users(at(&place, "admin:read")?.as_ref(), &filter),
        Admin::Why { email, place } => why(at(&place, "admin:read")?.as_ref(), &email),
    }
}

fn change(
    directory: &dyn Directory,
    email: &str,
    tenant: Option<&TenantId>,
    role: Option<AdminRole>,
) -> Result<Report, Failure> {
    let user = find(directory, email, tenant)?;
    let narrowed = directory.set_role(&user, role)?;
    let role = role.map(AdminRole::as_str);
    let who = terminal::line(&format!("{email} of {}", user.tenant_id));
    let mut human = match (role, user.admin_role.as_deref()) {
        (Some(role), Some(former)) if role != former => {
            format!(
                "{who} is {role} now, and no longer {}.\n",
                terminal::line(former)
            )
        }
        (Some(role), _) => format!("{who} is {role}.\n"),
        (None, Some(former)) => format!("{who} is no longer {}.\n", terminal::line(former)),
        (None, None) => format!("{who} had no administrator role.\n"),
    };
    if let Some(count) = narrowed.filter(|count| *count > 0) {
        human.push_str(&format!(
            "Tokens of {count} sessions are revoked; the next refresh says the new role.\n"
        ));
    }
    if role.is_some() && !user.is_active() {
        let status = terminal::line(&user.status);
        human.push_str(&format!("They can't act: their status is {status}.\n"));
    }
    Ok(Report::done(
        human,
        json!({
            "user_id": user.id, "tenant_id": user.tenant_id, "email": user.email,
            "status": user.status, "previous_role": user.admin_role, "admin_role": role,
            "sessions_narrowed": narrowed,
        }),
    ))
}

/// The one user with that address who is not deleted.
fn find(
    directory: &dyn Directory,
    email: &str,
    tenant: Option<&TenantId>,
) -> Result<User, Failure> {
    let mut found = Vec::new();
    for page in 1..=SEARCH_PAGES {
        let answer = directory.users(&UserFilter {
            search: Some(email.to_owned()),
            status: None,
            tenant: tenant.cloned(),
            page,
            per_page: SEARCH_ROWS,
        })?;
        let users = user::page(&answer)?;
        let is_last = users.len() < SEARCH_ROWS as usize;
        found.extend(users.into_iter().filter(|user| {
            user.has_address(email)
                && user.deleted_at.is_none()
                && tenant.is_none_or(|tenant| user.tenant_id == tenant.as_str())
        }));
        if is_last {
            break;
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.as_slice()) {
        (None, _) => Err(nobody(email)),
        (Some(user), []) => Ok(user),
        (Some(user), others) => Err(several(email, &user, others)),
    }
}

fn nobody(email: &str) -> Failure {
    let email = terminal::line(email);
    let message = format!("Nobody with the address {email} is in the mirror.");
    Failure::new(Exit::NotFound, "user_not_found", message).with_fix(format!(
        "Read ScaiKey's directory with `scaigate sync`, and ask `scaigate admin why {email}` if that \
         does not help. Without a sync, set BOOTSTRAP_SUPER_ADMIN=user:{email} and let them sign in."
    ))
}

fn several(email: &str, first: &User, others: &[User]) -> Failure {
    let tenants: Vec<_> = std::iter::once(first)
        .chain(others)
        .map(|user| terminal::line(&format!("{} ({})", user.tenant_id, user.id)))
        .collect();
    let message = format!("Several users have the address {}.", terminal::line(email));
    Failure::new(Exit::Usage, "user_ambiguous", message)
        .with("tenants", tenants.join(", "))
        .with_fix("Say which with --tenant.")
}

fn users(directory: &dyn Directory, filter: &UserFilter) -> Result<Report, Failure> {
    let answer = directory.users(filter)?;
    let mut table = Table::new(&[
        "email", "name", "status", "role", "source", "tenant", "id", "synced",
    ]);
    let users = user::page(&answer)?;
    for user in &users {
        table.row([
            user.email.as_deref(),
            user.display_name.as_deref(),
            Some(user.shown_status()),
            user.admin_role.as_deref(),
            user.admin_role_source.as_deref(),
            Some(&user.tenant_id),
            Some(&user.id),
            user.last_synced_at.as_deref(),
        ]);
    }
    let total = answer.get("total").and_then(Value::as_i64).unwrap_or(0);
    let human = format!(
        "{}{} of {total}, page {}\n",
        table.render(),
        users.len(),
        filter.page
    );
    Ok(Report::done(human, answer))
}

fn why(directory: &dyn Directory, email: &str) -> Result<Report, Failure> {
    let answer = directory.why(email)?;
    let why = answer.get("why");
    let text = |of: Option<&Value>, name: &str| {
        let text = of?.get(name)?.as_str()?;
        Some(terminal::short(text, 400))
    };
    let findings = why.and_then(|why| why.get("findings"));
    let findings = findings.and_then(Value::as_array).ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            "unreadable_answer",
            "The answer holds no findings.",
        )
        .with_fix("Check that scaigate and this command are of one version.")
    })?;
    let mut human = String::new();
    for finding in findings {
        let part = |name| text(Some(finding), name);
        let code = part("code").unwrap_or_default();
        human.push_str(&format!(
            "{code}: {}\n",
            part("message").unwrap_or_default()
        ));
        for name in ["user_id", "tenant_id"] {
            if let Some(id) = part(name) {
                human.push_str(&format!("  {name}: {id}\n"));
            }
        }
        if let Some(fix) = part("fix") {
            human.push_str(&format!("  fix: {fix}\n"));
        }
    }
    let last = text(why, "last_sync_at").unwrap_or_else(|| "never".to_owned());
    let method = text(why, "users_method").unwrap_or_else(|| "-".to_owned());
    human.push_str(&format!("last sync: {last}, users by {method}\n"));
    Ok(Report::done(human, answer))
}

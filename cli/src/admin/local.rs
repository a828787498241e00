//! Users and roles in the database file, with the statements that the server runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_executor::block_on;
use scaigate_kv::directory::{self, Cause, Stamp, listing, role, why};
use scaigate_kv::file::{FileDatabase, FileKv, OpenError};
use scaigate_kv::schema::VERSION;
use scaigate_kv::{revocation, session};
use scaigate_problem::Code;
use scaigate_types::{AdminRole, Database as _, PersonId, TenantId, Timestamp, Transaction};
use serde_json::{Value, json};

use super::user::User;
use super::{Directory, findings, nobody};
use crate::arguments::UserFilter;
use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Settings;

/// How long another writer is waited for: a server may be running.
const WAIT: Duration = Duration::from_secs(5);
/// Spin's key-value file, in the folder of its database.
const KEY_VALUE_FILE: &str = "sqlite_key_value.db";

/// A database file.
pub struct Local<'a> {
    database: FileDatabase,
    key_value: PathBuf,
    settings: &'a Settings,
}

impl<'a> Local<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// It is missing, not scaigate's, or of another schema version.
    pub fn open(
        database: &Path,
        key_value: Option<&Path>,
        settings: &'a Settings,
    ) -> Result<Self, Failure> {
        Ok(Self {
            database: open_database(database)?,
            key_value: key_value
                .map_or_else(|| database.with_file_name(KEY_VALUE_FILE), Path::to_owned),
            settings,
        })
    }

    /// Revokes what the person's tokens say, within the transaction of the change: the index first,
    /// as the server does it. How many sessions there were.
    fn narrow(
        &self,
        tx: &impl Transaction,
        person_id: &PersonId,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        let live = block_on(session::generations(tx, person_id, now))?;
        if live.is_empty() {
            return Ok(0);
        }
        // Only now: without a session there is nothing to write into it.
        let kv = FileKv::open(&self.key_value, WAIT)
            .map_err(|error| not_opened(&self.key_value, "--key-value", error))?;
        for (sid, generation) in &live {
            block_on(revocation::narrow(&kv, sid, *generation, now))?;
        }
        Ok(live.len())
    }
}

/// Opens a database file.
///
/// # Errors
/// It is missing, not scaigate's, or of another schema version.
pub fn open_database(database: &Path) -> Result<FileDatabase, Failure> {
    FileDatabase::open(database, WAIT).map_err(|error| not_opened(database, "--database", error))
}

impl Directory for Local<'_> {
    fn users(&self, filter: &UserFilter) -> Result<Value, Failure> {
        let listed = block_on(listing::users(
            &self.database,
            listing::Page {
                tenant_id: filter.tenant.as_ref(),
                search: filter.search.as_deref(),
                status: filter.status.as_deref(),
                page: filter.page,
                per_page: filter.per_page,
            },
        ))?;
        let users: Value = serde_json::from_str(&listed.rows)
            .map_err(|_| Failure::from(scaigate_types::StoreError::Corrupt))?;
        Ok(json!({
            "users": users, "total": listed.total,
            "page": filter.page, "per_page": filter.per_page,
        }))
    }

    fn set_role(&self, user: &User, role: Option<AdminRole>) -> Result<Option<usize>, Failure> {
        let gone = || nobody(user.email.as_deref().unwrap_or_default());
        let tenant_id = TenantId::parse(&user.tenant_id)
            .map_err(|_| Failure::from(scaigate_types::StoreError::Corrupt))?;
        let holders = block_on(role::by_user_id(&self.database, &user.id, Some(&tenant_id)))?;
        let holder = match holders.as_slice() {
            [] => return Err(gone()),
            [holder] => holder,
            // One identifier under two issuers: the tenant has moved to another ScaiKey.
            _ => return Err(Failure::of(Code::UserAmbiguous).ending(Exit::Usage)),
        };
        let now = environment::now();
        let stamp = Stamp {
            cause: Cause::Operator,
            now,
            at: now,
        };
        let tx = block_on(self.database.begin())?;
        let change = role::set(&tx, &holder.person_id, Some(&tenant_id), role, &stamp);
        let narrowed = match block_on(change)? {
            role::Change::Done { narrows: true } => self.narrow(&tx, &holder.person_id, now)?,
            role::Change::Done { narrows: false } => 0,
            role::Change::LastSuperAdmin => return Err(last_super_admin()),
            role::Change::NotFound => return Err(gone()),
        };
        block_on(tx.commit())?;
        Ok(Some(narrowed))
    }

    fn why(&self, email: &str) -> Result<Value, Failure> {
        let setting = |name: &str| self.settings.get(name).map(Option::unwrap_or_default);
        let groups = setting("SCAIFLOW_SUPER_ADMIN_GROUPS")?;
        let groups = groups.split(',').map(str::trim);
        let groups: Vec<_> = groups.filter(|name| !name.is_empty()).collect();
        let groups = json!(groups).to_string();
        let bootstrap = setting("BOOTSTRAP_SUPER_ADMIN")?;
        let bootstrap = bootstrap.strip_prefix("user:").map(str::trim);
        let is_bootstrap = bootstrap.is_some_and(|named| named.eq_ignore_ascii_case(email));
        let known = block_on(why::known(&self.database, email, &groups))?;
        let state = block_on(directory::state(&self.database))?;
        Ok(findings::why(email, &known, &state, is_bootstrap))
    }
}

fn last_super_admin() -> Failure {
    Failure::of(Code::LastSuperAdmin).with_fix(
        "Give the role to somebody else first, with `scaigate admin grant <email> --role super_admin`.",
    )
}

/// A file can't be used; `flag` is what it was given as.
pub fn not_opened(path: &Path, flag: &str, error: OpenError) -> Failure {
    let place = path.display();
    match error {
        OpenError::Missing => Failure::new(
            Exit::NotFound,
            "file_not_found",
            format!("There is no file {place}."),
        )
        .with_fix(format!(
            "Name the file with {flag}. Spin keeps it in .spin beside spin.toml unless its runtime \
             configuration says otherwise; a database elsewhere is reached with --url."
        )),
        OpenError::Foreign => Failure::new(
            Exit::Usage,
            "file_foreign",
            format!("{place} is not a file of scaigate."),
        )
        .with_fix(format!("Name the right file with {flag}.")),
        OpenError::SchemaOlder(version) => Failure::new(
            Exit::Refused,
            "schema_older",
            format!("The database is of schema version {version}; this command works with {VERSION}."),
        )
        .with_fix(
            "Let this version of scaigate serve it once, which migrates it, or use the command of the \
             version that serves it.",
        ),
        OpenError::SchemaNewer(version) => Failure::of(Code::SchemaNewer)
            .ending(Exit::Refused)
            .with("schema_version", version.to_string())
            .with("expected", VERSION.to_string())
            .with_fix("Use the scaigate command of the version that serves the database."),
        OpenError::Store(error) => Failure::from(error),
    }
}

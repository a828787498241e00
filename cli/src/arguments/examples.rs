//! What `--help` shows below the options. A test reads every example.

/// Of the command itself.
pub const ALL: &str = "\
Settings come from flags, then the environment, then .env: SCAIKEY_BASE_URL, SCAIFLOW_SCAIKEY_CLIENT_ID,
SCAIFLOW_SCAIKEY_CLIENT_SECRET, SCAIFLOW_SCAIKEY_WEBHOOK_SECRET, PUBLIC_URL, SCAIGATE_TOKEN.

Exit codes:
  0  done
  1  it went wrong
  2  the command needs other arguments or settings
  3  what was asked about is not there
  4  refused
  5  no answer came
  6  it works, and something needs attention

Examples:
  scaigate doctor
  scaigate scaikey-register --email ops@acme.example
  scaigate sync
  scaigate admin grant alice@acme.example --role super_admin";

/// Of `admin`.
pub const ADMIN: &str = "\
Examples:
  scaigate admin grant alice@acme.example --role super_admin
  scaigate admin why bob@acme.example
  scaigate admin users --database .spin/sqlite_db.db";

/// Of `admin grant`.
pub const GRANT: &str = "\
Works when nobody is administrator yet: on the database file, or with the token of an application
that has admin:write.

Examples:
  scaigate admin grant alice@acme.example --role super_admin
  scaigate admin grant alice@acme.example --role tenant_admin --tenant tnt_acme0001
  scaigate admin grant alice@acme.example --role super_admin --database .spin/sqlite_db.db";

/// Of `admin revoke`.
pub const REVOKE: &str = "\
The tokens that say the old role are revoked at once. The last super admin can't be revoked.

Examples:
  scaigate admin revoke alice@acme.example
  scaigate admin revoke alice@acme.example --database .spin/sqlite_db.db";

/// Of `admin users`.
pub const USERS: &str = "\
Examples:
  scaigate admin users --search alice
  scaigate admin users --status suspended --tenant tnt_acme0001 --json
  scaigate admin users --page 2 --per-page 50 --database .spin/sqlite_db.db";

/// Of `admin why`.
pub const WHY: &str = "\
Examples:
  scaigate admin why alice@acme.example
  scaigate admin why alice@acme.example --database .spin/sqlite_db.db";

/// Of `sync`.
pub const SYNC: &str = "\
Ends with 1 also when there was nothing to sync with, and with 4 when the answer is that it may not be
applied (--force) or that another run is under way.

Examples:
  scaigate sync
  scaigate sync --status --json
  scaigate sync --force --progress plain";

/// Of `doctor`.
pub const DOCTOR: &str = "\
From outside without a credential; from inside with an administrator's token or the database file.
Ends with 0 when all is well, 6 when something needs attention, 1 when something does not work, and
5 when nobody answers.

Examples:
  scaigate doctor
  scaigate doctor --url https://id.acme.example --json
  scaigate doctor --database .spin/sqlite_db.db
  scaigate doctor --bundle support.json --request-id req_01JD8Z2Y3X4W5V6T7S8R9QPNMK";

/// Of `scaikey-register`.
pub const REGISTER: &str = "\
Without an administrator's token the registration waits for approval. The command waits too, and
goes on where it was when it is run again: what it needs for that is in .scaigate-registration.json
beside .env. The credentials are given once; they go into .env, whose other lines stay.

Examples:
  scaigate scaikey-register --email ops@acme.example --public-url https://id.acme.example
  scaigate scaikey-register --status
  scaigate scaikey-register --cancel
  scaigate scaikey-register --admin-token - < token.txt
  scaigate scaikey-register --app-id app_1a2b3c --admin-token - < token.txt";

/// Of `webhooks test`.
pub const WEBHOOKS_TEST: &str = "\
Ends with 0 when scaigate took the event, handled or not.

Examples:
  scaigate webhooks test
  scaigate webhooks test --event user.updated --resource usr_alice_acme --tenant tnt_acme0001
  scaigate webhooks test --url https://id.acme.example --json";

/// Of `completions`.
pub const COMPLETIONS: &str = "\
Examples:
  scaigate completions bash > ~/.local/share/bash-completion/completions/scaigate
  scaigate completions zsh > ~/.zfunc/_scaigate
  scaigate completions fish > ~/.config/fish/completions/scaigate.fish";

/// Every one.
#[cfg(test)]
pub const EVERY: [&str; 11] = [
    ALL,
    ADMIN,
    GRANT,
    REVOKE,
    USERS,
    WHY,
    SYNC,
    DOCTOR,
    REGISTER,
    WEBHOOKS_TEST,
    COMPLETIONS,
];

/// Of `audit`.
pub const AUDIT: &str = "\
Examples:
  scaigate audit list --action role
  scaigate audit verify --database .spin/sqlite_db.db";

/// Of `audit list`.
pub const AUDIT_LIST: &str = "\
Examples:
  scaigate audit list --action request.refused
  scaigate audit list --request-id req_01HZX3 --database .spin/sqlite_db.db";

/// Of `audit export`.
pub const AUDIT_EXPORT: &str = "\
Examples:
  scaigate audit export
  scaigate audit export --tenant tnt_acme0001";

/// Of `audit verify`.
pub const AUDIT_VERIFY: &str = "\
On a database file the seal is held against SESSION_SECRET, where that is set. Write the head that is
printed down elsewhere: given again with --head, it shows that nothing was cut off since.

Examples:
  scaigate audit verify
  scaigate audit verify --database .spin/sqlite_db.db";

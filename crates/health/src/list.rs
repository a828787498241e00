//! Findings that are no failure of a request, or are known before there is one: a closed list. Those
//! that are have the code of the failure (`scaigate_problem`).

use crate::Severity;

macro_rules! names {
    ($($variant:ident $severity:ident $name:literal, $message:literal, $fix:literal;)*) => {
        /// A finding of our own. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = $message] $variant,)*
        }

        impl Name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What is so.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }
        }
    };
}

names! {
    // Settings.
    SettingInvalid Error "setting_invalid",
        "A setting is missing or wrong.",
        "Change the setting that the evidence names, and restart.";
    SettingAbsent Info "setting_absent",
        "A setting is unset, and what needs it is off.",
        "Nothing, if it is meant; else set the setting that the evidence names.";
    OriginMismatch Warning "origin_mismatch",
        "The addresses of this deployment and its apps are two sites, so a sign-in's cookie does not come back.",
        "Make `public_url`, `app_url` and the address in the browser one site; localhost and 127.0.0.1 are two.";
    DevAuthEnabled Warning "dev_auth_enabled",
        "Callers may pass without a proof of who they are.",
        "Nothing on a machine of your own. Elsewhere set env=prod and scaiwave_auth_mode=scaikey, and unset dangerous_allow_dev_auth.";
    RateLimitsOff Info "rate_limits_off",
        "Nobody's requests are limited.",
        "Unset `rate_limits` for the defaults, or list categories as in lookup=600,admin=300.";
    PasswordGrantOff Info "password_grant_off",
        "Signing in with grant_type=password is refused with unsupported_grant_type.",
        "Nothing: the browser is the better way. Clients that need it: set `password_grant_enabled` to true.";
    PasswordGrantUnsupported Warning "password_grant_unsupported",
        "`password_grant_enabled` is true, and ScaiKey does not announce the grant.",
        "Unset `password_grant_enabled`, or let ScaiKey's administrator enable the grant for the application.";
    DevHeadersIgnored Warning "dev_headers_ignored",
        "Requests with X-Dev-* headers arrive. They mean nothing here and were ignored.",
        "Point the client that sends them at its own environment, or let it sign in with POST /v1/auth/login.";

    // What we depend on.
    StoreSlow Error "store_timeout",
        "A store does not answer in time.",
        "Look at what `evidence.store` runs on: its disk, its network, and whoever holds a lock on it.";
    DependencySlow Warning "dependency_slow",
        "Something we depend on answers slowly, so requests that need it do too.",
        "Look at its own health and at the network between; `evidence.latency_ms` is how long it took from here.";
    ClockSkew Warning "clock_skew",
        "ScaiKey's clock and ours differ.",
        "Set the clocks here and at ScaiKey (NTP): tokens are refused from 60 s on, webhooks from 300 s.";
    ScaigridUnhealthy Warning "scaigrid_unhealthy",
        "ScaiGrid answers, and says that it is not well.",
        "Look at ScaiGrid's own health; `evidence.status` is what GET /health of `scaigrid_base_url` answered.";
    ClientUnknown Error "client_unknown",
        "ScaiKey's sign-in page does not take our client.",
        "Set SCAIFLOW_SCAIKEY_CLIENT_ID to that of the application in ScaiKey; `scaigate scaikey-register` makes one.";

    // The directory.
    NeverSynced Warning "never_synced",
        "ScaiKey's directory has never been mirrored here.",
        "Run `scaigate sync`, or call POST /v1/admin/sync.";
    SyncOverdue Warning "sync_overdue",
        "A sync is due and has not been begun.",
        "Run `scaigate sync`. Syncs by time are begun by traffic: if there is none, let a scheduler call POST /v1/admin/sync.";
    SyncAbandoned Warning "sync_abandoned",
        "The last sync died before it ended; the mirror is as it was before.",
        "Run `scaigate sync`; if it dies again, look into the log of the component `sync`.";
    SyncSkipped Warning "sync_skipped",
        "The last sync had nothing to sync with.",
        "Set the three settings of ScaiKey; `scaigate scaikey-register` makes them. Then run `scaigate sync`.";
    NoSuperAdmin Warning "no_super_admin",
        "ScaiKey sync OK but no super_admin elected.",
        "scaigate admin grant <email> --role super_admin, or set SCAIFLOW_SUPER_ADMIN_GROUPS to a comma-separated list of group ids, restart, and run `scaigate sync`.";
    BootstrapWaits Warning "bootstrap_super_admin_waits",
        "The person whom BOOTSTRAP_SUPER_ADMIN names is not super admin yet.",
        "`evidence.reason` says what it waits for; GET /v1/admin/users?why=<email> says more.";

    // Webhooks.
    WebhookNeverReceived Info "webhook_never_received",
        "No webhook of ScaiKey has ever arrived, so changes are seen at the next sync only.",
        "Register the address in `evidence.url` as a webhook in ScaiKey; `scaigate webhooks test` sends one that is right.";

    // A request, end to end.
    RequestFailed Error "request_failed",
        "A real request through this deployment fails.",
        "`evidence.path` and `evidence.status` say which; the log line of `evidence.request_id` says more.";
    ComponentUnreachable Error "component_unreachable",
        "A component of this deployment does not answer.",
        "Look into the log of the component that `evidence.component` names, and whether the deployed spin.toml has it.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigate_problem::Code;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_none_is_the_name_of_a_failure() {
        let mut seen: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for name in Name::ALL {
            assert!(seen.insert(name.as_str()), "{} twice", name.as_str());
            assert!(
                name.as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            );
            assert!(!name.message().is_empty() && name.fix().ends_with('.'));
        }
    }
}

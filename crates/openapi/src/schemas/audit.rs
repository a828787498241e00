//! The audit log.

use super::Named;
use crate::schema::{any_object, count, flag, list, maybe, named, object, text, time};

/// `scaigate_audit::Shown`, and what the component puts around it.
pub(super) fn audit() -> Named {
    vec![
        (
            "AuditEntry",
            object(&[
                ("seq", count()),
                ("at", time()),
                ("at_ms", count()),
                ("action", text()),
                ("outcome", text()),
                ("actor", maybe(text())),
                ("tenant_id", maybe(text())),
                ("target", maybe(text())),
                ("detail", any_object()),
                ("request_id", maybe(text())),
                ("source", maybe(text())),
                ("count", count()),
                ("previous", text()),
                ("hash", maybe(text())),
            ]),
        ),
        (
            "AuditPage",
            object(&[
                ("entries", list(named("AuditEntry"))),
                ("next_cursor", maybe(count())),
                ("has_more", flag()),
            ]),
        ),
        (
            "AuditChain",
            object(&[
                ("last_seq", count()),
                (
                    "seal",
                    maybe(object(&[
                        ("seq", count()),
                        ("hash", text()),
                        ("confirmed_from", count()),
                        ("at", time()),
                        ("is_ours", flag()),
                    ])),
                ),
                ("unsealed", count()),
                ("unsealed_since", maybe(time())),
                ("purged", object(&[("seq", count()), ("hash", text())])),
            ]),
        ),
    ]
}

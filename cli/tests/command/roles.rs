//! `admin grant` and `admin revoke` by way of a server.

use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN};
use crate::stub::{Answer, Asked, Stub};

fn user(id: &str, tenant_id: &str, email: &str, role: Option<&str>) -> Value {
    json!({
        "id": id, "tenant_id": tenant_id, "email": email, "display_name": "Alice Ahrens",
        "status": "ACTIVE", "admin_role": role, "admin_role_source": role.map(|_| "manual"),
        "deleted_at": null, "last_synced_at": "2026-11-22T10:00:00Z",
    })
}

/// A server with these users whose roles can be changed.
fn server(users: Vec<Value>) -> Stub {
    Stub::start(move |asked| match asked.method.as_str() {
        "GET" => Answer::json(
            200,
            &json!({ "users": users, "total": users.len(), "page": 1, "per_page": 500 }),
        ),
        _ => Answer::empty(204),
    })
}

fn changes(stub: &Stub) -> Vec<Asked> {
    let asked = stub.asked();
    asked
        .into_iter()
        .filter(|asked| asked.method != "GET")
        .collect()
}

#[test]
fn a_role_is_given_to_whoever_has_exactly_that_address() {
    let stub = server(vec![
        user("usr_2", "tnt_1", "malice@acme.example", None),
        user("usr_1", "tnt_1", "Alice@Acme.example", None),
        json!({ "id": "usr_3", "tenant_id": "tnt_1", "email": "alice@acme.example",
                "deleted_at": "2026-01-01T00:00:00Z" }),
    ]);
    let bench = Bench::at(&stub.url());
    let ran = bench.run("admin grant alice@acme.example --role super_admin");
    assert_eq!(ran.done(), "alice@acme.example of tnt_1 is super_admin.\n");
    let changes = changes(&stub);
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].line(),
        "POST /v1/admin/users/usr_1/role?tenant_id=tnt_1"
    );
    assert_eq!(changes[0].json(), json!({ "role": "super_admin" }));
    for asked in stub.asked() {
        assert_eq!(asked.headers["authorization"], format!("Bearer {TOKEN}"));
    }
    assert_eq!(
        stub.lines()[0],
        "GET /v1/admin/users?search=alice%40acme.example&page=1&per_page=500"
    );
}

#[test]
fn a_role_is_taken_and_the_former_one_is_told() {
    let stub = server(vec![user("usr_1", "tnt_1", "a@b.c", Some("super_admin"))]);
    let bench = Bench::at(&stub.url());
    let ran = bench.run("admin revoke a@b.c --json");
    ran.done();
    assert_eq!(
        ran.json(),
        json!({
            "user_id": "usr_1", "tenant_id": "tnt_1", "email": "a@b.c", "status": "ACTIVE",
            "previous_role": "super_admin", "admin_role": null, "sessions_narrowed": null,
        })
    );
    let lines: Vec<_> = changes(&stub).iter().map(Asked::line).collect();
    assert_eq!(lines, ["DELETE /v1/admin/users/usr_1/role?tenant_id=tnt_1"]);
    let ran = bench.run("admin grant a@b.c --role tenant_admin");
    assert_eq!(
        ran.done(),
        "a@b.c of tnt_1 is tenant_admin now, and no longer super_admin.\n"
    );
}

#[test]
fn an_identifier_does_not_change_the_path() {
    let stub = server(vec![user("a/../b?c#d", "tnt/1&x=y", "a@b.c", None)]);
    let bench = Bench::at(&stub.url());
    bench.run("admin grant a@b.c --role tenant_admin").done();
    assert_eq!(
        changes(&stub)[0].line(),
        "POST /v1/admin/users/a%2F%2E%2E%2Fb%3Fc%23d/role?tenant_id=tnt%2F1%26x%3Dy"
    );
}

#[test]
fn s_10_nobody_of_that_address_is_told_with_what_to_do() {
    let stub = server(vec![user("usr_1", "tnt_1", "somebody@else.example", None)]);
    let bench = Bench::at(&stub.url());
    for line in [
        "admin grant alice@acme.example --role super_admin",
        "admin revoke alice@acme.example",
    ] {
        let ran = bench.run(line);
        ran.failed(3, "user_not_found: ", "`scaigate sync`");
        ran.failed(3, "", "BOOTSTRAP_SUPER_ADMIN=user:alice@acme.example");
    }
    assert!(changes(&stub).is_empty());
}

#[test]
fn one_address_in_several_tenants_needs_a_tenant() {
    let stub = Stub::start(|asked| {
        let all = [
            user("usr_1", "tnt_1", "a@b.c", None),
            user("usr_2", "tnt_2", "a@b.c", None),
        ];
        let of = |row: &Value| {
            let wanted = format!("tenant_id={}", row["tenant_id"].as_str().unwrap());
            !asked.target.contains("tenant_id=") || asked.target.contains(&wanted)
        };
        let users: Vec<_> = all.into_iter().filter(of).collect();
        match asked.method.as_str() {
            "GET" => Answer::json(200, &json!({ "users": users, "total": users.len() })),
            _ => Answer::empty(204),
        }
    });
    let bench = Bench::at(&stub.url());
    let ran = bench.run("admin grant a@b.c --role tenant_admin");
    ran.failed(2, "user_ambiguous: ", "Say which with --tenant.");
    assert!(
        ran.stderr.contains("tenants: tnt_1 (usr_1), tnt_2 (usr_2)"),
        "{ran:?}"
    );
    assert!(changes(&stub).is_empty());
    bench
        .run("admin grant a@b.c --role tenant_admin --tenant tnt_2")
        .done();
    assert_eq!(
        changes(&stub)[0].line(),
        "POST /v1/admin/users/usr_2/role?tenant_id=tnt_2"
    );
}

#[test]
fn somebody_is_found_on_a_later_page() {
    let stub = Stub::start(|asked| {
        let page = if asked.target.contains("page=1&") {
            let other = |number| user(&format!("usr_{number}"), "tnt_1", "xa@b.c", None);
            (0..500).map(other).collect()
        } else {
            vec![user("usr_late", "tnt_1", "a@b.c", None)]
        };
        match asked.method.as_str() {
            "GET" => Answer::json(200, &json!({ "users": page, "total": 501 })),
            _ => Answer::empty(204),
        }
    });
    Bench::at(&stub.url()).run("admin revoke a@b.c").done();
    assert_eq!(
        changes(&stub)[0].line(),
        "DELETE /v1/admin/users/usr_late/role?tenant_id=tnt_1"
    );
}

#[test]
fn who_does_not_stop_listing_is_not_read_for_ever() {
    let rows: Vec<_> = (0..500)
        .map(|number| user(&format!("usr_{number}"), "tnt_1", "xa@b.c", None))
        .collect();
    let stub = server(rows);
    let ran = Bench::at(&stub.url()).run("admin revoke a@b.c");
    ran.failed(3, "user_not_found: ", "sync");
    assert_eq!(stub.asked().len(), 20);
}

#[test]
fn each_refusal_ends_with_its_number_and_its_fix() {
    for (status, code, number) in [
        (400, "invalid_request", 4),
        (401, "token_expired", 4),
        (403, "admin_role_required", 4),
        (404, "user_not_found", 3),
        (409, "last_super_admin", 4),
        (410, "cursor_expired", 4),
        (429, "rate_limited", 4),
        (500, "internal", 1),
        (503, "store_unavailable", 1),
    ] {
        let stub = Stub::start(move |asked| match asked.method.as_str() {
            "GET" => Answer::json(
                200,
                &json!({ "users": [user("usr_1", "tnt_1", "a@b.c", None)] }),
            ),
            _ => Answer::problem(status, code, &json!({ "required": ["super_admin"] }))
                .with("retry-after", "7"),
        });
        let bench = Bench::at(&stub.url());
        let ran = bench.run("admin revoke a@b.c");
        ran.failed(
            number,
            &format!("{code}: {code} happened."),
            &format!("Mend {code}."),
        );
        for line in [
            "  required: super_admin",
            "  retry_after: 7 s",
            "request_id: req_stub_1",
        ] {
            assert!(ran.stderr.lines().any(|told| told == line), "{ran:?}");
        }
        let ran = bench.run("admin revoke a@b.c --json");
        assert_eq!((ran.code, ran.stderr.as_str()), (number, ""));
        assert_eq!(ran.json()["error"]["code"], code);
        assert_eq!(ran.json()["status"], status, "the server's own body");
    }
}

//! The page that asks a person to sign in, and the page that says why a request cannot be answered.

use crate::directory::User;
use crate::exchange::{Reply, escape};
use crate::seed;
use crate::world::World;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}\
label{display:block;margin-top:1rem}input,select,button{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}\
button{margin-top:1rem}.error{border-left:.3rem solid;padding-left:.7rem}\
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}";

fn page(status: u16, title: &str, main: &str) -> Reply {
    Reply::html(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>{main}</main></body></html>",
            title = escape(title),
        ),
    )
    .with("referrer-policy", "no-referrer")
    .with("x-frame-options", "DENY")
}

/// So many people of a large directory can be picked; the others type their address.
const CHOICES: usize = 200;

fn person(user: &User, chosen: &str) -> String {
    format!(
        "<option value=\"{email}\"{chosen}>{name} ({email})</option>",
        email = escape(&user.email),
        name = escape(&user.name())
    )
}

/// The login page of a flow: pick a seeded person, or type an address and the password.
pub(crate) fn login(
    world: &World,
    flow: &str,
    client: &str,
    hint: &str,
    error: Option<&str>,
) -> Reply {
    let people = {
        let directory = world.directory();
        let hinted = directory.user_by_email(hint).filter(|u| u.is_active());
        let others = directory.users.iter().filter(|u| u.is_active());
        let others = others.filter(|u| hinted.is_none_or(|hinted| hinted.id != u.id));
        hinted
            .map(|u| person(u, " selected"))
            .into_iter()
            .chain(others.take(CHOICES).map(|u| person(u, "")))
            .collect::<String>()
    };
    let error = error
        .map(|text| format!("<p class=\"error\" role=\"alert\">{}</p>", escape(text)))
        .unwrap_or_default();
    let flow = escape(flow);
    page(
        200,
        "Sign in to ScaiKey (emulator)",
        &format!(
            "<p>{client} asks you to sign in. This is a test server; no real account works here.</p>{error}\
             <form method=\"post\" action=\"/login\"><h2>As a test person</h2>\
             <input type=\"hidden\" name=\"flow\" value=\"{flow}\">\
             <input type=\"hidden\" name=\"password\" value=\"{password}\">\
             <label for=\"who\">Person</label><select id=\"who\" name=\"email\">{people}</select>\
             <button type=\"submit\">Sign in as this person</button></form>\
             <form method=\"post\" action=\"/login\"><h2>By address and password</h2>\
             <input type=\"hidden\" name=\"flow\" value=\"{flow}\">\
             <label for=\"email\">E-mail address</label>\
             <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required value=\"{hint}\">\
             <label for=\"password\">Password (it is “{password}”)</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
             <button type=\"submit\">Sign in</button></form>\
             <form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"flow\" value=\"{flow}\">\
             <input type=\"hidden\" name=\"deny\" value=\"1\"><button type=\"submit\">Cancel</button></form>",
            client = escape(client),
            hint = escape(hint),
            password = seed::PASSWORD,
        ),
    )
}

/// A request that must not be answered by a redirect (RFC 6749 section 4.1.2.1).
pub(crate) fn refusal(error: &str, why: &str) -> Reply {
    page(
        400,
        "Request refused",
        &format!("<p><code>{}</code>: {}</p>", escape(error), escape(why)),
    )
}

/// A short page with one sentence.
pub(crate) fn notice(title: &str, text: &str) -> Reply {
    page(200, title, &format!("<p>{}</p>", escape(text)))
}

//! The credentials that cases send.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::bench::answer::expect;
use crate::bench::cases::Case;
use crate::bench::client::Connection;
use crate::bench::peers::{self, Peers};
use crate::bench::person::{self, Client, TOKENS, granted};
use crate::bench::site::Site;

/// The token the case sends, or several, one a line; empty for cases that send none.
///
/// # Errors
/// The sign-in that gets it fails.
pub fn of_case(case: Case, site: &Site) -> Result<String> {
    match case {
        Case::Me | Case::EmptyToken | Case::Floor => {
            Client::new(site, 0).sign_in().context("signing in")
        }
        Case::ApacheSession => peers::apache_session(peers(site)?, site.emulator),
        Case::FastifySession => peers::fastify_session(peers(site)?, site.emulator),
        Case::ApacheToken | Case::FastifyToken | Case::TokenSeen => {
            person::access_tokens(site, "RS256", 1)
        }
        Case::TokenSeenEs256 => person::access_tokens(site, "ES256", 1),
        Case::TokenNew => person::access_tokens(site, "RS256", TOKENS),
        Case::TokenNewEs256 => person::access_tokens(site, "ES256", TOKENS),
        Case::Lookup | Case::LookupDirect | Case::Stream | Case::StreamDirect => of_grid(site),
        Case::Empty
        | Case::AuthConfig
        | Case::Login
        | Case::SignIn
        | Case::Webhook
        | Case::Sync => Ok(String::new()),
    }
}

fn peers(site: &Site) -> Result<Peers> {
    site.peers.context("no peers")
}

/// The access token of somebody who may call ScaiGrid: we send it on as it is.
///
/// # Errors
/// ScaiKey does not give it, or the sign-in that makes their tenant known fails.
pub fn of_grid(site: &Site) -> Result<String> {
    Client::new(site, 0).sign_in().context("signing in")?;
    let command = json!({ "behaviour": { "password_grant": true } });
    let headers = [("content-type", "application/json")];
    let mut emulator = Connection::new(site.emulator);
    let target = "/_emulator/switches";
    let answer = emulator.request("POST", target, &headers, &command.to_string())?;
    expect(200, "the emulator's switches", answer)?;
    let grant = "grant_type=password&username=alice%40acme.example&password=password\
                 &scope=openid%20scaicore%3Aview%20scaicore%3Amanage";
    granted(&mut emulator, grant)
}

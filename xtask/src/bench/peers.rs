//! What somebody would take instead, set up for the same job: Apache with `mod_auth_openidc` (Debian's),
//! and Fastify with jose (npm's). Their configuration is in `xtask/peers`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::bench::answer::{expect, field, json_body, location, path};
use crate::bench::client::{Answer, Connection};
use crate::bench::public_key::PublicKey;
use crate::debian;
use crate::process;
use crate::settings::{CLIENT_ID, CLIENT_SECRET};
use crate::supervisor::Supervisor;
use crate::up;
use crate::workspace::Workspace;

/// What they are called.
pub const APACHE: &str = "apache";
/// What the other is called.
pub const FASTIFY: &str = "fastify";

/// Debian's packages: the server alone, without a service that starts by itself.
const PACKAGES: [&str; 2] = ["apache2-bin", "libapache2-mod-auth-openidc"];
const SERVER: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";
/// The longest that one takes to start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Keys for what they seal and sign: no secret, as it is written here.
const SECRET: &str = "a secret of a measurement, of no use";

/// A folder that goes with its owner.
pub struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where they listen.
#[derive(Clone, Copy, Debug)]
pub struct Peers {
    /// Apache.
    pub apache: SocketAddr,
    /// Fastify.
    pub fastify: SocketAddr,
}

impl Peers {
    /// The addresses to which ScaiKey sends people back.
    pub fn redirect_uris(&self) -> [String; 2] {
        [
            format!("http://{}/redirect_uri", self.apache),
            format!("http://{}/callback", self.fastify),
        ]
    }

    /// Installs them where they are missing, and starts them. What Apache writes lies in the folder that
    /// comes back.
    ///
    /// # Errors
    /// They can't be had, or don't start.
    pub fn start(
        &self,
        supervisor: &mut Supervisor,
        workspace: &Workspace,
        scaikey: SocketAddr,
    ) -> Result<Scratch> {
        let source = workspace.root.join("xtask/peers");
        let module = Path::new(MODULES).join("mod_auth_openidc.so");
        if !Path::new(SERVER).exists() || !module.exists() {
            debian::install("peers", &PACKAGES.map(str::to_owned))?;
        }
        // Where Apache's user may read.
        let state = std::env::temp_dir().join(format!("scaigate-peers-{}", std::process::id()));
        let scratch = Scratch(state.clone());
        let site = state.join("site");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&site)?;
        for name in ["me", "whoami"] {
            fs::write(site.join(name), "{}")?;
        }
        // It reads keys from files, or from https addresses, of which the emulator has none.
        let key = published_key(scaikey).context("the emulator's key")?;
        let key_file = state.join("scaikey.pem");
        fs::write(&key_file, key.pem)?;
        let mut apache = Command::new(SERVER);
        apache
            .args(["-D", "FOREGROUND", "-f"])
            .arg(source.join("apache.conf"))
            .env("STATE", state)
            .env("MODULES", MODULES)
            .env("KEY_ID", key.id)
            .env("KEY_FILE", key_file);
        configure(&mut apache, self.apache, scaikey);
        supervisor.spawn(APACHE, &mut apache)?;
        let program = fastify(workspace, &source)?;
        let mut node = Command::new("node");
        // One process, as one runner; a second one for the second core would need a balancer.
        node.arg(program).env("NODE_ENV", "production");
        configure(&mut node, self.fastify, scaikey);
        supervisor.spawn(FASTIFY, &mut node)?;
        supervisor.wait_until_listening(APACHE, self.apache, START_LIMIT)?;
        supervisor.wait_until_listening(FASTIFY, self.fastify, START_LIMIT)?;
        Ok(scratch)
    }
}

fn configure(command: &mut Command, listen: SocketAddr, scaikey: SocketAddr) {
    command
        .env("LISTEN", listen.to_string())
        .env("SCAIKEY", format!("http://{scaikey}"))
        .env("CLIENT_ID", CLIENT_ID)
        .env("CLIENT_SECRET", CLIENT_SECRET)
        .env("SECRET", SECRET);
}

/// The RSA key that ScaiKey signs access tokens with.
fn published_key(scaikey: SocketAddr) -> Result<PublicKey> {
    let answer = Connection::new(scaikey).request("GET", up::KEY_SET, &[], "")?;
    PublicKey::first_rsa(&json_body(&expect(200, "the key set", answer)?)?)
}

/// The program in a folder with what it needs.
fn fastify(workspace: &Workspace, source: &Path) -> Result<PathBuf> {
    for program in ["node", "npm"] {
        if process::find_on_path(program).is_none() {
            bail!("peers need {program} on the PATH");
        }
    }
    let folder = workspace.target.join("peers");
    fs::create_dir_all(&folder)?;
    for name in ["fastify.mjs", "package.json"] {
        fs::copy(source.join(name), folder.join(name)).context(name)?;
    }
    let words = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
    process::output(Command::new("npm").args(words).current_dir(&folder))?;
    Ok(folder.join("fastify.mjs"))
}

/// A session at Apache: its cookie.
///
/// # Errors
/// An answer on the way is not the expected one.
pub fn apache_session(peers: Peers, emulator: SocketAddr) -> Result<String> {
    let mut apache = Connection::new(peers.apache);
    // Who accepts no page is not sent to sign in.
    let page = [("accept", "text/html")];
    let begun = apache.request("GET", "/me", &page, "")?;
    let cookie = begun.cookie("mod_auth_openidc_state").context("no state")?;
    let back = authorize(emulator, &location("apache", begun)?)?;
    let headers = [("cookie", cookie.as_str())];
    let answer = apache.request("GET", path(&back)?, &headers, "")?;
    let session = answer.cookie("mod_auth_openidc_session");
    session.with_context(|| format!("no session: {}", answer.status))
}

/// A session at Fastify: its token.
///
/// # Errors
/// An answer on the way is not the expected one.
pub fn fastify_session(peers: Peers, emulator: SocketAddr) -> Result<String> {
    let mut fastify = Connection::new(peers.fastify);
    let begun = location("login", fastify.request("GET", "/login", &[], "")?)?;
    let back = authorize(emulator, &begun)?;
    let answer = fastify.request("GET", path(&back)?, &[], "")?;
    field(
        &json_body(&expect(200, "callback", answer)?)?,
        "access_token",
    )
}

fn authorize(emulator: SocketAddr, url: &str) -> Result<String> {
    let mut scaikey = Connection::new(emulator);
    location("authorize", scaikey.request("GET", path(url)?, &[], "")?)
}

/// Who somebody is, told by a peer.
///
/// # Errors
/// It does not tell.
pub fn ask(connection: &mut Connection, target: &str, name: &str, value: &str) -> Result<Answer> {
    let answer = connection.request("GET", target, &[(name, value)], "")?;
    expect(200, target, answer)
}

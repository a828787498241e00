//! What a deployment says of itself, by `GET /v1/health/detailed` and by `scaigate doctor`: the step that
//! every symptom's test shares.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{Answer, World};

/// How long a report is repeated, and a little.
const REPEATED: u64 = 11;

/// What came of a run of `scaigate`.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The one line of JSON that it printed.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// The command, built once for all tests of a run.
fn command() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "scaigate-cli"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo runs").success(), "the command builds");
        // target/debug/deps/<test> → target/debug/scaigate
        let test = std::env::current_exe().expect("the test's own path");
        let folder = test.ancestors().nth(2).expect("target/debug").to_owned();
        folder.join("scaigate")
    })
}

/// The findings of a report that have this code.
fn with_code<'a>(report: &'a Value, code: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array();
    let findings = findings.unwrap_or_else(|| panic!("findings in {report}"));
    findings
        .iter()
        .filter(|finding| finding["code"] == code)
        .collect()
}

impl World {
    /// The command run with `arguments` by whoever has `token`, with nothing else set.
    ///
    /// # Panics
    /// When it does not run, or prints a secret.
    pub async fn scaigate(&self, token: &str, arguments: &[&str]) -> Ran {
        let mut run = Command::new(command());
        run.args(arguments)
            .env_clear()
            .env("PUBLIC_URL", &self.url)
            .env("SCAIGATE_TOKEN", token)
            .current_dir(std::env::temp_dir())
            .args(["--env-file", "/nonexistent/.env"]);
        let output = tokio::task::spawn_blocking(move || run.output())
            .await
            .expect("it ends")
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Ran {
            code: output.status.code().expect("an exit code"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        self.canaries.check("scaigate's output", &ran.stdout);
        ran
    }

    /// The answer of `GET /v1/health/detailed` to whoever has `token`.
    pub async fn detailed(&self, token: &str) -> Answer {
        let answer = self.client.get("/v1/health/detailed", Some(token)).await;
        self.canaries.check("the health report", &answer.text());
        answer
    }

    /// What the deployment says of itself to the operator.
    pub async fn health(&self) -> Value {
        self.health_by(&self.operator_token("admin:read")).await
    }

    /// What the deployment says of itself to whoever has `token`.
    ///
    /// # Panics
    /// When it says nothing.
    pub async fn health_by(&self, token: &str) -> Value {
        let answer = self.detailed(token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The finding `code`, as [`World::diagnosed_by`] with the operator's token.
    pub async fn diagnosed(&self, code: &str) -> Value {
        let token = self.operator_token("admin:read");
        self.diagnosed_by(&token, code).await
    }

    /// The finding `code`, which health and `scaigate doctor` both have to tell, with the same fix.
    ///
    /// # Panics
    /// When one of them does not.
    pub async fn diagnosed_by(&self, token: &str, code: &str) -> Value {
        let report = self.health_by(token).await;
        let found = with_code(&report, code);
        let found = *found
            .first()
            .unwrap_or_else(|| panic!("{code} in {report:#}"));
        for name in ["message", "fix"] {
            let text = found[name].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{found}");
        }
        let told = self.scaigate(token, &["doctor", "--json"]).await.json();
        let same = with_code(&told, code);
        let is_same = |told: &&Value| told["fix"] == found["fix"];
        assert!(same.iter().any(is_same), "{found} in {told:#}");
        let printed = self.scaigate(token, &["doctor"]).await.stdout;
        let fix = found["fix"].as_str().unwrap_or_default();
        let has_line = printed.contains(&format!("{code}: "));
        assert!(has_line && printed.contains(fix), "{printed}");
        found.clone()
    }

    /// Fails if health or `scaigate doctor` tells the operator of `code`: the fix has worked.
    pub async fn cured(&self, code: &str) {
        let token = self.operator_token("admin:read");
        self.cured_by(&token, code).await;
    }

    /// Fails if health or `scaigate doctor` tells whoever has `token` of `code`.
    ///
    /// # Panics
    /// When one of them does.
    pub async fn cured_by(&self, token: &str, code: &str) {
        self.advance(REPEATED);
        let report = self.health_by(token).await;
        assert!(with_code(&report, code).is_empty(), "{code} in {report:#}");
        let told = self.scaigate(token, &["doctor", "--json"]).await.json();
        assert!(with_code(&told, code).is_empty(), "{code} in {told:#}");
    }
}

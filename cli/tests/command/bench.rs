//! A folder of its own in which the command is run, with an environment of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// Every secret of a test begins so, and no output ever holds it.
pub const CANARY: &str = "canary";
/// The token of the administrator who runs the command.
pub const TOKEN: &str = "canary-token-1";

/// Where the command runs.
pub struct Bench {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The one line of JSON on standard output.
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The whole standard output of a run that is done.
    pub fn done(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        &self.stdout
    }

    /// Checks how a run failed: its number, the first words, and the fix.
    pub fn failed(&self, code: i32, begins: &str, fix: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(self.stderr.starts_with(begins), "{self:?}");
        let told = self
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("fix: "));
        assert!(told.is_some_and(|told| told.contains(fix)), "{self:?}");
    }
}

impl Ran {
    /// Only how it ended.
    pub fn code_is(&self, code: i32) {
        assert_eq!(self.code, code, "{self:?}");
    }

    /// As [`Ran::failed`], where the message says it all.
    pub fn failed_without_fix(&self, code: i32, begins: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        assert!(self.stderr.starts_with(begins), "{self:?}");
    }
}

impl Bench {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scaigate-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Left by a process of the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            environment: BTreeMap::new(),
        }
    }

    /// As the administrator of the scaigate at `url`.
    pub fn at(url: &str) -> Self {
        let bench = Self::new();
        bench.with("PUBLIC_URL", url).with("SCAIGATE_TOKEN", TOKEN)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Runs `scaigate` with the words of `line`.
    pub fn run(&self, line: &str) -> Ran {
        self.run_with_input(line, "")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scaigate"));
        command
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// How it ends when its standard output is this.
    pub fn run_into(&self, line: &str, stdout: Stdio) -> i32 {
        let mut command = self.command(line);
        let status = command.stdout(stdout).stderr(Stdio::null()).status();
        status.unwrap().code().unwrap()
    }

    pub fn run_with_input(&self, line: &str, input: &str) -> Ran {
        let mut command = self.command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for printed in [&ran.stdout, &ran.stderr] {
            assert!(!printed.contains(CANARY), "a secret is printed: {ran:?}");
            let is_harmless = |c: char| !c.is_control() || c == '\n';
            assert!(
                printed.chars().all(is_harmless),
                "a terminal obeys: {ran:?}"
            );
        }
        ran
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

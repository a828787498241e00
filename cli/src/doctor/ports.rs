//! The ports of the checks, over the files of a deployment and this machine's network. Every step ends by
//! itself, so nothing is ever waited for.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use ring::rand::{SecureRandom as _, SystemRandom};
use scaigate_kv::file::{FileDatabase, FileKv};
use scaigate_signin::{Memory, Ports};
use scaigate_types::{Clock, Entropy, Limits, Outbound, OutboundError, Timestamp};

use crate::admin::not_opened;
use crate::environment;
use crate::failure::Failure;
use crate::http_client::{HttpClient, NO_CONNECTION};

/// How long another writer is waited for: a server may be running.
const WAIT: Duration = Duration::from_secs(2);
/// Spin's key-value file, in the folder of its database.
const KEY_VALUE_FILE: &str = "sqlite_key_value.db";

/// This machine's clock.
pub struct Machine;

/// This machine's network.
pub struct Network<'a>(&'a HttpClient);

/// The files of a deployment.
pub struct FilePorts<'a> {
    kv: FileKv,
    db: FileDatabase,
    network: Network<'a>,
    memory: Memory,
}

impl<'a> FilePorts<'a> {
    /// Opens them.
    ///
    /// # Errors
    /// One is missing, not scaigate's, or of another schema version.
    pub fn open(
        http: &'a HttpClient,
        database: &Path,
        key_value: Option<&Path>,
    ) -> Result<Self, Failure> {
        let beside = database.with_file_name(KEY_VALUE_FILE);
        let key_value = key_value.unwrap_or(&beside);
        Ok(Self {
            db: FileDatabase::open(database, WAIT)
                .map_err(|error| not_opened(database, "--database", error))?,
            kv: FileKv::open(key_value, WAIT)
                .map_err(|error| not_opened(key_value, "--key-value", error))?,
            network: Network(http),
            memory: Memory::default(),
        })
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        environment::now()
    }

    async fn sleep(&self, _: Duration) {
        // The step it is to end has a time-out of its own, and blocks.
        std::future::pending().await
    }
}

impl Entropy for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        // No check draws any; zeros would do.
        let _ = SystemRandom::new().fill(bytes);
    }
}

impl Outbound for Network<'_> {
    async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.0.send(&host, request, limits.timeout);
        let answer = answer.map_err(|failure| match failure.code() {
            NO_CONNECTION => OutboundError::Refused,
            _ => OutboundError::Timeout,
        })?;
        if answer.body().len() > limits.max_body {
            return Err(OutboundError::TooLarge);
        }
        Ok(answer)
    }
}

impl<'a> Ports for FilePorts<'a> {
    type Clock = Machine;
    type Entropy = Machine;
    type Kv = FileKv;
    type Database = FileDatabase;
    type Outbound = Network<'a>;

    fn clock(&self) -> &Machine {
        &Machine
    }

    fn entropy(&self) -> &Machine {
        &Machine
    }

    fn kv(&self) -> &FileKv {
        &self.kv
    }

    fn db(&self) -> &FileDatabase {
        &self.db
    }

    fn outbound(&self) -> &Network<'a> {
        &self.network
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

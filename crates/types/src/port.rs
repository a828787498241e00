//! The ports: everything a flow needs from outside, as plain `async fn` traits without `Send`.
//!
//! The components implement them over Spin, the tests in memory. A flow that names no other source
//! of time, randomness, storage or network can be tested with every one of them failing.
#![expect(
    async_fn_in_trait,
    reason = "the flows run on one thread inside a component; no caller needs `Send` futures"
)]

use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use thiserror::Error;

use crate::Timestamp;

/// Wall-clock time, and waiting.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Completes after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// Cryptographically secure random bytes.
pub trait Entropy {
    /// Fills `bytes` with randomness.
    fn fill(&self, bytes: &mut [u8]);

    /// `N` random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// Why a store did not answer. Never "not found": that is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The store can't be reached or failed.
    #[error("the store is not available")]
    Unavailable,
    /// Another writer held the store for too long.
    #[error("the store is busy")]
    Busy,
    /// The store is full.
    #[error("the store is full")]
    Full,
    /// This component has not been granted the store.
    #[error("this component has no access to the store")]
    Denied,
    /// What the store holds can't be read as what this version expects.
    #[error("a stored record is not readable")]
    Corrupt,
    /// The database was written by a newer version (forward-only migrations).
    #[error("the database schema is newer than this version")]
    SchemaNewer,
}

/// A key-value store. Values carry their own expiry; the store has none.
pub trait Kv {
    /// The value under `key`, or `None`.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Sets `key` to `value`.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;
    /// Removes `key`; no error when there is none.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// One SQLite value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.sql())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of a result, its columns in the order of the statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// Column `index` as text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there is no such column or it is not text.
    pub fn text(&self, index: usize) -> Result<&str, StoreError> {
        match self.0.get(index) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(StoreError::Corrupt),
        }
    }

    /// Column `index` as text, or `None` for `NULL`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there is no such column or it is of another type.
    pub fn optional_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(index) {
            Some(Value::Null) => Ok(None),
            _ => self.text(index).map(Some),
        }
    }

    /// Column `index` as an integer.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there is no such column or it is not an integer.
    pub fn integer(&self, index: usize) -> Result<i64, StoreError> {
        match self.0.get(index) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(StoreError::Corrupt),
        }
    }

    /// Column `index` as a point in time in milliseconds.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is not a non-negative integer.
    pub fn time(&self, index: usize) -> Result<Timestamp, StoreError> {
        let millis = u64::try_from(self.integer(index)?).map_err(|_| StoreError::Corrupt)?;
        Ok(Timestamp::from_millis(millis))
    }

    /// Column `index` as a point in time, or `None` for `NULL`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is of another type.
    pub fn optional_time(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        match self.0.get(index) {
            Some(Value::Null) => Ok(None),
            _ => self.time(index).map(Some),
        }
    }

    /// Column `index` as bytes, or `None` for `NULL`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there is no such column or it is of another type.
    pub fn optional_blob(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.0.get(index) {
            Some(Value::Null) => Ok(None),
            Some(Value::Blob(bytes)) => Ok(Some(bytes)),
            _ => Err(StoreError::Corrupt),
        }
    }
}

/// Whatever runs SQL statements: a database, or a transaction of one.
pub trait Query {
    /// Runs one statement and reads all its rows. A statement is atomic by itself.
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;
}

/// A SQLite database whose schema is the one this version expects.
pub trait Database: Query {
    /// A transaction on a connection of its own, so that no other request can step into it.
    type Transaction: Transaction;

    /// Begins an immediate transaction.
    async fn begin(&self) -> Result<Self::Transaction, StoreError>;
}

/// An open transaction. Dropping it without [`Transaction::commit`] undoes it.
pub trait Transaction: Query {
    /// Makes everything done inside durable, all of it or none.
    async fn commit(self) -> Result<(), StoreError>;
}

/// Bounds of one outbound call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for the whole call, connection to last byte.
    pub timeout: Duration,
    /// Bytes of body read before the call is given up.
    pub max_body: usize,
}

/// Why an outbound call gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OutboundError {
    /// No connection: the request was certainly not received.
    #[error("the host refused the connection")]
    Refused,
    /// [`Limits::timeout`] passed.
    #[error("the host did not answer in time")]
    Timeout,
    /// The connection ended or broke the protocol before the answer was complete.
    #[error("the answer was cut off")]
    Interrupted,
    /// The body was larger than [`Limits::max_body`].
    #[error("the answer was too large")]
    TooLarge,
    /// This component has not been granted the host.
    #[error("this component may not call the host")]
    Denied,
}

/// HTTP calls to other hosts. Redirects are not followed.
pub trait Outbound {
    /// Sends `request` and reads the whole answer within `limits`.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        limits: Limits,
    ) -> Result<http::Response<Bytes>, OutboundError>;
}

/// Bounds of an exchange whose answer streams: it may last for ever, as long as something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Time until the head of the answer is there.
    pub head: Duration,
    /// Time between two pieces of its body.
    pub idle: Duration,
}

/// HTTP calls whose bodies pass through, piece by piece. Redirects are not followed.
pub trait Streaming {
    /// The body of an answer. It ends with an error when it is cut off, shorter than announced, or
    /// [`StreamLimits::idle`] passed; dropping it ends the exchange.
    type Download: Body<Data = Bytes, Error = OutboundError> + Unpin;

    /// Sends `request`, its body as it comes, and reads the head of the answer.
    async fn exchange<B>(
        &self,
        request: http::Request<B>,
        limits: StreamLimits,
    ) -> Result<http::Response<Self::Download>, OutboundError>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: std::error::Error + Send + Sync + 'static;
}

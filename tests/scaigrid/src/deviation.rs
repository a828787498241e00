//! The named lies: each is one way in which an answer departs from what an honest ScaiGrid sends.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// One lie and where it is told. In JSON: `{"header": ["models", "set_cookie"]}`. What breaks HTTP itself is a
/// [`crate::Fault`]. Names with `Valid` are unusual but must be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// In the header fields of the endpoint's answers, errors included.
    Header(Endpoint, HeaderLie),
    /// In the JSON body of the endpoint's good answers.
    Body(Endpoint, BodyLie),
    /// In rows and paging of the endpoint's list.
    List(Endpoint, ListLie),
    /// In the endpoint's error answers, whatever made them.
    Error(Endpoint, ErrorLie),
    /// In event streams of chat.
    Stream(StreamLie),
}

/// Departures in header fields; the body is the honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderLie {
    /// `X-Debug-Authorization` holds the request's `Authorization`.
    EchoAuthorization,
    /// `X-Api-Key` and `Link` hold the bare credential.
    EchoKey,
    /// Every field of the request comes back as `X-Echo-<name>`.
    EchoEverything,
    /// `Set-Cookie` twice, once under a `__Host-` name.
    SetCookie,
    /// `Connection: keep-alive, X-Hop` and the fields of RFC 9110 section 7.6.1, `X-Hop` included.
    HopByHop,
    /// Fields that we set ourselves: `X-Request-ID`, `Cache-Control: public`, CORS for everybody, a loose
    /// Content-Security-Policy, `X-Content-Type-Options`, `Server-Timing`, `traceparent`.
    OurNames,
    /// Orders to the browser: `Clear-Site-Data`, `Refresh`, `Alt-Svc`, `Strict-Transport-Security: max-age=0`,
    /// `NEL`, `Report-To`, `Service-Worker-Allowed`, `SourceMap`, `WWW-Authenticate: Basic`.
    BrowserOrders,
    /// `Location` on another origin although the status is no redirect.
    StrayLocation,
    /// `ETag`, `Last-Modified`, `Age`, `Expires` far ahead, `Vary: *`.
    CacheValidators,
    /// `Content-Type: text/html`.
    HtmlType,
    /// No `Content-Type`.
    NoType,
    /// `Content-Type` twice, HTML second.
    TwoTypes,
    /// `Content-Type: application/json; charset=utf-16`.
    OtherCharset,
    /// `Content-Type: Application/JSON ; charset="UTF-8"`: valid.
    TypeSpelledValid,
    /// `Content-Disposition: inline` with a path in the file name.
    Disposition,
    /// `Content-Encoding: br` on a body that isn't.
    FalseEncoding,
    /// A field of 64 KiB.
    Huge,
    /// 2 000 fields.
    Many,
    /// A value with bytes beyond ASCII: valid (obs-text).
    ObsTextValid,
    /// A value with a NUL.
    NulInValue,
    /// A value with a bare CR in front of another field.
    BareCr,
    /// A value folded over two lines (obs-fold).
    Folded,
    /// A space before the colon.
    SpaceBeforeColon,
    /// An empty field name.
    EmptyName,
}

/// Departures in a JSON body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyLie {
    /// A member `debug` holds the request's `Authorization`.
    EchoAuthorization,
    /// Every string of the answer has the caller's credential added.
    KeyEverywhere,
    /// The caller's credential, its first character written as `\u0073`.
    KeyEscaped,
    /// The caller's credential in base64.
    KeyBase64,
    /// An HTML page, said to be one.
    Html,
    /// An HTML page, said to be JSON.
    HtmlAsJson,
    /// A byte-order mark, then the JSON.
    Bom,
    /// The JSON in UTF-16.
    Utf16,
    /// A string that is no UTF-8.
    InvalidUtf8,
    /// Neither JSON nor UTF-8.
    Garbage,
    /// The first half of the JSON, complete as far as HTTP goes.
    Half,
    /// The JSON, then more.
    TrailingGarbage,
    /// The JSON, after 100 KiB of white space: valid.
    LeadingSpaceValid,
    /// Nothing.
    Empty,
    /// `null`.
    Null,
    /// A string.
    JustString,
    /// An array that holds the answer.
    TopLevelArray,
    /// An object without `data`.
    NoData,
    /// `data` is `null`.
    DataNull,
    /// `data` is a string.
    DataString,
    /// `data` twice, empty second.
    DuplicateData,
    /// A member nested 100 000 arrays deep.
    Deep,
    /// A member that is `1e999`.
    HugeNumber,
    /// A member of 8 MiB.
    HugeString,
    /// 200 000 members.
    ManyMembers,
    /// Markup and control characters in every string.
    Markup,
    /// `Content-Encoding: gzip`, and it is.
    Gzip,
    /// The same, 8 MiB of white space around the JSON: 60 KiB on the wire.
    GzipBomb,
}

/// Departures in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListLie {
    /// No rows.
    Empty,
    /// `has_more` and a new cursor after every page, for ever.
    EndlessPages,
    /// `has_more` with the cursor that was just used.
    SameCursor,
    /// `has_more` without a cursor.
    MoreWithoutCursor,
    /// A cursor that holds `&status=…`, `#`, a path and a line break.
    HostileCursor,
    /// A cursor of 64 KiB.
    HugeCursor,
    /// `has_more` is the string `"false"`.
    MoreIsText,
    /// Each row twice.
    DoubleRows,
    /// A row that is `null`.
    NullRow,
    /// A row that is a number.
    NumberRow,
    /// Rows without their id or slug.
    NoId,
    /// Ids and slugs are numbers.
    NumberId,
    /// Ids and slugs that are paths: `../../v1/api-keys`.
    PathId,
    /// A row of another tenant.
    ForeignRow,
    /// 50 000 rows, whatever the limit.
    ManyRows,
    /// Members that no page names: valid.
    MoreMembersValid,
}

/// Departures in error answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorLie {
    /// `message` and `details` hold the caller's credential.
    EchoKey,
    /// `message` holds markup and control characters.
    Markup,
    /// `message` of 1 MiB.
    HugeMessage,
    /// A `code` that no page names.
    UnknownCode,
    /// `code` is a number.
    NumberCode,
    /// No `error`.
    NoError,
    /// `{"detail": ..}`, as another framework would.
    DetailForm,
    /// Plain text.
    PlainText,
    /// An HTML page, as a proxy in between would send.
    Html,
    /// Nothing.
    Empty,
    /// Status 200 with the error's body.
    With200,
    /// `Retry-After: 4294967296`.
    RetryHuge,
    /// `Retry-After: -1`.
    RetryNegative,
    /// `Retry-After: soon`.
    RetryGarbage,
    /// `Retry-After` as a date half a minute ahead: valid.
    RetryDateValid,
    /// No `Retry-After` and no `retry_after`.
    NoRetry,
}

/// Departures in event streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamLie {
    /// The stream ends in order, without `[DONE]`.
    NoDone,
    /// `[DONE]` twice.
    DoneTwice,
    /// Another chunk after `[DONE]`.
    DataAfterDone,
    /// After `[DONE]` the stream stays open.
    DoneNeverEnds,
    /// The caller's credential in the content of the first chunk.
    KeyInContent,
    /// The same, and the piece that goes over the wire ends in the middle of the credential.
    KeyAcrossPieces,
    /// Half of the credential ends one chunk's content, the other half begins the next.
    KeyAcrossEvents,
    /// `event: error` whose message holds the credential, in place of the second chunk.
    ErrorWithKey,
    /// A comment that holds the credential.
    KeyInComment,
    /// Data that is no JSON.
    GarbageData,
    /// Data that is no UTF-8.
    InvalidUtf8,
    /// Markup and escape sequences in the content.
    Markup,
    /// One event of 1 MiB.
    HugeEvent,
    /// A line that never ends, in place of the second chunk.
    EndlessLine,
    /// A byte-order mark first: valid.
    BomValid,
    /// `id:` and `retry: 0` fields in every event: valid.
    IdAndRetryValid,
    /// The data of an event over two lines: valid.
    TwoDataLinesValid,
    /// One byte a piece: valid.
    SingleBytesValid,
    /// `Content-Type: application/json`.
    JsonType,
    /// `Content-Type: text/html`.
    HtmlType,
    /// A plain JSON answer although a stream was asked for.
    NotStreamed,
}

//! The named lies: each is one way in which an answer departs from what an honest ScaiKey sends.

use serde::{Deserialize, Serialize};

/// One lie and the answer it is told in. In JSON: `{"id_token": "wrong_iss"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// In the ID token of a sign-in (`authorization_code`, `password`).
    IdToken(TokenLie),
    /// In the ID token that a refresh returns.
    RefreshedIdToken(TokenLie),
    /// In every access token, whatever the grant.
    AccessToken(TokenLie),
    /// In logout tokens.
    LogoutToken(TokenLie),
    /// In the authorization response (the redirect to the client).
    Authorization(AuthorizationLie),
    /// In the token endpoint's JSON, whatever the grant.
    TokenAnswer(TokenAnswerLie),
    /// In the discovery document.
    Discovery(DiscoveryLie),
    /// In the key set.
    Jwks(JwksLie),
    /// In the UserInfo answer.
    Userinfo(UserinfoLie),
    /// In lists of the admin API and of effective users.
    Directory(DirectoryLie),
}

/// Departures inside one JWT. Names with `Valid` are unusual but must be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLie {
    /// `iss` is another server's.
    WrongIss,
    /// `iss` with a final slash added.
    IssTrailingSlash,
    /// No `iss`.
    MissingIss,
    /// `sub` is another existing person's.
    WrongSub,
    /// No `sub`.
    MissingSub,
    /// `sub` is the empty string.
    EmptySub,
    /// `sub` is a number.
    SubNumber,
    /// `aud` is another client's id.
    WrongAud,
    /// No `aud`.
    MissingAud,
    /// `aud` is an array that holds just the client id: valid.
    AudArrayOfOneValid,
    /// `aud` is an empty array.
    AudEmptyArray,
    /// `aud` holds the client id and an unknown audience, and `azp` is absent.
    AudUntrustedExtra,
    /// The same, with `azp` = the client id.
    AudUntrustedExtraWithAzp,
    /// `azp` names another client.
    AzpWrong,
    /// `azp` is the client id: valid.
    AzpValid,
    /// No `exp`.
    ExpMissing,
    /// `exp` is ten minutes ago.
    ExpPast,
    /// `exp` is 30 seconds ago, inside 60 s of skew: valid.
    ExpInsideSkewValid,
    /// `exp` is 61 seconds ago, just outside 60 s of skew.
    ExpOutsideSkew,
    /// `exp` as a string.
    ExpString,
    /// `exp` with a fraction.
    ExpFloat,
    /// `exp` is 1e300.
    ExpHuge,
    /// `exp` is 2^63, one more than a signed 64-bit integer holds.
    ExpOverflow,
    /// `exp` is -1.
    ExpNegative,
    /// `exp` is null.
    ExpNull,
    /// No `iat`.
    IatMissing,
    /// `iat` is ten minutes ahead.
    IatFuture,
    /// `iat` as a string.
    IatString,
    /// `iat` is two days ago (`exp` is not moved).
    IatOld,
    /// `nbf` is ten minutes ahead.
    NbfFuture,
    /// `nbf` as a string.
    NbfString,
    /// No `nonce`.
    NonceMissing,
    /// Another `nonce`.
    NonceWrong,
    /// `auth_time` is an hour earlier than before.
    AuthTimeChanged,
    /// No `sid`.
    SidMissing,
    /// `alg: none`, empty signature.
    AlgNone,
    /// `alg: nOnE`, empty signature.
    AlgNoneMixedCase,
    /// No `alg`.
    AlgMissing,
    /// HS256 with the PEM of the signing key's public half as the secret.
    Hs256WithPublicPem,
    /// HS256 with the DER of the signing key's public half as the secret.
    Hs256WithPublicDer,
    /// A correct RS512 signature. ES256 deployments: header RS512 over an ES256 signature.
    AlgRs512,
    /// A correct PS256 signature. ES256 deployments: header PS256 over an ES256 signature.
    AlgPs256,
    /// The header names the other published algorithm; the signature is the honest one.
    AlgMismatch,
    /// One bit of the signature flipped.
    BadSignature,
    /// The signature part is empty, `alg` unchanged.
    EmptySignature,
    /// Signed with a key that is not published, under the published `kid`.
    StrangerKey,
    /// Payload changed after signing.
    PayloadChanged,
    /// No `kid`: valid when one published key fits.
    KidMissing,
    /// A `kid` that is not published, signed with an unpublished key.
    KidUnknown,
    /// `kid` is a number.
    KidNumber,
    /// `jku` points to a key set that really holds the (unpublished) key used.
    JkuHeader,
    /// `jwk` in the header holds the (unpublished) key used.
    JwkHeader,
    /// `x5u` points to the same address as `jku` would.
    X5uHeader,
    /// `crit: ["scaikey-unknown"]` with that header present.
    CritHeader,
    /// `crit` is an empty array.
    CritEmpty,
    /// `b64: false` and `crit: ["b64"]` (RFC 7797).
    B64False,
    /// `typ: at+jwt`.
    TypAccessToken,
    /// `typ: logout+jwt`.
    TypLogoutToken,
    /// `typ: secevent+jwt`.
    TypSecurityEvent,
    /// No `typ`: valid.
    TypMissingValid,
    /// `at_hash` of another access token.
    AtHashWrong,
    /// No `at_hash`: valid in the code flow.
    AtHashMissingValid,
    /// No `email`.
    EmailMissing,
    /// `email_verified: false`.
    EmailUnverified,
    /// No `groups`.
    GroupsMissing,
    /// No `tenant_id`.
    TenantMissing,
    /// `tenant_id` of the other tenant; all else unchanged.
    TenantOther,
    /// A claim that makes the token longer than 8 KiB.
    Oversize,
    /// Header and payload only.
    TwoSegments,
    /// A fourth segment.
    FourSegments,
    /// Base64 padding on every segment.
    Padded,
    /// The payload is a JSON array.
    PayloadArray,
    /// A claim nested 2000 arrays deep.
    DeepNesting,
    /// The `sub` key twice, first honest, then another person's.
    DuplicateSub,
    /// Logout tokens: a `nonce` is present.
    LogoutWithNonce,
    /// Logout tokens: no `events`.
    LogoutWithoutEvent,
    /// Logout tokens: `events` names another event.
    LogoutWrongEvent,
    /// No `jti`.
    JtiMissing,
}

/// Departures of the authorization response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationLie {
    /// No `iss`, whatever discovery declares (RFC 9207).
    IssMissing,
    /// `iss` of another server.
    IssOfAnotherServer,
    /// `iss` with a final slash.
    IssTrailingSlash,
    /// `iss` twice.
    IssTwice,
    /// No `state`.
    StateMissing,
    /// Another `state`.
    StateWrong,
    /// `state` twice.
    StateTwice,
    /// `code` and `error` together.
    CodeAndError,
    /// `code` is empty.
    CodeEmpty,
    /// `code` twice.
    CodeTwice,
    /// `code` of 20 000 characters.
    CodeHuge,
    /// A code that was never issued.
    CodeUnknown,
    /// Parameters in the fragment instead of the query.
    Fragment,
    /// `error=access_denied` with a description that holds markup.
    ErrorWithMarkup,
    /// `error=server_error`.
    ServerError,
    /// An `error` value that no standard names.
    ErrorUnknown,
    /// Redirect by 307.
    Redirect307,
}

/// Departures of the token endpoint's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAnswerLie {
    /// No `id_token`.
    NoIdToken,
    /// `id_token` is an empty string.
    EmptyIdToken,
    /// No `access_token`.
    NoAccessToken,
    /// No `refresh_token` (one was made, it is just not told).
    NoRefreshToken,
    /// `refresh_token` is an empty string.
    EmptyRefreshToken,
    /// No `expires_in`: valid.
    NoExpiresInValid,
    /// `expires_in: -1`.
    ExpiresInNegative,
    /// `expires_in: 0`.
    ExpiresInZero,
    /// `expires_in: 3599.5`.
    ExpiresInFloat,
    /// `expires_in: "3600"`.
    ExpiresInString,
    /// `expires_in: 1e300`.
    ExpiresInHuge,
    /// `expires_in: 9223372036854775807`.
    ExpiresInMax,
    /// `token_type: bearer`: valid.
    TokenTypeLowercaseValid,
    /// `token_type: BEARER`: valid.
    TokenTypeUppercaseValid,
    /// `token_type: mac`.
    TokenTypeMac,
    /// `token_type: DPoP`.
    TokenTypeDpop,
    /// No `token_type`.
    TokenTypeMissing,
    /// `scope` narrower than asked: one scope less.
    ScopeNarrower,
    /// No `scope`.
    ScopeMissing,
    /// Token exchange: no `issued_token_type`.
    IssuedTokenTypeMissing,
    /// Token exchange: `issued_token_type` is the ID token's.
    IssuedTokenTypeOther,
    /// A `refresh_token` where none belongs (exchange, `client_credentials`).
    UnexpectedRefreshToken,
    /// The JSON is an array that holds the object.
    TopLevelArray,
    /// An extra member of 2 MiB.
    Huge,
    /// HTTP 200 with `{"error": "invalid_grant"}` instead of the answer.
    ErrorWith200,
    /// HTTP 400 `invalid_grant`, before anything is consumed.
    InvalidGrant,
    /// HTTP 401 `invalid_client`, before anything is consumed.
    InvalidClient,
}

/// Departures of the discovery document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscoveryLie {
    /// `issuer` differs in case.
    IssuerCase,
    /// `issuer` with a final slash.
    IssuerTrailingSlash,
    /// `issuer` with another path.
    IssuerOtherPath,
    /// `issuer` is another host.
    IssuerOtherHost,
    /// No `issuer`.
    IssuerMissing,
    /// A document of 2 MiB.
    Huge,
    /// No `jwks_uri`.
    NoJwksUri,
    /// No `token_endpoint`.
    NoTokenEndpoint,
    /// No `authorization_endpoint`.
    NoAuthorizationEndpoint,
    /// No `revocation_endpoint`: valid.
    NoRevocationValid,
    /// No `end_session_endpoint`: valid.
    NoEndSessionValid,
    /// No `code_challenge_methods_supported`.
    NoPkce,
    /// `code_challenge_methods_supported: ["plain"]`.
    PkcePlainOnly,
    /// `jwks_uri` on a cloud metadata address.
    JwksOnMetadataAddress,
    /// `jwks_uri` on another origin.
    JwksOnOtherOrigin,
    /// `token_endpoint` on another origin: the client secret would leave.
    TokenOnOtherOrigin,
    /// `authorization_endpoint: "javascript:alert(1)"`.
    AuthorizeIsScript,
    /// `token_endpoint` is a number.
    TokenEndpointNumber,
    /// The JSON is an array that holds the object.
    TopLevelArray,
    /// Only what a minimal document holds (`contract/scaikey.md` 1.1 calls the platform one minimal): valid.
    MinimalValid,
}

/// Departures of the key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JwksLie {
    /// Only the signing key is published: valid.
    SigningKeyOnlyValid,
    /// No key has a `kid`.
    KidAbsent,
    /// An unpublished key comes first under the signing key's `kid`.
    KidDuplicate,
    /// The set is empty.
    Empty,
    /// A symmetric key (`kty: oct`) under the signing key's `kid` comes first.
    SymmetricKey,
    /// Unknown key types, curves and members around the honest keys: valid.
    UnknownKeysValid,
    /// The keys say `use: enc`.
    UseEnc,
    /// The RSA keys say `alg: RS512`.
    AlgOther,
    /// 5 000 keys.
    Huge,
    /// `keys` is an object.
    KeysObject,
    /// The RSA modulus is 512 bits long.
    WeakRsa,
}

/// Departures of UserInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoLie {
    /// `sub` of another person.
    WrongSub,
    /// No `sub`.
    MissingSub,
    /// The JSON is an array that holds the object.
    TopLevelArray,
}

/// Departures of directory lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryLie {
    /// Every list is empty.
    Empty,
    /// Lists stop after a third of the rows, and say that this is all.
    Shrunk,
    /// Page 2 and later are HTTP 500.
    LaterPagesFail,
    /// Page 2 and later are empty although `meta` promises more.
    LaterPagesEmpty,
    /// Any page past the end repeats the last one, and `meta` always promises more.
    EndlessPages,
    /// Page 2 and later start one row early: a row comes twice.
    RowTwice,
    /// Page 2 and later start one row late: a row is lost, as if one was deleted meanwhile.
    RowLost,
    /// No `meta`: valid.
    NoMetaValid,
    /// `meta.total` is a string.
    MetaTotalString,
    /// `per_page` is ignored; pages have 7 rows.
    PageSizeIgnored,
    /// Rows without an id.
    RowsWithoutId,
    /// A row that is `null` in every page.
    NullRow,
    /// User rows of another tenant mixed in.
    ForeignTenantRow,
    /// Collection paths answer 307 to the form with a final slash, as a FastAPI backend would: valid.
    SlashRedirectValid,
    /// Effective users answer the documented 403 whatever the scopes.
    EffectiveUsersForbidden,
    /// Groups answer an empty list to a token that lacks `groups:read` instead of 403.
    GroupsEmptyWithoutScope,
    /// Groups and their members answer 403 `Insufficient scope: groups:read required` whatever the scopes; all else works.
    GroupsForbidden,
}

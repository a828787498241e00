//! ScaiKey's documents.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::NOW;
use super::verdict::{Verdict, same};
use crate::document::{self, Document};
use crate::keys;

pub async fn round_trip(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key = keys::discovery(&on.name("digest"));
    for body in [
        "",
        r#"{"issuer":"https://scaikey.test","name":"Ünïcode \u0000"}"#,
    ] {
        let written = Document::new(NOW, body.to_owned());
        document::save(on.kv, &key, &written).await?;
        same("load", document::load(on.kv, &key).await?, Some(written))?;
    }
    same(
        "another kind",
        document::load(on.kv, &keys::jwks(&on.name("digest"))).await?,
        None,
    )
}

pub async fn answers_none_when_there_is_none(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same(
        "load",
        document::load(on.kv, &keys::jwks(&on.name("digest"))).await?,
        None,
    )
}

pub async fn ignores_another_version(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key = keys::jwks(&on.name("digest"));
    for version in [0, 2, 255] {
        let stored = format!(r#"{{"v":{version},"fetched_at":1,"body":"{{}}"}}"#);
        on.kv.set(&key, stored.as_bytes()).await?;
        same("load", document::load(on.kv, &key).await?, None)?;
    }
    Ok(())
}

pub async fn ignores_what_is_no_document(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key = keys::jwks(&on.name("digest"));
    for stored in [
        "",
        "{",
        "null",
        r#"{"v":1}"#,
        r#"{"v":1,"fetched_at":-1,"body":""}"#,
        "\u{0}",
    ] {
        on.kv.set(&key, stored.as_bytes()).await?;
        same(stored, document::load(on.kv, &key).await?, None)?;
    }
    Ok(())
}

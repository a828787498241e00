//! The key-value store itself.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::verdict::{Verdict, same};

pub async fn answers_none_for_a_missing_key(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same("get", on.kv.get(&on.name("missing")).await?, None)
}

pub async fn returns_what_was_set(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    on.kv.set(&on.name("key"), b"value").await?;
    same(
        "get",
        on.kv.get(&on.name("key")).await?,
        Some(b"value".to_vec()),
    )
}

pub async fn overwrites(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    on.kv.set(&on.name("key"), b"a longer value").await?;
    on.kv.set(&on.name("key"), b"short").await?;
    same(
        "get",
        on.kv.get(&on.name("key")).await?,
        Some(b"short".to_vec()),
    )
}

pub async fn deletes(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    on.kv.set(&on.name("key"), b"value").await?;
    on.kv.delete(&on.name("key")).await?;
    same("get", on.kv.get(&on.name("key")).await?, None)
}

pub async fn deletes_a_missing_key_without_error(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    on.kv.delete(&on.name("missing")).await?;
    Ok(())
}

pub async fn keeps_binary_values(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let every_byte: Vec<u8> = (0..=255).collect();
    for value in [Vec::new(), vec![0], vec![0xff, 0xfe, 0x00], every_byte] {
        on.kv.set(&on.name("key"), &value).await?;
        same("get", on.kv.get(&on.name("key")).await?, Some(value))?;
    }
    Ok(())
}

pub async fn keeps_a_value_of_64_kib(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let value: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    on.kv.set(&on.name("key"), &value).await?;
    let read = on.kv.get(&on.name("key")).await?;
    // Not `same`: its text would be as long as the values.
    super::verdict::holds("the value read is the one set", read == Some(value))
}

pub async fn tells_apart_keys_that_share_a_beginning(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    for tag in ["a", "a:b", "A", "a%", "a_"] {
        on.kv.set(&on.name(tag), tag.as_bytes()).await?;
    }
    on.kv.delete(&on.name("a%")).await?;
    for tag in ["a", "a:b", "A", "a_"] {
        same(
            "get",
            on.kv.get(&on.name(tag)).await?,
            Some(tag.as_bytes().to_vec()),
        )?;
    }
    Ok(())
}

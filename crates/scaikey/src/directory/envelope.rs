//! The envelopes a page may come in (`contract/scaikey.md` 3.1 and 7.3).
//!
//! The reader doesn't recurse: fields that are not looked at are walked without recursion, so their
//! depth is bounded by the size of the page alone.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::DirectoryError;
use super::page::{MAX_PAGE_ROWS, Page};
use super::row::DirectoryRow;

/// Reads a whole page.
pub(super) fn read<T: DirectoryRow>(text: &str) -> Result<Page<T>, DirectoryError> {
    let mut reading = Reading {
        rows: None,
        total: None,
        fault: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let whole = Envelope {
        reading: &mut reading,
        is_nested: false,
    }
    .deserialize(&mut deserializer)
    .and_then(|()| deserializer.end());
    match (whole, reading.rows) {
        (Ok(()), Some(rows)) => Ok(Page {
            rows,
            total: reading.total,
        }),
        _ => Err(reading.fault.unwrap_or(DirectoryError::Malformed)),
    }
}

/// What has been read of a page.
struct Reading<T> {
    /// `None` until a list was found.
    rows: Option<Vec<T>>,
    total: Option<u64>,
    /// Why the reader was stopped, where it is more than [`DirectoryError::Malformed`].
    fault: Option<DirectoryError>,
}

impl<T> Reading<T> {
    /// Stops the reader.
    fn stop<E: Error>(&mut self, fault: DirectoryError) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    fn set_total<E: Error>(&mut self, Count(total): Count) -> Result<(), E> {
        match (self.total, total) {
            (Some(known), Some(total)) if known != total => Err(E::custom("two totals")),
            (known, total) => {
                self.total = known.or(total);
                Ok(())
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Data,
    Items,
    Meta,
    Pagination,
    Total,
    Error,
    #[serde(other)]
    Other,
}

/// The page itself, or (nested) the value of its `data`.
struct Envelope<'r, T> {
    reading: &'r mut Reading<T>,
    is_nested: bool,
}

impl<'de, T: DirectoryRow> DeserializeSeed<'de> for Envelope<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DirectoryRow> Visitor<'de> for Envelope<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Rows(self.reading).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reading, is_nested } = self;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Data if !is_nested => map.next_value_seed(Envelope {
                    reading: &mut *reading,
                    is_nested: true,
                })?,
                Key::Items => map.next_value_seed(Rows(&mut *reading))?,
                Key::Meta | Key::Pagination => {
                    let Meta(total) = map.next_value()?;
                    reading.set_total(total)?;
                }
                Key::Total => {
                    let total = map.next_value()?;
                    reading.set_total(total)?;
                }
                Key::Error => {
                    if map.next_value::<Option<IgnoredAny>>()?.is_some() {
                        return Err(A::Error::custom("an error in a success"));
                    }
                }
                Key::Data | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The one list of a page.
struct Rows<'r, T>(&'r mut Reading<T>);

impl<'de, T: DirectoryRow> DeserializeSeed<'de> for Rows<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DirectoryRow> Visitor<'de> for Rows<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self(reading) = self;
        if reading.rows.is_some() {
            return Err(A::Error::custom("two lists"));
        }
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element::<RawRow<T::Raw<'de>>>()? {
            if rows.len() == MAX_PAGE_ROWS {
                return Err(reading.stop(DirectoryError::TooLarge));
            }
            let RawRow::Object(raw) = row else {
                return Err(reading.stop(DirectoryError::NullRow));
            };
            match T::of_raw(raw) {
                Ok(row) => rows.push(row),
                Err(fault) => return Err(reading.stop(fault)),
            }
        }
        reading.rows = Some(rows);
        Ok(())
    }
}

/// An entry of the list. (A derived reader alone would also take an array for an object.)
enum RawRow<R> {
    Object(R),
    Null,
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for RawRow<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawRowVisitor(PhantomData))
    }
}

struct RawRowVisitor<R>(PhantomData<R>);

impl<'de, R: Deserialize<'de>> Visitor<'de> for RawRowVisitor<R> {
    type Value = RawRow<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawRow<R>, A::Error> {
        R::deserialize(MapAccessDeserializer::new(map)).map(RawRow::Object)
    }

    fn visit_unit<E>(self) -> Result<RawRow<R>, E> {
        Ok(RawRow::Null)
    }
}

/// The total within `meta` or `pagination`; `null` has none.
struct Meta(Count);

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetaBody {
    total: Count,
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body: RawRow<MetaBody> = RawRow::deserialize(deserializer)?;
        Ok(Self(match body {
            RawRow::Object(body) => body.total,
            RawRow::Null => Count::default(),
        }))
    }
}

/// A number of rows: a JSON number without sign or fraction, the same as a text of at most twenty
/// digits, or `null` for none.
#[derive(Default)]
struct Count(Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of rows")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Count, E> {
        Ok(Count(Some(count)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
        // `parse` alone would take a sign.
        if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(E::custom("no digits"));
        }
        text.parse()
            .map(|count| Count(Some(count)))
            .map_err(E::custom)
    }

    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count(None))
    }
}

//! Fields of a row, read where they lie: a text is borrowed from the page unless it holds escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A field that should be a text.
#[derive(Default)]
pub enum Field<'a> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// A text.
    Text(Cow<'a, str>),
    /// Anything else.
    Other,
}

impl<'a> Field<'a> {
    /// The text; `None` for anything else.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Other => None,
        }
    }

    /// The identifier, if the field is there.
    ///
    /// # Errors
    /// [`Unusable`] when it is not one.
    pub(super) fn id<T: TryFrom<String>>(self) -> Result<Option<T>, Unusable> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => match T::try_from(text.into_owned()) {
                Ok(id) => Ok(Some(id)),
                Err(_) => Err(Unusable),
            },
            Self::Other => Err(Unusable),
        }
    }
}

/// The field is there and holds no identifier.
pub(super) struct Unusable;

/// The `id` of a nested object (`tenant.id`, `contract/scaikey.md` 8.3). Something that is no object
/// (a tenant's name, say) names nobody, as if it were not there.
#[derive(Default)]
pub struct Nested<'a>(pub(super) Field<'a>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object<'a> {
    #[serde(borrow)]
    id: Field<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Nested<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor(PhantomData))
    }
}

/// What becomes of a value, whatever its type. Arrays and objects that are not kept are walked
/// without recursion (`IgnoredAny`), so that their depth costs nothing.
trait OfAny<'de>: Default {
    fn of_text(text: Cow<'de, str>) -> Self;
    fn of_other() -> Self;
    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

impl<'de: 'a, 'a> OfAny<'de> for Field<'a> {
    fn of_text(text: Cow<'de, str>) -> Self {
        Self::Text(text)
    }

    fn of_other() -> Self {
        Self::Other
    }

    fn of_object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Other)
    }
}

impl<'de: 'a, 'a> OfAny<'de> for Nested<'a> {
    fn of_text(_: Cow<'de, str>) -> Self {
        Self::default()
    }

    fn of_other() -> Self {
        Self::default()
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Object::deserialize(MapAccessDeserializer::new(map)).map(|object| Self(object.id))
    }
}

struct AnyVisitor<T>(PhantomData<T>);

impl<'de, T: OfAny<'de>> Visitor<'de> for AnyVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::of_other())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::of_other())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::of_other())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::of_other())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::of_other())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_object(map)
    }
}

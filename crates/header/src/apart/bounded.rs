//! JSON that is read into values of no more than so many bytes in all: an answer may be short, and what it is read into large.
//!
//! A deserializer around another one. Of each value that lies in memory of its own, a text, an element of a list, an entry of a map, it takes
//! what that is off the room that is left, before the value is made. Fields that nobody knows are passed over, and take nothing.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// Bytes of a text's block beside those of the text.
const BLOCK: usize = 32;

/// Elements that a list has room for at first. It has twice as many whenever it is full.
const FIRST: usize = 4;

/// How many entries a map has room for, for each one that is there: a little less, where they come in order.
const ENTRIES: usize = 2;

/// Why nothing was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is no such value.
    Other(String),
    /// It does not fit into the room.
    Full,
}

/// Reads a value that takes so many bytes at most.
pub(super) fn read<'de, T: Deserialize<'de>>(json: &'de [u8], most: usize) -> Result<T, Unread> {
    let room = Room { left: Cell::new(most), is_full: Cell::new(false) };
    let mut inner = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(Bounded { inner: &mut inner, room: &room });
    let value = value.and_then(|value| inner.end().map(|()| value));
    value.map_err(|error| if room.is_full.get() { Unread::Full } else { Unread::Other(error.to_string()) })
}

/// What is left.
struct Room {
    left: Cell<usize>,
    is_full: Cell<bool>,
}

impl Room {
    fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => self.left.set(left),
            None => {
                self.is_full.set(true);
                return Err(E::custom("there is no room for it"));
            }
        }
        Ok(())
    }
}

/// Something of serde's, with the room for what is read by it.
struct Bounded<'r, T> {
    inner: T,
    room: &'r Room,
}

impl<'r, T> Bounded<'r, T> {
    /// Something else for the same room.
    fn with<U>(&self, inner: U) -> Bounded<'r, U> {
        Bounded { inner, room: self.room }
    }
}

/// A visitor. What is in a structure lies where the structure does.
struct Visiting<'r, V> {
    inner: V,
    room: &'r Room,
    is_structure: bool,
}

macro_rules! forward {
    ($($method:ident($($name:ident: $of:ty),*) $is_structure:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $of,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = Visiting { inner: visitor, room: self.room, is_structure: $is_structure };
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any() false;
        deserialize_bool() false;
        deserialize_i8() false;
        deserialize_i16() false;
        deserialize_i32() false;
        deserialize_i64() false;
        deserialize_i128() false;
        deserialize_u8() false;
        deserialize_u16() false;
        deserialize_u32() false;
        deserialize_u64() false;
        deserialize_u128() false;
        deserialize_f32() false;
        deserialize_f64() false;
        deserialize_char() false;
        deserialize_str() false;
        deserialize_string() false;
        deserialize_bytes() false;
        deserialize_byte_buf() false;
        deserialize_option() false;
        deserialize_unit() false;
        deserialize_unit_struct(name: &'static str) false;
        deserialize_newtype_struct(name: &'static str) false;
        deserialize_seq() false;
        deserialize_map() false;
        deserialize_tuple(len: usize) true;
        deserialize_tuple_struct(name: &'static str, len: usize) true;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) true;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) true;
    }

    // Neither makes anything: the name of a field is compared, and what is ignored is passed over.

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! pass {
    ($($method:ident($of:ty);)*) => {$(
        fn $method<E: Error>(self, value: $of) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

macro_rules! text {
    ($($method:ident($of:ty);)*) => {$(
        fn $method<E: Error>(self, value: $of) -> Result<V::Value, E> {
            self.room.take(value.len() + BLOCK)?;
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visiting<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    pass! {
        visit_bool(bool);
        visit_i64(i64);
        visit_i128(i128);
        visit_u64(u64);
        visit_u128(u128);
        visit_f64(f64);
    }

    text! {
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Bounded { inner: value, room: self.room })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Bounded { inner: value, room: self.room })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        let Visiting { inner, room, is_structure } = self;
        inner.visit_seq(Several { inner: values, room, is_structure, count: 0, fits: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        let Visiting { inner, room, is_structure } = self;
        inner.visit_map(Several { inner: values, room, is_structure, count: 0, fits: 0 })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded { inner: value, room: self.room })
    }
}

/// Elements or entries.
struct Several<'r, A> {
    inner: A,
    room: &'r Room,
    is_structure: bool,
    /// Elements that were read.
    count: usize,
    /// Elements that there is room for.
    fits: usize,
}

impl<'r, A> Several<'r, A> {
    fn seed<S>(&self, inner: S) -> Bounded<'r, S> {
        Bounded { inner, room: self.room }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Several<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let value = self.inner.next_element_seed(self.seed(seed))?;
        // Behind the value, which has its place yet: a list without elements has no memory.
        if value.is_some() && !self.is_structure && self.count == self.fits {
            let more = self.fits.max(FIRST);
            self.room.take(more.saturating_mul(size_of::<S::Value>()))?;
            self.fits += more;
        }
        self.count += 1;
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        // What the other side says of it is not believed.
        None
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Several<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        if !self.is_structure {
            self.room.take(ENTRIES * size_of::<S::Value>())?;
        }
        self.inner.next_key_seed(self.seed(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        if !self.is_structure {
            self.room.take(ENTRIES * size_of::<S::Value>())?;
        }
        self.inner.next_value_seed(self.seed(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, 'r, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'r, A> {
    type Error = A::Error;
    type Variant = Bounded<'r, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let room = self.room;
        let (value, variant) = self.inner.variant_seed(Bounded { inner: seed, room })?;
        Ok((value, Bounded { inner: variant, room }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Visiting { inner: visitor, room: self.room, is_structure: true })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Visiting { inner: visitor, room: self.room, is_structure: true })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Point {
        x: Option<u8>,
        #[serde(default)]
        names: Vec<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Shape {
        None,
        One(Point),
        Two(u8, u8),
        Named { a: String },
    }

    #[test]
    fn what_fits_is_read_as_it_is() {
        let json = r#"{"a":["None",{"One":{"x":1,"other":[1,{}],"names":["b","\u00e9"]}},{"Two":[1,2]},{"Named":{"a":"c"}}],"b":[]}"#;
        let read = read::<BTreeMap<String, Vec<Shape>>>(json.as_bytes(), 10_000).unwrap();
        assert_eq!(read, serde_json::from_str(json).unwrap());
        assert_eq!(read["a"][1], Shape::One(Point { x: Some(1), names: vec!["b".into(), "é".into()] }));
    }

    #[test]
    fn what_does_not_fit_is_told_from_what_is_none() {
        let texts = |count: usize| format!("[{}]", vec![r#""a""#; count].join(","));
        assert_eq!(read::<Vec<String>>(texts(10).as_bytes(), 10_000).unwrap().len(), 10);
        assert_eq!(read::<Vec<String>>(texts(1000).as_bytes(), 10_000), Err(Unread::Full));
        let entries = |count: usize| {
            let entries: Vec<_> = (0..count).map(|count| format!("\"{count}\":0")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert_eq!(read::<BTreeMap<String, u8>>(entries(10).as_bytes(), 10_000).unwrap().len(), 10);
        assert_eq!(read::<BTreeMap<String, u8>>(entries(1000).as_bytes(), 10_000), Err(Unread::Full));
        // What is passed over takes nothing, and neither do names of fields.
        let point = format!("{{\"other\":{},\"x\":1}}", texts(10_000));
        assert_eq!(read::<Point>(point.as_bytes(), 0).unwrap(), Point { x: Some(1), names: Vec::new() });
        for json in ["[", "[1]", "[\"a\"] 1", "{}"] {
            let other = read::<Vec<String>>(json.as_bytes(), 10_000);
            assert!(matches!(other, Err(Unread::Other(_))), "{json}: {other:?}");
        }
    }
}

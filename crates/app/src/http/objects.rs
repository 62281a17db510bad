//! Reads structs from JSON objects alone.
//!
//! serde's derived code takes a struct from a list as well, by position: `[2016, "Honda"]` would be a car. A client that
//! sends such a thing is mistaken, and a field that is added later would move the meaning of its list. [`Objects`]
//! stands between a format and what is read from it, at every depth, and refuses this.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

/// A deserializer (or what it hands to a visitor) that reads no struct from a list.
pub(super) struct Objects<T>(pub(super) T);

/// The visitor of a struct: it hears of objects only.
struct Struct<V>(V);

/// Every other visitor.
struct Anything<V>(V);

macro_rules! forward {
    ($($method:ident),+ $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$method(Anything(visitor))
        }
    )+ };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    forward!(
        deserialize_any,
        deserialize_bool,
        deserialize_i8,
        deserialize_i16,
        deserialize_i32,
        deserialize_i64,
        deserialize_i128,
        deserialize_u8,
        deserialize_u16,
        deserialize_u32,
        deserialize_u64,
        deserialize_u128,
        deserialize_f32,
        deserialize_f64,
        deserialize_char,
        deserialize_str,
        deserialize_string,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_option,
        deserialize_unit,
        deserialize_seq,
        deserialize_map,
        deserialize_identifier,
        deserialize_ignored_any,
    );

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Struct(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Anything(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Anything(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Anything(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, Anything(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Anything(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

// What is not an object is refused by the default of every other method, with what `expecting` says.
impl<'de, V: Visitor<'de>> Visitor<'de> for Struct<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(map))
    }

    // Read to its end, so that a list that is no JSON is told as such.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<V::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::invalid_type(Unexpected::Seq, &self))
    }
}

macro_rules! visit {
    ($($method:ident: $value:ty),+ $(,)?) => { $(
        fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )+ };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Anything<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit!(
        visit_bool: bool,
        visit_i8: i8,
        visit_i16: i16,
        visit_i32: i32,
        visit_i64: i64,
        visit_i128: i128,
        visit_u8: u8,
        visit_u16: u16,
        visit_u32: u32,
        visit_u64: u64,
        visit_u128: u128,
        visit_f32: f32,
        visit_f64: f64,
        visit_char: char,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
        visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8],
        visit_byte_buf: Vec<u8>,
    );

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, chosen: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(chosen))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Objects<A::Variant>), A::Error> {
        self.0.variant_seed(Objects(seed)).map(|(name, rest)| (name, Objects(rest)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Anything(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Struct(visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Car {
        year: u16,
        make: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Way {
        Walk,
        Drive { car: Car },
        Lend(Car),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Car);

    fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        T::deserialize(Objects(&mut reader)).map_err(|error| error.to_string())
    }

    fn refuses<'a, T: Deserialize<'a> + fmt::Debug>(text: &'a str) {
        // serde alone would take it.
        serde_json::from_str::<T>(text).expect(text);
        let error = read::<T>(text).expect_err(text);
        assert!(error.starts_with("invalid type: sequence, expected an object"), "{text}: {error}");
    }

    #[test]
    fn no_struct_is_read_from_a_list_wherever_it_stands() {
        refuses::<Car>(r#"[2016, "Honda"]"#);
        refuses::<Option<Car>>(r#"[2016, "Honda"]"#);
        refuses::<Wrapped>(r#"[2016, "Honda"]"#);
        refuses::<Vec<Car>>(r#"[[2016, "Honda"]]"#);
        refuses::<(u8, Car)>(r#"[1, [2016, "Honda"]]"#);
        refuses::<BTreeMap<String, Car>>(r#"{"first": [2016, "Honda"]}"#);
        refuses::<Way>(r#"{"drive": [{"year": 2016, "make": "Honda"}]}"#);
        refuses::<Way>(r#"{"drive": {"car": [2016, "Honda"]}}"#);
        refuses::<Way>(r#"{"lend": [2016, "Honda"]}"#);
    }

    #[test]
    fn everything_else_is_read_as_without_it() {
        let car = || Car { year: 2016, make: "Honda".to_owned() };
        let text = r#"{"year": 2016, "make": "Honda"}"#;
        assert_eq!(read::<Car>(text), Ok(car()));
        assert_eq!(read::<Option<Car>>("null"), Ok(None));
        assert_eq!(read::<Option<Wrapped>>(text), Ok(Some(Wrapped(car()))));
        assert_eq!(read::<Way>(r#""walk""#), Ok(Way::Walk));
        assert_eq!(read::<Way>(&format!(r#"{{"drive": {{"car": {text}}}}}"#)), Ok(Way::Drive { car: car() }));
        assert_eq!(
            read::<(u8, Vec<String>)>(r#"[1, ["a", "\u00e9"]]"#),
            Ok((1, vec!["a".into(), "é".into()]))
        );
        assert_eq!(read::<Box<RawValue>>("[1.50]").map(|raw| raw.get().to_owned()), Ok("[1.50]".to_owned()));
        assert_eq!(
            read::<uuid::Uuid>(r#""0198d7a0-0000-7000-8000-000000000001""#).map(|id| id.to_string()),
            Ok("0198d7a0-0000-7000-8000-000000000001".to_owned())
        );
    }

    #[test]
    fn a_list_that_is_no_json_is_told_as_such() {
        for text in ["[1, [2]", "[nonsense]"] {
            let mut reader = serde_json::Deserializer::from_str(text);
            let error = Car::deserialize(Objects(&mut reader)).expect_err(text);
            assert!(!error.is_data(), "{text}: {error}");
        }
    }
}

//! JSON (RFC 8259), read more strictly than the programs that later load an image read it.
//!
//! Go's decoder, which those use, takes the last of two equal keys, and a key in other case for the
//! one that it looks for. Fail closed: a document that could mean one thing here and another there
//! is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Number of values and keys in a document, about. An index has about 20 of them for each image, in
/// 300 bytes; 4 MiB of the shortest ones would take twenty times as much in memory.
const MOST_VALUES: usize = 300_000;

/// Size in bytes of the largest document that is read. Registries set the same limit on manifests.
pub(crate) const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// Any other number, whose value is not used anywhere.
    OtherNumber,
    String(String),
    Array(Vec<Json>),
    Object(Object),
}

/// An object, whose keys all differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object(Vec<(String, Json)>);

/// Why a document is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub(crate) enum JsonError {
    /// It is no JSON, has two equal keys, or continues behind its end.
    #[error("{0}")]
    Syntax(String),
    /// A key is another spelling of one that has a meaning here.
    #[error("some programs read the key {found:?} as {key:?}")]
    Spelling {
        /// The key with a meaning.
        key: &'static str,
        /// The key in the document.
        found: String,
    },
    /// A member has a value of another type than its key demands.
    #[error("{key:?} is not {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// The type, with its article.
        expected: &'static str,
    },
    /// A member that must be there is not.
    #[error("{0:?} is missing")]
    Missing(&'static str),
}

impl Json {
    /// Reads a whole document.
    ///
    /// # Errors
    /// [`JsonError::Syntax`].
    pub(crate) fn parse(text: &[u8]) -> Result<Json, JsonError> {
        // Each value and each key has one of these in front of it, except the first value.
        let is_between = |byte: &&u8| matches!(byte, b',' | b':' | b'[' | b'{');
        if text.iter().filter(is_between).count() > MOST_VALUES {
            let words = format!("it has more than {MOST_VALUES} values");
            return Err(JsonError::Syntax(words));
        }
        serde_json::from_slice(text).map_err(|error| JsonError::Syntax(error.to_string()))
    }

    /// Returns the object, if it is one.
    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Object {
    /// Returns every member, in the document's order: for objects whose keys are free, such as
    /// annotations.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns a member with this key, spelled exactly like this: for objects whose keys are free.
    pub(crate) fn exact(&self, key: &str) -> Option<&Json> {
        self.members()
            .find_map(|(found, value)| (found == key).then_some(value))
    }

    /// Returns a member that has a meaning; `null` counts as absent.
    ///
    /// # Errors
    /// [`JsonError::Spelling`] if another key is a spelling of this one.
    pub(crate) fn get(&self, key: &'static str) -> Result<Option<&Json>, JsonError> {
        let is_spelling = |(found, _): &&(String, Json)| found != key && folds_to(found, key);
        if let Some((found, _)) = self.0.iter().find(is_spelling) {
            let found = found.clone();
            return Err(JsonError::Spelling { key, found });
        }
        Ok(self.exact(key).filter(|value| **value != Json::Null))
    }

    /// Returns a text, if it is there.
    ///
    /// # Errors
    /// See [`Object::get`]; [`JsonError::Type`].
    pub(crate) fn text(&self, key: &'static str) -> Result<Option<&str>, JsonError> {
        self.typed(key, "a string", Json::as_str)
    }

    /// Returns a whole number, if it is there.
    ///
    /// # Errors
    /// See [`Object::get`]; [`JsonError::Type`].
    pub(crate) fn number(&self, key: &'static str) -> Result<Option<u64>, JsonError> {
        self.typed(key, "a whole number", |value| match value {
            Json::Number(number) => Some(*number),
            _ => None,
        })
    }

    /// Returns an array, if it is there.
    ///
    /// # Errors
    /// See [`Object::get`]; [`JsonError::Type`].
    pub(crate) fn array(&self, key: &'static str) -> Result<Option<&[Json]>, JsonError> {
        self.typed(key, "an array", |value| match value {
            Json::Array(items) => Some(items.as_slice()),
            _ => None,
        })
    }

    /// Returns an object, if it is there.
    ///
    /// # Errors
    /// See [`Object::get`]; [`JsonError::Type`].
    pub(crate) fn object(&self, key: &'static str) -> Result<Option<&Object>, JsonError> {
        self.typed(key, "an object", Json::as_object)
    }

    fn typed<'a, T>(
        &'a self,
        key: &'static str,
        expected: &'static str,
        of: impl Fn(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, JsonError> {
        let read = |value| of(value).ok_or(JsonError::Type { key, expected });
        self.get(key)?.map(read).transpose()
    }
}

/// Reports whether a program may take `found` for the ASCII key `key`. Go's `encoding/json` folds
/// the case of letters as Unicode does, so that `ſ` is an `s` and the Kelvin sign a `k`; readers of
/// Protocol Buffers take `message_digest` for `messageDigest` (ProtoJSON, field names).
fn folds_to(found: &str, key: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| *c != '_');
        letters.map(fold).collect::<String>()
    };
    letters(found) == letters(key)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        members.shrink_to_fit();
        match twice(&members) {
            Some(key) => {
                let words = format!("duplicate key {key:?}");
                Err(serde::de::Error::custom(words))
            }
            None => Ok(Json::Object(Object(members))),
        }
    }
}

/// Returns a key that comes twice, if one does.
fn twice(members: &[(String, Json)]) -> Option<&str> {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    let pair = keys.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Json::parse(text.as_bytes())
            .unwrap()
            .as_object()
            .unwrap()
            .clone()
    }

    #[test]
    fn a_document_with_a_key_twice_or_anything_behind_its_end_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":[{"a":1,"b":2,"a":3}]}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":1} {}"#,
            r#"{"a":1"#,
            "",
        ] {
            let parsed = Json::parse(text.as_bytes());
            assert!(matches!(parsed, Err(JsonError::Syntax(_))), "{text}");
        }
        assert!(Json::parse(b" {\"a\":1}\n").is_ok());
    }

    #[test]
    fn a_document_of_too_many_values_is_refused() {
        let array = |count: usize| format!("[{}0]", "0,".repeat(count));
        let words = "it has more than 300000 values".to_owned();
        let too_many = Err(JsonError::Syntax(words));
        assert_eq!(Json::parse(array(300_000).as_bytes()), too_many);
        assert!(Json::parse(array(299_999).as_bytes()).is_ok());
        // A key counts as much as a value.
        let object = |count: usize| {
            let members: Vec<String> = (0..count).map(|key| format!("\"{key}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(Json::parse(object(150_001).as_bytes()), too_many);
        assert!(Json::parse(object(150_000).as_bytes()).is_ok());
    }

    #[test]
    fn a_key_that_go_would_take_for_another_is_refused_where_that_one_is_looked_for() {
        for found in ["Layers", "LAYERS", "layer\u{17f}"] {
            let object = object(&format!(r#"{{"layers":[],"{found}":[]}}"#));
            let error = JsonError::Spelling {
                key: "layers",
                found: found.to_owned(),
            };
            assert_eq!(object.array("layers"), Err(error));
            assert_eq!(object.array("manifests"), Ok(None));
        }
    }

    #[test]
    fn null_is_absent_and_another_type_is_an_error() {
        let object = object(r#"{"a":null,"b":-1,"c":"text","d":1.5,"e":18446744073709551615}"#);
        assert_eq!(object.text("a"), Ok(None));
        assert_eq!(object.text("c"), Ok(Some("text")));
        assert_eq!(object.number("e"), Ok(Some(u64::MAX)));
        for key in ["b", "c", "d"] {
            let expected = "a whole number";
            assert_eq!(object.number(key), Err(JsonError::Type { key, expected }));
        }
    }
}

//! `manifest.json` of Docker's archives: which members are which image.

use super::descriptor::DescriptorError;
use crate::text::json::{Json, JsonError, Object};

/// An image of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The member that is its configuration.
    pub(super) config: Box<str>,
    /// Its names.
    pub(super) tags: Box<[Box<str>]>,
    /// The members that are its layers, lowest first.
    pub(super) layers: Box<[Box<str>]>,
}

impl Item {
    /// Reads the items, if it is this kind of document: an array in which something has a key of an
    /// item, regardless of case.
    pub(super) fn read_all(json: &Json) -> Option<Result<Box<[Item]>, DescriptorError>> {
        let Json::Array(items) = json else {
            return None;
        };
        let is_key = |key: &str| {
            ["Config", "Layers"]
                .iter()
                .any(|known| key.eq_ignore_ascii_case(known))
        };
        let is_item = |item: &Json| {
            let object = item.as_object();
            object.is_some_and(|item| item.members().any(|(key, _)| is_key(key)))
        };
        items
            .iter()
            .any(is_item)
            .then(|| items.iter().map(Item::read).collect())
    }

    fn read(json: &Json) -> Result<Item, DescriptorError> {
        let object = json.as_object().ok_or("an item is not an object")?;
        Ok(Item {
            config: path(object.text("Config")?.ok_or(JsonError::Missing("Config"))?)?,
            tags: texts(object, "RepoTags", |tag| Ok(tag.into()))?,
            layers: texts(object, "Layers", path)?,
        })
    }

    /// Returns the bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let texts = self.tags.iter().chain(&self.layers);
        let each = texts.map(|text| text.len() + size_of::<Box<str>>());
        size_of::<Item>() + self.config.len() + each.sum::<usize>()
    }
}

fn texts(
    object: &Object,
    key: &'static str,
    read: impl Fn(&str) -> Result<Box<str>, DescriptorError>,
) -> Result<Box<[Box<str>]>, DescriptorError> {
    let items = object.array(key)?.unwrap_or_default();
    let expected = "an array of strings";
    let text = |item: &Json| read(item.as_str().ok_or(JsonError::Type { key, expected })?);
    items.iter().map(text).collect()
}

/// Returns a member's path without `./`.
///
/// Fail closed: a path that leads out of the archive, or could be written in another way, is
/// refused.
fn path(text: &str) -> Result<Box<str>, DescriptorError> {
    let path = text.strip_prefix("./").unwrap_or(text);
    let is_component = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if path.split('/').all(is_component) {
        Ok(path.into())
    } else {
        Err(format!("{text:?} is not the path of a member").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Result<Box<[Item]>, DescriptorError>> {
        Item::read_all(&Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn an_item_without_names_is_an_item() {
        let item = Item {
            config: "c.json".into(),
            tags: Box::default(),
            layers: ["a/layer.tar".into()].into(),
        };
        let text = r#"[{"Config":"./c.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#;
        assert_eq!(read(text), Some(Ok([item].into())));
    }

    #[test]
    fn other_documents_of_this_name_are_none() {
        for text in [
            "[]",
            "{}",
            r#"{"Config":"x"}"#,
            r#"["Config"]"#,
            r#"[{"name":1}]"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_out_of_the_archive_and_a_key_in_other_case_are_refused() {
        let refused = |text: &str| read(text).unwrap().unwrap_err();
        for bad in ["../c", "/c", "a//c", "a/./c", "a/..", ""] {
            let text = format!(r#"[{{"Config":"{bad}","Layers":[]}}]"#);
            let words = format!("{bad:?} is not the path of a member");
            assert_eq!(&*refused(&text), words);
        }
        assert_eq!(
            &*refused(r#"[{"Config":"c","Layers":[],"layers":["x"]}]"#),
            r#"some programs read the key "layers" as "Layers""#
        );
        assert_eq!(
            &*refused(r#"[{"Config":"c","Layers":[1]}]"#),
            "\"Layers\" is not an array of strings"
        );
        assert_eq!(&*refused(r#"[{"Layers":[]}]"#), "\"Config\" is missing");
        assert_eq!(
            &*refused(r#"[{"Config":"c"},3]"#),
            "an item is not an object"
        );
    }
}

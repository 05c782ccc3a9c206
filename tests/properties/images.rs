//! A source of images has one judgement, regardless of the order of its members; nothing unsigned
//! in it passes; and what is whole has all its parts here.
//!
//! The bytes are members, each between lines of `%%`: its path in the first line, then its content.
//! `{N}` in it stands for a descriptor of the `N`th member before: its digest and size, without the
//! braces around them. `@` at the end of a path stands for that of a blob with this content.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use verify_signatures::internals::image::{Contents, Judgement, MAX_TEXT, Outer, Policy, judge};
use verify_signatures::{Digest, SharedPath, Verdict};

/// Members that are looked at.
const MOST: usize = 64;

type Members = Vec<(Vec<u8>, Vec<u8>)>;

/// Checks a source.
pub fn check(data: &[u8]) {
    let members = members(data);
    let judgement = judged(&members, Outer::Valid);
    let mut reversed = members.clone();
    reversed.reverse();
    assert_eq!(judged(&reversed, Outer::Valid), judgement);
    for judged in &judged(&members, Outer::NotValid).images {
        assert!(!judged.verdict.passes(), "{judged:?}");
    }
    let blobs: HashMap<String, &[u8]> = members
        .iter()
        .map(|(_, content)| (format!("sha256:{}", Digest::of(content)), &content[..]))
        .collect();
    for judged in &judgement.images {
        assert!(
            !matches!(judged.verdict, Verdict::Valid { .. }),
            "nobody signs here"
        );
        if judged.verdict.passes() {
            let root = blobs
                .get(&*judged.image.id)
                .expect("the root of what passes is here");
            assert_eq!(judged.digest, Some(Digest::of(root)));
            assert!(is_whole(root, &blobs), "{judged:?}");
        }
    }
}

/// Returns the members that bytes describe, each path once.
pub fn members(data: &[u8]) -> Members {
    let mut members: Members = Vec::new();
    let text = String::from_utf8_lossy(data);
    for part in text
        .split("%%\n")
        .filter(|part| !part.is_empty())
        .take(MOST)
    {
        let (path, content) = part.split_once('\n').unwrap_or((part, ""));
        let mut content = content.trim_end_matches('\n').to_owned();
        for (number, (_, other)) in members.iter().rev().enumerate() {
            let (digest, size) = (Digest::of(other), other.len());
            let descriptor = format!(r#""digest":"sha256:{digest}","size":{size}"#);
            content = content.replace(&format!("{{{number}}}"), &descriptor);
        }
        let digest = Digest::of(content.as_bytes());
        let path = match path.strip_suffix('@') {
            Some(above) => format!("{above}blobs/sha256/{digest}"),
            None => path.to_owned(),
        };
        if members.iter().all(|(other, _)| *other != path.as_bytes()) {
            members.push((path.into(), content.into()));
        }
    }
    members
}

/// Judges members under no key.
pub fn judged(members: &Members, outer: Outer) -> Judgement {
    let mut contents = Contents::default();
    for (path, content) in members {
        let is_text = matches!(content.trim_ascii_start().first(), Some(b'{' | b'['));
        let text = (is_text && content.len() <= MAX_TEXT).then_some(&content[..]);
        contents.add_file(path, Digest::of(content), content.len() as u64, text);
    }
    let artifact = SharedPath::from(Path::new("b"));
    judge(
        &artifact,
        &contents,
        &Contents::default(),
        &Policy::default(),
        outer,
    )
}

/// Reports, as plainly as it can be told, whether a document is a configuration, a manifest with
/// all its parts, or an index with a manifest of which that holds.
fn is_whole(document: &[u8], blobs: &HashMap<String, &[u8]>) -> bool {
    let Ok(document) = serde_json::from_slice::<Value>(document) else {
        return false;
    };
    // The configuration of an archive's image, which keeps no manifest.
    if document["rootfs"].is_object() || document["os"].is_string() {
        return true;
    }
    let blob = |descriptor: &Value| {
        let blob = blobs.get(descriptor["digest"].as_str()?)?;
        (descriptor["size"].as_u64() == Some(blob.len() as u64)).then_some(*blob)
    };
    let is_here = |descriptor: &Value| blob(descriptor).is_some();
    if let Some(children) = document["manifests"].as_array() {
        let mut whole = children.iter().filter_map(blob);
        return whole.any(|child| is_whole(child, blobs));
    }
    match document["layers"].as_array() {
        Some(layers) => {
            let is_elsewhere = |layer: &Value| layer["urls"].is_array();
            let is_layer_here = |layer: &Value| is_here(layer) || is_elsewhere(layer);
            is_here(&document["config"]) && layers.iter().all(is_layer_here)
        }
        None => document.is_object(),
    }
}

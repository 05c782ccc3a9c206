//! The keys and options of the runs.

use std::collections::BTreeSet;
use std::time::Duration;

use super::part::sha256 as digest;
use super::paths::decoded;
use super::{Demands, Part, PartError};
use crate::digest::Algorithm;
use crate::run::{ImageOptions, Options, OverTime, TrustedKey};
use crate::wire;

/// Returns the keys of a report.
///
/// # Errors
/// [`PartError::Damaged`] if a fingerprint or a hash is none.
pub(super) fn keys(keys: &[wire::Key<'_>]) -> Result<Vec<TrustedKey>, PartError> {
    let key = |key: &wire::Key<'_>| {
        Ok(TrustedKey {
            name: key.name.to_string(),
            fingerprint: digest(&key.fingerprint)?,
            algorithm: key.algorithm.as_ref().map(ToString::to_string),
            digest: key.digest.as_deref().map(hash).transpose()?,
            is_pinned: key.pinned,
            is_exposed: key.inside_tree,
        })
    };
    keys.iter().map(key).collect()
}

/// Returns a hash. Fail closed: one that this program does not know is not compared.
fn hash(term: &str) -> Result<Algorithm, PartError> {
    let unknown = || PartError::Damaged("a hash that does not exist".to_owned());
    Algorithm::named(term).ok_or_else(unknown)
}

/// Returns the trusted keys, which all runs have in common. Fail closed: a key counts as exposed if
/// it was in any run, and as pinned if it was in every one.
pub(super) fn trusted(parts: &[Part]) -> Vec<TrustedKey> {
    let mut keys = parts
        .first()
        .map(|part| part.keys.clone())
        .unwrap_or_default();
    for key in &mut keys {
        let mut others = parts.iter().flat_map(|part| &part.keys);
        key.is_exposed |= others
            .clone()
            .any(|other| other.is(key) && other.is_exposed);
        key.is_pinned &= others.all(|other| !other.is(key) || other.is_pinned);
    }
    keys
}

/// Returns the options of the merged run: those of the first, since all have the same. A key counts
/// as pinned if this command or every run names its fingerprint.
pub(super) fn merged(parts: &[Part], demands: &Demands) -> Option<Options> {
    let options = &parts.first()?.options;
    let texts =
        |texts: &[std::borrow::Cow<'_, str>]| texts.iter().map(|text| text.to_string()).collect();
    let signature = wire::PathMember {
        path: options.signature.signature.clone(),
        path_base64: options.signature.signature_base64.clone(),
    };
    let mut fingerprints: Vec<String> = texts(&options.key_fingerprints);
    fingerprints.extend(demands.fingerprints.iter().map(ToString::to_string));
    Some(Options {
        signature: signature.decode(),
        max_depth: options.max_depth,
        follow_links: options.follow_links,
        exclude: texts(&options.exclude),
        key_fingerprints: fingerprints,
        allow_unsigned: options.allow_unsigned,
        all_files: options.all_files,
        lists: options
            .lists
            .iter()
            .filter_map(|path| decoded(path).ok())
            .collect(),
        fail_fast: options.fail_fast,
        images: options.images.as_ref().and_then(images),
        baseline: None,
        // Each shard has its own ledger, and its own time.
        over_time: OverTime {
            max_age: options.max_age.as_deref().and_then(span),
            ..OverTime::default()
        },
        io: among(parts.iter().map(|part| part.options.io.as_ref())),
    })
}

fn span(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

fn images(options: &wire::ImageOptions<'_>) -> Option<ImageOptions> {
    let texts =
        |texts: &[std::borrow::Cow<'_, str>]| texts.iter().map(|text| text.to_string()).collect();
    Some(ImageOptions {
        keys: keys(&options.keys).ok()?,
        signatures: options
            .signatures
            .iter()
            .filter_map(|path| decoded(path).ok())
            .collect(),
        signed_registries: texts(&options.signed_registries),
        platforms: texts(&options.platforms),
        max_window: options.max_window,
        max_unpacked: options.max_unpacked,
    })
}

/// Returns the implementations of SHA-256.
pub(super) fn sha256(parts: &[Part]) -> String {
    among(parts.iter().map(|part| part.options.sha256.as_ref()))
}

/// Returns all different values.
fn among<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: BTreeSet<&str> = values.collect();
    values.into_iter().collect::<Vec<_>>().join(", ")
}

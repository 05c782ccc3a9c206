//! A difference between two states of a mirror.

use crate::files::SharedPath;
use crate::trust::claimed::ClaimedDigest;

/// A difference. Artifacts are identified by their paths below the PATH, and contents by their
/// SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What differs.
    pub difference: Difference,
    /// The path of the artifact; where it was removed, the one that it should have.
    pub path: SharedPath,
    /// The name or the digest of the image in it that differs, if an image does.
    pub image: Option<String>,
    /// The path that the earlier state gives it, in its own words, if that is another.
    pub from: Option<SharedPath>,
    /// A removed path that an added one looks like, if there is one.
    pub like: Option<SharedPath>,
    /// The content that it had, if it was there.
    pub old: Option<Content>,
    /// The content that it has, if it is there.
    pub new: Option<Content>,
}

/// A content, as far as it is known: of an artifact, or of the root document of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its SHA-256.
    pub(crate) sha256: Option<ClaimedDigest>,
    /// Its size in bytes; of an image, that of its blobs.
    pub(crate) size: Option<u64>,
}

/// What differs. None of the terms is one of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// `removed`: it was there, and is not any more.
    Removed,
    /// `added`: it is there, and was not.
    Added,
    /// `modified`: it has another content, or one of the two is unknown.
    Modified,
    /// `renamed`: a content that is gone from its path is at a path that was not there.
    Renamed,
    /// `signature-lost`: it has the same content; a trusted key had signed it, and now none has.
    SignatureLost,
    /// `image-removed`: the artifact is in both states, and this image in it is gone.
    ImageRemoved,
    /// `image-added`: the artifact is in both states, and this image in it is new.
    ImageAdded,
    /// `image-modified`: the image of this name has another digest.
    ImageModified,
    /// `image-signature-lost`: the image is the same; a trusted key had signed it, and now none
    /// has.
    ImageSignatureLost,
}

impl Difference {
    /// All of them, in the order of a summary.
    pub const ALL: [Difference; 9] = [
        Difference::Removed,
        Difference::Added,
        Difference::Modified,
        Difference::Renamed,
        Difference::SignatureLost,
        Difference::ImageRemoved,
        Difference::ImageAdded,
        Difference::ImageModified,
        Difference::ImageSignatureLost,
    ];

    /// Returns the term.
    pub fn name(self) -> &'static str {
        match self {
            Difference::Removed => "removed",
            Difference::Added => "added",
            Difference::Modified => "modified",
            Difference::Renamed => "renamed",
            Difference::SignatureLost => "signature-lost",
            Difference::ImageRemoved => "image-removed",
            Difference::ImageAdded => "image-added",
            Difference::ImageModified => "image-modified",
            Difference::ImageSignatureLost => "image-signature-lost",
        }
    }
}

impl Finding {
    /// Returns a finding on an artifact, of which nothing else is known.
    pub(crate) fn new(difference: Difference, path: SharedPath) -> Finding {
        Finding {
            difference,
            path,
            image: None,
            from: None,
            like: None,
            old: None,
            new: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::terms::Status;
    use serde_json::Value;

    #[test]
    fn the_terms_are_those_of_the_schema_and_none_is_a_status() {
        let schema = include_str!("../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let listed = &schema["$defs"]["finding"]["properties"]["finding"]["enum"];
        let listed = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|term| term.as_str().unwrap());
        assert!(listed.eq(Difference::ALL.map(Difference::name)));
        for difference in Difference::ALL {
            assert!(
                Status::ALL
                    .iter()
                    .all(|status| status.name() != difference.name())
            );
        }
    }
}

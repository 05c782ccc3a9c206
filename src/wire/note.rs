//! Observations on a run as a whole.

use serde::{Deserialize, Serialize};

use super::{PathMember, SignatureMember, Text};

/// An observation on the run as a whole, with the variants of [`Note`](crate::hints::notes::Note).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Note<'a, P = Vec<PathMember<'a>>> {
    SameContent {
        sha256: Text<'a>,
        paths: P,
    },
    SignatureFitsOther {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        #[serde(flatten)]
        path: PathMember<'a>,
        fits: PathMember<'a>,
    },
    SignatureFits {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        fits: PathMember<'a>,
    },
    WrongKey {
        keys: Vec<Text<'a>>,
        signatures: u64,
    },
    OtherSigner {
        fingerprint: Text<'a>,
        signatures: u64,
        examined: u64,
        failed: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trusted_for: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found_in: Vec<PathMember<'a>>,
        made: Vec<Signed<'a>>,
    },
    NoCommonSigner {
        signatures: u64,
        examined: u64,
        failed: u64,
        of: Vec<Signed<'a>>,
    },
    NotAList {
        #[serde(flatten)]
        path: PathMember<'a>,
    },
    StraySignature {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
    },
    SpareParts {
        #[serde(flatten)]
        path: PathMember<'a>,
        paths: P,
    },
    AlikeNames {
        difference: Text<'a>,
        paths: P,
    },
    SameDirectory {
        #[serde(flatten)]
        path: PathMember<'a>,
        judged_as: PathMember<'a>,
    },
    UnusedRegistry {
        prefix: Text<'a>,
    },
    WithinShards,
    ImageSignedAs {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        signed_as: Text<'a>,
    },
    SameImage {
        #[serde(flatten)]
        path: PathMember<'a>,
        images: Vec<Text<'a>>,
    },
    SignatureWithoutImage {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        others: usize,
    },
    UnusableSignature {
        #[serde(flatten)]
        path: PathMember<'a>,
        blob: Text<'a>,
        why: Text<'a>,
        others: usize,
    },
    UnreachableContent {
        #[serde(flatten)]
        path: PathMember<'a>,
        blobs: u64,
        bytes: u64,
    },
    ForeignLayer {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        blob: Text<'a>,
        others: usize,
    },
}

/// What a signature is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<'a> {
    /// The artifact.
    #[serde(flatten)]
    pub path: PathMember<'a>,
    /// The signature file, if the signature is in a file of its own.
    #[serde(flatten)]
    pub signature: SignatureMember<'a>,
    /// The image in the artifact, by name or digest, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Text<'a>>,
}

//! What is worth knowing of a source's images, and changes no verdict.

/// Something worth knowing of one or more images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageNote {
    /// An image's signatures call it by the name of another repository. Older or other content may
    /// have been given its name.
    OtherRepository {
        /// The name on its label.
        image: Box<str>,
        /// A name in its signatures.
        signed_as: Box<str>,
    },
    /// Several names are the same image.
    SameDigest {
        /// The names, in order.
        names: Vec<Box<str>>,
    },
    /// Signatures whose images are not here.
    SignatureWithoutImage {
        /// The first of the digests that they assert, with `sha256:`.
        digest: Box<str>,
        /// Number of further ones.
        others: usize,
    },
    /// A signature that cannot be used, whoever made it.
    UnusableSignature {
        /// The digest of the document that it is in, with `sha256:`.
        digest: Box<str>,
        /// Why, in words.
        why: Box<str>,
        /// Number of further ones.
        others: usize,
    },
    /// Members that belong to no image and no signature.
    Unreachable {
        /// Their number.
        blobs: u64,
        /// The sum of their sizes, in bytes.
        bytes: u64,
    },
    /// A layer is absent that may not be passed on, and is fetched from elsewhere.
    ForeignLayer {
        /// The image's name, or its digest.
        image: Box<str>,
        /// The layer's digest, with `sha256:`.
        digest: Box<str>,
        /// Number of further such layers of this image.
        others: usize,
    },
}

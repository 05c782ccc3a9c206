//! Why a bundle's content cannot be relied upon.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use thiserror::Error;

use crate::text::escape;

/// Why the members of a bundle are not, or not certainly, those that another program would find in
/// it. Names are escaped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Defect {
    /// It ends in the middle of a frame, a member or the archive.
    #[error("the content is cut off")]
    Truncated,
    /// A frame cannot be decompressed.
    #[error("the compressed data is damaged: {0}")]
    Damaged(String),
    /// A frame's checksum is not that of its content.
    #[error("a checksum of the compressed data does not match")]
    Checksum,
    /// The decoder panicked: a defect of it, or of this program.
    #[error("the decoder failed")]
    Decoder,
    /// A zstd frame demands more memory than allowed.
    #[error("decompression needs a window of {needed} bytes, more than allowed")]
    WindowTooLarge {
        /// The frame's window in bytes.
        needed: u64,
    },
    /// A zstd frame was made with a dictionary, which is not in the bundle.
    #[error("the content was compressed with a dictionary")]
    Dictionary,
    /// A frame of a version of zstd before 0.8.
    #[error("compressed in a zstd format older than version 0.8")]
    Legacy,
    /// Compressed by a program of this name, in a format that is not decompressed here.
    #[error("compressed with {0}, which is not supported")]
    OtherCompression(&'static str),
    /// A tar archive to programs that do not look for compression, or not for this one.
    #[error("it begins both as a tar archive and as compressed data")]
    Polyglot,
    /// Something lies behind the last frame or behind the archive's end.
    #[error("data follows the end of the content")]
    TrailingData,
    /// A name that is empty, absolute, contains `..` or a zero byte, or leads out of the bundle.
    #[error("{0}: unsafe name")]
    UnsafeName(String),
    /// Two members of one name, or one below another.
    #[error("{0}: more than one member has this name")]
    Duplicate(String),
    /// A sparse member.
    #[error("{0}: sparse file")]
    Sparse(String),
    /// A device, a FIFO or a socket.
    #[error("{0}: special file")]
    SpecialFile(String),
    /// A global pax header with a name or a size for many members.
    #[error("a global header sets a name or size for all members")]
    GlobalPath,
    /// The size in a pax header is not that of the member's own header.
    #[error("{0}: its headers give two sizes")]
    SizeDiffers(String),
    /// A header that is invalid, or that programs read differently.
    #[error("invalid header in the archive: {0}")]
    BadHeader(&'static str),
    /// A member whose headers for long names are too large, or that lies too deep.
    #[error("a member has a name that is too long or too deep")]
    NamesTooLong,
    /// See [`super::Limits::members`].
    #[error("too many members")]
    TooManyMembers,
    /// See [`super::Limits::text`].
    #[error("too much text in documents")]
    TooMuchText,
    /// See [`super::Limits::max_output`].
    #[error("larger than --max-unpacked allows")]
    TooMuchOutput,
}

/// Returns a member's name as printed.
pub(super) fn shown(name: &[u8]) -> String {
    escape::name(OsStr::from_bytes(name))
}

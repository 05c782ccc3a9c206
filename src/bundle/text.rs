//! Which members are kept as text, and how much of it.

use super::{Defect, LARGEST_TEXT};

/// What a signature begins with that skopeo writes beside an image in a directory: JSON follows.
const SIGNATURE: &[u8] = b"\0sigstore-json\n";

/// The text that may still be kept.
#[derive(Debug)]
pub(super) struct Texts {
    left: usize,
}

impl Texts {
    /// Returns a budget of `most` bytes.
    pub(super) fn new(most: usize) -> Texts {
        Texts { left: most }
    }

    /// Begins the text of a member of `size` bytes, if it may have one.
    pub(super) fn begin(size: u64) -> Option<Vec<u8>> {
        (size <= LARGEST_TEXT).then(Vec::new)
    }

    /// Adds the member's next bytes to its text, if it is or may become JSON, or is a signature.
    ///
    /// # Errors
    /// [`Defect::TooMuchText`].
    pub(super) fn add(&mut self, text: &mut Option<Vec<u8>>, added: &[u8]) -> Result<(), Defect> {
        let Some(kept) = text else {
            return Ok(());
        };
        // Whole, since the first piece of a content has at least a block.
        let is_signature = kept.is_empty() && added.starts_with(SIGNATURE);
        let is_open = first(kept).is_none() && !is_signature;
        if is_open && !matches!(first(added), None | Some(b'{' | b'[')) {
            self.left += kept.len();
            *text = None;
            return Ok(());
        }
        let left = self.left.checked_sub(added.len());
        // Fail closed: without its text, a document would pass for a blob.
        self.left = left.ok_or(Defect::TooMuchText)?;
        kept.extend_from_slice(added);
        Ok(())
    }

    /// Returns the text of a whole member, if it looks like JSON or a signature: nothing for blanks
    /// alone.
    pub(super) fn end(&mut self, text: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let text = text?;
        if first(&text).is_none() {
            self.left += text.len();
            return None;
        }
        Some(text)
    }
}

/// Returns the first byte after white space (RFC 8259, 2).
fn first(text: &[u8]) -> Option<u8> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    text.iter().copied().find(|byte| !is_space(byte))
}

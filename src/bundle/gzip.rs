//! Gzip (RFC 1952): one or more members, one after another, and zeros to fill a block of a tape.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::{BundleError, Defect};

/// The first bytes of a member (2.3.1).
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompressed bytes.
pub(super) struct Gzip<R: BufRead> {
    /// The member being read; `None` at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    /// Returns the content of the members that `input` begins with.
    pub(super) fn new(input: R) -> Gzip<R> {
        Gzip {
            member: Some(GzDecoder::new(input)),
        }
    }

    /// Begins the next member, if there is one.
    fn next(&mut self) -> io::Result<()> {
        let Some(member) = self.member.take() else {
            return Ok(());
        };
        let mut input = member.into_inner();
        let is_member = match input.fill_buf()? {
            [] => return Ok(()),
            [first, ..] => *first == MAGIC[0],
        };
        if is_member {
            self.member = Some(GzDecoder::new(input));
            return Ok(());
        }
        // gzip(1) tolerates zeros, which tapes have to the end of a block.
        loop {
            let rest = input.fill_buf()?;
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|byte| *byte != 0) {
                return Err(Defect::TrailingData.into());
            }
            let count = rest.len();
            input.consume(count);
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(target) {
                Ok(0) if !target.is_empty() => self.next()?,
                Ok(count) => return Ok(count),
                Err(error) => return Err(explained(error)),
            }
        }
        Ok(0)
    }
}

/// Returns what an error of the decoder means; one of its input stays as it is.
fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        _ if error
            .get_ref()
            .is_some_and(|inner| inner.is::<BundleError>()) =>
        {
            error
        }
        io::ErrorKind::UnexpectedEof => Defect::Truncated.into(),
        // flate2 says so of the trailer: its CRC-32 or its size is wrong.
        io::ErrorKind::InvalidInput if error.to_string().contains("checksum") => {
            Defect::Checksum.into()
        }
        _ => Defect::Damaged(error.to_string()).into(),
    }
}

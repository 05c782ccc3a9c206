//! The digest of a stream of bytes: of a file as it is written, or read from beginning to end.

use std::io::{self, Write};

use sha2::Digest as _;

use super::implementation::{Kept, Sha256};
use super::{Digest, Digests};

/// Hashes what is written to it.
#[derive(Clone, Debug, Default)]
pub struct Stream(Sha256);

impl Stream {
    /// Returns the digest of all that was written.
    pub fn finish(self) -> Digest {
        *self.digests().sha256()
    }

    /// Returns the digest of all that was written, over which a signature can be made or verified.
    pub fn digests(self) -> Digests {
        let kept = Kept::of(&self.0);
        Digests::new((Digest(self.0.finalize().into()), kept), None)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes on what is written, and hashes what was accepted.
#[derive(Debug)]
pub struct Tee<W> {
    to: W,
    stream: Stream,
}

impl<W: Write> Tee<W> {
    /// Passes on to `to`.
    pub fn new(to: W) -> Tee<W> {
        Tee {
            to,
            stream: Stream::default(),
        }
    }

    /// Returns the digest of all that was passed on, over which a signature can be made.
    pub fn finish(self) -> Digests {
        self.stream.digests()
    }
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let accepted = self.to.write(bytes)?;
        self.stream.write_all(&bytes[..accepted])?;
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepts at most three bytes at once.
    struct Slow(Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(&bytes[..bytes.len().min(3)])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_passed_on_in_pieces_has_the_digest_of_the_whole() {
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let mut slow = Slow(Vec::new());
        let mut tee = Tee::new(&mut slow);
        tee.write_all(text).unwrap();
        assert_eq!(tee.finish().sha256(), &Digest::of(text));
        assert_eq!(slow.0, text);
    }
}

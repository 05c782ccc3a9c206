//! Tar archives, as those of POSIX (ustar and pax) and GNU: one member after another, each read
//! once. Anything that two programs could read as two different archives is a defect.

mod header;
mod pax;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use super::defect::shown;
use super::names::{self, Names};
use super::packer::{Conveyor, Packer};
use super::{BundleError, Contents, Defect, Limits};
use header::{BLOCK, Block, Header, Kind};
use pax::Records;

/// Maximum size in bytes of a header for a long name or of pax records.
const LARGEST_EXTENSION: u64 = 1024 * 1024;

/// Reads an archive to its end, and hands its members to the conveyor.
///
/// # Errors
/// The first fault. Members that were handed over before are what they seemed to be.
pub(super) fn read<R: Read, C: Conveyor>(
    input: R,
    conveyor: &mut C,
    limits: &Limits,
) -> Result<Contents, BundleError> {
    let mut archive = Archive {
        input,
        names: Names::new(limits.members),
        packer: Packer::new(conveyor, limits.text),
        extensions: Extensions::default(),
    };
    let Some(first) = archive.first_block()? else {
        return Ok(Contents::NotATar);
    };
    if is_zero(&first) {
        return archive.only_zeros();
    }
    if !header::is_like_header(&first) {
        return Ok(Contents::NotATar);
    }
    archive.read(first)?;
    Ok(Contents::Tar)
}

/// Reports whether some program may take data that begins so for an archive.
pub(super) fn is_like_archive(beginning: &[u8]) -> bool {
    beginning.first_chunk().is_some_and(header::is_like_header)
}

struct Archive<'a, R, C: Conveyor> {
    input: R,
    names: Names,
    packer: Packer<'a, C>,
    extensions: Extensions,
}

/// What headers before a member say about it.
#[derive(Debug, Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Option<Records>,
}

impl<R: Read, C: Conveyor> Archive<'_, R, C> {
    /// Returns the first block; none if there are fewer bytes.
    fn first_block(&mut self) -> Result<Option<Block>, BundleError> {
        let mut block = [0; BLOCK];
        let count = fill(&mut self.input, &mut block)?;
        Ok((count == BLOCK).then_some(block))
    }

    fn block(&mut self) -> Result<Block, BundleError> {
        // Fail closed: an archive without its end may lack members.
        let block = self.first_block()?;
        block.ok_or(BundleError::Defect(Defect::Truncated))
    }

    /// Reads what begins with a block of zeros: an archive without members is two of them and
    /// nothing but zeros; other data (an ISO 9660 image) may begin so, too.
    fn only_zeros(&mut self) -> Result<Contents, BundleError> {
        match self.first_block()? {
            Some(second) if is_zero(&second) && self.is_zero_to_the_end()? => Ok(Contents::Tar),
            _ => Ok(Contents::NotATar),
        }
    }

    fn is_zero_to_the_end(&mut self) -> Result<bool, BundleError> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = fill(&mut self.input, &mut buffer)?;
            if !is_zero(&buffer[..count]) {
                return Ok(false);
            }
            if count < buffer.len() {
                return Ok(true);
            }
        }
    }

    fn read(&mut self, first: Block) -> Result<(), BundleError> {
        let mut block = first;
        while !is_zero(&block) {
            self.member(Header::parse(&block)?)?;
            block = self.block()?;
        }
        if !self.extensions.is_empty() {
            return Err(Defect::BadHeader("it describes no member").into());
        }
        // Fail closed: there may be another archive, which some programs read and others do not.
        if !self.is_zero_to_the_end()? {
            return Err(Defect::TrailingData.into());
        }
        self.packer.finish()
    }

    fn member(&mut self, header: Header) -> Result<(), BundleError> {
        match header.kind {
            Kind::LongName => {
                let name = self.long_name(&header)?;
                once(&mut self.extensions.name, name)
            }
            Kind::LongLink => {
                let link = self.long_name(&header)?;
                once(&mut self.extensions.link, link)
            }
            Kind::Extended => {
                let records = Records::parse(&self.extension(&header)?)?;
                once(&mut self.extensions.records, records)
            }
            // Fail closed: Go forgets what was said of the next member, other programs do not.
            Kind::Global if !self.extensions.is_empty() => {
                Err(Defect::BadHeader("a global header lies between a member's headers").into())
            }
            Kind::Global => {
                let records = Records::parse(&self.extension(&header)?)?;
                // Fail closed: programs differ in whether they obey it.
                if records.is_of_one_member() {
                    return Err(Defect::GlobalPath.into());
                }
                Ok(())
            }
            _ => {
                let member = std::mem::take(&mut self.extensions).apply(header)?;
                self.entry(member)
            }
        }
    }

    fn entry(&mut self, header: Header) -> Result<(), BundleError> {
        let path = names::normal(&header.name)?;
        let is_directory = header.kind == Kind::Directory;
        // Before ustar, a name's last character marked a directory.
        let is_old_directory = header.kind == Kind::File && header.name.ends_with(b"/");
        if is_old_directory && header.size > 0 {
            return Err(Defect::BadHeader("content where there can be none").into());
        }
        if is_directory || is_old_directory {
            return Ok(self.names.add_directory(&path)?);
        }
        if path.is_empty() {
            return Err(Defect::UnsafeName(shown(&header.name)).into());
        }
        match header.kind {
            Kind::Special => return Err(Defect::SpecialFile(shown(&path)).into()),
            Kind::Sparse => return Err(Defect::Sparse(shown(&path)).into()),
            _ => self.names.add_leaf(&path)?,
        }
        match header.kind {
            Kind::HardLink => self.packer.link(path, names::normal(&header.link)?),
            Kind::SymbolicLink => {
                let target = names::target(&path, &header.link)?;
                self.packer.link(path, target)
            }
            _ => {
                self.packer.file(path, header.size, &mut self.input)?;
                self.pass_padding(header.size)
            }
        }
    }

    /// Reads a name: GNU tar ends it with a zero byte.
    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>, BundleError> {
        let mut name = self.extension(header)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    /// Reads the content of a header for the next member.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, BundleError> {
        if header.size > LARGEST_EXTENSION {
            return Err(Defect::NamesTooLong.into());
        }
        let mut body = vec![0; header.size as usize];
        if fill(&mut self.input, &mut body)? < body.len() {
            return Err(Defect::Truncated.into());
        }
        self.pass_padding(header.size)?;
        Ok(body)
    }

    /// Reads the bytes that fill the last block of a content of `size` bytes.
    fn pass_padding(&mut self, size: u64) -> Result<(), BundleError> {
        let used = (size % BLOCK as u64) as usize;
        let mut padding = [0; BLOCK];
        let padding = &mut padding[used..];
        if used > 0 && fill(&mut self.input, padding)? < padding.len() {
            return Err(Defect::Truncated.into());
        }
        Ok(())
    }
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.link.is_none() && self.records.is_none()
    }

    /// Returns the header of the member with what came before it.
    fn apply(self, mut header: Header) -> Result<Header, BundleError> {
        let records = self.records.unwrap_or_default();
        header.name = either(self.name, records.path)?.unwrap_or(header.name);
        header.link = either(self.link, records.link)?.unwrap_or(header.link);
        if records.is_sparse {
            return Err(Defect::Sparse(shown(&header.name)).into());
        }
        // Fail closed: a program that goes by the other size finds other members behind this one.
        if records.size.is_some_and(|size| size != header.size) {
            return Err(Defect::SizeDiffers(shown(&header.name)).into());
        }
        Ok(header)
    }
}

/// Fail closed: programs differ in which of two names counts.
fn either<T>(one: Option<T>, other: Option<T>) -> Result<Option<T>, Defect> {
    match (one, other) {
        (Some(_), Some(_)) => Err(TWICE),
        (one, other) => Ok(one.or(other)),
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), BundleError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(TWICE.into()),
    }
}

const TWICE: Defect = Defect::BadHeader("a member is described twice");

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Reads until the buffer is full or the input ends, and returns the number of bytes.
pub(super) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, BundleError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

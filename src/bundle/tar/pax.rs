//! The records of an extended header (POSIX.1-2024, pax, "pax Extended Header").

use crate::bundle::Defect;

/// What records say that concerns a member's name and content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Whether there is a record of GNU's or star's sparse files.
    pub(super) is_sparse: bool,
}

const MALFORMED: Defect = Defect::BadHeader("a pax record is malformed");

impl Records {
    /// Parses the body of an extended header.
    ///
    /// # Errors
    /// [`Defect::BadHeader`] for anything but whole records, and for one of these given twice.
    pub(super) fn parse(mut body: &[u8]) -> Result<Records, Defect> {
        let mut records = Records::default();
        while !body.is_empty() {
            let (record, rest) = split(body).ok_or(MALFORMED)?;
            let equals = record.iter().position(|byte| *byte == b'=');
            let (key, value) = record.split_at(equals.ok_or(MALFORMED)?);
            records.add(key, value.get(1..).unwrap_or_default())?;
            body = rest;
        }
        Ok(records)
    }

    /// Reports whether any record is here that must not hold for many members.
    pub(super) fn is_of_one_member(&self) -> bool {
        *self != Records::default()
    }

    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), Defect> {
        match key {
            b"path" => once(&mut self.path, value.to_owned()),
            b"linkpath" => once(&mut self.link, value.to_owned()),
            b"size" => once(&mut self.size, decimal(value).ok_or(MALFORMED)?),
            _ => {
                self.is_sparse |= key.starts_with(b"GNU.sparse.") || key == b"SCHILY.realsize";
                Ok(())
            }
        }
    }
}

/// Fail closed: programs differ in which of two records counts, and in what an empty one deletes.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Defect> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Defect::BadHeader("a pax record comes twice")),
    }
}

/// Splits off the first record, `LENGTH KEY=VALUE\n`, of which the length counts all; returns
/// `KEY=VALUE`.
fn split(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = body.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&body[..blank])?).ok()?;
    let (record, rest) = body.split_at_checked(length)?;
    let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    Some((record, rest))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_others_passed_over() {
        let body = b"12 path=a\nb\n11 size=12\n21 mtime=1.5 comment\n15 linkpath=xy\n";
        let records = Records::parse(body).unwrap();
        assert_eq!(records.path.as_deref(), Some(&b"a\nb"[..]));
        assert_eq!(records.link.as_deref(), Some(&b"xy"[..]));
        assert_eq!((records.size, records.is_sparse), (Some(12), false));
        let sparse = Records::parse(b"22 GNU.sparse.major=1\n").unwrap();
        assert!(sparse.is_sparse);
    }

    #[test]
    fn what_is_no_whole_record_is_malformed() {
        for body in [
            &b"11 path=a\n"[..],
            b"8 path=a\n",
            b"9 path=a ",
            b"9 path a\n",
            b"+9 path=a\n",
            b"9path=a\n",
            b"0 \n",
            b"9 path=a\n\0",
            b"99999999999999999999999 path=a\n",
            b"11 size=1x\n",
        ] {
            let shown = String::from_utf8_lossy(body);
            assert_eq!(Records::parse(body), Err(MALFORMED), "{shown}");
        }
    }

    #[test]
    fn a_record_that_comes_twice_is_refused() {
        assert_eq!(
            Records::parse(b"9 path=a\n9 path=b\n"),
            Err(Defect::BadHeader("a pax record comes twice"))
        );
    }
}

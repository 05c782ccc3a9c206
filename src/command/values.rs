//! The values of options that are numbers or digests: read, or refused with what is wrong and what
//! to do.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Algorithm;
use crate::text::size;

/// Maximum number of worker threads: more than any machine has cores for, and few enough to start
/// at once.
const MOST_JOBS: usize = 1024;
/// Maximum number of characters of a note.
const MOST_OF_A_NOTE: usize = 1000;
/// Digits of a SHA-256 in hexadecimal.
const DIGITS: usize = 64;

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// What is wrong.
    what: &'static str,
    /// What to do.
    pub(super) help: &'static str,
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for Refused {}

/// The hash of signatures, by all keys that leave it open or by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The hash.
    pub digest: Algorithm,
    /// The file of the key, if it is for one.
    pub key: Option<PathBuf>,
}

/// Returns a hash, and the key file behind it if there is one.
pub(super) fn digest(text: OsString) -> Result<Hashed, Refused> {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b'=');
    let (name, file) = bytes.split_at(end.unwrap_or(bytes.len()));
    let digest = str::from_utf8(name).ok().and_then(Algorithm::named);
    let help = "give sha256, sha384 or sha512, alone or with a key file: sha512=vendor.pem";
    let digest = digest.ok_or(Refused {
        what: "not a hash",
        help,
    })?;
    match file.split_first() {
        None => Ok(Hashed { digest, key: None }),
        Some((_, [])) => Err(Refused {
            what: "no key file after the =",
            help,
        }),
        Some((_, file)) => Ok(Hashed {
            digest,
            key: Some(OsStr::from_bytes(file).into()),
        }),
    }
}

/// Returns the number of worker threads.
pub(super) fn jobs(text: &str) -> Result<usize, Refused> {
    let help = "give a number from 1 to 1024, or leave the option out to use every core";
    let jobs = number(text, help)?;
    match jobs {
        0 => Err(Refused {
            what: "without a thread nothing is verified",
            help,
        }),
        1..=MOST_JOBS => Ok(jobs),
        _ => Err(Refused {
            what: "too many threads",
            help,
        }),
    }
}

/// Returns a span of time.
pub(super) fn span(text: &str) -> Result<Duration, Refused> {
    humantime::parse_duration(text).map_err(|_| Refused {
        what: "this is not a time span",
        help: "give a number with its unit, such as 90m, 6h or 30d",
    })
}

/// Returns the number of levels to walk.
pub(super) fn depth(text: &str) -> Result<usize, Refused> {
    let help = "give 1 for the files directly in PATH, 2 for one level of directories more";
    match number(text, help)? {
        0 => Err(Refused {
            what: "without a level nothing is verified",
            help,
        }),
        levels => Ok(levels),
    }
}

/// Returns the length of an image on a block device.
pub(super) fn length(text: &str) -> Result<u64, Refused> {
    let help = "give the size of the image in bytes";
    let bytes = number(text, help)?;
    u64::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes > 0)
        .ok_or(Refused {
            what: "without a byte nothing is verified",
            help,
        })
}

/// Returns a number of bytes that may have a unit.
pub(super) fn bytes(text: &str) -> Result<u64, Refused> {
    size::parse(text).map_err(|_| Refused {
        what: "not a number of bytes",
        help: "give a whole number of bytes, or one with K, M, G or T, such as 4096, 128M or 2G",
    })
}

/// Checks a note: it is a remark, and not a document.
pub(super) fn note(text: &str) -> Result<String, Refused> {
    let what = match text.chars().count() {
        _ if text.trim().is_empty() => "the note is empty",
        count if count > MOST_OF_A_NOTE => "the note has more than 1000 characters",
        _ => return Ok(text.to_owned()),
    };
    let help = "give a remark, such as a change number; refer to a longer text by its name";
    Err(Refused { what, help })
}

fn number(text: &str, help: &'static str) -> Result<usize, Refused> {
    // No sign: `+5` and `-5` are no counts.
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let what = if is_number {
        "too large a number"
    } else {
        "not a number"
    };
    let parsed = text.parse().ok().filter(|_| is_number);
    parsed.ok_or(Refused { what, help })
}

/// Returns a SHA-256 in lower case without colons. It may be a line of sha256sum, with the name of
/// the file behind the digits, or of openssl, with it before them.
pub(super) fn fingerprint(text: &str) -> Result<String, Refused> {
    let line = text.trim();
    let of_openssl = line.rsplit_once("= ").map_or(line, |(_, digits)| digits);
    let digits = of_openssl
        .split_once(' ')
        .map_or(of_openssl, |(digits, _)| digits);
    let digits = digits.replace(':', "").to_ascii_lowercase();
    if digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(Refused {
        what: "not a SHA-256 of 64 hexadecimal digits",
        help: "give what this prints: openssl pkey -pubin -in KEY -outform DER | sha256sum",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_or_makes_no_sense_is_refused_in_words() {
        let what = |text| jobs(text).map_err(|refused| refused.to_string());
        assert_eq!(what("8"), Ok(8));
        assert_eq!(what("1024"), Ok(1024));
        let refused = |words: &str| Err(words.to_owned());
        assert_eq!(what("0"), refused("without a thread nothing is verified"));
        assert_eq!(what("1025"), refused("too many threads"));
        assert_eq!(what("many"), refused("not a number"));
        assert_eq!(what("-1"), refused("not a number"));
        assert_eq!(what(""), refused("not a number"));
        assert_eq!(what(&"9".repeat(30)), refused("too large a number"));
        assert!(depth("0").is_err() && depth("1") == Ok(1));
        assert!(length("0").is_err() && length("1") == Ok(1));
    }

    #[test]
    fn a_fingerprint_may_be_the_line_of_the_program_that_made_it() {
        let digits = "0123456789abcdef".repeat(4);
        for line in [
            digits.clone(),
            digits.to_uppercase(),
            format!("{digits}  -"),
            format!("{digits} *key.der"),
            format!("{digits}  a key.der\n"),
            format!("SHA2-256(stdin)= {digits}"),
            format!("sha256 Fingerprint= {digits}"),
        ] {
            assert_eq!(fingerprint(&line), Ok(digits.clone()), "{line}");
        }
        let colons = digits.as_bytes().chunks(2);
        let colons: Vec<_> = colons.map(|pair| String::from_utf8_lossy(pair)).collect();
        assert_eq!(fingerprint(&colons.join(":")), Ok(digits.clone()));
        for line in ["", "-", &digits[1..], &format!("{digits}0"), "zz  -"] {
            assert!(fingerprint(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_hash_stands_alone_or_in_front_of_a_file_whose_name_may_have_anything_in_it() {
        let read = |text: &[u8]| digest(OsStr::from_bytes(text).to_owned());
        let all = Ok(Hashed {
            digest: Algorithm::Sha384,
            key: None,
        });
        assert_eq!(read(b"sha384"), all);
        for file in [&b"a=b"[..], b"\xff", b"=", b" "] {
            let one = Ok(Hashed {
                digest: Algorithm::Sha512,
                key: Some(OsStr::from_bytes(file).into()),
            });
            assert_eq!(read(&[b"sha512=", file].concat()), one);
        }
        for bad in [&b""[..], b"sha1", b"SHA256", b"sha256=", b"=k", b"\xff=k"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}

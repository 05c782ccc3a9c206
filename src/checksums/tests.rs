//! Tests of the reader of checksum lists.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::*;
use crate::digest::Algorithm;

fn sha256(text: &str) -> String {
    crate::digest::Digest::of(text.as_bytes()).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sum(text: &str) -> Sum {
    Sum::parse(Algorithm::Sha256, sha256(text).as_bytes()).unwrap()
}

/// A name in a list, and its digests.
type Named = (String, Result<Box<[Sum]>, Unusable>);

/// The names of a list, each with its digests.
fn entries(text: &[u8]) -> Result<Vec<Named>, ListError> {
    let entries = List::parse(text)?.entries.into_iter();
    Ok(entries
        .map(|entry| (String::from_utf8(entry.name).unwrap(), entry.sums))
        .collect())
}

/// The names of a list of files whose content is `x`.
fn names(text: &str) -> Vec<String> {
    let entries = entries(text.as_bytes()).unwrap().into_iter();
    entries
        .map(|(name, sums)| {
            assert_eq!(sums, Ok([sum("x")].into()), "{text:?}");
            name
        })
        .collect()
}

#[test]
fn every_form_of_coreutils_bsd_and_openssl_names_its_file() {
    let digits = sha256("x");
    let capitals = digits.to_uppercase();
    for (line, name) in [
        (format!("{digits}  a b.iso"), "a b.iso"),
        (format!("{digits} *a.iso"), "a.iso"),
        (format!("{digits} a.iso"), "a.iso"),
        (format!("{digits}\ta.iso"), "a.iso"),
        (format!("{digits} a\n{digits} a"), "a"),
        (format!("{digits}\t a.iso"), "a.iso"),
        (format!("  {digits}  a.iso"), "a.iso"),
        (format!("{capitals}  a.iso"), "a.iso"),
        (format!("{digits}   a"), " a"),
        (format!("{digits}  *a"), "*a"),
        (format!("{digits}  ./d//a"), "d/a"),
        (format!("{digits}  a "), "a "),
        (format!("{digits}  a\\b"), "a\\b"),
        (format!("\\{digits}  a\\\\b\\nc\\rd"), "a\\b\nc\rd"),
        (format!("SHA256 (a.iso) = {digits}"), "a.iso"),
        (format!("SHA256 (a (1) = b) = {digits}"), "a (1) = b"),
        (format!("\\SHA256 (a\\nb) = {digits}"), "a\nb"),
        (format!("SHA256(a.iso)= {digits}"), "a.iso"),
        (format!("SHA2-256(a.iso)= {digits}"), "a.iso"),
        (format!("{digits}  a.iso\r"), "a.iso"),
        (format!("# a comment\n\n{digits}  a\n"), "a"),
        (format!("\u{feff}{digits}  a"), "a"),
    ] {
        assert_eq!(names(&line), [name], "{line:?}");
    }
}

/// What `digest_check` of coreutils' cksum.c makes of them.
#[test]
fn the_first_line_without_a_tag_decides_how_names_follow_digests() {
    let digits = sha256("x");
    let list = format!("{digits} a\n{digits}  b\n{digits} *c\n");
    assert_eq!(names(&list), [" b", "*c", "a"]);
    let capitals = digits.to_uppercase();
    let list = format!("{digits}  a\n{capitals}  (x) = ab\n");
    assert_eq!(names(&list), ["(x) = ab", "a"]);
    let list = format!("{capitals} (x) = ab\n");
    assert_eq!(names(&list), ["(x) = ab"]);
}

#[test]
fn a_list_is_useless_as_a_whole_if_one_of_its_lines_cannot_be_read() {
    let (digits, good) = (sha256("x"), format!("{}  a\n", sha256("x")));
    for line in [
        digits.clone(),
        format!("{digits} "),
        format!("{digits}  -"),
        format!("{digits}  ."),
        format!("{digits}  ./"),
        format!("{digits}  d/"),
        format!("{digits} b"),
        format!("{digits}a  b"),
        format!("{}  a", &digits[1..]),
        format!("g{}  a", &digits[1..]),
        format!("\\{digits}  a\\t"),
        format!("\\{digits}  a\\"),
        format!("{digits}  a\0b"),
        format!("SHA256 (a) = {}", &digits[2..]),
        format!("SHA256 (a) {digits}"),
        format!("SHA256  (a) = {digits}"),
        format!("sha256 (a) = {digits}"),
        format!("SHA256 a = {digits}"),
        "<html>".to_owned(),
        "-----BEGIN PGP SIGNATURE-----".to_owned(),
    ] {
        let text = format!("{good}{line}\n{line}\n");
        assert_eq!(
            entries(text.as_bytes()),
            Err(ListError::Line(2)),
            "{line:?}"
        );
        if line != format!("{digits} b") {
            let alone = entries(line.as_bytes());
            assert_eq!(alone, Err(ListError::NotAList), "{line:?}");
        }
    }
    assert_eq!(entries(b""), Err(ListError::NotAList));
    assert_eq!(entries(b"# nothing\n\r\n"), Err(ListError::NotAList));
    let signed = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
    let signed = [&signed[..], good.as_bytes()].concat();
    assert_eq!(entries(&signed), Err(ListError::ClearSigned));
}

#[test]
fn a_file_must_have_every_digest_that_counts_and_one_at_least() {
    let (sha256, wide) = (sha256("x"), hex(&Sha512::digest(b"x")));
    let md5 = "9dd4e461268c8034f5c8564e155c67a6";
    let sums = |text: String| entries(text.as_bytes()).unwrap().remove(0).1;
    let both = sums(format!(
        "{sha256}  a\n{wide}  ./a\n{sha256} *a\nMD5 (a) = {md5}\n"
    ));
    let wide = Sum::parse(Algorithm::Sha512, wide.as_bytes()).unwrap();
    assert_eq!(both, Ok([sum("x"), wide].into()));
    let other = self::sha256("y");
    let two = sums(format!("{sha256}  a\n{other}  a\n{sha256}  a\n"));
    assert_eq!(two, Err(Unusable::TwoDigests));
    for weak in [
        format!("{md5}  a"),
        "11f6ad8ec52a2984abaafd7c3b516503785c2072  a".to_owned(),
        format!("MD5 (a) = {md5}"),
        "BLAKE2b-256 (a) = 00ff".to_owned(),
        "SHA512/256 (a) = 00ff".to_owned(),
    ] {
        assert_eq!(sums(weak), Err(Unusable::NoDigest));
    }
}

#[test]
fn a_name_that_is_absolute_or_goes_up_leads_outside_even_if_it_comes_back() {
    for name in ["../a", "d/../a", "..", "/a", "/", "a/.."] {
        assert_eq!(below(name.as_bytes()), Err(name::Outside), "{name}");
    }
    for name in ["a", "d/a", "...", "..a"] {
        assert_eq!(below(name.as_bytes()), Ok(name.into()));
    }
}

/// A name that a list can have, in its tidy form.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let part = || {
        proptest::collection::vec(prop_oneof![3 => b'a'..b'c', 1 => any::<u8>()], 1..6).prop_map(
            |part| {
                let plain = |byte: &u8| !matches!(byte, 0 | b'/');
                let part: Vec<u8> = part.into_iter().filter(plain).collect();
                match &part[..] {
                    b"" | b"." | b"-" => b"n".to_vec(),
                    _ => part,
                }
            },
        )
    };
    proptest::collection::vec(part(), 1..3).prop_map(|parts| parts.join(&b'/'))
}

/// Writes a line as coreutils does (`digest_check` of its cksum.c reads it).
fn line(name: &[u8], content: u8, form: u8) -> Vec<u8> {
    let content = [content];
    let (tag, digits) = match form % 3 {
        0 => ("SHA256", hex(&Sha256::digest(content))),
        1 => ("SHA384", hex(&Sha384::digest(content))),
        _ => ("SHA512", hex(&Sha512::digest(content))),
    };
    let needs_escapes = name.iter().any(|byte| b"\\\n\r".contains(byte));
    let mut escaped = Vec::new();
    for byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            byte => escaped.push(*byte),
        }
    }
    let mark: &[u8] = if needs_escapes { b"\\" } else { b"" };
    match form / 3 % 3 {
        0 => [mark, digits.as_bytes(), b"  ", &escaped, b"\n"].concat(),
        1 => [mark, digits.as_bytes(), b" *", &escaped, b"\n"].concat(),
        _ => {
            let (tag, digits) = (tag.as_bytes(), digits.as_bytes());
            [mark, tag, b" (", &escaped, b") = ", digits, b"\n"].concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_was_listed_is_read_whatever_the_names_and_the_forms(
        files in proptest::collection::btree_map(name(), (any::<u8>(), any::<u8>()), 1..8)
    ) {
        let lines = files.iter().map(|(name, (content, form))| line(name, *content, *form));
        let text = lines.collect::<Vec<_>>().concat();
        let list = List::parse(&text).unwrap();
        let read = list.entries.iter().map(|entry| &entry.name);
        prop_assert!(read.eq(files.keys()));
        for (entry, (content, _)) in list.entries.iter().zip(files.values()) {
            let sums = entry.sums.clone().unwrap();
            let digest: Vec<u8> = match sums[0].algorithm() {
                Algorithm::Sha256 => Sha256::digest([*content]).to_vec(),
                Algorithm::Sha384 => Sha384::digest([*content]).to_vec(),
                Algorithm::Sha512 => Sha512::digest([*content]).to_vec(),
            };
            let expected = Sum::parse(sums[0].algorithm(), hex(&digest).as_bytes()).unwrap();
            prop_assert_eq!(&*sums, &[expected][..]);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = List::parse(&text);
    }
}

//! What is taken for an archive has the members that the `tar` crate finds in it, in its order, with the same content; and no two
//! of one name.

use std::collections::BTreeSet;
use std::io::Read;

use openssl::sha::sha256;
use verify_signatures::internals::bundle;

/// A member of an archive: its path, and its SHA-256 and size, or nothing for a link.
type Member = (Vec<u8>, Option<([u8; 32], u64)>);

/// Checks a bundle.
pub fn check(content: &[u8]) {
    let Ok(Some(members)) = bundle::list(content) else {
        return;
    };
    let names: BTreeSet<&[u8]> = members.iter().map(|(path, _)| path.as_slice()).collect();
    assert_eq!(names.len(), members.len(), "names differ");
    for path in names {
        let mut components = path.split(|byte| *byte == b'/');
        let is_sound = |component: &[u8]| !matches!(component, b"" | b"." | b"..");
        assert!(components.all(is_sound), "{path:?}");
    }
    let is_compressed = |magic: &[u8]| content.starts_with(magic);
    let is_skippable = content.get(1..4) == Some(&[0x2a, 0x4d, 0x18]);
    if is_skippable || is_compressed(&[0x28, 0xb5, 0x2f, 0xfd]) || is_compressed(&[0x1f, 0x8b]) {
        return;
    }
    let ours = members.into_iter().map(|(path, entry)| {
        let file = entry.map(|(digest, size)| (*digest.as_bytes(), size));
        (path, file.ok())
    });
    assert_eq!(ours.collect::<Vec<Member>>(), theirs(content));
}

/// The members that the `tar` crate finds.
fn theirs(content: &[u8]) -> Vec<Member> {
    let mut archive = ::tar::Archive::new(content);
    let entries = archive.entries().expect("an archive");
    let mut members = Vec::new();
    for entry in entries {
        let mut entry = entry.expect("a member that we read");
        let kind = entry.header().entry_type();
        let name = entry.path_bytes().into_owned();
        let is_directory = kind.is_dir() || name.ends_with(b"/") && kind.is_file();
        if is_directory || kind.is_pax_global_extensions() {
            continue;
        }
        let components = name.split(|byte| *byte == b'/');
        let path: Vec<&[u8]> = components
            .filter(|part| !matches!(*part, b"" | b"."))
            .collect();
        let mut bytes = Vec::new();
        entry
            .read_to_end(&mut bytes)
            .expect("a content that we read");
        let is_link = kind.is_symlink() || kind.is_hard_link();
        let file = (!is_link).then(|| (sha256(&bytes), bytes.len() as u64));
        members.push((path.join(&b'/'), file));
    }
    members
}

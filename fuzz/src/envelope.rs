//! A signature file of any format is valid only over the file that the trusted key has signed, and only where OpenSSL verifies the
//! signature that it yields; what else it says makes nothing valid.
//!
//! The bytes are a name, a newline, and the content of the file of that name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, LazyLock};

use openssl::ec::EcKey;
use openssl::pkey::Public;
use openssl::sha::sha256;
use verify_signatures::Key;
use verify_signatures::internals::digest::Digests;
use verify_signatures::internals::envelope::{self, Admitted};
use verify_signatures::internals::trust::judge;
use verify_signatures::internals::trust::signature::Signature;

use crate::image_signatures::TRUSTED;

/// The file that the trusted key has signed.
const FILE: &[u8] = b"file";
/// A file that only other keys have signed.
const OTHER: &[u8] = b"other";

static KEYS: LazyLock<[Arc<Key>; 1]> = LazyLock::new(|| {
    let key = Key::parse("trusted", TRUSTED.as_bytes()).expect("a key");
    [Arc::new(key)]
});

static THEIRS: LazyLock<EcKey<Public>> =
    LazyLock::new(|| EcKey::public_key_from_pem(TRUSTED.as_bytes()).expect("a key"));

/// Checks a signature file.
pub fn check(data: &[u8]) {
    is_valid(data);
}

/// Whether it is valid over the file.
pub fn is_valid(data: &[u8]) -> bool {
    let newline = data.iter().position(|byte| *byte == b'\n');
    let (name, content) = data.split_at(newline.unwrap_or(data.len()));
    let content = content.get(1..).unwrap_or_default();
    let by_name = passes(content, Admitted::by_name(OsStr::from_bytes(name)), FILE);
    assert!(!by_name || passes(content, Admitted::Any, FILE));
    by_name
}

fn passes(content: &[u8], admitted: Admitted, file: &[u8]) -> bool {
    let content = &content[..content.len().min(admitted.most_bytes())];
    let Ok(opened) = envelope::open(content, admitted) else {
        return false;
    };
    let Ok(signature) = Signature::parse(opened.signature()) else {
        return false;
    };
    let passes = |file: &[u8]| {
        let digests = Digests::of(file, opened.algorithms());
        let judged = judge(&*KEYS, &digests, &signature);
        let may_pass = judged.passes();
        let passes = opened.restrict(&digests, judged).passes();
        assert!(may_pass || !passes, "an envelope makes nothing valid");
        passes
    };
    assert!(!passes(OTHER), "nobody signed it");
    if passes(file) {
        let theirs = crate::signature::read(opened.signature()).expect("a signature to OpenSSL");
        assert!(
            theirs
                .verify(&sha256(file), &THEIRS)
                .expect("OpenSSL computes")
        );
    }
    passes(file)
}

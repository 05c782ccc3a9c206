//! Tests of envelopes.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::digest::{Algorithm, Algorithms, Digest, Digests};
use crate::sigstore::made::{
    self, Logged, base64, bundle, log_entries, message_bundle, pem, public_der, rekor_bundle,
    signer, statement, trusted,
};
use crate::trust;
use crate::trust::signature::Signature;
use crate::trust::verdict::Verdict;

const FILE: &[u8] = b"the file";

fn sig() -> Admitted {
    Admitted::Of(SignatureEnding::Sig)
}

fn as_bundle() -> Admitted {
    Admitted::Of(SignatureEnding::SigstoreJson)
}

/// Returns the verdict on a file with this signature file, by the key 1.
fn verdict(content: &[u8], admitted: Admitted, file: &[u8]) -> Verdict {
    let opened = match open(content, admitted) {
        Ok(opened) => opened,
        Err(error) => return Verdict::Invalid(error),
    };
    match Signature::parse(opened.signature()) {
        Err(error) => Verdict::Invalid(error.into()),
        Ok(signature) => {
            let digests = Digests::of(file, opened.algorithms());
            let keys = [trusted(&signer(1))];
            let judged = trust::judge(&keys, &digests, &signature);
            opened.restrict(&digests, judged)
        }
    }
}

/// Returns why a bundle by the key 1 over the file is not valid after a replacement.
fn refused(from: &str, to: &str) -> EnvelopeError {
    let whole = message_bundle(&signer(1), FILE);
    assert!(whole.contains(from), "{from}");
    error(&whole.replacen(from, to, 1))
}

fn error(content: &str) -> EnvelopeError {
    match verdict(content.as_bytes(), as_bundle(), FILE) {
        Verdict::Invalid(Invalid::Envelope(error)) => error,
        other => panic!("{other:?} of {content}"),
    }
}

fn because(words: &str) -> EnvelopeError {
    EnvelopeError::Refused(words.into())
}

/// Returns the old bundle over the file by the key of this number.
fn cosign(number: u8, cert: &str, entry: Option<&str>) -> String {
    let signature = base64(&made::signature(&signer(number), FILE));
    let entry = entry.map(|entry| format!(r#","rekorBundle":{}"#, rekor_bundle(entry)));
    let entry = entry.unwrap_or_default();
    format!(r#"{{"base64Signature":"{signature}","cert":"{cert}"{entry}}}"#)
}

/// Returns the log's entry on the signature of the key 1 over the file.
fn entry(der: &'static [u8]) -> String {
    let signature = made::signature(&signer(1), FILE);
    log_entries(FILE, b"", &signature, &Logged::Key(der))[0].clone()
}

/// Returns the DER of the public key 1, for as long as the tests last.
fn own_der() -> &'static [u8] {
    Vec::leak(public_der(&signer(1)))
}

#[test]
fn every_ending_has_a_format_and_every_format_an_ending() {
    for ending in SignatureEnding::ALL {
        assert!(Admitted::Of(ending).formats().next().is_some());
    }
    for format in FORMATS {
        assert!(!format.endings.is_empty());
        let rows = FORMATS.iter().filter(|other| other.name == format.name);
        assert_eq!(rows.count(), 1);
    }
    assert_eq!(
        Admitted::Of(SignatureEnding::SigBin).most_bytes(),
        SNIFF_BYTES
    );
    assert_eq!(Admitted::Any.most_bytes(), LONGEST_BUNDLE + 1);
}

#[test]
fn each_format_is_opened_under_its_endings_and_all_of_them_where_the_user_names_the_file() {
    let der = made::signature(&signer(1), FILE);
    let text = base64(&der).into_bytes();
    let new = message_bundle(&signer(1), FILE).into_bytes();
    let old = cosign(1, "", None).into_bytes();
    for (content, format) in [
        (der, SignatureFormat::Bare),
        (text, SignatureFormat::Base64),
        (new, SignatureFormat::SigstoreBundle),
        (old, SignatureFormat::CosignBundle),
    ] {
        let row = FORMATS.iter().find(|row| row.name == format).unwrap();
        let endings = SignatureEnding::ALL.map(Admitted::Of);
        for admitted in endings.into_iter().chain([Admitted::Any]) {
            let may = match admitted {
                Admitted::Of(ending) => row.endings.contains(&ending),
                Admitted::Any => true,
            };
            let passes = verdict(&content, admitted, FILE).passes();
            assert_eq!(passes, may, "{format:?} as {admitted:?}");
            if may {
                assert_eq!(open(&content, admitted).unwrap().format, format);
            }
            assert!(!verdict(&content, admitted, b"another file").passes());
        }
    }
}

#[test]
fn base64_may_have_line_ends_and_nothing_else_between_its_characters() {
    let text = base64(&made::signature(&signer(1), FILE));
    let (first, second) = text.split_at(76);
    let passes = |text: &str| verdict(text.as_bytes(), sig(), FILE).passes();
    for good in [
        format!("{text}\n"),
        format!("{text}\r\n"),
        format!("{first}\n{second}\n"),
        format!("{first}\r\n{second}\r\n"),
        format!("\n{text}\n\n"),
    ] {
        assert!(passes(&good), "{good:?}");
    }
    for bad in [
        format!(" {text}"),
        format!("{first} {second}"),
        format!("{text}\0"),
        format!("{text}\t\n"),
        format!("\u{feff}{text}"),
        format!("\"{text}\""),
        text.trim_end_matches('=').to_owned() + "=====",
        text.replace(['+', '/'], "-"),
        format!("{text}{text}"),
        "\n".to_owned(),
        text[..92].to_owned(),
    ] {
        assert!(!passes(&bad), "{bad:?}");
    }
    let lines = format!("{text}{}", "\n".repeat(base64::LONGEST - text.len()));
    assert!(passes(&lines));
    let error = verdict(format!("{lines}\n").as_bytes(), sig(), FILE);
    assert_eq!(error, Verdict::Invalid(SignatureError::TooLong.into()));
}

#[test]
fn a_bundle_counts_only_over_the_digest_that_it_declares() {
    let digest = base64(Digest::of(FILE).as_bytes());
    let other = base64(Digest::of(b"another").as_bytes());
    assert_eq!(refused(&digest, &other), EnvelopeError::OtherDigest);
    let algorithm =
        "the digest that it declares is of the algorithm \"SHA3_256\", which is not computed here";
    assert_eq!(refused("SHA2_256", "SHA3_256"), because(algorithm));
    for (name, algorithm) in [
        ("SHA2_384", Algorithm::Sha384),
        ("SHA2_512", Algorithm::Sha512),
    ] {
        let declared = |file: &[u8]| {
            let digests = Digests::of(file, Algorithms::from(algorithm));
            let wide = base64(digests.get(algorithm).unwrap());
            let bundle = message_bundle(&signer(1), FILE).replace(&digest, &wide);
            verdict(
                bundle.replace("SHA2_256", name).as_bytes(),
                as_bundle(),
                FILE,
            )
        };
        assert!(declared(FILE).passes());
        let other = Verdict::Invalid(EnvelopeError::OtherDigest.into());
        assert_eq!(declared(b"another"), other);
    }
    let short = "\"digest\" is invalid base64 or has the wrong length";
    assert_eq!(refused(&digest, "AAAA"), because(short));
    // None is declared: the signature is over the file all the same.
    let without = message_bundle(&signer(1), FILE).replace("messageDigest", "digestOfMessage");
    assert!(verdict(without.as_bytes(), as_bundle(), FILE).passes());
    assert!(!verdict(without.as_bytes(), as_bundle(), b"another").passes());
}

#[test]
fn what_is_no_signature_of_a_file_or_of_a_later_version_is_refused_by_name() {
    let attestation = bundle(&signer(1), &statement(&[Digest::of(FILE).into()]));
    assert_eq!(error(&attestation), EnvelopeError::Attestation);
    let later = "application/vnd.dev.sigstore.bundle.v0.4+json";
    let words = format!("the media type {later:?} is not known");
    assert_eq!(
        refused("application/vnd.dev.sigstore.bundle.v0.3+json", later),
        because(&words)
    );
    let both = r#""dsseEnvelope":{},"messageSignature""#;
    let words = "exactly one of dsseEnvelope and messageSignature is required";
    assert_eq!(refused(r#""messageSignature""#, both), because(words));
}

#[test]
fn a_bundle_that_two_readers_could_read_in_two_ways_is_refused() {
    let is_refused = |from: &str, to: &str| matches!(refused(from, to), EnvelopeError::Refused(_));
    assert!(is_refused("{", r#"{"mediaType":"x","#));
    assert!(is_refused("{", r#"{"messagesignature":{},"#));
    assert!(is_refused("{", r#"{"messageſignature":{},"#));
    // What readers of Protocol Buffers take for the same.
    assert!(is_refused("messageDigest", "message_digest"));
    for member in ["message_signature", "dsse_envelope", "media_type"] {
        assert!(
            is_refused("{", &format!(r#"{{"{member}":{{}},"#)),
            "{member}"
        );
    }
    assert!(is_refused("{", r#"{"base64Signature":"AAAA","#));
    for member in [
        "mediaType",
        "MediaType",
        "messageSignature",
        "dsse_envelope",
    ] {
        let both = cosign(1, "", None).replacen('{', &format!(r#"{{"{member}":{{}},"#), 1);
        assert!(
            matches!(error(&both), EnvelopeError::Refused(_)),
            "{member}"
        );
    }
    assert!(is_refused(
        r#""signature":"#,
        r#""Signature":"","signature":"#
    ));
    let whole = message_bundle(&signer(1), FILE);
    for behind in ["{}", "x", "\0"] {
        let error = error(&format!("{whole}{behind}"));
        assert!(matches!(error, EnvelopeError::Refused(_)), "{behind:?}");
    }
    let end = format!("\n {whole}\r\n\n");
    assert!(verdict(end.as_bytes(), as_bundle(), FILE).passes());
    let old = cosign(1, "", None).replacen('{', r#"{"Cert":"","#, 1);
    assert!(matches!(error(&old), EnvelopeError::Refused(_)));
}

#[test]
fn a_bundle_of_the_greatest_length_is_read_and_no_longer_one() {
    let whole = message_bundle(&signer(1), FILE);
    let blanks = |length: usize| whole.clone() + &" ".repeat(length - whole.len());
    let longest = LONGEST_BUNDLE;
    assert!(verdict(blanks(longest).as_bytes(), as_bundle(), FILE).passes());
    assert_eq!(
        error(&blanks(longest + 1)),
        EnvelopeError::TooLong { longest }
    );
}

#[test]
fn a_certificate_makes_no_signature_valid_and_keeps_none_of_a_trusted_key_from_it() {
    let hint = r#""publicKey":{"hint":"x"}"#;
    for certificate in [
        r#""certificate":{"rawBytes":"bGVhZg=="}"#,
        r#""x509CertificateChain":{"certificates":[{"rawBytes":"bGVhZg=="}]}"#,
    ] {
        let by = |number| {
            let bundle = message_bundle(&signer(number), FILE).replace(hint, certificate);
            assert!(
                open(bundle.as_bytes(), as_bundle())
                    .unwrap()
                    .has_certificate()
            );
            verdict(bundle.as_bytes(), as_bundle(), FILE)
        };
        assert!(by(1).passes());
        let keyless = Verdict::Invalid(Invalid::Envelope(EnvelopeError::Keyless));
        assert_eq!(by(2), keyless);
    }
    let cert = base64(pem("CERTIFICATE", b"leaf").as_bytes());
    assert!(verdict(cosign(1, &cert, None).as_bytes(), as_bundle(), FILE).passes());
    assert_eq!(error(&cosign(2, &cert, None)), EnvelopeError::Keyless);
}

#[test]
fn the_public_key_in_an_old_bundle_is_compared_and_never_used() {
    let pem_of = |number| pem("PUBLIC KEY", &public_der(&signer(number)));
    for text in [base64(pem_of(1).as_bytes()), pem_of(1).replace('\n', "\\n")] {
        assert!(verdict(cosign(1, &text, None).as_bytes(), as_bundle(), FILE).passes());
    }
    let other = base64(pem_of(2).as_bytes());
    let words = "it names a different public key than the one that made the signature";
    assert_eq!(error(&cosign(1, &other, None)), because(words));
    // Signed by the key that it brings along.
    let own = verdict(cosign(2, &other, None).as_bytes(), as_bundle(), FILE);
    assert_eq!(own, Verdict::Invalid(Invalid::NoKeyVerifies));
    let neither = base64(b"neither");
    let words = "what it has for a certificate is none";
    assert_eq!(error(&cosign(1, &neither, None)), because(words));
}

#[test]
fn an_entry_of_the_log_must_be_about_this_file_signature_and_key() {
    let own = entry(own_der());
    let logged = cosign(1, "", Some(&own));
    assert!(verdict(logged.as_bytes(), as_bundle(), FILE).passes());
    let differs = |what: &str| because(&format!("its log entry has a different {what}"));
    assert_eq!(
        error(&cosign(1, "", Some(&entry(b"another key")))),
        differs("key")
    );
    assert_eq!(error(&cosign(2, "", Some(&own))), differs("signature"));
    let other = own.replace(
        &Digest::of(FILE).to_string(),
        &Digest::of(b"another").to_string(),
    );
    assert_eq!(error(&cosign(1, "", Some(&other))), differs("hash"));
    let opened = open(logged.as_bytes(), as_bundle()).unwrap();
    assert!(opened.ignored.log && !opened.ignored.certificate);
}

#[test]
fn a_file_that_is_none_of_its_formats_is_refused_whatever_it_is() {
    for content in [
        &b"{}"[..],
        b"[]",
        b"null",
        b"MEUC",
        b"# v2 git bundle\n",
        b"\0",
    ] {
        let error = open(content, as_bundle()).unwrap_err();
        assert_eq!(error, SignatureError::NotDer.into(), "{content:?}");
        assert!(!is_signature(content));
    }
    assert_eq!(open(b"", Admitted::Any), Err(SignatureError::Empty.into()));
    let whole = message_bundle(&signer(1), FILE);
    for cut in [&whole[..60], &whole[..whole.len() - 1]] {
        assert!(is_signature(cut.as_bytes()));
        assert!(matches!(error(cut), EnvelopeError::Refused(_)));
    }
}

/// Returns signature files of every format that are valid over the file.
fn valid() -> impl Strategy<Value = (Vec<u8>, Admitted)> {
    let der = made::signature(&signer(1), FILE);
    let logged = cosign(1, "", Some(&entry(own_der())));
    prop::sample::select(vec![
        (base64(&der).into_bytes(), sig()),
        (der, sig()),
        (message_bundle(&signer(1), FILE).into_bytes(), as_bundle()),
        (logged.into_bytes(), as_bundle()),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_change_of_a_byte_makes_a_signature_valid_over_another_file(
        (mut content, admitted) in valid(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        prop_assert!(verdict(&content, admitted, FILE).passes());
        let at = at.index(content.len());
        content[at] = byte;
        prop_assert!(!verdict(&content, admitted, b"the filf").passes());
        prop_assert!(!verdict(&content, Admitted::Any, b"").passes());
    }

    #[test]
    fn whatever_the_bytes_opening_them_ends(content in any::<Vec<u8>>(), ending in 0_usize..6) {
        let admitted = Admitted::Of(SignatureEnding::ALL[ending]);
        for admitted in [admitted, Admitted::Any] {
            prop_assert!(!verdict(&content, admitted, FILE).passes());
        }
    }

    #[test]
    fn what_base64_writes_is_what_is_read(
        bytes in prop::collection::vec(any::<u8>(), 1..600), width in 1_usize..100
    ) {
        let text = base64(&bytes);
        let lines: Vec<&str> = text.as_bytes().chunks(width)
            .map(|line| str::from_utf8(line).unwrap()).collect();
        let opened = open(lines.join("\n").as_bytes(), sig()).unwrap();
        prop_assert_eq!(opened.signature(), bytes);
        prop_assert_eq!(opened.format, SignatureFormat::Base64);
    }
}

#[test]
fn the_key_that_verifies_is_the_one_that_the_verdict_names() {
    let keys = [trusted(&signer(2)), trusted(&signer(1))];
    let content = message_bundle(&signer(1), FILE);
    let opened = open(content.as_bytes(), as_bundle()).unwrap();
    let signature = Signature::parse(opened.signature()).unwrap();
    let digests = Digests::of(FILE, Algorithms::NONE);
    match opened.restrict(&digests, trust::judge(&keys, &digests, &signature)) {
        Verdict::Valid { key } => assert!(Arc::ptr_eq(&key, &keys[1])),
        other => panic!("{other:?}"),
    }
}

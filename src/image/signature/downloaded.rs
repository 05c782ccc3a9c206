//! Lines that `cosign download signature` prints: what people carry in beside an image.

use super::attached::proof;
use super::{Found, SigstoreError, bundle, or_refused, payload};
use crate::sigstore::log::{self, Over};
use crate::sigstore::{Parts, bytes, certificate};
use crate::text::json::{Json, Object};

/// Reads one line, if it is a payload with its signature or a bundle.
pub(super) fn line(line: &Object) -> Option<Vec<Found>> {
    let is_pair = line.exact("Base64Signature").is_some() && line.exact("Payload").is_some();
    if is_pair {
        return Some(or_refused(pair(line)));
    }
    bundle::read(line)
}

/// Reads a text of several lines, if the first is one of these. However many are not, one reason is
/// given.
pub(super) fn lines(text: &[u8]) -> Option<Vec<Found>> {
    let lines = text.split(|byte| *byte == b'\n');
    let mut lines = lines.filter(|line| !line.trim_ascii().is_empty());
    let mut found = one(lines.next()?)?;
    let mut is_clean = true;
    for line in lines {
        match one(line) {
            Some(more) => found.extend(more),
            None => is_clean = false,
        }
    }
    found.extend((!is_clean).then_some(Found::Refused(SigstoreError::Line)));
    Some(found)
}

fn one(text: &[u8]) -> Option<Vec<Found>> {
    let json = Json::parse(text).ok()?;
    let object = json.as_object()?;
    super::is_no_image(object).then(|| line(object))?
}

fn pair(line: &Object) -> Result<Vec<Found>, SigstoreError> {
    let claim = payload::parse(&bytes(line, "Payload")?)?;
    let certificate = line.object("Cert")?;
    let certificate = certificate.map(|leaf| bytes(leaf, "Raw")).transpose()?;
    let entry = line.object("Bundle")?.map(log::body).transpose()?;
    let parts = Parts {
        signature: bytes(line, "Base64Signature")?,
        certificate: certificate.map(|der| certificate::digest(&der)),
        entries: entry.into_iter().collect(),
    };
    let over = Over {
        bytes: (*claim.hashed.sha256()).into(),
        statement: None,
    };
    let (proof, why) = proof(&parts, &over);
    let proof = Found::Proof {
        over: over.bytes,
        proof,
    };
    let found = [Found::Claim(claim), proof].into_iter();
    Ok(found.chain(why.map(Found::Refused)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Role, made};
    use super::*;
    use crate::digest::Digest;
    use crate::testing::signing_key;
    use crate::text::json::JsonError;

    fn found(text: &str) -> Vec<Found> {
        let Reading { found, role } = super::super::read(text.as_bytes()).unwrap();
        assert_eq!(role, Role::Content);
        found
    }

    fn payload(name: &str) -> Vec<u8> {
        made::payload("r", &Digest::of(name.as_bytes()).into())
    }

    fn line_of(name: &str, cert: &str, bundle: &str) -> String {
        made::downloaded(&signing_key(1), &payload(name), cert, bundle)
    }

    #[test]
    fn a_line_is_a_payload_and_its_signature() {
        let found = found(&line_of("a", "null", "null"));
        let [Found::Claim(claim), Found::Proof { over, proof }] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(claim.hashed.sha256(), &Digest::of(&payload("a")));
        assert_eq!(*over, (*claim.hashed.sha256()).into());
        assert!(proof.signature.is_some() && !proof.has_certificate);
    }

    #[test]
    fn lines_of_both_kinds_may_follow_each_other_and_what_is_neither_is_refused() {
        let statement = made::statement(&[Digest::of(b"b").into()]);
        let lines = [
            line_of("a", "null", "null"),
            String::new(),
            made::bundle(&signing_key(1), &statement),
            r#"{"layers":[]}"#.to_owned(),
            "{".to_owned(),
        ];
        let found = found(&(lines.join("\n") + "\n"));
        assert_eq!(found.len(), 5);
        let images = found.iter().filter_map(|found| match found {
            Found::Claim(claim) => Some(claim.images[0]),
            _ => None,
        });
        let expected = [b"a", b"b"].map(|name| Digest::of(name).into());
        assert!(images.eq(expected));
        assert_eq!(found[4], Found::Refused(SigstoreError::Line));
    }

    #[test]
    fn a_certificate_is_told_by_its_der_and_a_log_entry_must_name_it() {
        let cert = r#"{"Raw":"bGVhZg==","IsCA":false}"#;
        let entry = |leaf: &'static [u8]| {
            let signature = made::signature(&signing_key(1), &payload("a"));
            let signer = made::Logged::Certificate(leaf);
            let entries = made::log_entries(&payload("a"), b"", &signature, &signer);
            made::rekor_bundle(&entries[0])
        };
        let right = found(&line_of("a", cert, &entry(b"leaf")));
        assert!(matches!(&right[..], [_, Found::Proof { proof, .. }]
            if proof.signature.is_some() && proof.has_certificate));
        let wrong = found(&line_of("a", cert, &entry(b"other")));
        let why = SigstoreError::LogDiffers("certificate");
        assert_eq!(wrong.last(), Some(&Found::Refused(why)));
    }

    #[test]
    fn a_public_key_where_a_certificate_should_be_makes_the_line_useless() {
        let key = serde_json::to_string(&made::pem("PUBLIC KEY", b"key")).unwrap();
        let found = found(&line_of("a", &key, "null"));
        let (key, expected) = ("Cert", "an object");
        let why = JsonError::Type { key, expected };
        assert_eq!(found, [Found::Refused(why.into())]);
    }
}

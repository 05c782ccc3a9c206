//! Envelopes (DSSE, version 1) with statements (in-toto) inside.

use super::refusal::quoted;
use super::{Refusal, bytes, hex, object, only, text};
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// The payload type of a statement.
const STATEMENT: &str = "application/vnd.in-toto+json";
/// The types of statement that are known: versions 1 and 0.1.
const VERSIONS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// The predicate type of a signature. All others are attestations.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The most subjects of a statement. Cosign writes one.
const MAX_SUBJECTS: usize = 1000;

/// An envelope with its one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The statement.
    pub(super) payload: Vec<u8>,
    /// The signature over [`Envelope::signed`].
    pub(super) signature: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope.
    ///
    /// # Errors
    /// Reports another payload type, and any other number of signatures than one.
    pub(super) fn read(envelope: &Object) -> Result<Envelope, Refusal> {
        let type_ = text(envelope, "payloadType")?;
        if type_ != STATEMENT {
            return Err(Refusal::PayloadMediaType(quoted(type_)));
        }
        Ok(Envelope {
            payload: bytes(envelope, "payload")?,
            signature: bytes(only(envelope, "signatures")?, "sig")?,
        })
    }

    /// Returns the bytes that are signed: the pre-authentication encoding (DSSE, protocol).
    pub(super) fn signed(&self) -> Vec<u8> {
        let length = self.payload.len();
        let head = format!("DSSEv1 {} {STATEMENT} {length} ", STATEMENT.len());
        [head.as_bytes(), &self.payload].concat()
    }

    /// Returns the images that the statement is about, if it is a signature.
    ///
    /// # Errors
    /// [`Refusal::Attestation`], and whatever is wrong with the statement.
    pub(super) fn images(&self) -> Result<Vec<ClaimedDigest>, Refusal> {
        let json = Json::parse(&self.payload)?;
        let statement = json.as_object().ok_or(JsonError::Missing("_type"))?;
        let type_ = text(statement, "_type")?;
        if !VERSIONS.contains(&type_) {
            return Err(Refusal::StatementType(quoted(type_)));
        }
        let predicate = text(statement, "predicateType")?;
        // Fail closed: whoever attests what is in an image, or what was found in it, does not say
        // that it is good.
        if predicate != SIGNATURE {
            return Err(Refusal::Attestation(quoted(predicate)));
        }
        let subjects = statement.array("subject")?.unwrap_or_default();
        if !(1..=MAX_SUBJECTS).contains(&subjects.len()) {
            return Err(Refusal::Subjects(subjects.len()));
        }
        subjects.iter().map(subject).collect()
    }
}

fn subject(subject: &Json) -> Result<ClaimedDigest, Refusal> {
    let subject = subject.as_object().ok_or(JsonError::Missing("digest"))?;
    hex(text(object(subject, "digest")?, "sha256")?)
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::digest::Digest;

    fn image(name: &str) -> ClaimedDigest {
        Digest::of(name.as_bytes()).into()
    }

    fn images(statement: &str) -> Result<Vec<ClaimedDigest>, Refusal> {
        let envelope = Envelope {
            payload: statement.as_bytes().to_vec(),
            signature: Vec::new(),
        };
        envelope.images()
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_protocol() {
        let envelope = Envelope {
            payload: b"{\"a\":1}".to_vec(),
            signature: Vec::new(),
        };
        let signed = b"DSSEv1 28 application/vnd.in-toto+json 7 {\"a\":1}";
        assert_eq!(envelope.signed(), signed);
    }

    #[test]
    fn a_statement_of_either_version_names_all_its_subjects() {
        let one = made::statement(&[image("a")]);
        assert_eq!(images(&one), Ok(vec![image("a")]));
        let two = made::statement(&[image("a"), image("b")]);
        let earlier = two.replace("Statement/v1", "Statement/v0.1");
        assert_eq!(images(&earlier), Ok(vec![image("a"), image("b")]));
    }

    #[test]
    fn an_attestation_and_a_statement_of_another_version_are_no_signatures() {
        let whole = made::statement(&[image("a")]);
        for type_ in [
            "https://spdx.dev/Document",
            "https://sigstore.dev/cosign/sign/v2",
            "",
        ] {
            let other = images(&whole.replace(SIGNATURE, type_));
            assert_eq!(other, Err(Refusal::Attestation(type_.into())));
        }
        let other = images(&whole.replace("Statement/v1", "Statement/v2"));
        let type_ = "https://in-toto.io/Statement/v2";
        assert_eq!(other, Err(Refusal::StatementType(type_.into())));
    }

    #[test]
    fn a_subject_without_a_sha256_makes_the_statement_useless() {
        let two = made::statement(&[image("a"), image("b")]);
        let digits = image("b").to_string();
        let one_only = two.replace(&format!(r#""sha256":"{digits}""#), "");
        assert_eq!(images(&one_only), Err(JsonError::Missing("sha256").into()));
        let capitals = two.replace(&digits, &digits.to_uppercase());
        assert_eq!(
            images(&capitals),
            Err(Refusal::digest(&digits.to_uppercase()))
        );
        let none = made::statement(&[]);
        assert_eq!(images(&none), Err(Refusal::Subjects(0)));
        let most = made::statement(&vec![image("a"); MAX_SUBJECTS]);
        assert_eq!(images(&most).unwrap().len(), MAX_SUBJECTS);
        let more = made::statement(&vec![image("a"); MAX_SUBJECTS + 1]);
        assert_eq!(images(&more), Err(Refusal::Subjects(MAX_SUBJECTS + 1)));
    }

    #[test]
    fn an_envelope_of_another_type_or_without_exactly_one_signature_is_refused() {
        let read = |text: &str| {
            let json = Json::parse(text.as_bytes()).unwrap();
            Envelope::read(json.as_object().unwrap())
        };
        let whole = made::envelope(b"x", &[b"a"]);
        assert!(read(&whole).is_ok());
        let key = "signatures";
        for (signatures, count) in [(&[][..], 0), (&[&b"a"[..], b"b"][..], 2)] {
            let other = read(&made::envelope(b"x", signatures));
            assert_eq!(other, Err(Refusal::NotOne { key, count }));
        }
        let other = read(&whole.replace("in-toto+json", "in-toto"));
        let type_ = "application/vnd.in-toto";
        assert_eq!(other, Err(Refusal::PayloadMediaType(type_.into())));
    }
}

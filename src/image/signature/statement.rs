//! Statements (in-toto) inside envelopes: which images a signature is of.

use super::SigstoreError;
use crate::sigstore::dsse::Envelope;
use crate::sigstore::{hex, object, quoted, text};
use crate::text::json::{Json, JsonError};
use crate::trust::claimed::ClaimedDigest;

/// The types of statement that are known: versions 1 and 0.1.
const VERSIONS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// The predicate type of a signature. All others are attestations.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The most subjects of a statement. Cosign writes one.
const MAX_SUBJECTS: usize = 1000;

/// Returns the images that the statement is about, if it is a signature.
///
/// # Errors
/// [`SigstoreError::Attestation`], and what is wrong with the statement.
pub(super) fn images(envelope: &Envelope) -> Result<Vec<ClaimedDigest>, SigstoreError> {
    let json = Json::parse(&envelope.payload)?;
    let statement = json.as_object().ok_or(JsonError::Missing("_type"))?;
    let type_ = text(statement, "_type")?;
    if !VERSIONS.contains(&type_) {
        return Err(SigstoreError::StatementType(quoted(type_)));
    }
    let predicate = text(statement, "predicateType")?;
    // Fail closed: whoever attests what is in an image, or what was found in it, does not say
    // that it is good.
    if predicate != SIGNATURE {
        return Err(SigstoreError::Attestation(quoted(predicate)));
    }
    let subjects = statement.array("subject")?.unwrap_or_default();
    if !(1..=MAX_SUBJECTS).contains(&subjects.len()) {
        return Err(SigstoreError::Subjects(subjects.len()));
    }
    subjects.iter().map(subject).collect()
}

fn subject(subject: &Json) -> Result<ClaimedDigest, SigstoreError> {
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

    fn images(statement: &str) -> Result<Vec<ClaimedDigest>, SigstoreError> {
        let envelope = Envelope {
            payload: statement.as_bytes().to_vec(),
            signature: Vec::new(),
        };
        super::images(&envelope)
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
            assert_eq!(other, Err(SigstoreError::Attestation(type_.into())));
        }
        let other = images(&whole.replace("Statement/v1", "Statement/v2"));
        let type_ = "https://in-toto.io/Statement/v2";
        assert_eq!(other, Err(SigstoreError::StatementType(type_.into())));
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
            Err(SigstoreError::digest(&digits.to_uppercase()))
        );
        let none = made::statement(&[]);
        assert_eq!(images(&none), Err(SigstoreError::Subjects(0)));
        let most = made::statement(&vec![image("a"); MAX_SUBJECTS]);
        assert_eq!(images(&most).unwrap().len(), MAX_SUBJECTS);
        let more = made::statement(&vec![image("a"); MAX_SUBJECTS + 1]);
        assert_eq!(
            images(&more),
            Err(SigstoreError::Subjects(MAX_SUBJECTS + 1))
        );
    }
}

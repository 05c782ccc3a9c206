//! Envelopes (DSSE, version 1) with statements (in-toto) inside.

use super::{SigstoreError, bytes, only, quoted, text};
use crate::text::json::Object;

/// The payload type of a statement.
const STATEMENT: &str = "application/vnd.in-toto+json";

/// An envelope with its one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The statement.
    pub(crate) payload: Vec<u8>,
    /// The signature over [`Envelope::signed`].
    pub(crate) signature: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope.
    ///
    /// # Errors
    /// Reports another payload type, and any other number of signatures than one.
    pub(crate) fn read(envelope: &Object) -> Result<Envelope, SigstoreError> {
        let type_ = text(envelope, "payloadType")?;
        if type_ != STATEMENT {
            return Err(SigstoreError::PayloadMediaType(quoted(type_)));
        }
        Ok(Envelope {
            payload: bytes(envelope, "payload")?,
            signature: bytes(only(envelope, "signatures")?, "sig")?,
        })
    }

    /// Returns the bytes that are signed: the pre-authentication encoding (DSSE, protocol).
    pub(crate) fn signed(&self) -> Vec<u8> {
        let length = self.payload.len();
        let head = format!("DSSEv1 {} {STATEMENT} {length} ", STATEMENT.len());
        [head.as_bytes(), &self.payload].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::text::json::Json;

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
            assert_eq!(other, Err(SigstoreError::NotOne { key, count }));
        }
        let other = read(&whole.replace("in-toto+json", "in-toto"));
        let type_ = "application/vnd.in-toto";
        assert_eq!(other, Err(SigstoreError::PayloadMediaType(type_.into())));
    }
}

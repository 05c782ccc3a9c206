//! Statements in envelopes (DSSE, version 1), one a line: unsigned, or with one signature.
//!
//! An unsigned envelope has an empty list of signatures. It is to be signed elsewhere, by a
//! hardware module for example, and proves nothing until then.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde::Serialize;

use super::sign::Signer;
use crate::digest::Digests;
use crate::digest::stream::Stream;

/// The payload type of an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Writes a statement in its envelope, as one line.
///
/// The statement is serialized anew for each step instead of being kept in memory, since that of a
/// large mirror may have hundreds of megabytes.
///
/// # Errors
/// Those of the writer, and if the signature does not verify over what was written.
pub(super) fn write(
    mut out: impl Write,
    statement: &impl Serialize,
    signer: Option<&Signer>,
) -> io::Result<()> {
    let length = length(statement)?;
    let signature = signer.map(|signer| signer.sign(&hash(statement, length)?));
    let signature = signature.transpose()?;
    write!(out, "{{\"payloadType\":\"{PAYLOAD_TYPE}\",\"payload\":\"")?;
    let written = payload(&mut out, statement, length)?;
    out.write_all(b"\",\"signatures\":[")?;
    if let (Some(signer), Some(der)) = (signer, signature) {
        signer.check(&written, &der)?;
        let (keyid, sig) = (signer.fingerprint(), STANDARD.encode(der));
        write!(out, "{{\"keyid\":\"{keyid}\",\"sig\":\"{sig}\"}}")?;
    }
    out.write_all(b"]}\n")
}

/// Writes the payload as base64, and returns the hash of what a signature of it covers.
fn payload(out: impl Write, statement: &impl Serialize, length: u64) -> io::Result<Digests> {
    let mut both = Both {
        encoder: EncoderWriter::new(out, &STANDARD),
        covered: covering(length)?,
    };
    serde_json::to_writer(&mut both, statement)?;
    both.encoder.finish()?;
    Ok(both.covered.digests())
}

/// Returns the length of a statement in bytes.
fn length(statement: &impl Serialize) -> io::Result<u64> {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, statement)?;
    Ok(counter.0)
}

/// Returns the hash of what a signature covers: the pre-authentication encoding.
fn hash(statement: &impl Serialize, length: u64) -> io::Result<Digests> {
    let mut covered = covering(length)?;
    serde_json::to_writer(&mut covered, statement)?;
    Ok(covered.digests())
}

/// Begins the pre-authentication encoding of a payload of this length.
fn covering(length: u64) -> io::Result<Stream> {
    let mut covered = Stream::default();
    let type_length = PAYLOAD_TYPE.len();
    write!(covered, "DSSEv1 {type_length} {PAYLOAD_TYPE} {length} ")?;
    Ok(covered)
}

/// Counts the bytes that are written.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A payload on its way into the envelope, and into the hash that its signature is checked with.
struct Both<W: Write> {
    encoder: EncoderWriter<'static, base64::engine::GeneralPurpose, W>,
    covered: Stream,
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.covered.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{digests, signing_key};
    use p256::pkcs8::{EncodePrivateKey, LineEnding};

    fn signer() -> Signer {
        let pem = signing_key(1).to_pkcs8_pem(LineEnding::LF).unwrap();
        Signer::from_pem(pem.as_bytes()).unwrap()
    }

    fn written(signer: Option<&Signer>) -> serde_json::Value {
        let mut line = Vec::new();
        let statement = serde_json::json!({"a": "\u{e9}\n"});
        write(&mut line, &statement, signer).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn an_envelope_without_a_key_has_no_signature() {
        let payload = STANDARD.encode("{\"a\":\"\u{e9}\\n\"}");
        assert_eq!(
            written(None),
            serde_json::json!({
                "payloadType": "application/vnd.in-toto+json",
                "payload": payload,
                "signatures": [],
            })
        );
    }

    #[test]
    fn a_signature_covers_the_type_the_length_and_the_payload() {
        let signer = signer();
        let envelope = written(Some(&signer));
        let signature = &envelope["signatures"][0];
        assert_eq!(signature["keyid"], signer.fingerprint().to_string());
        let der = STANDARD.decode(signature["sig"].as_str().unwrap()).unwrap();
        let covered = "DSSEv1 28 application/vnd.in-toto+json 12 {\"a\":\"\u{e9}\\n\"}";
        let hash = digests(covered.as_bytes());
        assert!(signer.check(&hash, &der).is_ok());
    }

    /// A statement that is another one each time.
    struct Unsteady(std::cell::Cell<u32>);

    impl Serialize for Unsteady {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.serialize_u32(self.0.get())
        }
    }

    #[test]
    fn what_was_written_is_what_was_signed_or_nothing_is() {
        let unsteady = Unsteady(std::cell::Cell::default());
        let error = write(&mut Vec::new(), &unsteady, Some(&signer())).unwrap_err();
        assert_eq!(error.to_string(), "the report's signature does not verify");
    }
}

//! The schema of the JSON reports, to which Python's jsonschema holds them.

use std::io::Write;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::readers::Readers;

/// Asserts that each document fits the schema, where the readers of reports are here.
pub fn assert_fits(documents: &[Value]) {
    // Asked for once, so that their absence is said once.
    static READERS: OnceLock<Option<Readers>> = OnceLock::new();
    if let Some(readers) = READERS.get_or_init(|| Readers::of("JSON reports fit their schema")) {
        assert_eq!(read(readers, documents), Ok(String::new()));
    }
}

/// What the reader says of the documents: nothing, or what does not fit.
pub fn read(readers: &Readers, documents: &[Value]) -> Result<String, String> {
    let mut file = NamedTempFile::new().unwrap();
    for document in documents {
        writeln!(file, "{document}").unwrap();
    }
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    readers.read("schema.py", file.path(), &[schema])
}

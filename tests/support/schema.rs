//! The schema of the JSON reports, to which Python's jsonschema holds them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

use super::readers::Readers;

/// Asserts that each document fits the schema, where the readers of reports are here.
pub fn assert_fits(documents: &[Value]) {
    // Asked for once, so that their absence is said once.
    static READERS: OnceLock<Option<Readers>> = OnceLock::new();
    if let Some(readers) = READERS.get_or_init(|| Readers::of("JSON reports fit their schema")) {
        assert_eq!(errors(readers, documents), [""; 0]);
    }
}

/// What of the documents does not fit.
pub fn errors(readers: &Readers, documents: &[Value]) -> Vec<String> {
    // One for all tests, since starting it takes longer than any document: it ends with them.
    static VALIDATOR: Mutex<Option<Validator>> = Mutex::new(None);
    let mut validator = VALIDATOR.lock().unwrap_or_else(PoisonError::into_inner);
    validator
        .get_or_insert_with(|| Validator::start(readers))
        .errors(documents)
}

/// A program that is asked on its standard input, and answers.
struct Validator {
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _program: Child,
}

impl Validator {
    fn start(readers: &Readers) -> Validator {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
        let mut command = readers.command("schema.py");
        command.arg(schema).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        Validator {
            questions: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            _program: child,
        }
    }

    fn errors(&mut self, documents: &[Value]) -> Vec<String> {
        let mut question = serde_json::to_vec(documents).unwrap();
        question.push(b'\n');
        let mut answer = String::new();
        let asked = self.questions.write_all(&question);
        let answered = asked.and_then(|()| self.answers.read_line(&mut answer));
        assert!(
            answered.as_ref().is_ok_and(|length| *length > 0),
            "schema.py has ended, and said why on stderr: {answered:?}"
        );
        serde_json::from_str(&answer).unwrap()
    }
}

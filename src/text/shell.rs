//! Quotes a command line for a shell, on one line that shows its exact bytes.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::escape;

/// Returns arguments as a POSIX shell reads them; those with characters that are not to be seen, or
/// bytes that are not UTF-8, as `$'…'` (POSIX.1-2024, 2.2.4).
pub fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    let quoted = arguments
        .into_iter()
        .map(|argument| quote(argument.as_ref()));
    quoted.collect::<Vec<_>>().join(" ")
}

fn quote(argument: &OsStr) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    match argument.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) if !text.contains('\'') && !text.chars().any(escape::is_unseen) => {
            format!("'{text}'")
        }
        _ => escaped(argument.as_bytes()),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = "$'".to_owned();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => text.extend(['\\', c]),
                c if escape::is_unseen(c) => {
                    c.encode_utf8(&mut [0; 4])
                        .bytes()
                        .for_each(|byte| push(&mut text, byte));
                }
                c => text.push(c),
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push(&mut text, *byte));
    }
    text.push('\'');
    text
}

/// Appends a byte in octal, which always has three digits: what follows cannot be taken for one.
fn push(text: &mut String, byte: u8) {
    // Writing to a String does not fail.
    let _ = write!(text, "\\{byte:03o}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn an_argument_is_quoted_where_a_shell_would_read_it_as_something_else() {
        let arguments = ["prog", "--key=a/b.pem", "", "a b", "it's", "*\u{202e}", "ä"];
        let quoted = r"prog --key=a/b.pem '' 'a b' $'it\'s' $'*\342\200\256' 'ä'";
        assert_eq!(command(arguments), quoted);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bash_reads_the_arguments_that_were_quoted(
            arguments in prop::collection::vec(prop::collection::vec(1_u8.., 0..6), 1..4)
        ) {
            let quoted = command(arguments.iter().map(|bytes| OsStr::from_bytes(bytes)));
            let script = format!("printf '%s\\0' {quoted}");
            let Ok(read) = Command::new("bash").args(["-c", &script]).env("LC_ALL", "C").output() else {
                return Ok(());
            };
            let expected: Vec<u8> = arguments.iter().flat_map(|bytes| [bytes, &b"\0"[..]].concat()).collect();
            prop_assert_eq!(read.stdout, expected);
        }
    }
}

//! The system's error messages.

use std::io;

/// Returns the system's message, such as `Permission denied`, without the number that `io::Error`
/// appends.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => text
            .trim_end_matches(&format!(" (os error {code})"))
            .to_owned(),
        None => text,
    }
}

/// Copies an error.
pub fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(
        || io::Error::other(error.to_string()),
        io::Error::from_raw_os_error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_error_carry_no_number() {
        let error = io::Error::from(rustix::io::Errno::IO);
        assert_eq!(words(&error), "Input/output error");
        assert_eq!(words(&io::Error::other("else")), "else");
    }
}

//! File names that the shell turns into options: in a hostile directory, `verify-signatures *` may
//! receive `-kevil.pem` and `--status`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::terminal::Message;
use crate::text::escape;

/// Finds an argument that would be parsed as an option and is also the name of an entry in the
/// current directory, and returns the message about it.
///
/// Fail closed: it may be a key that an attacker put there, so a warning with exit status 0 is not
/// enough.
pub(super) fn option(arguments: impl IntoIterator<Item = OsString>) -> Option<Message> {
    let before_the_files = arguments.into_iter().skip(1).take_while(|a| a != "--");
    let is_option = |a: &OsString| a.as_bytes().starts_with(b"-") && a != "-";
    let exists = |a: &OsString| Path::new(a).symlink_metadata().is_ok();
    let planted = before_the_files.filter(is_option).find(exists)?;
    let what = format!(
        "{}: this option is also the name of a file here, so it may come from a * in the command line",
        escape::name(&planted)
    );
    Some(Message::error(what).help(
        "name a directory, or put -- before the file names; if you mean the option, run the command from another directory",
    ))
}

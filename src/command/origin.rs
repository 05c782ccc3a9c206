//! Finds out which run this is: an identifier, the user, the system, the executable.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::digest::stream::Stream;
use crate::run::origin::{Account, Origin, User};
use crate::text::shell;
use crate::verify::STDIN;

/// Maximum number of bytes read of a file of the system.
const MOST: u64 = 1024 * 1024;
/// The value of `/proc/self/loginuid` for a process of no login.
const NO_LOGIN: u32 = u32::MAX;

/// Describes this run.
///
/// # Errors
/// If the system has no random numbers for an identifier.
pub(super) fn of_this_run(note: Option<&str>, roots: &[PathBuf]) -> io::Result<Origin> {
    let accounts = read("/etc/passwd").unwrap_or_default();
    Ok(Origin {
        id: identifier()?,
        note: note.map(str::to_owned),
        command: shell::command(std::env::args_os()),
        user: user(&accounts),
        system: system(&read("/etc/os-release").unwrap_or_default()),
        executable: executable(),
        places: roots.iter().map(|root| place(root)).collect(),
    })
}

/// Returns where a PATH leads; standard input leads nowhere.
fn place(root: &Path) -> Option<PathBuf> {
    let is_stdin = root == Path::new(STDIN);
    (!is_stdin).then(|| root.canonicalize().ok()).flatten()
}

fn identifier() -> io::Result<String> {
    let mut bytes = [0; 16];
    fill_randomly(&mut bytes)?;
    let identifier = uuid::Builder::from_random_bytes(bytes).into_uuid();
    Ok(identifier.hyphenated().to_string())
}

/// Asks the kernel itself: a binary that is linked statically finds no function of the C library by
/// name, and an empty root has no device. So few bytes are given at once.
#[cfg(target_os = "linux")]
fn fill_randomly(bytes: &mut [u8; 16]) -> io::Result<()> {
    let filled = rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty())?;
    if filled < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn fill_randomly(bytes: &mut [u8; 16]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}

fn read(path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn user(accounts: &str) -> User {
    let effective = rustix::process::geteuid().as_raw();
    let login = fs::read_to_string("/proc/self/loginuid").ok();
    let login = login.and_then(|text| text.trim().parse().ok());
    let login = login.filter(|id| ![effective, NO_LOGIN].contains(id));
    User {
        effective: account(accounts, effective),
        login: login.map(|id| account(accounts, id)),
    }
}

/// Returns the account with this number, by the list of passwd(5). getpwuid(3) may ask a server.
fn account(accounts: &str, id: u32) -> Account {
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    });
    Account { id, name }
}

/// Returns the distribution, as os-release(5) names it, and the kernel.
fn system(release: &str) -> String {
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map(|name| name.trim_matches(['"', '\'']));
    let node = rustix::system::uname();
    let kernel =
        [node.sysname(), node.release(), node.machine()].map(|part| part.to_string_lossy());
    let kernel = kernel.join(" ");
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name}, {kernel}"),
        None => kernel,
    }
}

/// Returns the digest of this program's file, also if that was replaced or deleted meanwhile.
fn executable() -> Option<Digest> {
    let mut stream = Stream::default();
    io::copy(&mut File::open("/proc/self/exe").ok()?, &mut stream).ok()?;
    Some(stream.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_that_the_list_of_accounts_gives() {
        let accounts = "root:x:0:0::/root:/bin/sh\n\nodd\nalice:x:1000:1000::/:\n";
        assert_eq!(account(accounts, 1000).name.as_deref(), Some("alice"));
        assert_eq!(account(accounts, 0).name.as_deref(), Some("root"));
        assert_eq!(account(accounts, 1001).name, None);
    }

    #[test]
    fn the_system_is_named_with_its_distribution_if_that_is_known() {
        let named = system("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n");
        assert!(
            named.starts_with("Debian GNU/Linux 13 (trixie), "),
            "{named}"
        );
        assert!(!system("").contains(','));
    }

    #[test]
    fn an_identifier_is_a_random_uuid() {
        let (one, other) = (identifier().unwrap(), identifier().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), one.as_bytes()[14]), (36, b'4'));
    }
}

//! Which run it was: who ran which program where, and what for.

use std::path::PathBuf;

use crate::digest::Digest;

/// Which run it was. Evidence for an auditor, which no verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The run's own identifier, which all its reports carry: a random UUID (RFC 9562, version 4).
    pub id: String,
    /// What the user has to say on the run (`--note`).
    pub note: Option<String>,
    /// The command line, as a shell reads it.
    pub command: String,
    /// The user.
    pub user: User,
    /// The operating system and its version.
    pub system: String,
    /// The digest of the executable, if it could be read.
    pub executable: Option<Digest>,
    /// Where the PATHs led when the run began, without links, in their order; `None` for one that
    /// could not be resolved.
    pub places: Vec<Option<PathBuf>>,
}

/// The user of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// With whose rights it ran.
    pub effective: Account,
    /// Who logged in, if that is another user (`sudo`) and the kernel knows.
    pub login: Option<Account>,
}

/// A user's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: u32,
    /// Its name, if the machine's own list has it. No directory service is asked.
    pub name: Option<String>,
}

/// The commit that the program was built from, if its builder named it: `VERIFY_SIGNATURES_COMMIT`
/// in the environment of the build. Nothing is asked at build time, so that a build is the same
/// from an archive without a repository.
pub const COMMIT: Option<&str> = option_env!("VERIFY_SIGNATURES_COMMIT");

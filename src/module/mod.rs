//! The cryptographic module that hashes, verifies and signs in a build with the feature `fips`, and
//! what can be said of it. In any other build there is none.
//!
//! What such a module vouches for are whole operations: a message is hashed *and* its signature is
//! verified. A signature that is verified over a digest from anywhere else is none of its approved
//! services, no matter what made the digest (`verify_digest` of aws-lc-rs says "FIPS: Not
//! allowed"). But a file of any size is to be read once, and before it is known which key made its
//! signature. So a `hash::Hash` is kept as it is after the last byte, and a `key::Key` ends it and
//! verifies in one call, EVP_DigestVerifyFinal, upon which the module itself says whether that was
//! an approved service. Fail closed: what it does not say that of verifies nothing.

#[cfg(feature = "fips")]
pub mod hash;
#[cfg(feature = "fips")]
pub mod key;

use std::fmt;

use thiserror::Error;

/// The validated module of this build, and what is known of its validation.
///
/// ```
/// # #[cfg(feature = "internals")] {
/// use verify_signatures::internals::module::Module;
///
/// assert_eq!(Module::of_this_build().is_some(), cfg!(feature = "fips"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The certificate, and what it was issued for.
    pub certificate: String,
}

/// What is said of a build without a validated module.
pub const NONE: &str = "no validated module in this build";

/// Why no validated module does the cryptography. Each build has its own reasons.
#[allow(dead_code)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotValidated {
    /// The program was built without one.
    #[error("{NONE}")]
    NotBuilt,
    /// The module is not in the mode that its certificate is about.
    #[error("the cryptographic module is not in FIPS mode")]
    NotInMode,
    /// A self-test of the module failed.
    #[error("a self-test of the cryptographic module failed")]
    SelfTest,
}

impl Module {
    /// Returns the module that this build is linked with.
    #[cfg(feature = "fips")]
    pub fn of_this_build() -> Option<Module> {
        let version = aws_lc_rs::awslc_version();
        // Fail closed: the certificate names one version; only assessors know what else it covers.
        let certificate = format!(
            "CMVP certificate #5314 was issued for version 3.1 static; ask your assessor whether it covers {version}"
        );
        Some(Module {
            name: "AWS-LC FIPS".to_owned(),
            version: version.to_owned(),
            certificate,
        })
    }

    /// Returns the module that this build is linked with: none.
    #[cfg(not(feature = "fips"))]
    pub fn of_this_build() -> Option<Module> {
        None
    }
}

/// One line for people: name, version and certificate. It has no comma, which would have to be
/// quoted in tables.
impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Module {
            name,
            version,
            certificate,
        } = self;
        write!(f, "{name} {version} ({certificate})")
    }
}

/// Returns what is to be said of the module of a run or a build, for people.
pub fn words(module: Option<&Module>) -> String {
    module.map_or_else(|| NONE.to_owned(), Module::to_string)
}

/// Returns what `--version` says of the module.
pub fn version() -> String {
    Module::of_this_build().map_or_else(
        || NONE.to_owned(),
        |module| format!("cryptographic module: {module}"),
    )
}

/// Checks that a validated module does the cryptography of this process: that it is in FIPS mode,
/// and passes its self-tests again, those of each algorithm included. (When the program was
/// loaded, the module compared its code with the digest that was built in, and would have aborted.)
///
/// # Errors
/// Why not.
#[cfg(feature = "fips")]
pub fn check() -> Result<(), NotValidated> {
    aws_lc_rs::try_fips_mode().map_err(|_| NotValidated::NotInMode)?;
    if hash::self_tests_pass() {
        Ok(())
    } else {
        Err(NotValidated::SelfTest)
    }
}

/// Checks that a validated module does the cryptography of this process.
///
/// # Errors
/// There is none.
#[cfg(not(feature = "fips"))]
pub fn check() -> Result<(), NotValidated> {
    Err(NotValidated::NotBuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_names_its_module_or_says_that_there_is_none() {
        let words = words(Module::of_this_build().as_ref());
        match check() {
            Ok(()) => assert!(words.starts_with("AWS-LC FIPS 3."), "{words}"),
            Err(error) => assert_eq!((error, words.as_str()), (NotValidated::NotBuilt, NONE)),
        }
        assert_eq!(check().is_ok(), cfg!(feature = "fips"));
    }
}

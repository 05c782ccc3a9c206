//! How paths stand in the objects.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Text;

/// A path as an object, or as a member called `path`: text, or the base64 (RFC 4648, section 4) of
/// bytes that are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathMember<'a> {
    /// The path, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<Text<'a>>,
}

/// The path of a signature file as a member called `signature`; absent if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureMember<'a> {
    /// The path, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_base64: Option<Text<'a>>,
}

impl<'a> PathMember<'a> {
    /// Returns the member for a path.
    pub fn of(path: &'a Path) -> PathMember<'a> {
        match path.to_str() {
            Some(text) => PathMember {
                path: Some(text.into()),
                path_base64: None,
            },
            None => PathMember::of_bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    /// Returns the member for the bytes of a path.
    pub fn of_bytes(bytes: Vec<u8>) -> PathMember<'a> {
        match String::from_utf8(bytes) {
            Ok(text) => PathMember {
                path: Some(text.into()),
                path_base64: None,
            },
            Err(error) => PathMember {
                path: None,
                path_base64: Some(STANDARD.encode(error.as_bytes()).into()),
            },
        }
    }

    /// Returns the path that an object holds in two members of its own.
    pub fn of_members(path: Option<&'a str>, path_base64: Option<&'a str>) -> PathMember<'a> {
        PathMember {
            path: path.map(Into::into),
            path_base64: path_base64.map(Into::into),
        }
    }

    /// Returns the path; `None` if it is absent, present in both forms, or invalid base64.
    pub fn decode(&self) -> Option<PathBuf> {
        decode(self.path.as_deref(), self.path_base64.as_deref())
    }
}

impl<'a> From<PathMember<'a>> for SignatureMember<'a> {
    fn from(member: PathMember<'a>) -> SignatureMember<'a> {
        SignatureMember {
            signature: member.path,
            signature_base64: member.path_base64,
        }
    }
}

impl SignatureMember<'_> {
    /// Returns the path; `None` if it is absent, present in both forms, or invalid base64.
    pub fn decode(&self) -> Option<PathBuf> {
        decode(self.signature.as_deref(), self.signature_base64.as_deref())
    }
}

fn decode(text: Option<&str>, base64: Option<&str>) -> Option<PathBuf> {
    match (text, base64) {
        (Some(path), None) => Some(path.into()),
        (None, Some(text)) => Some(OsString::from_vec(STANDARD.decode(text).ok()?).into()),
        // Fail closed: of two paths, either could be the right one.
        _ => None,
    }
}

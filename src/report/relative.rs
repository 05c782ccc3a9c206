//! Names of artifacts relative to a directory, and as URIs, for reports that are read on their own.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::context::Withheld;
use super::words::shown_path;
use crate::files::SharedPath;
use crate::run::Start;

/// The PATHs of a run, by which the names of its artifacts become paths from the root.
#[derive(Debug)]
pub(super) struct Places {
    /// The working directory, without links.
    working: PathBuf,
    /// Each PATH that is a directory, and the directory of each other, as it was given: the same
    /// without links.
    directories: HashMap<PathBuf, PathBuf>,
}

impl Places {
    /// Looks at the PATHs of a run.
    ///
    /// # Errors
    /// If the working directory was removed: nothing that starts from there has a place; and if a
    /// PATH leads elsewhere than when the run began.
    pub(super) fn of(start: &Start) -> io::Result<Places> {
        let working = start.directory.clone().ok_or_else(|| {
            Withheld("the working directory was removed, so the artifacts have no place".to_owned())
        })?;
        let mut directories = HashMap::new();
        for (n, root) in start.roots.iter().enumerate() {
            let then = start.origin.places.get(n);
            // Fail closed: a link that was moved meanwhile leads to what the run did not read.
            if then.is_some_and(|then| *then != root.canonicalize().ok()) {
                let why = format!(
                    "{}: it leads elsewhere than when the run began",
                    shown_path(root)
                );
                return Err(Withheld(why).into());
            }
            let given = if root.is_dir() {
                root
            } else {
                root.parent().unwrap_or(root)
            };
            let real = working.join(given);
            // One that is gone by now keeps the place that it was given.
            let real = real.canonicalize().unwrap_or(real);
            directories.insert(without_dots(given), real);
        }
        Ok(Places {
            working,
            directories,
        })
    }

    /// Returns the nearest directory that contains all artifacts of the run.
    pub(super) fn common(&self) -> PathBuf {
        let mut directories = self.directories.values().cloned();
        let first = directories.next().unwrap_or_else(|| self.working.clone());
        directories.fold(first, |common, other| {
            let pairs = common.components().zip(other.components());
            let same = pairs.take_while(|(a, b)| a == b);
            same.map(|(component, _)| component).collect()
        })
    }

    /// Returns a path from the root of the file system. The part that leads to its PATH is without
    /// links; what follows is as the run reached it.
    fn absolute(&self, path: &Path) -> PathBuf {
        let path = without_dots(path);
        let above = path.ancestors().skip(1);
        let mut known = above.filter_map(|above| Some((above, self.directories.get(above)?)));
        let below = known.next().and_then(|(above, real)| {
            let rest = path.strip_prefix(above).ok()?;
            Some(real.join(rest))
        });
        below.unwrap_or_else(|| self.working.join(&path))
    }

    /// Returns the name of an artifact, as it is reached from `base`, a directory without links.
    pub(super) fn name(&self, path: &SharedPath, base: &Path) -> PathBuf {
        relative(&self.absolute(&path.to_path_buf()), base)
    }
}

/// Returns a path without its components that lead nowhere.
fn without_dots(given: &Path) -> PathBuf {
    let is_there = |component: &Component<'_>| *component != Component::CurDir;
    given.components().filter(is_there).collect()
}

/// Returns a path as it is reached from `base`.
///
/// Only the components that both share are left out. All of them are real directories, since `base`
/// has no links, so that `..` leads back to where they part.
fn relative(path: &Path, base: &Path) -> PathBuf {
    let (mut ahead, mut here) = (path.components().peekable(), base.components().peekable());
    while ahead.peek().is_some() && ahead.peek() == here.peek() {
        ahead.next();
        here.next();
    }
    let back = here.map(|_| Component::ParentDir);
    back.chain(ahead).collect()
}

/// Returns the URI of a file or a directory on a machine (RFC 8089).
pub(super) fn uri(host: &str, path: &Path, is_directory: bool) -> String {
    let host = quoted(host.as_bytes(), b"-._~");
    let mut uri = format!("file://{host}{}", percent(path));
    if is_directory && !uri.ends_with('/') {
        uri.push('/');
    }
    uri
}

/// Returns a reference to a file from a directory.
pub(super) fn reference(file: &Path, directory: &Path) -> String {
    match (file.canonicalize(), directory.canonicalize()) {
        (Ok(file), Ok(directory)) => percent(&relative(&file, &directory)),
        _ => percent(file),
    }
}

/// Returns a path as a URI has it.
fn percent(path: &Path) -> String {
    quoted(path.as_os_str().as_bytes(), b"-._~/")
}

/// Returns bytes as a URI has them: letters, digits and `plain` as they are (RFC 3986, 2.3).
fn quoted(bytes: &[u8], plain: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || plain.contains(byte) {
            text.push(char::from(*byte));
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_path_is_reached_from_a_directory_by_leaving_it_no_further_than_needed() {
        for (path, base, expected) in [
            ("/m/a/x", "/m", "a/x"),
            ("/m/x", "/m", "x"),
            ("/m/x", "/", "m/x"),
            ("/m/x", "/audit/july", "../../m/x"),
            ("/m/a/../x", "/m", "a/../x"),
            ("/m/../x", "/n", "../m/../x"),
            ("/mm/x", "/m", "../mm/x"),
        ] {
            let made = relative(Path::new(path), Path::new(base));
            assert_eq!(made, Path::new(expected), "{path} from {base}");
        }
    }

    fn places(roots: &[(&str, &str)]) -> Places {
        let places = roots
            .iter()
            .map(|(given, real)| (given.into(), real.into()));
        Places {
            working: "/work".into(),
            directories: places.collect(),
        }
    }

    #[test]
    fn an_artifact_lies_below_the_nearest_path_without_links() {
        let places = places(&[("m", "/srv/m"), ("m/b", "/disk/b"), ("", "/work")]);
        let name = |path: &str| places.absolute(Path::new(path));
        assert_eq!(name("m/a/x"), Path::new("/srv/m/a/x"));
        assert_eq!(name("m/b/x"), Path::new("/disk/b/x"));
        assert_eq!(name("x"), Path::new("/work/x"));
        assert_eq!(name("./m/./x"), Path::new("/srv/m/x"));
        assert_eq!(name("/elsewhere/x"), Path::new("/elsewhere/x"));
    }

    #[test]
    fn the_directory_of_a_run_is_the_nearest_that_contains_all_its_paths() {
        let common = |roots: &[(&str, &str)]| places(roots).common();
        assert_eq!(common(&[("m", "/srv/m")]), Path::new("/srv/m"));
        let two = [("m", "/srv/m"), ("n", "/srv/n")];
        assert_eq!(common(&two), Path::new("/srv"));
        let nested = [("m", "/srv/m"), ("n", "/srv/m/n")];
        assert_eq!(common(&nested), Path::new("/srv/m"));
        assert_eq!(common(&[("m", "/a"), ("n", "/b")]), Path::new("/"));
    }

    #[test]
    fn a_uri_has_every_byte_of_a_path() {
        let path = |bytes| Path::new(OsStr::from_bytes(bytes));
        let of = |bytes, is_directory| uri("host-1.example", path(bytes), is_directory);
        assert_eq!(
            of(b"/m/a b%\xff#?", false),
            "file://host-1.example/m/a%20b%25%FF%23%3F"
        );
        assert_eq!(of(b"/m", true), "file://host-1.example/m/");
        assert_eq!(of(b"/", true), "file://host-1.example/");
        assert_eq!(uri("a/b c", Path::new("/"), true), "file://a%2Fb%20c/");
    }
}

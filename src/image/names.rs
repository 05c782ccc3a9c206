//! Names of images: references as Docker reads them, labels, and prefixes of registries.

use crate::text::json::{Json, Object};

/// Annotations that name an image, the first of which is its name here. Programs go by any of them.
const LABELS: [&str; 3] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.base.name",
];
/// The label that in many layouts holds only a tag.
const REF_NAME: &str = LABELS[1];
/// The registry of names without one.
const DOCKER: &str = "docker.io";
/// The namespace of Docker's official images, which their names leave out.
const LIBRARY: &str = "library";

/// Returns the names that a descriptor's annotations give an image, all of them different, its own
/// first.
pub(super) fn of_annotations(annotations: &Object) -> Box<[Box<str>]> {
    let named = |key: &&str| {
        let name = annotations.exact(key).and_then(Json::as_str)?;
        let is_name = !name.is_empty() && (*key != REF_NAME || name.contains('/'));
        is_name.then_some(name)
    };
    let mut names: Vec<Box<str>> = Vec::new();
    for name in LABELS.iter().filter_map(named) {
        if names.iter().all(|other| **other != *name) {
            names.push(name.into());
        }
    }
    names.into()
}

/// Reports whether a name is one by the grammar of Docker's distribution, so that every program
/// takes it for the same.
pub(super) fn is_legal(name: &str) -> bool {
    let (rest, digest) = match name.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (name, None),
    };
    let slash = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (whole, tag) = match rest[slash..].find(':') {
        Some(colon) => (&rest[..slash + colon], Some(&rest[slash + colon + 1..])),
        None => (rest, None),
    };
    let path = match whole.split_once('/') {
        Some((host, path)) if is_host(host) => is_legal_host(host).then_some(path),
        _ => Some(whole),
    };
    path.is_some_and(|path| path.split('/').all(is_legal_component))
        && tag.is_none_or(is_legal_tag)
        && digest.is_none_or(is_legal_digest)
}

fn is_legal_host(host: &str) -> bool {
    let (host, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_part = |part: &str| {
        let is_edged = part.starts_with('-') || part.ends_with('-');
        !part.is_empty() && !is_edged && part.bytes().all(is_inner)
    };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_port && host.split('.').all(is_part)
}

/// Reports whether this is words of lower-case letters and digits, with a dot, one or two
/// underscores or any number of hyphens between them.
fn is_legal_component(part: &str) -> bool {
    let is_of_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    part.starts_with(is_of_word)
        && part.ends_with(is_of_word)
        && part.split(is_of_word).all(is_separator)
}

fn is_legal_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= 128
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_legal_digest(digest: &str) -> bool {
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return false;
    };
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    algorithm.split(['-', '_', '+', '.']).all(is_part) && digits.len() >= 32 && is_hex
}

/// A name, as Docker completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference<'a> {
    /// The registry's host, in lower case.
    host: String,
    /// The repository, without Docker's `library/`.
    path: &'a str,
    /// The tag, the digest, or both, with what introduces each.
    version: &'a str,
}

impl Reference<'_> {
    /// Takes a name apart. Every text has a meaning here: whether it is a legal name is nothing
    /// that a verdict rests on.
    fn read(name: &str) -> Reference<'_> {
        let at = name.find('@').unwrap_or(name.len());
        let slash = name[..at].rfind('/').map_or(0, |slash| slash + 1);
        let end = name[slash..at].find(':').map_or(at, |colon| slash + colon);
        let (whole, version) = name.split_at(end);
        let (host, path) = split_host(whole);
        let path = match host.as_str() {
            DOCKER => path.strip_prefix("library/").unwrap_or(path),
            _ => path,
        };
        Reference {
            host,
            path,
            version,
        }
    }
}

/// Takes the host off a repository: it is what has a dot or a port, or `localhost`.
fn split_host(whole: &str) -> (String, &str) {
    match whole.split_once('/') {
        Some((host, path)) if is_host(host) => (normal_host(host), path),
        _ => (DOCKER.to_owned(), whole),
    }
}

fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text.eq_ignore_ascii_case("localhost")
}

fn normal_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    // The port of HTTPS is the one of names without a port, and a dot at the end means nothing.
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    let name = name.strip_suffix('.').unwrap_or(name);
    match (name, port) {
        ("index.docker.io" | "registry-1.docker.io", "") => DOCKER.to_owned(),
        _ => format!("{name}{port}"),
    }
}

/// Returns the one form of all names that mean the same image.
pub(super) fn normalised(name: &str) -> String {
    let Reference {
        host,
        path,
        version,
    } = Reference::read(name);
    let version = if version.is_empty() {
        ":latest"
    } else {
        version
    };
    format!("{host}/{path}{version}")
}

/// Reports whether two names are of one repository, regardless of their tags.
pub(super) fn is_same_repository(one: &str, other: &str) -> bool {
    let (one, other) = (Reference::read(one), Reference::read(other));
    (one.host, one.path) == (other.host, other.path)
}

/// The beginning of the names of images that must be signed: a registry, and maybe some of the
/// path. It ends where a component of the path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    host: String,
    path: String,
}

impl Prefix {
    /// Reads a prefix such as `us-docker.pkg.dev/palette-images`, `quay.io` or `busybox`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Prefix, String> {
        let whole = text.strip_suffix('/').unwrap_or(text);
        let (host, path) = match whole.split_once('/') {
            None if is_registry(whole) => (normal_host(whole), ""),
            _ => split_host(whole),
        };
        let wrong = if text.contains("://") {
            Some("leave out the https://")
        } else if path.contains([':', '@']) {
            Some("leave out the tag or digest")
        } else if whole.is_empty() || !is_path(path) || !is_path(&host.replace(':', "/")) {
            Some("not a registry or repository, such as us-docker.pkg.dev/palette-images")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Err(format!("{text:?} {wrong}"));
        }
        let path = match host.as_str() {
            DOCKER => path.strip_prefix("library/").unwrap_or(path),
            _ => path,
        };
        Ok(Prefix {
            path: path.to_owned(),
            host,
        })
    }

    /// Reports whether an image's name begins with it.
    pub fn covers(&self, name: &str) -> bool {
        let name = Reference::read(name);
        let rest = name.path.strip_prefix(&*self.path);
        let is_below =
            |rest: &str| self.path.is_empty() || rest.is_empty() || rest.starts_with('/');
        // All of `library/`, whose names leave it out.
        let is_library = self.path == LIBRARY && !name.path.contains('/');
        let in_path = rest.is_some_and(is_below) || (self.host == DOCKER && is_library);
        self.host == name.host && in_path
    }
}

/// Reports whether a word without a slash is a registry: it has a dot, or is `localhost`, and a
/// port at most behind it.
fn is_registry(word: &str) -> bool {
    let (host, port) = word.split_once(':').unwrap_or((word, "0"));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_port && (host.contains('.') || host.eq_ignore_ascii_case("localhost"))
}

/// Reports whether this can be a repository's path, or is empty.
fn is_path(path: &str) -> bool {
    let is_of_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let is_component = |part: &str| !part.is_empty() && part.chars().all(is_of_word);
    path.is_empty() || path.split('/').all(is_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(prefix: &str, name: &str) -> bool {
        Prefix::parse(prefix).unwrap().covers(name)
    }

    #[test]
    fn names_of_one_image_have_one_form() {
        for name in [
            "busybox",
            "busybox:latest",
            "library/busybox",
            "docker.io/busybox",
            "docker.io/library/busybox:latest",
            "index.docker.io/library/busybox",
            "Docker.IO/library/busybox",
        ] {
            assert_eq!(normalised(name), "docker.io/busybox:latest");
        }
        assert_eq!(normalised("localhost:5000/a"), "localhost:5000/a:latest");
        assert_eq!(normalised("quay.io/a/b@sha256:0"), "quay.io/a/b@sha256:0");
        assert_eq!(normalised("a/b:1@sha256:0"), "docker.io/a/b:1@sha256:0");
    }

    #[test]
    fn a_prefix_ends_where_a_component_ends() {
        let vendor = "us-docker.pkg.dev/palette-images";
        assert!(covers(
            vendor,
            "us-docker.pkg.dev/palette-images/edge/stylus:v4"
        ));
        assert!(covers(
            "US-docker.pkg.dev/palette-images/",
            "us-docker.pkg.dev/palette-images/x"
        ));
        assert!(covers(
            vendor,
            "US-DOCKER.PKG.DEV/palette-images/x@sha256:0"
        ));
        assert!(!covers(vendor, "us-docker.pkg.dev/palette-images-fips/x"));
        assert!(!covers(
            vendor,
            "us-docker.pkg.dev.example/palette-images/x"
        ));
        assert!(!covers(
            vendor,
            "quay.io/us-docker.pkg.dev/palette-images/x"
        ));
        assert!(!covers(vendor, "us-docker.pkg.dev/x"));
    }

    #[test]
    fn a_prefix_may_be_a_whole_registry_or_one_repository() {
        assert!(covers("quay.io", "quay.io/x/y:1"));
        assert!(!covers("quay.io", "quay.io.example/x"));
        assert!(!covers("quay.io", "quay.io:5000/x"));
        assert!(covers("localhost:5000", "localhost:5000/x"));
        assert!(covers("docker.io", "busybox"));
        for prefix in [
            "busybox",
            "docker.io/library/busybox",
            "index.docker.io/busybox",
        ] {
            assert!(covers(prefix, "docker.io/library/busybox:1.36"), "{prefix}");
            assert!(covers(prefix, "busybox:1.36"));
            assert!(!covers(prefix, "busybox2"));
        }
        assert!(covers("docker.io/library", "busybox"));
        assert!(!covers("docker.io/library", "bitnami/nginx"));
        assert!(covers("bitnami", "docker.io/bitnami/nginx"));
    }

    #[test]
    fn what_is_no_prefix_is_refused_in_words() {
        let wrong = "not a registry or repository, such as us-docker.pkg.dev/palette-images";
        for (text, words) in [
            ("https://quay.io/x", "leave out the https://"),
            ("quay.io/x:1", "leave out the tag or digest"),
            ("busybox:1.36", "leave out the tag or digest"),
            ("", wrong),
            ("/", wrong),
            ("quay.io//x", wrong),
            ("quay.io/X", wrong),
            ("quay.io/x y", wrong),
        ] {
            assert_eq!(Prefix::parse(text), Err(format!("{text:?} {words}")));
        }
    }

    #[test]
    fn repositories_are_compared_without_tags() {
        assert!(is_same_repository(
            "busybox:1",
            "docker.io/library/busybox@sha256:0"
        ));
        assert!(!is_same_repository("busybox", "quay.io/busybox"));
    }

    #[test]
    fn every_label_that_is_a_name_counts_and_the_first_is_the_name() {
        let names = |text: &str| {
            let json = Json::parse(text.as_bytes()).unwrap();
            of_annotations(json.as_object().unwrap()).join(" ")
        };
        let (containerd, reference, base) = (LABELS[0], LABELS[1], LABELS[2]);
        let all = format!(r#"{{"{base}":"c/c","{reference}":"b/b:1","{containerd}":"a"}}"#);
        assert_eq!(names(&all), "a b/b:1 c/c");
        let same = format!(r#"{{"{base}":"b/b:1","{reference}":"b/b:1"}}"#);
        assert_eq!(names(&same), "b/b:1");
        let tag = format!(r#"{{"{base}":"c/c","{reference}":"1.36"}}"#);
        assert_eq!(names(&tag), "c/c");
        let only_tag = format!(r#"{{"{reference}":"1.36","{containerd}":""}}"#);
        assert_eq!(names(&only_tag), "");
    }

    #[test]
    fn the_port_of_https_and_a_dot_behind_a_host_mean_nothing() {
        for name in [
            "quay.io:443/x:1",
            "quay.io./x:1",
            "Quay.io.:443/x:1",
            "quay.io/x:1",
        ] {
            assert_eq!(normalised(name), "quay.io/x:1");
            assert!(covers("quay.io/x", name), "{name}");
        }
        assert_eq!(normalised("index.docker.io:443/library/x"), normalised("x"));
        assert!(!covers("quay.io/x", "quay.io:8443/x:1"));
    }

    #[test]
    fn only_names_of_the_grammar_are_legal() {
        let digest = format!("quay.io/x@sha256:{}", "0".repeat(64));
        for name in [
            "busybox",
            "busybox:1.36",
            "localhost:5000/a/b:v1_2-x",
            "US.example/a.b/c__d/e--f:V1",
            "127.0.0.1:31999/x",
            &digest,
            &digest.replace('@', ":1@"),
        ] {
            assert!(is_legal(name), "{name}");
        }
        for name in [
            "",
            "us.example//a",
            "us.example/./a",
            "us.example/x/../a",
            "us.example./a",
            "us.example/%70al/a",
            "us.example\\pal/a",
            "us.example/Pal/a",
            "us.еxample/a",
            "us.example/pal:x/a",
            "us.example/pal@sha256:00/a",
            "us.example/pal@sha256:00",
            "us.example/pal/",
            "/us.example/pal",
            " us.example/pal",
            "us.example/pal:v1\n",
            "https://us.example/pal:1",
            "docker://us.example/pal:1",
            "us.example:/pal",
            "us.example/a___b",
            "us.example/a..b",
            "us.example/a:-1",
            "us.example/a:",
        ] {
            assert!(!is_legal(name), "{name}");
        }
    }
}

//! Names of images: references as Docker reads them, labels, and prefixes of registries.

use super::json::{Json, Object};

/// Annotations that name an image, the first of which counts.
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

/// Returns the name that a descriptor's annotations give an image.
pub(super) fn of_annotations(annotations: &Object) -> Option<Box<str>> {
    let named = |key: &&str| {
        let name = annotations.exact(key).and_then(Json::as_str)?;
        let is_name = !name.is_empty() && (*key != REF_NAME || name.contains('/'));
        is_name.then(|| name.into())
    };
    LABELS.iter().find_map(named)
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
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => DOCKER.to_owned(),
        _ => host,
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

/// Reports whether two names are of one repository, whatever their tags.
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
    fn the_first_label_that_is_a_name_counts() {
        let name = |text: &str| {
            let json = Json::parse(text.as_bytes()).unwrap();
            of_annotations(json.as_object().unwrap())
        };
        let (containerd, reference, base) = (LABELS[0], LABELS[1], LABELS[2]);
        let all = format!(r#"{{"{base}":"c/c","{reference}":"b/b:1","{containerd}":"a"}}"#);
        assert_eq!(name(&all).as_deref(), Some("a"));
        let tag = format!(r#"{{"{base}":"c/c","{reference}":"1.36"}}"#);
        assert_eq!(name(&tag).as_deref(), Some("c/c"));
        let only_tag = format!(r#"{{"{reference}":"1.36","{containerd}":""}}"#);
        assert_eq!(name(&only_tag), None);
    }
}

//! The drawing of docs/ARCHITECTURE.md, held against the code: which room imports which, how large
//! each is, where `unsafe` is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the top down, each with those that it may import. `*` is all below it.
const ARROWS: [(&str, &[&str]); 31] = [
    ("main", &["lib"]),
    ("bin", &["lib"]),
    ("lib", &["*"]),
    (
        "command",
        &[
            "terminal", "report", "merge", "verify", "engine", "run", "audit", "earlier", "shard",
            "hints", "envelope", "mirror", "trust", "content", "digest", "module", "names",
            "limits", "files", "progress", "text",
        ],
    ),
    ("terminal", &["run", "progress", "text"]),
    (
        "report",
        &[
            "run", "audit", "earlier", "shard", "hints", "trust", "digest", "module", "wire",
            "names", "files", "text",
        ],
    ),
    (
        "merge",
        &[
            "run", "earlier", "shard", "hints", "trust", "digest", "module", "wire", "names",
            "files", "text",
        ],
    ),
    (
        "verify",
        &[
            "engine",
            "earlier",
            "mirror",
            "checksums",
            "hints",
            "trust",
            "content",
            "device",
            "digest",
            "names",
            "limits",
            "files",
            "progress",
            "text",
        ],
    ),
    (
        "engine",
        &[
            "bundle", "content", "device", "digest", "hints", "image", "envelope", "trust",
            "limits", "files", "progress", "text",
        ],
    ),
    (
        "run",
        &[
            "audit", "earlier", "shard", "hints", "trust", "digest", "module", "text",
        ],
    ),
    (
        "audit",
        &["trust", "digest", "wire", "names", "files", "text"],
    ),
    ("earlier", &["trust", "digest", "wire", "files", "text"]),
    ("shard", &["mirror", "trust", "digest", "names", "files"]),
    ("hints", &["trust", "digest", "files", "text"]),
    ("image", &["sigstore", "trust", "digest", "files", "text"]),
    (
        "envelope",
        &["sigstore", "trust", "digest", "names", "text"],
    ),
    ("sigstore", &["trust", "digest", "text"]),
    ("mirror", &["trust", "names", "files", "text"]),
    ("checksums", &["trust", "digest", "text"]),
    ("trust", &["digest", "module", "files", "text"]),
    ("bundle", &["content", "digest", "text"]),
    ("content", &["files"]),
    ("device", &[]),
    ("digest", &["module"]),
    ("module", &[]),
    ("names", &["files"]),
    ("limits", &[]),
    ("progress", &[]),
    ("wire", &[]),
    ("files", &["text"]),
    ("text", &[]),
];

/// The most of all lines that may be in one room, in percent.
const LARGEST_ROOM: usize = 15;

/// The only files in which `unsafe` is allowed.
const UNSAFE: [&str; 7] = [
    "content/mapped.rs",
    "content/mapped/bus.rs",
    "digest/kernels/avx2.rs",
    "digest/kernels/sha_ni.rs",
    "module/hash.rs",
    "module/key.rs",
    "terminal/closed.rs",
];

/// A source file: its path below `src`, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn room(&self) -> String {
        let first = self.path.iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    fn code(&self) -> String {
        code_of(&self.text)
    }

    /// The rooms that the code names by `crate::`.
    fn imports(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut rooms = BTreeSet::new();
        for rest in code.split("crate::").skip(1) {
            let list = match rest.strip_prefix('{') {
                Some(inside) => top_level_names(inside),
                None => vec![word(rest)],
            };
            rooms.extend(list);
        }
        rooms.remove(&self.room());
        rooms
    }
}

/// The code of a file without comments and tests.
pub fn code_of(text: &str) -> String {
    let lines = text.lines();
    let code: Vec<&str> = lines
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    // Tests in a file of their own are only named here, wherever that is; those in this file end it.
    code.join("\n")
        .replace("#[cfg(test)]\nmod tests;", "")
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn what_follows_the_name_of_a_module_of_tests_is_code_and_what_is_in_one_is_not() {
    let source = Source {
        path: PathBuf::from("trust/mod.rs"),
        text: "mod a;\n#[cfg(test)]\nmod tests;\n\nuse crate::{engine::Pool, digest};\n// crate::report\n\
               #[cfg(test)]\nmod tests {\n    use crate::terminal;\n}\n"
            .to_owned(),
    };
    let rooms = ["digest", "engine"].map(str::to_owned);
    assert_eq!(source.imports(), BTreeSet::from(rooms));
}

/// The first word of a text.
fn word(text: &str) -> String {
    let is_of_word = |c: &char| c.is_alphanumeric() || *c == '_';
    text.chars().take_while(is_of_word).collect()
}

/// The first words of the items of a list in braces, of which the opening one is gone.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ => items.last_mut().unwrap().push(c),
        }
    }
    let words = items.iter().map(|item| word(item.trim()));
    words.filter(|word| !word.is_empty()).collect()
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source {
                    text: fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(&root).unwrap().to_owned(),
                });
            }
        }
    }
    sources
}

#[test]
fn every_import_is_an_arrow_of_the_drawing() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let room = source.room();
        // What unit tests share is used by them alone.
        if room == "testing" {
            continue;
        }
        let arrows = allowed.get(room.as_str());
        let Some(arrows) = arrows else {
            wrong.push(format!("{room} is not in the drawing"));
            continue;
        };
        let mut imports = source.imports();
        // Unit tests in a file of their own may use it, too.
        if source.path.ends_with("tests.rs") {
            imports.remove("testing");
        }
        for import in imports {
            if !arrows.contains(&"*") && !arrows.contains(&import.as_str()) {
                wrong.push(format!("{}: {room} -> {import}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_arrow_of_the_drawing_is_an_import() {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        imports
            .entry(source.room())
            .or_default()
            .extend(source.imports());
    }
    for (room, arrows) in ARROWS {
        // The programs name the library by its own name; and `*` need not be all of them.
        let named = arrows.iter().filter(|arrow| !["lib", "*"].contains(*arrow));
        for arrow in named {
            assert!(
                imports[room].contains(*arrow),
                "{room} -> {arrow} is unused"
            );
        }
    }
}

#[test]
fn every_arrow_points_downwards() {
    let place = |room: &str| ARROWS.iter().position(|(known, _)| *known == room);
    for (room, arrows) in ARROWS {
        for arrow in arrows.iter().filter(|arrow| **arrow != "*") {
            assert!(place(arrow) > place(room), "{room} -> {arrow}");
        }
    }
}

#[test]
fn no_room_holds_more_than_its_share_of_the_lines() {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources() {
        *lines.entry(source.room()).or_default() += source.text.lines().count();
    }
    let all: usize = lines.values().sum();
    for (room, lines) in lines {
        let is_too_large = lines * 100 > LARGEST_ROOM * all;
        assert!(!is_too_large, "{room}: {lines} of {all} lines");
    }
}

#[test]
fn unsafe_code_is_only_in_its_rooms() {
    // In any form: the lint is denied for the whole package, and only an attribute ends that.
    let allows = |source: &Source| source.code().contains("unsafe_code");
    let mut found: Vec<String> = sources()
        .iter()
        .filter(|source| allows(source))
        .map(|source| source.path.display().to_string())
        .collect();
    found.sort();
    assert_eq!(found, UNSAFE);
}

#[test]
fn the_drawing_for_newcomers_names_every_room() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let drawing = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    for (room, _) in ARROWS {
        let named = [format!("`{room}/`"), format!("`{room}.rs`")];
        assert!(named.iter().any(|name| drawing.contains(name)), "{room}");
    }
}

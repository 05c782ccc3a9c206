//! Names made to deceive, through the whole command: none can forge, hide or break a line, and what
//! is printed leads back to the bytes.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::unescape::unescaped;
use crate::support::{Mirror, Run, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rustix::fs::{Mode, OFlags};
use serde_json::Value;

const MARKS: [&str; 3] = ["✅", "❌", "⚠️"];
/// Characters that would turn or hide the writing around them.
const UNSEEN: [char; 8] = [
    '\u{200b}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{feff}',
];

/// A record, as a line or an object tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    path: Vec<u8>,
    status: String,
}

/// What a line says; with a reason behind it or not.
fn of_line(line: &str) -> Shown {
    let found: Vec<(usize, &str)> = MARKS.iter().flat_map(|m| line.match_indices(m)).collect();
    assert_eq!(found.len(), 1, "one mark, the verdict's: {line:?}");
    let (name, verdict) = line.split_at(found[0].0);
    let status = [
        ("✅ Signature valid", "valid"),
        ("❌ Signature invalid", "invalid"),
        ("❌ Data file not found", "missing"),
        ("❌ Signature file not found", "unsigned"),
        ("⚠️ Signature file not found", "unsigned"),
        ("❌ Cannot read: ", "unreadable"),
        ("❌ Not a regular file", "not-regular"),
    ];
    let (_, status) = status
        .iter()
        .find(|(words, _)| verdict.starts_with(words))
        .ok_or(line)
        .unwrap();
    Shown {
        path: unescaped(name.strip_suffix(": ").unwrap().as_bytes()),
        status: (*status).to_owned(),
    }
}

fn member(object: &Value, name: &str) -> Option<Vec<u8>> {
    match (object.get(name), object.get(format!("{name}_base64"))) {
        (Some(text), None) => Some(text.as_str()?.as_bytes().to_owned()),
        (None, Some(text)) => Some(STANDARD.decode(text.as_str()?).unwrap()),
        _ => None,
    }
}

fn of_object(object: &Value) -> Shown {
    Shown {
        path: member(object, "path").unwrap(),
        status: object["status"].as_str().unwrap().to_owned(),
    }
}

/// Whether a terminal would obey it, or show nothing of it.
fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n') || UNSEEN.contains(&c)
}

/// What the lines for people begin with.
const OWN: [&str; 11] = [
    "error: ",
    "warning: ",
    "note: ",
    "help: ",
    "key: ",
    "summary: ",
    "OK: ",
    "FAILED: ",
    "NO VERDICT: ",
    "not checked: ",
    "run: ",
];

/// Whether a stream for people is made of whole lines of the program's own, with nothing in them
/// that a terminal obeys.
fn is_plain(text: &str) -> bool {
    !text.contains(deceives)
        && text
            .lines()
            .all(|line| OWN.iter().any(|label| line.starts_with(label)))
}

fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// What lies under a stem.
#[derive(Clone, Copy, Debug)]
enum Lies {
    Signed,
    /// Signed, and changed afterwards.
    Altered,
    DataOnly,
    SignatureOnly,
    /// A directory under the artifact's name, and a signature.
    Directory,
    /// A link to nowhere under the artifact's name, and a signature.
    Dangling,
}

#[derive(Clone, Debug)]
struct File {
    stem: Vec<u8>,
    ending: &'static str,
    lies: Lies,
    /// Whether it lies in the directory with the worst of names.
    below: bool,
}

/// What names are made of: what breaks lines, moves cursors, turns the writing, looks like a line
/// or an option, or is no text at all.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"\n",
        b"\r",
        b"\t",
        b"\x1b[2K",
        b"\x1b]0;title\x07",
        b"\x7f",
        b"\x9b31m",
        b"\xff",
        b"\xc3",
        b"\\",
        b"\\n",
        b"\\u{a}",
        b"\\x",
        b" ",
        b"'",
        b"\"",
        b"-",
        b"--quiet",
        b": ",
        b".zst",
        b".iso",
        b".sig.bin",
        b"a",
        b"$(id)",
        b"*",
        b"\n{\"type\":\"artifact\",\"path\":\"a\",\"status\":\"valid\"}\n",
        "a.zst: ✅ Signature valid\n".as_bytes(),
        "✅".as_bytes(),
        "⚠️ Signature file not found".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{85}".as_bytes(),
        "\u{feff}".as_bytes(),
        "ü日🔑".as_bytes(),
    ];
    let random = prop::collection::vec(any::<u8>(), 1..4);
    prop_oneof![
        4 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => random,
    ]
}

fn stem() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 1..6).prop_map(|pieces| {
        let mut stem = pieces.concat();
        stem.retain(|byte| !matches!(byte, b'/' | 0));
        stem.truncate(255 - ".iso.sig.bin".len());
        // Never `.` or `..` alone, nor nothing.
        stem.extend(stem.iter().all(|byte| *byte == b'.').then_some(b'x'));
        stem
    })
}

fn file() -> impl Strategy<Value = File> {
    use Lies::*;
    let kinds = vec![
        Signed,
        Signed,
        Altered,
        DataOnly,
        SignatureOnly,
        Directory,
        Dangling,
    ];
    let ending = prop::sample::select(vec![".zst", ".iso", ""]);
    (stem(), ending, prop::sample::select(kinds), any::<bool>()).prop_map(
        |(stem, ending, lies, below)| File {
            stem,
            ending,
            lies,
            below,
        },
    )
}

const GOOD: &[u8] = b"signed";
const BAD: &[u8] = b"never signed";
const WORST: &[u8] = b"d\n\x1b[31m\xffx.zst: \xe2\x9c\x85 Signature valid\r";

/// Puts it down, unless something under these names is there already. Returns the paths of what
/// must be told of.
fn put(mirror: &Mirror, root: &Path, file: &File) -> Vec<PathBuf> {
    let directory = match file.below {
        true => root.join(name(WORST)),
        false => root.to_owned(),
    };
    let data = directory.join(name(&[&file.stem, file.ending.as_bytes()].concat()));
    let signature = directory.join(name(
        &[&file.stem, file.ending.as_bytes(), b".sig.bin"].concat(),
    ));
    if data.symlink_metadata().is_ok() || signature.symlink_metadata().is_ok() {
        return Vec::new();
    }
    let sign = || fs::write(&signature, sign(&mirror.key, GOOD)).unwrap();
    match file.lies {
        Lies::Signed => fs::write(&data, GOOD).map(|()| sign()).unwrap(),
        Lies::Altered => fs::write(&data, BAD).map(|()| sign()).unwrap(),
        Lies::DataOnly => fs::write(&data, BAD).unwrap(),
        Lies::SignatureOnly => sign(),
        Lies::Directory => fs::create_dir(&data).map(|()| sign()).unwrap(),
        Lies::Dangling => symlink("nowhere", &data).map(|()| sign()).unwrap(),
    }
    let needs_signature = !file.ending.is_empty() && !matches!(file.lies, Lies::Directory);
    let is_shown =
        |path: &PathBuf| path.symlink_metadata().is_ok() && (*path == signature || needs_signature);
    [data.clone(), signature.clone()]
        .into_iter()
        .filter(is_shown)
        .collect()
}

fn report(mirror: &Mirror) -> Vec<Value> {
    let text = fs::read(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    report["artifacts"].as_array().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn for_all_names_there_is_one_line_for_each_record_and_it_leads_back_to_it(
        files in prop::collection::vec(file(), 1..24),
        options in prop::sample::subsequence(vec!["--verbose", "--all-files", "--allow-unsigned", "--follow-links"], 0..=4),
    ) {
        let mirror = Mirror::new();
        let root = mirror.path().join("m");
        fs::create_dir_all(root.join(name(WORST))).unwrap();
        let put: BTreeSet<PathBuf> = files.iter().flat_map(|file| put(&mirror, &root, file)).collect();
        let run_with = |arguments: &[&str]| mirror.run(&[&["-k", "key.pem"], &options[..], arguments, &["m"]].concat());

        let run = run_with(&["--report", "r.json"]);
        let lines: Vec<Shown> = run.stdout.lines().map(of_line).collect();
        let records = report(&mirror);
        // In the same order, and no more of one than of the other.
        prop_assert_eq!(&lines, &records.iter().map(of_object).collect::<Vec<_>>());
        prop_assert!(is_plain(&run.stderr), "{}", run.stderr);
        prop_assert!(!run.stdout.contains(deceives), "{:?}", run.stdout);

        let stream = run_with(&["--format", "jsonl"]);
        let objects: Vec<Value> = stream.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (first, last) = (&objects[0], &objects[objects.len() - 1]);
        prop_assert_eq!((first["type"].as_str(), last["type"].as_str()), (Some("start"), Some("summary")));
        let mut streamed: Vec<Shown> = objects[1..objects.len() - 1].iter().map(of_object).collect();
        let mut sorted = lines.clone();
        streamed.sort();
        sorted.sort();
        prop_assert_eq!(&sorted, &streamed);

        // Only what was signed is valid, and nothing is lost.
        let mut shown = BTreeSet::new();
        for record in &records {
            let path = mirror.path().join(OsString::from_vec(member(record, "path").unwrap()));
            prop_assert!(record["status"] != "valid" || fs::read(&path).unwrap() == GOOD, "{:?}", path);
            shown.insert(path);
            shown.extend(member(record, "signature").map(|s| mirror.path().join(OsString::from_vec(s))));
        }
        prop_assert!(put.is_subset(&shown), "{:?}", put.difference(&shown));
        let fails = records.iter().any(|record| record["passes"] == false);
        prop_assert_eq!(fails, run.stdout.contains('❌'));
        let passes = records.iter().any(|record| record["status"] == "valid");
        let expected = match (fails, passes) { (true, _) => 1, (false, true) => 0, (false, false) => 2 };
        prop_assert_eq!((run.status, stream.status), (Some(expected), Some(expected)));
    }
}

#[test]
fn every_kind_of_hostile_name_is_verified_and_printed_as_documented() {
    let names: [(&[u8], &str); 12] = [
        (b" leading and trailing ", " leading and trailing "),
        (b"$(id) `id` 'x' \"y\" *", "$(id) `id` 'x' \"y\" *"),
        (b"--key=x", "--key=x"),
        (b"-", "-"),
        (
            b"a\nb.zst: \xe2\x9c\x85 Signature valid\nc",
            "a\\nb.zst: \\u{2705} Signature valid\\nc",
        ),
        (b"a\r\x1b[A\x1b[2Kb", "a\\r\\u{1b}[A\\u{1b}[2Kb"),
        (b"back\\slash\\n", "back\\\\slash\\\\n"),
        ("\u{202e}tsz".as_bytes(), "\\u{202e}tsz"),
        (
            "isolated\u{2066}\u{2069}".as_bytes(),
            "isolated\\u{2066}\\u{2069}",
        ),
        (b"not \xff\xfe utf-8 \xc3", "not \\xff\\xfe utf-8 \\xc3"),
        // As it is decomposed on some systems; another name than the composed one.
        ("u\u{308}".as_bytes(), "u\u{308}"),
        (&[b'n'; 247], "n*247"),
    ];
    for (stem, printed) in names {
        let printed = printed.replace("n*247", &"n".repeat(247));
        let mirror = Mirror::new();
        for path in ["m", "."] {
            let root = mirror.path().join("m");
            fs::create_dir_all(&root).unwrap();
            // With an ending of eight bytes the longest of them has 255.
            fs::write(root.join(name(&[stem, b".zst"].concat())), GOOD).unwrap();
            fs::write(
                root.join(name(&[stem, b".sig.bin"].concat())),
                sign(&mirror.key, GOOD),
            )
            .unwrap();
            let run = mirror.run(&["-k", "key.pem", path]);
            assert_eq!(run.stdout, format!("m/{printed}.zst: ✅ Signature valid\n"));
            assert!(is_plain(&run.stderr), "{}", run.stderr);
            assert_eq!(run.status, Some(0));
        }
        let mut command = mirror.command(&["-k", "../key.pem", "--"]);
        command.current_dir(mirror.path().join("m"));
        command.arg(name(&[stem, b".zst"].concat()));
        let run = Run::of(command);
        assert_eq!(run.stdout, format!("{printed}.zst: ✅ Signature valid\n"));
    }
}

/// What GitHub, Azure DevOps and TeamCity obey when a job prints it: `::` at the start of a line,
/// behind blanks of any kind, and the others anywhere in it.
const COMMANDS: [&str; 12] = [
    "::set-output name=x::y",
    "  ::error file=a::b",
    "\u{a0}::warning::x",
    "\u{3000}\u{2009}::add-mask::x",
    ":",
    " :",
    "##vso[task.setvariable variable=x]y",
    "a ##vso[task.complete result=Succeeded]",
    "##[add-matcher]x.json",
    "###[error]x",
    "##teamcity[buildStatus status='SUCCESS']",
    "  ##teamcity[x]",
];

/// Whether a runner would obey the line.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##")
}

#[test]
fn no_name_is_a_command_to_a_ci_runner_wherever_it_is_printed() {
    let mirror = Mirror::new();
    let mut put = BTreeSet::new();
    for command in COMMANDS {
        for (data, signature) in [
            (format!("{command}.zst"), format!("{command}.sig.bin")),
            (
                format!("d/{command}.iso"),
                format!("d/{command}.iso.sig.bin"),
            ),
            (format!("{command}d/x.zst"), format!("{command}d/x.sig.bin")),
        ] {
            mirror.write_signed(&data, &signature, GOOD);
            put.insert(data.into_bytes());
        }
        let unsigned = format!("{command}.iso");
        mirror.write(&unsigned, BAD);
        put.insert(unsigned.into_bytes());
        // A note on names that belong to nothing, and links that lead out.
        mirror.write(&format!("{command}.sig.bin.1"), "");
        symlink("/", mirror.path().join(format!("{command}.link"))).unwrap();
        put.insert(format!("{command}.link").into_bytes());
    }
    for options in [
        &[][..],
        &["-v"],
        &["--quiet"],
        &["--format", "jsonl", "-v"],
        &["--progress", "always"],
    ] {
        let run = mirror.run(&[&["-k", "key.pem"], options].concat());
        for line in run.stdout.lines().chain(run.stderr.lines()) {
            assert!(!is_command(line), "{options:?}: {line:?}");
            assert!(!line.contains(deceives), "{options:?}: {line:?}");
        }
        assert_eq!(run.status, Some(1));
    }
    let lines = mirror.run(&["-k", "key.pem"]).stdout;
    let shown: BTreeSet<Vec<u8>> = lines.lines().map(|line| of_line(line).path).collect();
    assert_eq!(shown, put);
    let stream = mirror.run(&["-k", "key.pem", "--format", "jsonl"]).stdout;
    let objects = stream
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown: BTreeSet<Vec<u8>> = objects.filter_map(|o| member(&o, "path")).collect();
    assert_eq!(shown, put);
}

#[test]
fn no_argument_is_a_command_to_a_ci_runner() {
    for command in COMMANDS {
        for arguments in [
            vec!["-k", command],
            vec!["-k", "key.pem", command],
            vec!["-k", "key.pem", "--report", command],
            vec!["-k", "key.pem", "--format", command],
            vec!["-k", "key.pem", "--exclude", command, "nowhere"],
            vec!["-k", "key.pem", "-s", command, "x.zst"],
        ] {
            let arguments: Vec<&[u8]> = arguments.iter().map(|a| a.as_bytes()).collect();
            let run = run_in_mirror(|_| {}, &arguments);
            // One of them is a name that a report can have.
            let is_report = arguments.contains(&b"##[add-matcher]x.json".as_slice());
            assert!(run.status == Some(2) || is_report, "{}", run.stderr);
            for line in run.stdout.lines().chain(run.stderr.lines()) {
                assert!(!is_command(line), "{line:?}");
            }
        }
    }
}

#[test]
fn what_shows_nothing_or_looks_like_a_blank_is_printed_escaped() {
    let unseen = [
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{1680}',
        '\u{17b4}',
        '\u{180b}',
        '\u{180f}',
        '\u{2000}',
        '\u{200a}',
        '\u{202f}',
        '\u{205f}',
        '\u{2064}',
        '\u{2065}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{ffa0}',
        '\u{fff0}',
        '\u{fff8}',
        '\u{1bca3}',
        '\u{1d17a}',
        '\u{13442}',
        '\u{e0000}',
        '\u{e0100}',
        '\u{e0fff}',
    ];
    let mirror = Mirror::new();
    let mut expected = BTreeSet::new();
    for c in unseen {
        mirror.write_signed(&format!("a{c}.zst"), &format!("a{c}.sig.bin"), GOOD);
        expected.insert(format!(
            "a\\u{{{:x}}}.zst: ✅ Signature valid",
            u32::from(c)
        ));
    }
    let run = mirror.run(&["-k", "key.pem"]);
    assert_eq!(
        run.stdout
            .lines()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>(),
        expected
    );
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl"]);
    assert!(!run.stdout.contains(unseen), "{}", run.stdout);
}

/// Makes directories one in the other where their whole path is too long to be named, each with a
/// signed pair in it.
struct Descent<'a> {
    mirror: &'a Mirror,
    put: Vec<Vec<u8>>,
}

impl Descent<'_> {
    fn pair(&mut self, directory: impl AsFd, path: &[u8]) {
        let signature = sign(&self.mirror.key, GOOD);
        for (file, content) in [("x.zst", GOOD), ("x.sig.bin", &signature)] {
            let flags = OFlags::CREATE | OFlags::WRONLY;
            let file = rustix::fs::openat(&directory, file, flags, Mode::from(0o644)).unwrap();
            rustix::io::write(file, content).unwrap();
        }
        self.put.push([path, b"/x.zst"].concat());
    }

    /// Enters a new directory. Returns it with its path.
    fn enter(
        &mut self,
        parent: impl AsFd,
        path: &[u8],
        name: &str,
    ) -> (rustix::fd::OwnedFd, Vec<u8>) {
        rustix::fs::mkdirat(&parent, name, Mode::from(0o755)).unwrap();
        let flags = OFlags::DIRECTORY | OFlags::RDONLY;
        let child = rustix::fs::openat(parent, name, flags, Mode::empty()).unwrap();
        let path = [path, b"/", name.as_bytes()].concat();
        self.pair(&child, &path);
        (child, path)
    }
}

#[test]
fn behind_a_path_that_is_too_long_nothing_is_lost() {
    const PATH_MAX: usize = 4096;
    let mirror = Mirror::new();
    let mut descent = Descent {
        mirror: &mirror,
        put: Vec::new(),
    };
    let mut path = b"m".to_vec();
    fs::create_dir(mirror.path().join("m")).unwrap();
    let mut directory = fs::File::open(mirror.path().join("m")).unwrap().into();
    while path.len() + 256 < PATH_MAX {
        (directory, path) = descent.enter(&directory, &path, &"d".repeat(255));
    }
    // At the brink: the path of the directory, of its data, of its signature and of what is below
    // become too long one after the other.
    for length in PATH_MAX - 20..=PATH_MAX {
        let name = "e".repeat(length - path.len() - 1);
        let (brink, below) = descent.enter(&directory, &path, &name);
        let (brink, below) = descent.enter(&brink, &below, "f");
        descent.enter(&brink, &below, &"g".repeat(255));
    }
    for options in [&[][..], &["-L"], &["--jobs", "1", "--io", "read"]] {
        let run = mirror.run(&[&["-k", "key.pem", "m"], options].concat());
        let shown: Vec<Shown> = run.stdout.lines().map(of_line).collect();
        for put in &descent.put {
            let judged = shown.iter().any(|shown| shown.path == *put);
            let given_up = |shown: &Shown| {
                let below = put.strip_prefix(&shown.path[..]);
                shown.status == "unreadable" && below.is_some_and(|below| below.starts_with(b"/"))
            };
            assert!(judged != shown.iter().any(given_up), "{} bytes", put.len());
        }
        let valid = descent
            .put
            .iter()
            .filter(|put| put.len() + ".bin".len() < PATH_MAX)
            .count();
        let counts = ["valid", "unreadable"]
            .map(|status| shown.iter().filter(|shown| shown.status == status).count());
        assert_eq!(counts, [valid, shown.len() - valid]);
        let unreadable = run.stdout.lines().filter(|line| line.contains('❌'));
        assert!(
            unreadable
                .into_iter()
                .all(|line| line.ends_with("❌ Cannot read: File name too long"))
        );
        assert_eq!(run.status, Some(1));
    }
}

/// A name that would like to be a line of its own, in red.
const FORGED: &str = "n\r\n\u{1b}[31mverify-signatures: 6 valid\u{202e}\u{9b}0m";

fn run_in_mirror(prepare: impl FnOnce(&Mirror), arguments: &[&[u8]]) -> Run {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", GOOD);
    prepare(&mirror);
    let mut command = mirror.command(&[]);
    command.args(arguments.iter().map(|argument| name(argument)));
    Run::of(command)
}

/// How `FORGED` looks where it is told of.
const SHOWN: &str = "n\\r\\n\\u{1b}[31mverify-signatures: 6 valid\\u{202e}\\u{9b}0m";

#[test]
fn no_name_of_a_link_a_key_or_a_report_reaches_stderr_as_it_is() {
    let prepare = |mirror: &Mirror| {
        fs::create_dir(mirror.path().join("m")).unwrap();
        symlink("..", mirror.path().join("m").join(FORGED)).unwrap();
        fs::create_dir(mirror.path().join(FORGED)).unwrap();
        fs::write(mirror.path().join(FORGED).join("y.zst"), GOOD).unwrap();
        symlink(
            format!("../{FORGED}/y.zst"),
            mirror.path().join(format!("m/{FORGED}.zst")),
        )
        .unwrap();
        fs::copy(
            mirror.path().join("key.pem"),
            mirror.path().join(format!("m/{FORGED}.pem")),
        )
        .unwrap();
    };
    let key = format!("m/{FORGED}.pem");
    let report = format!("{FORGED}.json");
    let arguments = ["-v", "-k", &key, "--report", &report, "m"].map(str::as_bytes);
    let run = run_in_mirror(prepare, &arguments);
    assert!(is_plain(&run.stderr), "{}", run.stderr);
    for shown in [
        "pem: this key is inside the tree that it verifies",
        "outside of the PATHs",
        "pem (f857ae4ed6e34e33761aea25caaee3fe54a15960fb92dcd63a375ab121deb2a9): 0 valid",
    ] {
        let line = run.stderr.lines().find(|line| line.contains(shown));
        assert!(
            line.unwrap_or_default().contains(SHOWN),
            "{shown}: {}",
            run.stderr
        );
    }
}

#[test]
fn no_argument_reaches_stderr_unescaped_in_any_usage_error() {
    let forged = |before: &str, after: &str| format!("{before}{FORGED}{after}").into_bytes();
    let with_key =
        |arguments: &[Vec<u8>]| [&[b"-k".to_vec(), b"key.pem".to_vec()], arguments].concat();
    let wrong = [
        with_key(&[forged("", "")]),
        with_key(&[b"--exclude".to_vec(), forged("[", "")]),
        with_key(&[b"--exclude".to_vec(), forged("/", "")]),
        with_key(&[b"--report".to_vec(), forged("", "")]),
        with_key(&[b"--report".to_vec(), forged("nowhere/", ".json")]),
        with_key(&[b"-s".to_vec(), forged("", ""), b"x.zst".to_vec()]),
        with_key(&[b"--key-fingerprint".to_vec(), forged("", "")]),
        with_key(&[b"--sha256".to_vec(), forged("", "")]),
        with_key(&[b"--jobs".to_vec(), forged("", "")]),
        with_key(&[forged("--max-depth=", "")]),
        with_key(&[forged("--format=", "")]),
        with_key(&[forged("--generate=", "")]),
        with_key(&[b"--exclude".to_vec(), b"\xff\x1b[31m".to_vec()]),
        vec![b"-k".to_vec(), forged("", "")],
        vec![b"-k".to_vec(), b"x.zst".to_vec(), forged("", "")],
        // As `verify-signatures *` would have it, where a file is named so.
        vec![forged("--", "")],
        vec![forged("-", "")],
        vec![b"--status".to_vec(), b"-v".to_vec(), forged("", "")],
    ];
    for arguments in &wrong {
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        let run = run_in_mirror(|_| {}, &arguments);
        let shown = arguments.last().map(|last| String::from_utf8_lossy(last));
        assert_eq!(run.status, Some(2), "{shown:?}: {}", run.stderr);
        assert!(
            !run.stderr.contains(deceives),
            "{shown:?}: {:?}",
            run.stderr
        );
        assert!(
            !run.stderr.contains("\nverify-signatures: 6 valid"),
            "{:?}",
            run.stderr
        );
        assert!(!run.stderr.is_empty());
        assert_eq!(run.stdout, "");
    }
}

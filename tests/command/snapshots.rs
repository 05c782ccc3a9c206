//! Whole outputs, kept as files in `tests/snapshots/`. `UPDATE_EXPECT=1 cargo test --test command
//! snapshots` writes them anew; what changed is to be read, then, before it is committed.

use std::fs;

use crate::support::{Mirror, PINNED, Run, sign};
use expect_test::expect_file;

#[test]
fn help() {
    let short = Mirror::new().run(&["-h"]);
    expect_file!["../snapshots/help-short.txt"].assert_eq(&short.stdout);
    let long = Mirror::new().run(&["--help"]);
    expect_file!["../snapshots/help-long.txt"].assert_eq(&long.stdout);
    assert_eq!((short.status, long.status), (Some(0), Some(0)));
}

/// One artifact of each kind, whose names and contents have something to escape or to note.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("m/4.10/p-4.10.zst", "m/4.10/p-4.10.sig.bin", b"a pack");
    mirror.write_signed("m/4.11/p-4.11.zst", "m/4.11/p-4.11.sig.bin", b"a pack");
    mirror.write("m/appliance.iso", "<!doctype html><title>Login</title>");
    mirror.write("m/appliance.iso.sig.bin", sign(&mirror.key, b"an image"));
    mirror.write("m/encoded.zst", "alpha");
    mirror.write("m/encoded.sig.bin", "TUVVQ0lRQw==");
    mirror.write("m/gone.sig.bin", sign(&mirror.key, b"x"));
    mirror.write("m/<odd> & \u{202e}'\"\n.zst", "no signature");
    mirror.write("m/x.zst.part", "unfinished");
    mirror
}

/// A run over [`mirror`] with what is chosen by the machine chosen here.
fn run(mirror: &Mirror, arguments: &[&str]) -> Run {
    let fixed = ["--jobs", "1", "--sha256", "portable", "m"];
    mirror.run(&[&PINNED, arguments, &fixed].concat())
}

/// The text without what is another time, place or speed in another run, and without what stands in
/// files of its own.
fn steady(mirror: &Mirror, text: &str) -> String {
    let directory = mirror.path().canonicalize().unwrap();
    let host = rustix::system::uname();
    let version = env!("CARGO_PKG_VERSION");
    let mut text = text
        .replace(directory.to_str().unwrap(), "/DIRECTORY")
        .replace(host.nodename().to_str().unwrap(), "HOST")
        .replace(
            &format!("verify-signatures {version}"),
            "verify-signatures VERSION",
        )
        .replace(&format!("value=\"{version}\""), "value=\"VERSION\"");
    for medium in [
        "solid-state drive",
        "virtual disk",
        "device of unknown kind",
        "network share",
        "spinning disk",
    ] {
        text = text.replace(&format!(" {medium}: "), " DEVICE: ");
    }
    for pattern in [
        "dddd-dd-ddTdd:dd:dd.ddd",
        "dddd-dd-dd dd:dd UTC",
        "\"d.ddd\"",
        ">d.ddd<",
    ] {
        text = with_zeros(&text, pattern);
    }
    for (begin, end, with) in [
        (" B in ", "/s\n", "TIME, RATE"),
        ("<dt>Took</dt><dd>", "</dd>", "TIME, RATE"),
        ("<style>", "</style>", "STYLE"),
        ("<script>", "</script>", "SCRIPT"),
        ("&#39;sha256-", "&#39;", "DIGEST"),
        ("<dt>Run</dt><dd class=\"code\">", "</dd>", "UUID"),
        ("name=\"run\" value=\"", "\"", "UUID"),
        ("run: ", "\n", "UUID"),
        ("report written, SHA-256 ", "\n", "DIGEST"),
        ("<dt>Executable</dt><dd class=\"code\">", "</dd>", "DIGEST"),
        ("name=\"executable-sha256\" value=\"", "\"", "DIGEST"),
        ("<dt>Command</dt><dd class=\"code\">", " -k ", "PROGRAM"),
        ("name=\"command\" value=\"", " -k ", "PROGRAM"),
        ("<dt>User</dt><dd>", "</dd>", "USER"),
        ("name=\"user\" value=\"", "\"", "USER"),
        ("<dt>System</dt><dd>", "</dd>", "SYSTEM"),
        ("name=\"system\" value=\"", "\"", "SYSTEM"),
    ] {
        text = between(&text, begin, end, with);
    }
    text
}

/// The text with a zero for each digit where it matches a pattern, in which `d` is a digit.
fn with_zeros(text: &str, pattern: &str) -> String {
    let fits = |place: &[u8]| {
        let mut pairs = place.iter().zip(pattern.bytes());
        place.len() == pattern.len()
            && pairs.all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                _ => *byte == wanted,
            })
    };
    let mut bytes = text.as_bytes().to_vec();
    for at in 0..bytes.len() {
        let end = bytes.len().min(at + pattern.len());
        if fits(&bytes[at..end]) {
            bytes[at..end].copy_from_slice(pattern.replace('d', "0").as_bytes());
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The text with something else between each such beginning and the next such end.
fn between(text: &str, begin: &str, end: &str, with: &str) -> String {
    let mut pieces = text.split(begin);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let rest = piece.split_once(end).map_or(piece, |(_, rest)| rest);
        text + begin + with + end + rest
    })
}

#[test]
fn lines_and_messages_of_a_verbose_run() {
    let mirror = mirror();
    let run = run(&mirror, &["--verbose"]);
    expect_file!["../snapshots/verbose-stdout.txt"].assert_eq(&run.stdout);
    expect_file!["../snapshots/verbose-stderr.txt"].assert_eq(&steady(&mirror, &run.stderr));
    assert_eq!(run.status, Some(1));
}

#[test]
fn reports() {
    let mirror = mirror();
    let run = run(&mirror, &["--report", "r.html", "--report", "r.xml"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let report = |name: &str| {
        let text = fs::read_to_string(mirror.path().join(name)).unwrap();
        steady(&mirror, &text)
    };
    expect_file!["../snapshots/report.html"].assert_eq(&report("r.html"));
    expect_file!["../snapshots/report.xml"].assert_eq(&report("r.xml"));
}

//! Trees made to mislead, block or overwhelm a walk, through the whole command.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Mirror, PINNED, Run, is_available, is_root, sign};
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat};

const GOOD: &[u8] = b"signed";
const BAD: &[u8] = b"never signed";

fn link(mirror: &Mirror, target: &str, link: &str) {
    let link = mirror.path().join(link);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(target, link).unwrap();
}

fn signed(mirror: &Mirror, stem: &str) {
    mirror.write_signed(&format!("{stem}.zst"), &format!("{stem}.sig.bin"), GOOD);
}

/// The run, if it ends in that time; else it is killed, and the test fails.
fn within(limit: Duration, mut command: Command) -> Run {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (id, over) = (child.id(), AtomicBool::new(false));
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && started.elapsed() < limit {
                thread::sleep(Duration::from_millis(5));
            }
            if !over.load(Ordering::Relaxed) {
                let kill = ["-c", "kill -KILL \"$0\"", &id.to_string()];
                let _ = Command::new("sh").args(kill).status();
            }
        });
        let mut stdout = String::new();
        let mut lines = child.stdout.take().unwrap();
        io::Read::read_to_string(&mut lines, &mut stdout).unwrap();
        let output = child.wait_with_output().unwrap();
        over.store(true, Ordering::Relaxed);
        assert_eq!(
            output.status.signal(),
            None,
            "after {:?}: {stdout}",
            started.elapsed()
        );
        Run {
            stdout,
            ..output.into()
        }
    })
}

#[test]
fn loops_of_links_end_and_every_file_has_one_line() {
    let mirror = Mirror::new();
    signed(&mirror, "m/a/x");
    signed(&mirror, "m/b/y");
    for (target, name) in [
        ("m/self", "m/self"),
        (".", "m/here"),
        ("..", "m/a/up"),
        ("../b", "m/a/other"),
        ("../a", "m/b/other"),
        ("two", "m/one"),
        ("one", "m/two"),
        ("two.zst", "m/one.zst"),
        ("one.zst", "m/two.zst"),
    ] {
        link(&mirror, target, name);
    }
    let limit = Duration::from_secs(60);
    let run = within(limit, mirror.command(&["-k", "key.pem", "m"]));
    let loops = [
        "m/one.zst: ❌ Signature file not found\n",
        "m/two.zst: ❌ Signature file not found\n",
    ]
    .concat();
    let files = "m/a/x.zst: ✅ Signature valid\nm/b/y.zst: ✅ Signature valid\n";
    assert_eq!(run.stdout, format!("{files}{loops}"));
    assert_eq!(run.status, Some(1));

    let run = within(limit, mirror.command(&["-k", "key.pem", "-L", "-v", "m"]));
    // Each directory lies in the tree and is read there; the links to it are further names.
    assert_eq!(
        verdicts(&run.stdout),
        "m/a/x.zst: ✅ Signature valid\n\
         m/b/y.zst: ✅ Signature valid\n\
         m/one: ❌ Cannot read: Too many levels of symbolic links\n\
         m/one.zst: ❌ Signature file not found\n\
         m/two: ❌ Cannot read: Too many levels of symbolic links\n\
         m/two.zst: ❌ Signature file not found\n"
    );
    for same in [
        "m/a/other: the same directory as m/b, judged there",
        "m/a/up: the same directory as m, judged there",
        "m/b/other: the same directory as m/a, judged there",
        "m/here: the same directory as m, judged there",
    ] {
        assert!(run.stderr.contains(same), "{same}: {}", run.stderr);
    }
    assert_eq!(run.status, Some(1));
}

/// The lines without the reasons that `--verbose` adds.
fn verdicts(lines: &str) -> String {
    let verdict = |line: &str| format!("{}\n", line.split(" (").next().unwrap());
    lines.lines().map(verdict).collect()
}

#[test]
fn a_directory_with_many_names_is_read_once_under_the_first() {
    const LEVELS: usize = 300;
    let mirror = Mirror::new();
    for level in 0..LEVELS {
        signed(&mirror, &format!("{level}/x"));
        for name in ["a", "b"] {
            link(
                &mirror,
                &format!("../{}", level + 1),
                &format!("{level}/{name}"),
            );
        }
    }
    signed(&mirror, &format!("{LEVELS}/x"));
    // A link that resolves through more than forty others fails (path_resolution(7)), so that not
    // all are reached from one end.
    let run = within(
        Duration::from_secs(60),
        mirror.command(&["-k", "key.pem", "-L", "-v", "0"]),
    );
    let lines: Vec<&str> = run.stdout.lines().collect();
    let valid = lines.iter().filter(|line| line.contains('✅')).count();
    assert_eq!(valid, 41, "{}", run.stdout);
    // Before it, the two links that lead further.
    assert!(lines[2].starts_with(&format!("0{}/x.zst: ✅", "/a".repeat(40))));
    assert!(
        run.stderr
            .contains("0/b: the same directory as 0/a, judged there")
    );
    let too_deep = lines.iter().filter(|line| line.contains("Too many levels"));
    assert_eq!(too_deep.count(), 2);

    let run = within(
        Duration::from_secs(60),
        mirror.command(&[&PINNED[..], &["-L"]].concat()),
    );
    let valid = run.stdout.matches(": ✅ Signature valid\n").count();
    assert_eq!(
        (valid, run.stdout.lines().count()),
        (LEVELS + 1, LEVELS + 1)
    );
    assert_eq!(run.status, Some(0));
    assert!(
        run.stderr
            .contains("and 500 more notes; a report lists all of them"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_limited_walk_reads_a_directory_under_its_shallowest_name() {
    let mirror = Mirror::new();
    signed(&mirror, "m/a/b/x");
    signed(&mirror, "m/a/b/c/y");
    link(&mirror, "a/b", "m/z");
    let lines = |options: &[&str]| {
        let run = mirror.run(&[&["-k", "key.pem", "m"], options].concat());
        (run.stdout, run.status)
    };
    let valid = |paths: &[&str]| {
        let line = |path: &&str| format!("{path}: ✅ Signature valid\n");
        (paths.iter().map(line).collect::<String>(), Some(0))
    };
    assert_eq!(lines(&["-L"]), valid(&["m/a/b/c/y.zst", "m/a/b/x.zst"]));
    assert_eq!(
        lines(&["-L", "--max-depth", "3"]),
        valid(&["m/z/c/y.zst", "m/z/x.zst"])
    );
    // Not entered, it would have shown one level more than its real name does.
    let not_entered = "m/a/b/x.zst: ✅ Signature valid\nm/z: ❌ Signature file not found\n";
    assert_eq!(
        lines(&["--max-depth", "3"]),
        (not_entered.to_owned(), Some(1))
    );
    assert_eq!(lines(&[]), valid(&["m/a/b/c/y.zst", "m/a/b/x.zst"]));
}

#[test]
fn a_linked_directory_that_is_not_entered_fails_unless_all_of_it_is_judged_elsewhere() {
    let mirror = Mirror::new();
    signed(&mirror, "m/d/x");
    signed(&mirror, "m/d/old/y");
    signed(&mirror, "else/z");
    link(&mirror, "d", "m/same");
    link(&mirror, "../else", "m/out");
    let judge = |arguments: &[&str]| {
        let run = mirror.run(&[&["-k", "key.pem"], arguments].concat());
        let is_about_links =
            |line: &&str| ["m/out:", "m/same:"].iter().any(|l| line.starts_with(l));
        let links: Vec<String> = run
            .stdout
            .lines()
            .filter(is_about_links)
            .map(str::to_owned)
            .collect();
        (links, run.status)
    };
    let not_entered = |names: &[&str]| -> Vec<String> {
        let line = |name: &&str| format!("{name}: ❌ Signature file not found");
        names.iter().map(line).collect()
    };
    assert_eq!(judge(&["m"]), (not_entered(&["m/out"]), Some(1)));
    assert_eq!(judge(&["--quiet", "m"]), (not_entered(&["m/out"]), Some(1)));
    assert_eq!(judge(&["--status", "m"]), (vec![], Some(1)));
    assert_eq!(judge(&["-L", "m"]), (vec![], Some(0)));
    assert_eq!(judge(&["--exclude", "out", "m"]), (vec![], Some(0)));
    assert_eq!(judge(&["--max-depth", "1", "m"]).0, [""; 0]);
    // What the link leads to is judged below another PATH.
    assert_eq!(judge(&["m", "else"]), (vec![], Some(0)));
    // What is left out below one name only is not judged below the other.
    for options in [&[][..], &["-L"]] {
        let judge =
            |exclude: &[&str]| judge(&[options, exclude, &["--exclude", "out", "m"]].concat());
        assert_eq!(
            judge(&["--exclude", "d/x.zst"]),
            (not_entered(&["m/same"]), Some(1))
        );
        assert_eq!(
            judge(&["--exclude", "d/old/*"]),
            (not_entered(&["m/same"]), Some(1))
        );
        assert_eq!(
            judge(&["--exclude", "d/old"]),
            (not_entered(&["m/same"]), Some(1))
        );
        assert_eq!(judge(&["--exclude", "**/d/*"]).0, not_entered(&["m/same"]));
        assert_eq!(judge(&["--exclude", "**/x.zst"]), (vec![], Some(0)));
        assert_eq!(judge(&["--exclude", "**/old"]), (vec![], Some(0)));
    }
    let run = mirror.run(&[
        "-k",
        "key.pem",
        "--allow-unsigned",
        "--report",
        "r.json",
        "m",
    ]);
    assert!(run.stdout.contains("m/out: ⚠️ Signature file not found\n"));
    assert_eq!(run.status, Some(0));
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    assert!(
        report.contains("\"reason\": \"linked-directory-not-entered\""),
        "{report}"
    );
    let same = "\"note\": \"same-directory\",\n        \"path\": \"m/same\",";
    assert!(report.contains(same), "{report}");
}

/// What stderr says of links that lead out, without the name of the mirror's own directory.
fn outward(mirror: &Mirror, arguments: &[&str]) -> Vec<String> {
    let run = mirror.run_pinned(&[&["--allow-unsigned"], arguments].concat());
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    let place = mirror.path().canonicalize().unwrap();
    let reported = run
        .stderr
        .lines()
        .filter(|line| line.ends_with("outside of the PATHs"));
    reported
        .map(|line| line.replace(place.to_str().unwrap(), "TREE"))
        .collect()
}

#[test]
fn links_out_of_the_tree_are_verified_and_named_under_verbose() {
    let mirror = Mirror::new();
    signed(&mirror, "else/x");
    signed(&mirror, "else/deep/y");
    signed(&mirror, "m/own");
    link(&mirror, "../else/x.zst", "m/data.zst");
    link(&mirror, "../else/x.sig.bin", "m/data.sig.bin");
    // Through a second link, and within the tree.
    link(&mirror, "data.zst", "m/again.zst");
    link(&mirror, "own.sig.bin", "m/again.sig.bin");
    link(&mirror, "own.zst", "m/inside.iso");
    link(&mirror, "own.sig.bin", "m/inside.sig.bin");
    link(&mirror, "../else/deep", "m/directory");
    // Nothing of these is read.
    link(&mirror, "../key.pem", "m/key.pem");
    link(&mirror, "../else/x.zst", "m/left-out.zst");

    let data = [
        "note: m/again.zst: a link to TREE/else/x.zst, outside of the PATHs",
        "note: m/data.sig.bin: a link to TREE/else/x.sig.bin, outside of the PATHs",
        "note: m/data.zst: a link to TREE/else/x.zst, outside of the PATHs",
    ];
    let directory = "note: m/directory: a link to TREE/else/deep, outside of the PATHs";
    let leave_out = ["--exclude", "left-out.zst", "m"];
    let reported = |options: &[&str]| outward(&mirror, &[options, &leave_out].concat());
    assert_eq!(reported(&["-v"]), data);
    assert_eq!(reported(&["-v", "-L"]), [&data[..], &[directory]].concat());
    assert_eq!(reported(&["-L"]), [""; 0]);
    // Once a PATH has what they lead to, nothing lies elsewhere.
    assert_eq!(reported(&["-v", "-L", "else"]), [""; 0]);
    // Twice the same PATH says nothing twice.
    assert_eq!(reported(&["-v", "m"]), data);
    // The place of a file that is named as PATH is its directory.
    let data_alone = outward(&mirror, &["-v", "m/data.sig.bin", "m/own.zst"]);
    assert_eq!(data_alone, data[1..]);
    // However the PATH is spelt.
    fs::create_dir(mirror.path().join("n")).unwrap();
    link(&mirror, "../m", "n/link");
    assert_eq!(
        outward(&mirror, &["-v", "n/link", "--exclude", "*-out.zst"]).len(),
        3
    );
    let mut command = mirror.command(&["-v", "-k", "../key.pem", "--exclude", "left-out.zst"]);
    command.current_dir(mirror.path().join("m"));
    assert!(
        Run::of(command)
            .stderr
            .contains("note: data.zst: a link to /")
    );
}

fn node(mirror: &Mirror, name: &str, kind: FileType, device: (u32, u32)) -> PathBuf {
    let path = mirror.path().join(name);
    mknodat(
        CWD,
        &path,
        kind,
        Mode::from(0o666),
        makedev(device.0, device.1),
    )
    .unwrap();
    path
}

/// Somebody who waits until a FIFO is opened for reading, however shortly.
struct Waiting {
    fifo: PathBuf,
    thread: thread::JoinHandle<()>,
}

impl Waiting {
    fn at(fifo: PathBuf) -> Waiting {
        let path = fifo.clone();
        let thread = thread::spawn(move || drop(File::options().write(true).open(path).unwrap()));
        Waiting { fifo, thread }
    }

    fn was_let_go(self) -> bool {
        let was = self.thread.is_finished();
        // So that the thread ends. It may only now be about to wait: open until it has.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let reader = rustix::fs::open(&self.fifo, flags, Mode::empty()).unwrap();
        self.thread.join().unwrap();
        drop(reader);
        was
    }
}

#[test]
fn what_is_no_file_is_never_opened_under_any_name() {
    let mirror = Mirror::new();
    signed(&mirror, "m/z");
    let fifos = [
        "m/fifo.zst",
        "m/fifo-as-signature.sig.bin",
        "m/lone.iso",
        "m/orphan.sig.bin",
        "linked",
    ];
    let fifos = fifos.map(|name| node(&mirror, name, FileType::Fifo, (0, 0)));
    mirror.write("m/fifo.sig.bin", sign(&mirror.key, GOOD));
    mirror.write("m/fifo-as-signature.zst", GOOD);
    link(&mirror, "../linked", "m/link.zst");
    link(&mirror, "../linked", "m/link-as-signature.sig.bin");
    mirror.write("m/link.sig.bin", sign(&mirror.key, GOOD));
    mirror.write("m/link-as-signature.zst", GOOD);
    let _socket = UnixListener::bind(mirror.path().join("m/socket.iso")).unwrap();
    mirror.write("m/socket.iso.sig.bin", sign(&mirror.key, GOOD));
    let waiting = fifos.map(Waiting::at);
    for options in [
        &["m"][..],
        &["-L", "--all-files", "m"],
        &["m", "m/fifo.zst", "m/link.zst"],
    ] {
        let command = mirror.command(&[&["-k", "key.pem", "--allow-unsigned"], options].concat());
        let run = within(Duration::from_secs(60), command);
        let (failed, valid): (Vec<&str>, Vec<&str>) =
            run.stdout.lines().partition(|line| line.contains('❌'));
        assert_eq!(valid, ["m/z.zst: ✅ Signature valid"]);
        let no_files = [
            "m/fifo-as-signature.zst",
            "m/fifo.zst",
            "m/link-as-signature.zst",
            "m/link.zst",
            "m/lone.iso",
        ];
        let mut expected = no_files
            .map(|name| format!("{name}: ❌ Not a regular file"))
            .to_vec();
        // There is no data for this one.
        expected.push("m/orphan.zst: ❌ Data file not found".to_owned());
        expected.push("m/socket.iso: ❌ Not a regular file".to_owned());
        assert_eq!(failed, expected);
        assert_eq!(run.status, Some(1));
    }
    // Where the user names it as the data. (A signature that the user names may be a pipe.)
    let command = mirror.command(&["-k", "key.pem", "-s", "m/z.sig.bin", "m/fifo.zst"]);
    let run = within(Duration::from_secs(60), command);
    assert_eq!(run.stdout, "m/fifo.zst: ❌ Not a regular file\n");
    assert_eq!(run.status, Some(1));
    let opened: Vec<bool> = waiting.into_iter().map(Waiting::was_let_go).collect();
    assert_eq!(opened, [false; 5]);
}

#[test]
fn a_device_under_the_name_of_an_artifact_or_a_signature_is_no_regular_file() {
    if !is_available(
        is_root(),
        "root",
        "a_device_under_the_name_of_an_artifact_or_a_signature",
    ) {
        return;
    }
    let mirror = Mirror::new();
    signed(&mirror, "z");
    // Endless zeros (null(4)), a block device, and a device that no driver knows: opening it would
    // say so.
    node(&mirror, "a.zst", FileType::CharacterDevice, (1, 5));
    node(&mirror, "b.sig.bin", FileType::CharacterDevice, (1, 5));
    node(&mirror, "c.iso", FileType::BlockDevice, (7, 0));
    node(&mirror, "d.zst", FileType::CharacterDevice, (4095, 0));
    mirror.write("b.zst", GOOD);
    for stem in ["a", "c", "d"] {
        mirror.write(&format!("{stem}.sig.bin"), sign(&mirror.key, GOOD));
    }
    link(&mirror, "/dev/zero", "e.zst");
    let run = within(Duration::from_secs(60), mirror.command(&PINNED));
    let not_regular = ["a.zst", "b.zst", "c.iso", "d.zst", "e.zst"];
    let expected: Vec<String> = not_regular
        .map(|name| format!("{name}: ❌ Not a regular file\n"))
        .into();
    assert_eq!(
        run.stdout,
        format!("{}z.zst: ✅ Signature valid\n", expected.concat())
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_directory_of_a_hundred_thousand_entries_is_verified_whole() {
    const PAIRS: usize = 36_000;
    const OTHERS: usize = 28_000;
    let mirror = Mirror::new();
    let signature = sign(&mirror.key, b"");
    let directory = mirror.path().join("m");
    fs::create_dir(&directory).unwrap();
    for n in 0..OTHERS {
        fs::write(directory.join(format!("{n:05}.txt")), b"").unwrap();
    }
    for n in 0..PAIRS {
        fs::write(directory.join(format!("{n:05}.zst")), b"").unwrap();
        fs::write(directory.join(format!("{n:05}.sig.bin")), &signature).unwrap();
    }
    fs::write(directory.join("12345.zst"), BAD).unwrap();
    fs::remove_file(directory.join("23456.zst")).unwrap();
    fs::remove_file(directory.join("34567.sig.bin")).unwrap();
    let command = mirror.command(&[&PINNED[..], &["m"]].concat());
    // Far more than it takes, and far less than what grows with the square of the entries.
    let run = within(Duration::from_secs(300), command);
    let verdict = |n| match n {
        12345 => "❌ Signature invalid",
        23456 => "❌ Data file not found",
        34567 => "❌ Signature file not found",
        _ => "✅ Signature valid",
    };
    let lines = run.stdout.lines();
    let expected = (0..PAIRS).map(|n| format!("m/{n:05}.zst: {}", verdict(n)));
    assert!(lines.eq(expected), "{}", run.stderr);
    let counts = " 35997 valid, 1 invalid, 1 without data file, 1 without signature file; ";
    assert!(run.stderr.contains(counts), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_tree_of_five_hundred_levels_is_verified_to_its_end() {
    const LEVELS: usize = 500;
    let mirror = Mirror::new();
    let path = |level| format!("m{}/x.zst", "/d".repeat(level));
    for level in 0..=LEVELS {
        signed(&mirror, path(level).strip_suffix(".zst").unwrap());
    }
    mirror.write(&path(LEVELS), BAD);
    for options in [&[][..], &["-L"], &["--max-depth", "100"]] {
        let run = within(
            Duration::from_secs(60),
            mirror.command(&[&PINNED[..], options, &["m"]].concat()),
        );
        let levels = if options.contains(&"100") { 99 } else { LEVELS };
        // Deeper ones come first: `d` goes before `x`.
        let verdict = |level| {
            if level == LEVELS {
                "❌ Signature invalid"
            } else {
                "✅ Signature valid"
            }
        };
        let expected = (0..=levels)
            .rev()
            .map(|level| format!("{}: {}", path(level), verdict(level)));
        assert!(run.stdout.lines().eq(expected), "{options:?}");
        assert_eq!(run.status, Some(i32::from(levels == LEVELS)));
    }
}

/// Does something to the tree again and again, until the value is gone.
struct Churn<'a> {
    over: &'a AtomicBool,
}

impl Drop for Churn<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Runs the command several times while the tree changes.
fn while_it_changes(
    mirror: &Mirror,
    change: impl Fn(&Path, usize) -> io::Result<()> + Sync,
    check: impl Fn(&Run),
) {
    let (over, root) = (AtomicBool::new(false), mirror.path().join("m"));
    thread::scope(|scope| {
        let churn = Churn { over: &over };
        scope.spawn(|| {
            for turn in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // What is not there any more, or still, is part of the game.
                let _ = change(&root, turn % 40);
            }
        });
        for options in [
            &[][..],
            &["-L"],
            &["--jobs", "1"],
            &["--io", "read"],
            &["--all-files"],
        ] {
            for _ in 0..5 {
                let command = mirror.command(&[&["-k", "key.pem", "m"], options].concat());
                check(&within(Duration::from_secs(60), command));
            }
        }
        drop(churn);
    });
}

fn status_agrees(run: &Run) {
    let expected = if run.stdout.contains('❌') { 1 } else { 0 };
    assert_eq!(run.status, Some(expected), "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_tree_that_changes_under_the_walk_has_no_false_verdict_and_its_permanent_files_have_right_ones()
{
    let mirror = Mirror::new();
    let permanent = [
        ("m/a.zst", "✅ Signature valid"),
        ("m/d/b.zst", "✅ Signature valid"),
        ("m/k.zst", "❌ Signature invalid"),
        ("m/u.zst", "❌ Signature file not found"),
        ("m/z.zst", "✅ Signature valid"),
    ];
    for stem in ["m/a", "m/d/b", "m/k", "m/z"] {
        signed(&mirror, stem);
    }
    mirror.write("m/k.zst", BAD);
    mirror.write("m/u.zst", GOOD);
    let signature = sign(&mirror.key, GOOD);
    // None of what comes and goes is what its signature is over.
    let change = |root: &Path, turn: usize| {
        let at = |name: &str| root.join(name.replace('N', &turn.to_string()));
        let _ = fs::create_dir_all(at("sub-N/deep"));
        for data in ["tN.zst", "sub-N/deep/x.iso", "tN.iso"] {
            let _ = fs::write(at(data), BAD);
            let _ = fs::write(at(&format!("{data}.sig.bin")), &signature);
        }
        let _ = fs::rename(at("tN.zst"), at("moved-N.zst"));
        let _ = fs::rename(at("tN.zst.sig.bin"), at("moved-N.sig.bin"));
        let _ = symlink(at("sub-N"), at("link-N"));
        let _ = fs::rename(at("sub-N"), at("d/sub-N"));
        let other = root.join(format!("moved-{}", (turn + 20) % 40));
        let _ = fs::remove_file(other.with_extension("zst"));
        let _ = fs::remove_file(other.with_extension("sig.bin"));
        let _ = fs::remove_file(root.join(format!("link-{}", (turn + 20) % 40)));
        let _ = fs::remove_file(at("tN.iso"));
        fs::remove_dir_all(root.join(format!("d/sub-{}", (turn + 20) % 40)))
    };
    while_it_changes(&mirror, change, |run| {
        status_agrees(run);
        let is_permanent = |line: &&str| {
            permanent
                .iter()
                .any(|(name, _)| line.starts_with(&format!("{name}: ")))
        };
        let (lasting, passing): (Vec<&str>, Vec<&str>) = run.stdout.lines().partition(is_permanent);
        assert_eq!(
            lasting,
            permanent.map(|(name, verdict)| format!("{name}: {verdict}"))
        );
        assert!(
            passing.iter().all(|line| line.contains(": ❌ ")),
            "{passing:?}"
        );
    });
}

#[test]
fn a_tree_in_which_signed_files_come_and_go_ends_with_the_status_of_its_lines() {
    let mirror = Mirror::new();
    signed(&mirror, "m/a");
    let signature = sign(&mirror.key, GOOD);
    // Written beside the tree and brought in by renaming, as careful people do; the signature, too,
    // so that at times one is alone.
    let change = |root: &Path, turn: usize| {
        let made = root.with_file_name("made");
        let pair = root.join(format!("pair-{turn}"));
        fs::create_dir_all(&made)?;
        fs::write(made.join("x.zst"), GOOD)?;
        fs::write(made.join("x.sig.bin"), &signature)?;
        fs::rename(&made, &pair)?;
        fs::rename(pair.join("x.zst"), root.join(format!("{turn}.zst")))?;
        fs::rename(pair.join("x.sig.bin"), root.join(format!("{turn}.sig.bin")))?;
        fs::remove_dir(pair)?;
        let other = root.join(format!("{}.zst", (turn + 1) % 40));
        fs::remove_file(other.with_extension("sig.bin"))?;
        fs::remove_file(other)
    };
    while_it_changes(&mirror, change, |run| {
        status_agrees(run);
        assert!(
            run.stdout.contains("m/a.zst: ✅ Signature valid\n"),
            "{}",
            run.stdout
        );
        // A pair that is torn is missing a part; nothing here was ever wrong.
        assert!(!run.stdout.contains("Signature invalid"), "{}", run.stdout);
    });
}

/// Makes a tree with more directories than one thread walks alone, and something of every kind in
/// them.
fn messy(mirror: &Mirror) {
    for n in 0..40 {
        signed(mirror, &format!("m/d{n}/a"));
        signed(mirror, &format!("m/d{n}/below/deep/b"));
        mirror.write(&format!("m/d{n}/unsigned.iso"), GOOD);
        mirror.write(&format!("m/d{n}/orphan.sig.bin"), BAD);
        mirror.write(&format!("m/d{n}/c (1).sig.bin.txt"), BAD);
        mirror.write(&format!("m/d{n}/readme.txt"), BAD);
        mirror.write(&format!("m/d{n}/skipped/x.zst"), BAD);
        signed(mirror, &format!("m/d{n}/whole"));
        mirror.write(&format!("m/d{n}/whole.zst.001"), BAD);
        link(mirror, "../d0/a.zst", &format!("m/d{n}/link.zst"));
        link(mirror, "../d0", &format!("m/d{n}/linked"));
        link(mirror, "nowhere", &format!("m/d{n}/dangling.zst"));
    }
    // More pairs than one thread examines at a time.
    for n in 0..1100 {
        mirror.write(&format!("m/flat/{n}.zst"), "");
        mirror.write(&format!("m/flat/{n}.sig.bin"), "");
    }
}

#[test]
fn several_threads_find_what_one_finds_in_the_same_order() {
    let mirror = Mirror::new();
    messy(&mirror);
    let found = |jobs: &str, more: &[&str]| {
        let options = [
            "-k",
            "key.pem",
            "--exclude",
            "**/skipped",
            "--report",
            "r.json",
            "--jobs",
            jobs,
            "-v",
            "m",
        ];
        let run = mirror.run(&[&options[..], more].concat());
        // Those of one thread are held to the schema: the others are the same.
        let report = match jobs {
            "1" => mirror.report("r.json"),
            _ => serde_json::from_slice(&fs::read(mirror.path().join("r.json")).unwrap()).unwrap(),
        };
        // Errors come as they are met.
        let mut said: Vec<String> = run.stderr.lines().map(str::to_owned).collect();
        // Not the number of threads, the time it took, or the run's identifier.
        said.retain(|line| {
            ["error: ", "warning: ", "help: "]
                .iter()
                .any(|kind| line.starts_with(kind))
        });
        said.sort();
        let verdicts = report["artifacts"].as_array().unwrap().iter();
        let verdicts: Vec<_> = verdicts
            .map(|a| (a["path"].clone(), a["verdict"].clone()))
            .collect();
        assert!(verdicts.len() >= 1340, "{}", verdicts.len());
        (
            run.stdout,
            said,
            verdicts,
            report["summary"]["unchecked"].clone(),
            report["summary"]["notes"].clone(),
        )
    };
    for more in [
        &[][..],
        &["--all-files"],
        &["-L"],
        &["--max-depth", "2"],
        &["m/d1", "key.pem"],
    ] {
        let one = found("1", more);
        for jobs in ["2", "16"] {
            let several = found(jobs, more);
            assert_eq!(several.0, one.0, "stdout, {more:?}, {jobs}");
            assert_eq!(several.1, one.1, "stderr, {more:?}, {jobs}");
            // Without the lists themselves, which are long.
            assert!(several == one, "the report, {more:?}, {jobs}");
        }
    }
}

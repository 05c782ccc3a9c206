//! A mirror divided among machines: what one shard verifies and leaves behind.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Mirror, Run};
use serde_json::Value;

/// A mirror with ten packs of different sizes, one of them with two names and one with two
/// signatures.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    for n in 1_usize..=10 {
        let content = vec![b'a' + n as u8; n * 1000];
        mirror.write_signed(
            &format!("m/d{}/{n}.zst", n % 3),
            &format!("m/d{}/{n}.sig.bin", n % 3),
            &content,
        );
    }
    let at = |name: &str| mirror.path().join(name);
    fs::hard_link(at("m/d1/10.zst"), at("m/d2/again.zst")).unwrap();
    fs::copy(at("m/d1/10.sig.bin"), at("m/d2/again.sig.bin")).unwrap();
    fs::copy(at("m/d0/9.sig.bin"), at("m/d0/9.zst.sig.bin")).unwrap();
    mirror
}

fn shard(mirror: &Mirror, number: usize, count: usize) -> Run {
    let (shard, report) = (format!("{number}/{count}"), format!("r/{number}.json"));
    fs::create_dir_all(mirror.path().join("r")).unwrap();
    mirror.run_pinned(&["--shard", &shard, "--report", &report, "m"])
}

fn lines(run: &Run) -> Vec<String> {
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn all_shards_together_print_the_lines_of_one_run_each_once() {
    let mirror = mirror();
    let whole = lines(&mirror.run_pinned(&["m"]));
    for count in [1, 2, 3, 7] {
        let mut all = Vec::new();
        for number in 1..=count {
            let run = shard(&mirror, number, count);
            assert_eq!(run.status, Some(0), "{}", run.stderr);
            all.extend(lines(&run));
        }
        all.sort();
        assert_eq!(all, whole, "{count}");
    }
}

#[test]
fn the_largest_files_are_in_different_shards_and_all_names_of_a_file_in_one() {
    let mirror = mirror();
    let shards: Vec<Vec<String>> = (1..=3).map(|n| lines(&shard(&mirror, n, 3))).collect();
    let shard_of = |name: &str| {
        let has = |lines: &&Vec<String>| lines.iter().any(|line| line.contains(name));
        let shards: Vec<_> = shards.iter().filter(has).collect();
        assert_eq!(shards.len(), 1, "{name}");
        shards[0].clone()
    };
    let largest = ["d1/10.zst", "d0/9.zst", "d2/8.zst"].map(shard_of);
    assert_eq!(BTreeSet::from(largest).len(), 3);
    assert_eq!(shard_of("d2/again.zst"), shard_of("d1/10.zst"));
    let twice = shard_of("d0/9.zst");
    let twice = twice.iter().filter(|line| line.contains("d0/9.zst"));
    assert_eq!(twice.count(), 2);
}

#[test]
fn a_shard_is_counted_from_1_or_from_0() {
    let mirror = mirror();
    let from_1 = shard(&mirror, 3, 4);
    let from_0 = mirror.run_pinned(&["--shard-index", "2/4", "--report", "i.json", "m"]);
    assert_eq!(from_0.stdout, from_1.stdout);
    assert_eq!(from_0.status, Some(0));
    let read = |name: &str| -> Value {
        let report = fs::read_to_string(mirror.path().join(name)).unwrap();
        serde_json::from_str(&report).unwrap()
    };
    let (from_1, from_0) = (read("r/3.json"), read("i.json"));
    assert_eq!(from_0["start"]["shard"], from_1["start"]["shard"]);
    assert_eq!(from_0["start"]["shard"]["index"], 3);
}

#[test]
fn a_shard_that_does_not_exist_is_refused() {
    let mirror = mirror();
    for (option, value, words) in [
        ("--shard", "0/8", "of 8 shards, the numbers are 1 to 8"),
        ("--shard", "9/8", "of 8 shards, the numbers are 1 to 8"),
        ("--shard", "8/0", "there can be 1 to 100000 shards"),
        ("--shard", "1/100001", "there can be 1 to 100000 shards"),
        (
            "--shard-index",
            "8/8",
            "of 8 shards, the numbers are 0 to 7",
        ),
        (
            "--shard",
            "3",
            "two numbers with a slash between them are needed, such as 3/8",
        ),
        (
            "--shard-index",
            "-1/8",
            "two numbers with a slash between them are needed, such as 2/8",
        ),
    ] {
        let run = mirror.run_pinned(&[&format!("{option}={value}"), "--report", "r.json", "m"]);
        let expected = format!("error: {option} {value}: {words}\n");
        assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        assert!(!mirror.path().join("r.json").exists());
    }
}

#[test]
fn a_shard_whose_verdict_nobody_could_count_is_refused() {
    let mirror = mirror();
    let unreported = "error: --shard: a shard's verdict counts only in a merge, and there is no report to merge\n";
    for more in [
        &[][..],
        &["--report", "r.html"],
        &["--format", "jsonl", "--quiet"],
        &["--format", "jsonl", "--status"],
    ] {
        let run = mirror.run_pinned(&[&["--shard", "1/2", "m"], more].concat());
        assert!(run.stderr.contains(unreported), "{more:?}: {}", run.stderr);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{more:?}");
    }
    let printed = mirror.run_pinned(&["--shard", "1/2", "--format", "jsonl", "m"]);
    assert_eq!(printed.status, Some(0), "{}", printed.stderr);
    let first: Value = serde_json::from_str(printed.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["shard"]["count"], 2);
}

#[test]
fn a_report_that_would_look_like_that_of_the_whole_mirror_is_refused() {
    let mirror = mirror();
    for name in ["SHA256SUMS", "r.intoto.jsonl", "r.oscal.json"] {
        let run = mirror.run_pinned(&[
            "--shard", "1/2", "--report", "r.json", "--report", name, "m",
        ]);
        let words = format!(
            "error: --report {name}: of one shard, such a report would look like that of the whole mirror\n\
             help: write it when the shards are merged, with --merge\n"
        );
        assert_eq!((run.stderr, run.status), (words, Some(2)));
        assert!(!mirror.path().join("r.json").exists());
    }
}

#[test]
fn a_shard_cannot_be_compared_with_a_baseline_nor_be_one() {
    let mirror = mirror();
    mirror.run_pinned(&["--report", "b.json", "m"]);
    let run = mirror.run_pinned(&[
        "--shard",
        "1/2",
        "--baseline",
        "b.json",
        "--report",
        "r.json",
        "m",
    ]);
    let words = "error: --shard cannot be used with --baseline\nhelp: leave one of them out\n";
    assert_eq!((run.stderr.as_str(), run.status), (words, Some(2)));
    shard(&mirror, 1, 2);
    let words = "r/1.json: the report of shard 1/2, which has only a part of the mirror; merge the reports of all shards with --merge\n";
    for arguments in [
        &["--key", "key.pem", "--baseline", "r/1.json", "m"][..],
        &["--compare", "r/1.json", "b.json"],
        &["--compare", "b.json", "r/1.json"],
    ] {
        let run = mirror.run(arguments);
        assert!(run.stderr.ends_with(words), "{}", run.stderr);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    }
}

#[test]
fn an_empty_shard_succeeds_and_one_of_an_empty_mirror_does_not() {
    let mirror = mirror();
    let run = shard(&mirror, 30, 40);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""));
    assert!(
        run.stderr.ends_with("OK: 0 of 0 valid in this shard\n"),
        "{}",
        run.stderr
    );
    let report = fs::read_to_string(mirror.path().join("r/30.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["artifacts"], serde_json::json!([]));
    assert_eq!(report["start"]["shard"]["share"]["artifacts"], 0);
    assert_eq!(report["start"]["shard"]["survey"]["artifacts"], 12);
    fs::create_dir(mirror.path().join("empty")).unwrap();
    let run = mirror.run_pinned(&["--shard", "1/2", "--report", "r.json", "empty"]);
    assert_eq!(run.status, Some(2));
    assert!(
        run.stderr.contains("error: empty: nothing to verify"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_failure_fails_its_shard_and_no_other() {
    let mirror = mirror();
    mirror.write("m/d1/10.zst", "tampered with");
    let runs: Vec<Run> = (1..=3).map(|number| shard(&mirror, number, 3)).collect();
    let failed = runs.iter().filter(|run| run.status == Some(1));
    let passed = runs.iter().filter(|run| run.status == Some(0));
    assert_eq!((failed.count(), passed.count()), (1, 2));
}

#[test]
fn a_shard_with_nothing_but_what_is_allowed_to_be_unsigned_leaves_the_verdict_to_the_merge() {
    let mirror = Mirror::new();
    mirror.write("m/a.iso", "unsigned");
    let alone = mirror.run_pinned(&["--allow-unsigned", "m"]);
    assert_eq!(alone.status, Some(2));
    let shard = mirror.run_pinned(&[
        "--allow-unsigned",
        "--shard",
        "1/1",
        "--report",
        "r.json",
        "m",
    ]);
    assert_eq!(shard.status, Some(0), "{}", shard.stderr);
    let merged = mirror.run(&["--merge", "r.json"]);
    assert_eq!(merged.status, Some(2));
    let words = "error: nothing was verified: no file here has a signature\n";
    assert!(merged.stderr.contains(words), "{}", merged.stderr);
}

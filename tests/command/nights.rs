//! Runs that are larger than one night: --stop-after, --ledger, --max-age and --resume.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::Value;

use crate::support::{
    Mirror, PINNED, Run, end_of, is_here, public_pem, send, sign, signing_key, wait_until,
    wait_until_open,
};

/// With these, what passed within a month is not read again.
const KEPT: [&str; 4] = ["--ledger", "ledger", "--max-age", "30d"];

/// A mirror in `m`, whose key and ledger lie beside it.
fn mirror(names: &[&str]) -> Mirror {
    let mirror = Mirror::new();
    for name in names {
        let content = format!("content of {name}");
        mirror.write_signed(
            &format!("m/{name}.zst"),
            &format!("m/{name}.sig.bin"),
            content.as_bytes(),
        );
    }
    mirror
}

/// Waits until nothing in the mirror has changed for so long that its stamps say something.
fn settle(mirror: &Mirror) {
    let files = || fs::read_dir(mirror.path().join("m")).unwrap().flatten();
    wait_until("the files are older than two seconds", || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap().as_secs_f64();
        files().all(|file| {
            let there = file.path().metadata().unwrap();
            let changed = there.ctime() as f64 + there.ctime_nsec() as f64 / 1e9;
            now > changed + 2.01
        })
    });
}

fn kept(mirror: &Mirror) -> Run {
    mirror.run_pinned(&[&KEPT[..], &["m"]].concat())
}

/// The mirror after a first run that entered everything into the ledger.
fn known(names: &[&str]) -> Mirror {
    let mirror = mirror(names);
    settle(&mirror);
    let first = kept(&mirror);
    assert_eq!(first.status, Some(0), "{}", first.stderr);
    assert_eq!(first.stdout.matches('✅').count(), names.len());
    mirror
}

/// The marks of the lines, in their order.
fn marks(run: &Run) -> String {
    let marks = run.stdout.lines().map(|line| {
        let (_, verdict) = line.split_once(": ").unwrap();
        verdict.chars().next().unwrap()
    });
    marks.collect()
}

fn today() -> String {
    let now = humantime(SystemTime::now());
    now[..10].to_owned()
}

fn humantime(time: SystemTime) -> String {
    verify_signatures::internals::text::time::rfc3339(time)
}

fn ledger(mirror: &Mirror) -> PathBuf {
    mirror.path().join("ledger")
}

/// Restores the times of a file's content, as an attacker or `rsync --times` would.
fn write_under_old_times(path: &Path, content: &[u8]) {
    let before = fs::metadata(path).unwrap();
    assert_eq!(before.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    let after = fs::metadata(path).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(before.ino(), after.ino());
}

#[test]
fn without_max_age_a_ledger_spares_nothing() {
    let mirror = known(&["a", "b"]);
    let again = mirror.run_pinned(&["--ledger", "ledger", "m"]);
    assert_eq!((again.status, marks(&again).as_str()), (Some(0), "✅✅"));
    assert!(
        again.stderr.ends_with("OK: 2 of 2 valid\n"),
        "{}",
        again.stderr
    );
}

#[test]
fn what_passed_lately_and_is_unchanged_is_verified_earlier_and_never_valid() {
    let mirror = known(&["a", "b"]);
    let reports = ["r.json", "r.xml", "r.csv", "r.html", "r.prom"];
    let reports = reports.iter().flat_map(|name| ["--report", name]);
    let reports: Vec<&str> = KEPT.iter().copied().chain(reports).chain(["m"]).collect();
    let again = mirror.run_pinned(&reports);
    let line = |name: &str| format!("m/{name}.zst: ⏭️ Verified earlier, on {}\n", today());
    assert_eq!(again.stdout, line("a") + &line("b"));
    assert_eq!(again.status, Some(0));
    assert!(
        again
            .stderr
            .contains("summary: 0 valid, 2 verified earlier; 0 B"),
        "{}",
        again.stderr
    );
    let word = "OK: 0 of 2 valid, 2 verified earlier\n";
    assert!(again.stderr.ends_with(word), "{}", again.stderr);
    let json = mirror.report("r.json");
    assert_eq!(json["summary"]["counts"]["verified-earlier"], 2);
    assert_eq!(json["summary"]["counts"]["valid"], 0);
    let first = &json["artifacts"][0];
    assert_eq!(first["status"], "verified-earlier");
    assert_eq!(first["reason"], "unchanged-since");
    assert!(first["stamps"]["read"].as_str().unwrap() < json["start"]["time"].as_str().unwrap());
    let text = |name: &str| fs::read_to_string(mirror.path().join(name)).unwrap();
    assert_eq!(text("r.xml").matches("<skipped ").count(), 2);
    assert!(text("r.csv").contains(",verified-earlier,true,unchanged-since,"));
    assert!(text("r.prom").contains("{report=\"r\",verdict=\"verified-earlier\"} 2\n"));
    assert!(text("r.html").contains("0 valid, 2 verified earlier"));
    // Only what is not valid, now or earlier.
    let quiet = mirror.run_pinned(&[&KEPT[..], &["--quiet", "m"]].concat());
    assert_eq!((quiet.status, quiet.stdout.as_str()), (Some(0), ""));
}

#[test]
fn what_was_not_read_now_is_in_no_list_of_checksums_and_no_statement() {
    let mirror = known(&["a", "b"]);
    mirror.write_signed("m/c.zst", "m/c.sig.bin", b"new");
    let reports = ["--report", "SHA256SUMS", "--report", "r.intoto.jsonl", "m"];
    let again = mirror.run_pinned(&[&KEPT[..], &reports].concat());
    assert_eq!((again.status, marks(&again).as_str()), (Some(2), "⏭⏭✅"));
    let why = "not everything was read in this run, and a partial list would look complete";
    assert!(again.stderr.contains(why), "{}", again.stderr);
    assert!(!mirror.path().join("SHA256SUMS").exists());
    let statements = fs::read_to_string(mirror.path().join("r.intoto.jsonl")).unwrap();
    assert_eq!(statements.lines().count(), 1);
}

#[test]
fn content_that_changed_is_read_whatever_its_size_and_times_say() {
    let mirror = known(&["a", "b"]);
    write_under_old_times(&mirror.path().join("m/a.zst"), b"CONTENT of a");
    let again = kept(&mirror);
    assert_eq!((again.status, marks(&again).as_str()), (Some(1), "❌⏭"));
    // And its last verdict is a failure by now.
    let again = kept(&mirror);
    assert_eq!((again.status, marks(&again).as_str()), (Some(1), "❌⏭"));
}

#[test]
fn a_file_that_was_replaced_by_an_equal_one_is_read() {
    let mirror = known(&["a"]);
    let path = mirror.path().join("m/a.zst");
    let content = fs::read(&path).unwrap();
    fs::write(mirror.path().join("m/new"), content).unwrap();
    fs::rename(mirror.path().join("m/new"), path).unwrap();
    assert_eq!(marks(&kept(&mirror)), "✅");
}

#[test]
fn another_signature_has_the_artifact_read_whether_it_is_valid_or_not() {
    let mirror = known(&["a", "b"]);
    let other = signing_key(2);
    mirror.write("other.pem", public_pem(&other));
    mirror.write("m/a.sig.bin", sign(&other, b"content of a"));
    mirror.write("m/b.sig.bin", sign(&other, b"other content"));
    let both = ["-k", "key.pem", "-k", "other.pem", "m"];
    let again = mirror.run(&[&KEPT[..], &both].concat());
    assert_eq!((again.status, marks(&again).as_str()), (Some(1), "✅❌"));
}

#[test]
fn a_key_that_is_not_trusted_any_more_vouches_for_nothing() {
    let mirror = known(&["a"]);
    mirror.write("other.pem", public_pem(&signing_key(2)));
    let other = mirror.run(&[&KEPT[..], &["-k", "other.pem", "m"]].concat());
    assert_eq!((other.status, marks(&other).as_str()), (Some(1), "❌"));
    // One more does not matter.
    let mirror = known(&["a"]);
    mirror.write("other.pem", public_pem(&signing_key(2)));
    let both = ["-k", "other.pem", "-k", "key.pem", "m"];
    let both = mirror.run(&[&KEPT[..], &both].concat());
    assert_eq!((both.status, marks(&both).as_str()), (Some(0), "⏭"));
}

#[test]
fn what_is_too_old_or_was_fresh_when_it_was_hashed_is_read_again() {
    let mirror = known(&["a"]);
    let none = ["--ledger", "ledger", "--max-age", "0s", "m"];
    assert_eq!(marks(&mirror.run_pinned(&none)), "✅");
    // Written just now: a later change could have the same time.
    mirror.write_signed("m/a.zst", "m/a.sig.bin", b"fresh");
    assert_eq!(marks(&kept(&mirror)), "✅");
    assert_eq!(marks(&kept(&mirror)), "✅");
}

#[test]
fn all_names_of_a_file_are_covered_or_it_is_read_for_all_of_them() {
    let mirror = mirror(&["a"]);
    let path = |name: &str| mirror.path().join(name);
    fs::hard_link(path("m/a.zst"), path("m/b.zst")).unwrap();
    fs::copy(path("m/a.sig.bin"), path("m/b.sig.bin")).unwrap();
    mirror.write("m/a.zst.sig.bin", sign(&mirror.key, b"content of a"));
    settle(&mirror);
    assert_eq!(marks(&kept(&mirror)), "✅✅✅");
    assert_eq!(marks(&kept(&mirror)), "⏭⏭⏭");
    mirror.write("m/b.sig.bin", sign(&mirror.key, b"other content"));
    assert_eq!(marks(&kept(&mirror)), "✅✅❌");
    // A signature that is none needs no reading, and covers nothing.
    mirror.write("m/b.sig.bin", "none");
    assert_eq!(marks(&kept(&mirror)), "⏭⏭❌");
}

#[test]
fn split_artifacts_and_bundles_with_images_are_always_read() {
    let mirror = mirror(&["a"]);
    mirror.write("m/w.zst.part01", "con");
    mirror.write("m/w.zst.part02", "tent");
    mirror.write("m/w.sig.bin", sign(&mirror.key, b"content"));
    settle(&mirror);
    assert_eq!(marks(&kept(&mirror)), "✅✅");
    assert_eq!(marks(&kept(&mirror)), "⏭✅");
    let images = mirror.run_pinned(&[&KEPT[..], &["--images", "m"]].concat());
    assert!(
        images.stdout.starts_with("m/a.zst: ✅ "),
        "{}",
        images.stdout
    );
    assert!(!images.stdout.contains('⏭'), "{}", images.stdout);
}

#[test]
fn a_ledger_that_was_changed_counts_as_empty_and_is_kept_aside() {
    let changes: [fn(Vec<u8>) -> Vec<u8>; 7] = [
        // One digit of a time.
        |mut ledger| {
            let at = ledger.iter().rposition(|byte| *byte == b'Z').unwrap();
            ledger[at - 1] ^= 1;
            ledger
        },
        |ledger| ledger[1..].to_vec(),
        |_| b"garbage".to_vec(),
        |_| (0..=255).cycle().take(100_000).collect(),
        |ledger| [ledger, b"{}\n".to_vec()].concat(),
        |_| b"[".repeat(1_000_000),
        |ledger| {
            let text = String::from_utf8(ledger).unwrap();
            text.replace("\"inode\":", "\"inode\":9999999999999999999999")
                .into()
        },
    ];
    for change in changes {
        let mirror = known(&["a"]);
        let changed = change(fs::read(ledger(&mirror)).unwrap());
        fs::write(ledger(&mirror), &changed).unwrap();
        let run = kept(&mirror);
        assert_eq!((run.status, marks(&run).as_str()), (Some(0), "✅"));
        let warning = "warning: ledger: this ledger counts as empty: ";
        assert!(run.stderr.starts_with(warning), "{}", run.stderr);
        let aside = fs::read(mirror.path().join("ledger.damaged")).unwrap();
        assert!(aside == changed);
        assert_eq!(marks(&kept(&mirror)), "⏭");
    }
}

#[test]
fn a_ledger_that_is_cut_off_loses_what_is_cut_off_and_no_more() {
    let mirror = known(&["a", "b"]);
    let whole = fs::read(ledger(&mirror)).unwrap();
    for length in 0..=whole.len() {
        let lines = whole[..length]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        // Every length near the ends of lines, and some of the others.
        let is_near_end =
            whole[length.saturating_sub(2)..(length + 2).min(whole.len())].contains(&b'\n');
        if !is_near_end && length % 97 != 0 {
            continue;
        }
        fs::write(ledger(&mirror), &whole[..length]).unwrap();
        let run = kept(&mirror);
        let expected = ["✅✅", "✅✅", "⏭✅", "⏭⏭"][lines];
        assert_eq!(marks(&run), expected, "{length}");
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
}

#[test]
fn a_ledger_is_refused_where_those_who_can_change_the_mirror_can_change_it() {
    let mirror = mirror(&["a"]);
    let refused = |arguments: &[&str], words: &str| {
        let run = mirror.run_pinned(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.contains(words), "{}", run.stderr);
    };
    let inside = "this ledger is inside the tree that is verified";
    refused(&["--ledger", "m/ledger", "m"], inside);
    refused(&["--ledger", "m/ledger", "m/a.zst"], inside);
    std::os::unix::fs::symlink("m/ledger", mirror.path().join("link")).unwrap();
    mirror.write("m/ledger", "");
    refused(&["--ledger", "link", "m"], inside);
    fs::remove_file(mirror.path().join("m/ledger")).unwrap();
    let another = "this is another file of this run";
    refused(&["--ledger", "key.pem", "m"], another);
    refused(&["--ledger", "r.json", "--report", "r.json", "m"], another);
    let unwritable = "no/ledger: cannot write the ledger: No such file or directory";
    refused(&["--ledger", "no/ledger", "m"], unwritable);
    refused(
        &["--ledger", ".", "m"],
        "cannot write the ledger: Is a directory",
    );
    refused(&["--max-age", "30d", "m"], "--ledger");
    refused(
        &["--ledger", "l", "--max-age", "soon", "m"],
        "this is not a time span",
    );
}

#[test]
fn when_time_runs_out_nothing_more_is_begun_and_there_is_no_verdict() {
    let mirror = mirror(&["a", "b", "c"]);
    let without = mirror.run_pinned(&["--stop-after", "0s", "--report", "r.json", "m"]);
    assert_eq!((without.status, without.stdout.as_str()), (Some(2), ""));
    let words = "error: time ran out: 3 of 3 not looked at\n";
    assert!(without.stderr.contains(words), "{}", without.stderr);
    let json = mirror.report("r.json");
    assert_eq!(json["summary"]["conclusion"], "out-of-time");
    assert_eq!(json["summary"]["complete"], false);
    assert_eq!(json["summary"]["not_checked"]["unjudged"]["count"], 3);
    let kept = ["--stop-after", "0s", "--ledger", "ledger", "m"];
    let words = "time ran out: 3 of 3 not looked at, 3 never verified";
    assert!(mirror.run_pinned(&kept).stderr.contains(words));
    assert_eq!(
        mirror.run_pinned(&["--ledger", "ledger", "m"]).status,
        Some(0)
    );
    let run = mirror.run_pinned(&kept);
    let words = format!(
        "time ran out: 3 of 3 not looked at, the oldest verdict is of {}T",
        today()
    );
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains(&words), "{}", run.stderr);
    // What is decided without reading is decided.
    mirror.write("m/d.sig.bin", "");
    let run = mirror.run_pinned(&kept);
    assert_eq!((run.status, marks(&run).as_str()), (Some(1), "❌"));
    let far = mirror.run_pinned(&["--stop-after", "9999y", "m/a.zst"]);
    assert_eq!(far.status, Some(0));
}

#[test]
fn what_failed_when_it_was_last_looked_at_fails_until_it_is_looked_at_again() {
    let mirror = known(&["a", "b"]);
    mirror.write("m/b.zst", "CONTENT of b");
    assert_eq!(kept(&mirror).status, Some(1));
    mirror.write("m/b.zst", "content of b");
    let run = mirror.run_pinned(&["--stop-after", "0s", "--ledger", "ledger", "m"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    let words = ", 1 failed when last looked at";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    let word = "FAILED: 1 of 2 when last looked at\n";
    assert!(run.stderr.ends_with(word), "{}", run.stderr);
    assert_eq!(kept(&mirror).status, Some(0));
}

#[test]
fn first_comes_what_never_passed_or_failed_and_then_what_passed_longest_ago() {
    let mirror = mirror(&["a", "b", "c"]);
    let jsonl = |paths: &[&str]| {
        let options = ["--ledger", "ledger", "--jobs", "1", "--format", "jsonl"];
        let run = mirror.run_pinned(&[&options[..], paths].concat());
        let objects = run.stdout.lines().map(|line| {
            let object: Value = serde_json::from_str(line).unwrap();
            object["path"].as_str().map(str::to_owned)
        });
        objects.flatten().collect::<Vec<_>>()
    };
    // Each in a run of its own, so that they pass at different times.
    for name in ["m/c.zst", "m/a.zst", "m/b.zst"] {
        jsonl(&[name]);
    }
    assert_eq!(jsonl(&["m"]), ["m/c.zst", "m/a.zst", "m/b.zst"]);
    mirror.write_signed("m/d.zst", "m/d.sig.bin", b"");
    mirror.write("m/b.zst", "b");
    jsonl(&["m/b.zst"]);
    assert_eq!(jsonl(&["m"])[..2], ["m/b.zst", "m/d.zst"]);
}

#[test]
fn a_ledger_may_be_kept_by_runs_over_parts_of_a_mirror_under_any_spelling() {
    let mirror = mirror(&["a", "b"]);
    settle(&mirror);
    assert_eq!(
        marks(&mirror.run_pinned(&[&KEPT[..], &["m/a.zst"]].concat())),
        "✅"
    );
    assert_eq!(
        marks(&mirror.run_pinned(&[&KEPT[..], &["./m/../m/b.zst"]].concat())),
        "✅"
    );
    let whole = mirror.path().join("m").into_os_string().into_string();
    assert_eq!(
        marks(&mirror.run_pinned(&[&KEPT[..], &[&whole.unwrap()]].concat())),
        "⏭⏭"
    );
}

#[test]
fn shards_keep_a_ledger_and_their_merge_says_what_was_verified_earlier() {
    let mirror = mirror(&["a", "b", "c"]);
    settle(&mirror);
    let shard = |shard: &str, ledger: &str| {
        let name = format!("{}.json", &shard[..1]);
        let kept = ["--ledger", ledger, "--max-age", "30d", "--shard", shard];
        mirror.run_pinned(&[&kept[..], &["--report", &name, "m"]].concat())
    };
    let merge = || mirror.run(&["--merge", "1.json", "2.json", "--report", "whole.json"]);
    // Each a ledger of its own, or all the same.
    for ledgers in [["l1", "l2"], ["l", "l"]] {
        let shards = || [shard("1/2", ledgers[0]), shard("2/2", ledgers[1])];
        assert_eq!(shards().map(|run| run.status), [Some(0); 2]);
        assert_eq!(marks(&merge()), "✅✅✅");
        assert_eq!(shards().map(|run| run.status), [Some(0); 2]);
        let merged = merge();
        assert_eq!((merged.status, marks(&merged).as_str()), (Some(0), "⏭⏭⏭"));
        let word = "OK: 0 of 3 valid, 3 verified earlier\n";
        assert!(merged.stderr.ends_with(word), "{}", merged.stderr);
        assert_eq!(
            mirror.report("whole.json")["summary"]["counts"]["verified-earlier"],
            3
        );
    }
    // A shard that ran out of time is no part of a whole mirror.
    let stopped = [
        "--stop-after",
        "0s",
        "--shard",
        "1/2",
        "--report",
        "1.json",
        "m",
    ];
    assert_eq!(mirror.run_pinned(&stopped).status, Some(2));
    assert_eq!(merge().status, Some(2));
    // What contradicts itself is none.
    shard("1/2", "l");
    let text = fs::read_to_string(mirror.path().join("1.json")).unwrap();
    for (from, to) in [
        (
            "\"status\": \"verified-earlier\"",
            "\"status\": \"unsigned\"",
        ),
        ("\"line\": \"⏭️ ", "\"line\": \"✅ "),
        ("\"verified-earlier\": ", "\"verified-earlier\": 1"),
    ] {
        assert!(text.contains(from), "{from}");
        mirror.write("1.json", text.replace(from, to));
        assert_eq!(merge().status, Some(2), "{from}");
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_what_was_judged_and_trusts_nothing_else() {
    let names: Vec<String> = (0..40).map(|n| format!("f{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mirror = mirror(&names);
    // One is bad, and must never be taken for verified.
    mirror.write("m/f20.zst", "CONTENT of f20");
    settle(&mirror);
    let lines = |path: &Path| fs::read(path).map_or(0, |text| text.split(|b| *b == b'\n').count());
    for moment in 0..40 {
        let _ = fs::remove_file(ledger(&mirror));
        let options = [
            "--ledger", "ledger", "--jobs", "1", "--format", "jsonl", "m",
        ];
        let mut command = mirror.command(&[&PINNED[..], &options].concat());
        command.stdout(fs::File::create(mirror.path().join("out")).unwrap());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_until("so many are judged, or all", || {
            child.try_wait().unwrap().is_some() || lines(&ledger(&mirror)) > moment
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let out = fs::read_to_string(mirror.path().join("out")).unwrap();
        let printed = out.matches("\"status\":\"valid\"").count();
        let run = kept(&mirror);
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert_eq!(run.status, Some(1));
        assert!(lines[20].ends_with("f20.zst: ❌ Signature invalid"));
        // What a line was printed for had been entered before.
        let spared = run.stdout.matches('⏭').count();
        assert!(spared >= printed, "{moment}: {spared} of {printed}");
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
        let left: Vec<_> = fs::read_dir(mirror.path()).unwrap().flatten().collect();
        let is_aside = |name: &str| name.ends_with(".damaged");
        assert!(
            !left
                .iter()
                .any(|entry| is_aside(&entry.file_name().to_string_lossy()))
        );
    }
}

#[test]
fn an_interrupted_run_is_resumed_from_its_report() {
    let mirror = mirror(&["a", "b"]);
    let big = fs::File::create(mirror.path().join("m/big.iso")).unwrap();
    big.set_len(200 << 30).unwrap();
    mirror.write("m/big.sig.bin", sign(&mirror.key, b"big"));
    settle(&mirror);
    let options = ["--ledger", "ledger", "--report", "r.json", "m"];
    let mut command = mirror.command(&[&PINNED[..], &options].concat());
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until_open(&child, |path: &Path| path.ends_with("m/big.iso"));
    wait_until("both small files are in the ledger", || {
        let ledger = fs::read_to_string(ledger(&mirror)).unwrap_or_default();
        ledger.lines().count() >= 3
    });
    send(&["-INT"], &child);
    assert_eq!(end_of(&mut child), Some(130));
    let interrupted = mirror.report("r.json");
    assert_eq!(interrupted["summary"]["interrupted"], "SIGINT");
    mirror.write("m/big.iso", "big");
    // The same report may be replaced.
    let resume = ["--resume", "r.json", "--report", "r.json", "m"];
    let resumed = mirror.run_pinned(&resume);
    assert_eq!(
        (resumed.status, marks(&resumed).as_str()),
        (Some(0), "⏭⏭✅")
    );
    let word = "OK: 1 of 3 valid, 2 verified earlier\n";
    assert!(resumed.stderr.ends_with(word), "{}", resumed.stderr);
    let json = mirror.report("r.json");
    let read = |report: &Value| report["artifacts"][0]["stamps"]["read"].clone();
    assert_eq!(read(&json), read(&interrupted));
    // The report of a resumed run has all that it rests on.
    settle(&mirror);
    let again = mirror.run_pinned(&resume);
    assert_eq!(marks(&again), "⏭⏭✅");
    let again = mirror.run_pinned(&resume);
    assert_eq!(marks(&again), "⏭⏭⏭");
    // A ledger beside it learns when they were verified.
    let kept = ["--resume", "r.json", "--ledger", "new", "m"];
    assert_eq!(marks(&mirror.run_pinned(&kept)), "⏭⏭⏭");
    let new = fs::read_to_string(mirror.path().join("new")).unwrap();
    assert!(new.contains(read(&interrupted).as_str().unwrap()), "{new}");
}

#[test]
fn a_run_is_resumed_under_the_same_options_and_keys_only() {
    let mirror = mirror(&["a", "b"]);
    settle(&mirror);
    let first = mirror.run_pinned(&["--report", "r.json", "m"]);
    assert_eq!(first.status, Some(0));
    let resumed =
        |options: &[&str]| mirror.run_pinned(&[&["--resume", "r.json"], options].concat());
    assert_eq!(marks(&resumed(&["m"])), "⏭⏭");
    for (option, others) in [
        ("--max-depth", &["--max-depth", "3"][..]),
        ("--follow-links", &["-L"]),
        ("--exclude", &["--exclude", "x"]),
        ("--allow-unsigned", &["--allow-unsigned"]),
        ("--all-files", &["--all-files"]),
        ("--images", &["--images"]),
    ] {
        let run = resumed(&[others, &["m"]].concat());
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        let words = format!("r.json: the report of a run with another {option}; give the same");
        assert!(run.stderr.contains(&words), "{}", run.stderr);
    }
    // With another key, everything is verified by that.
    mirror.write("other.pem", public_pem(&signing_key(2)));
    let other = mirror.run(&["-k", "other.pem", "--resume", "r.json", "m"]);
    assert_eq!((other.status, marks(&other).as_str()), (Some(1), "❌❌"));
    write_under_old_times(&mirror.path().join("m/a.zst"), b"CONTENT of a");
    mirror.write("m/b.sig.bin", sign(&mirror.key, b"other"));
    let run = resumed(&["m"]);
    assert_eq!((run.status, marks(&run).as_str()), (Some(1), "❌❌"));
}

#[test]
fn what_is_no_report_of_such_a_run_is_refused_and_what_a_report_leaves_out_is_verified() {
    let mirror = mirror(&["a"]);
    settle(&mirror);
    mirror.run_pinned(&["--report", "r.json", "m"]);
    let text = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let refused = |report: &str, words: &str| {
        mirror.write("o.json", report);
        let run = mirror.run_pinned(&["--resume", "o.json", "m"]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.contains(words), "{}", run.stderr);
    };
    refused("", "o.json: no JSON report");
    refused("{}", "o.json: no JSON report");
    refused(&text[..text.len() / 2], "o.json: no JSON report");
    refused(
        &text.replace("\"schema\": 5", "\"schema\": 3"),
        "a report with schema 3;",
    );
    refused(
        &text.replace("\"schema\": 5", "\"schema\": 99"),
        "a report with schema 99;",
    );
    let missing = mirror.run_pinned(&["--resume", "none.json", "m"]);
    assert_eq!(missing.status, Some(2));
    mirror.write("m/r.json", &text);
    let inside = mirror.run_pinned(&["--resume", "m/r.json", "m"]);
    assert_eq!(inside.status, Some(2));
    assert!(inside.stderr.contains("this report is inside the tree"));
    for (from, to) in [
        ("\"passes\": true", "\"passes\": false"),
        ("\"status\": \"valid\"", "\"status\": \"unsigned\""),
        ("\"type\": \"artifact\"", "\"type\": \"contents\""),
        ("\"inode\": ", "\"inode\": 1"),
        ("\"read\": \"20", "\"read\": \"30"),
        ("\"modified\": \"1", "\"modified\": \"0"),
        ("\"sha256\": \"", "\"sha256\": \"g"),
    ] {
        assert!(text.contains(from), "{from}");
        mirror.write("o.json", text.replace(from, to));
        let run = mirror.run_pinned(&["--resume", "o.json", "m"]);
        assert_eq!(
            (run.status, marks(&run).as_str()),
            (Some(0), "✅"),
            "{from}"
        );
    }
}

#[test]
fn a_ledger_of_many_artifacts_is_read_to_its_end() {
    let names: Vec<String> = (0..300).map(|n| format!("a{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mirror = mirror(&names);
    mirror.write("m/a299.zst", "tampered with");
    let first = mirror.run_pinned(&["--ledger", "ledger", "m"]);
    assert_eq!(first.status, Some(1));
    let before = fs::read(ledger(&mirror)).unwrap();
    assert!(before.len() > 128 * 1024);
    // What failed last is remembered from its end.
    let stopped = mirror.run_pinned(&["--stop-after", "0s", "--ledger", "ledger", "m"]);
    assert_eq!(stopped.status, Some(1), "{}", stopped.stderr);
    assert!(
        !stopped.stderr.contains("never verified"),
        "{}",
        stopped.stderr
    );
    assert_eq!(fs::read(ledger(&mirror)).unwrap(), before);
    settle(&mirror);
    mirror.run_pinned(&["--ledger", "ledger", "m"]);
    let kept = kept(&mirror);
    assert_eq!(kept.stdout.matches('⏭').count(), 299, "{}", kept.stderr);
}

#[test]
fn a_failure_in_the_ledger_counts_more_than_an_older_report_that_is_resumed() {
    let mirror = mirror(&["a", "b"]);
    settle(&mirror);
    mirror.run_pinned(&["--report", "good.json", "m"]);
    mirror.run_pinned(&["--ledger", "ledger", "m"]);
    // The disk lost a bit, which no time stamp shows: the ledger says so, and the old report does not.
    let text = fs::read_to_string(ledger(&mirror)).unwrap();
    let lines = text.lines().map(|line| {
        if !line.contains("/a.zst") {
            return format!("{line}\n");
        }
        let object = line.split_once(' ').unwrap().1;
        let mut object: Value = serde_json::from_str(object).unwrap();
        object["passes"] = false.into();
        object.as_object_mut().unwrap().remove("evidence");
        let object = object.to_string();
        format!(
            "{} {object}\n",
            verify_signatures::Digest::of(object.as_bytes())
        )
    });
    mirror.write("ledger", lines.collect::<String>());
    let run = mirror.run_pinned(&["--ledger", "ledger", "--resume", "good.json", "m"]);
    assert_eq!(marks(&run), "✅⏭", "{}", run.stderr);
    assert_eq!(run.status, Some(0));
}

#[test]
fn of_two_records_on_one_artifact_in_a_resumed_report_the_failure_counts() {
    let mirror = mirror(&["a", "b"]);
    settle(&mirror);
    mirror.run_pinned(&["--report", "r.json", "m"]);
    let mut document = mirror.report("r.json");
    let mut failed = document["artifacts"][0].clone();
    for (member, value) in [
        ("status", Value::from("invalid")),
        ("passes", false.into()),
        ("reason", "no-key-verifies".into()),
        ("line", "❌ Signature invalid".into()),
    ] {
        failed[member] = value;
    }
    document["artifacts"]
        .as_array_mut()
        .unwrap()
        .insert(0, failed);
    mirror.write("r.json", document.to_string());
    let run = mirror.run_pinned(&["--resume", "r.json", "m"]);
    assert_eq!(marks(&run), "✅⏭", "{}", run.stderr);
    let stopped = mirror.run_pinned(&["--resume", "r.json", "--stop-after", "0s", "m"]);
    assert_eq!(stopped.status, Some(1), "{}", stopped.stderr);
}

#[test]
fn what_lies_where_changes_may_not_show_is_always_read() {
    // A map of a file in memory that was written to once is written to again without a new time.
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let mirror = mirror(&["a"]);
    for name in ["a.zst", "a.sig.bin"] {
        fs::copy(mirror.path().join("m").join(name), memory.path().join(name)).unwrap();
    }
    settle(&mirror);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let memory = memory.path().to_str().unwrap();
    for _ in 0..2 {
        let run = mirror.run_pinned(&[&KEPT[..], &["--report", "r.json", memory]].concat());
        assert_eq!(marks(&run), "✅", "{}", run.stderr);
        assert_eq!(
            mirror.report("r.json")["artifacts"][0]["stamps"],
            Value::Null
        );
        let run = mirror.run_pinned(&["--resume", "r.json", memory]);
        assert_eq!(marks(&run), "✅", "{}", run.stderr);
    }
}

/// Maps the file named by its argument, writes its first byte, and another one for each line that it
/// gets.
const MAPPER: &str = "
import mmap, sys
with open(sys.argv[1], 'r+b') as file, mmap.mmap(file.fileno(), 0) as content:
    for byte in b'cX':
        content[0] = byte
        print(flush=True)
        sys.stdin.readline()
";

#[test]
fn a_change_through_a_map_that_was_dirty_when_the_file_was_hashed_is_seen() {
    let test = "a_change_through_a_map_that_was_dirty_when_the_file_was_hashed_is_seen";
    if !is_here("python3", test) {
        return;
    }
    let mirror = mirror(&["a"]);
    let mut mapper = Command::new("python3")
        .args(["-c", MAPPER])
        .arg(mirror.path().join("m/a.zst"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut written = BufReader::new(mapper.stdout.take().unwrap()).lines();
    let mut go_on = mapper.stdin.take().unwrap();
    written.next().unwrap().unwrap();
    settle(&mirror);
    let first = kept(&mirror);
    assert_eq!(marks(&first), "✅", "{}", first.stderr);
    go_on.write_all(b"\n").unwrap();
    written.next().unwrap().unwrap();
    let second = kept(&mirror);
    go_on.write_all(b"\n").unwrap();
    mapper.wait().unwrap();
    assert_eq!(
        (marks(&second).as_str(), second.status),
        ("❌", Some(1)),
        "{}",
        second.stderr
    );
}

#[test]
fn a_ledger_replaces_nothing_that_the_run_reads_or_writes() {
    let mirror = mirror(&["a"]);
    let at = |name: &str| mirror.path().join(name);
    fs::create_dir(at("elsewhere")).unwrap();
    for name in ["a.zst", "a.sig.bin"] {
        let there = at("elsewhere").join(name);
        fs::rename(at("m").join(name), &there).unwrap();
        std::os::unix::fs::symlink(&there, at("m").join(name)).unwrap();
        let before = fs::read(&there).unwrap();
        let run = mirror.run_pinned(&["--ledger", there.to_str().unwrap(), "m"]);
        assert!(
            run.stderr.contains("a report there would replace it")
                || run.stderr.contains("there is a file with a signature"),
            "{}",
            run.stderr
        );
        assert_eq!(run.status, Some(2));
        assert_eq!(fs::read(&there).unwrap(), before);
    }
    let output = fs::File::create(at("out")).unwrap();
    let status = mirror
        .command(&[&PINNED[..], &["--ledger", "out", "m"]].concat())
        .stdout(output)
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(2));
    assert_eq!(fs::read(at("out")).unwrap(), b"");
}

#[test]
fn a_ledger_is_not_created_in_the_mirror_through_a_link_that_leads_to_nothing() {
    let mirror = mirror(&["a"]);
    std::os::unix::fs::symlink("m/ledger", ledger(&mirror)).unwrap();
    let run = mirror.run_pinned(&["--ledger", "ledger", "m"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("inside the tree"), "{}", run.stderr);
    assert!(!mirror.path().join("m/ledger").exists());
}

#[test]
fn a_ledger_to_which_others_can_write_counts_as_empty() {
    use std::os::unix::fs::PermissionsExt;
    let mirror = known(&["a"]);
    fs::set_permissions(ledger(&mirror), fs::Permissions::from_mode(0o666)).unwrap();
    let run = kept(&mirror);
    assert_eq!(marks(&run), "✅", "{}", run.stderr);
    assert!(
        run.stderr.contains("others can write to it"),
        "{}",
        run.stderr
    );
}

#[test]
fn standard_input_is_in_no_ledger() {
    let mirror = known(&["a"]);
    for more in [&KEPT[..2], &["--resume", "r.json"]] {
        let arguments = [&["--signature", "m/a.sig.bin", "-"], more].concat();
        let mut command = mirror.command(&[&PINNED[..], &arguments].concat());
        let data = fs::File::open(mirror.path().join("m/a.zst")).unwrap();
        command.stdin(data);
        let run = Run::of(command);
        let words =
            "error: --ledger and --resume: standard input cannot be found again by a later run\n";
        assert_eq!((run.stderr.as_str(), run.status), (words, Some(2)));
    }
}

#[test]
fn a_run_that_did_not_read_everything_is_nowhere_called_valid() {
    let mirror = known(&["a", "b"]);
    let run =
        mirror.run_pinned(&[&KEPT[..], &["--report", "r.json", "--report", "r.csv", "m"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(mirror.report("r.json")["summary"]["conclusion"], "covered");
    let table = fs::read_to_string(mirror.path().join("r.csv")).unwrap();
    assert!(!table.contains(",valid,"), "{table}");
    assert!(table.contains("run,,,covered,true,"), "{table}");
}

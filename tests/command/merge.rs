//! The reports of all shards, merged into the verdict on the whole mirror: what is whole, and
//! everything that is not.

use std::fs;
use std::path::Path;

use crate::support::{Mirror, Run, public_pem, signing_key};
use serde_json::{Value, json};

/// A mirror with nine packs below `m`, each of a size of its own.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    for n in 1_usize..=9 {
        let (data, signature) = (
            format!("m/d{}/{n}.zst", n % 2),
            format!("m/d{}/{n}.sig.bin", n % 2),
        );
        mirror.write_signed(&data, &signature, &vec![b'a' + n as u8; n * 1000]);
    }
    mirror
}

fn shard_by(mirror: &Mirror, (number, count): (usize, usize), more: &[&str]) -> Run {
    let (shard, report) = (format!("{number}/{count}"), format!("r/{number}.json"));
    fs::create_dir_all(mirror.path().join("r")).unwrap();
    mirror.run_pinned(&[&["--shard", &shard, "--report", &report], more].concat())
}

/// Runs all three shards.
fn shards(mirror: &Mirror) {
    for number in 1..=3 {
        shard_by(mirror, (number, 3), &["m"]);
    }
}

fn sharded() -> Mirror {
    let mirror = mirror();
    shards(&mirror);
    mirror
}

const ALL: [&str; 3] = ["r/1.json", "r/2.json", "r/3.json"];

/// Merges where neither the key nor the mirror is.
fn merge(mirror: &Mirror, arguments: &[&str]) -> Run {
    let (here, away) = (
        |name: &str| mirror.path().join(name),
        |name: &str| mirror.path().join(format!("{name}.away")),
    );
    for name in ["m", "key.pem"] {
        fs::rename(here(name), away(name)).unwrap();
    }
    let run = mirror.run(&[&["--merge"], arguments].concat());
    for name in ["m", "key.pem"] {
        fs::rename(away(name), here(name)).unwrap();
    }
    run
}

fn read(mirror: &Mirror, name: &str) -> Value {
    let report = fs::read_to_string(mirror.path().join(name)).unwrap();
    serde_json::from_str(&report).unwrap()
}

/// Changes a report by hand.
fn edit(mirror: &Mirror, name: &str, change: impl FnOnce(&mut Value)) {
    let mut report = read(mirror, name);
    change(&mut report);
    mirror.write(name, serde_json::to_string_pretty(&report).unwrap());
}

/// Checks that a merge has no verdict for this reason.
fn refuses(run: &Run, words: &str) {
    assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
}

#[test]
fn all_shards_of_one_mirror_are_what_one_run_is() {
    let mirror = mirror();
    let whole = mirror.run_pinned(&["--report", "one.json", "m"]);
    shards(&mirror);
    let run = merge(&mirror, &[&ALL[..], &["--report", "all.json"]].concat());
    assert_eq!(
        (&run.stdout, run.status),
        (&whole.stdout, Some(0)),
        "{}",
        run.stderr
    );
    assert!(run.stderr.ends_with("OK: 9 of 9 valid\n"), "{}", run.stderr);
    let (one, all) = (read(&mirror, "one.json"), read(&mirror, "all.json"));
    let seconds = |report: &Value| {
        let mut artifacts = report["artifacts"].clone();
        for artifact in artifacts.as_array_mut().unwrap() {
            artifact["seconds"] = json!(0);
            // A merge has none: they are those of several machines.
            artifact.as_object_mut().unwrap().remove("stamps");
        }
        artifacts
    };
    assert_eq!(seconds(&all), seconds(&one));
    for member in [
        "counts",
        "failures",
        "expected",
        "bytes",
        "exit_status",
        "notes",
        "not_checked",
        "problems",
    ] {
        assert_eq!(all["summary"][member], one["summary"][member], "{member}");
    }
    assert_eq!(all["start"]["keys"], one["start"]["keys"]);
    assert_eq!(all["start"]["shard"], Value::Null);
    let shards = all["start"]["shards"].as_array().unwrap();
    for (shard, name) in shards.iter().zip(ALL) {
        let report = fs::read(mirror.path().join(name)).unwrap();
        let part: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(shard["report"], json!({ "path": name }));
        assert_eq!(
            shard["sha256"],
            verify_signatures::Digest::of(&report).to_string()
        );
        assert_eq!(shard["index"], part["start"]["shard"]["index"]);
        assert_eq!(shard["id"], part["start"]["id"]);
        assert_eq!(
            (&shard["exit_status"], &shard["failures"]),
            (&json!(0), &json!(0))
        );
    }
    assert_eq!(
        all["start"]["time"],
        read(&mirror, "r/1.json")["start"]["time"]
    );
}

#[test]
fn what_was_printed_is_merged_like_a_report_in_any_order() {
    let mirror = mirror();
    for number in 1..=3 {
        let shard = format!("{number}/3");
        let run = mirror.run_pinned(&["--shard", &shard, "--format", "jsonl", "m"]);
        mirror.write(&format!("{number}.jsonl"), run.stdout);
    }
    let whole = mirror.run_pinned(&["m"]).stdout;
    let run = merge(&mirror, &["3.jsonl", "1.jsonl", "2.jsonl"]);
    assert_eq!((run.stdout, run.status), (whole, Some(0)), "{}", run.stderr);
    let second = fs::read_to_string(mirror.path().join("2.jsonl")).unwrap();
    mirror.write("2.jsonl", &second[..second.len() - 200]);
    let run = merge(&mirror, &["3.jsonl", "1.jsonl", "2.jsonl"]);
    refuses(
        &run,
        "error: shard 2 (2.jsonl) came to no verdict (exit status 2): its report was cut off\n",
    );
    mirror.write("2.jsonl", second.repeat(2));
    let run = merge(&mirror, &["3.jsonl", "1.jsonl", "2.jsonl"]);
    refuses(
        &run,
        "error: 2.jsonl: a damaged report: something follows its end: are these two reports in one file?\n",
    );
}

#[test]
fn a_failure_in_any_shard_fails_the_whole_even_if_a_shard_is_missing_too() {
    let mirror = mirror();
    mirror.write("m/d1/9.zst", "tampered with");
    mirror.write("m/d0/unsigned.iso", "nobody signed it");
    shards(&mirror);
    let whole = mirror.run_pinned(&["m"]);
    let run = merge(&mirror, &ALL);
    assert_eq!((run.stdout, run.status), (whole.stdout, Some(1)));
    assert!(run.stderr.ends_with("FAILED: 2 of 10\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("note: what failed is in shard"),
        "{}",
        run.stderr
    );
    for failure in [
        "error: m/d0/unsigned.iso: ❌ Signature file not found (no signature file claims it: ",
        "error: m/d1/9.zst: ❌ Signature invalid (9.sig.bin: no trusted key made this signature over these bytes",
    ] {
        assert!(run.stderr.contains(failure), "{}", run.stderr);
    }
    let failed: Vec<&str> = ALL
        .into_iter()
        .filter(|name| read(&mirror, name)["summary"]["failures"] != 0)
        .collect();
    let run = merge(&mirror, &failed[..1]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(" of 3 are missing\n"), "{}", run.stderr);
}

#[test]
fn a_shard_that_is_missing_is_named() {
    let mirror = sharded();
    let run = merge(&mirror, &["r/1.json", "r/3.json"]);
    refuses(
        &run,
        "error: shard 2 of 3 is missing\nhelp: run it (--shard 2/3, or --shard-index 1/3), or find its report, and merge again\n",
    );
    assert!(run.stderr.contains("NO VERDICT: "), "{}", run.stderr);
    merge(&mirror, &["r/1.json", "r/3.json", "--report", "all.json"]);
    let report = read(&mirror, "all.json");
    assert_eq!(report["summary"]["not_checked"]["unjudged"]["count"], 3);
    let run = merge(&mirror, &["r/2.json"]);
    refuses(
        &run,
        "error: shards 1 and 3 of 3 are missing\nhelp: run them, ",
    );
}

#[test]
fn a_shard_that_is_given_twice_is_named_even_if_its_reports_are_equal() {
    let mirror = sharded();
    fs::copy(
        mirror.path().join("r/2.json"),
        mirror.path().join("again.json"),
    )
    .unwrap();
    let run = merge(&mirror, &[&ALL[..], &["again.json"]].concat());
    refuses(
        &run,
        "error: shard 2 (again.json, r/2.json): two reports of one shard\n",
    );
    let run = merge(&mirror, &[&ALL[..], &["r/2.json"]].concat());
    refuses(
        &run,
        "error: shard 2 (r/2.json, r/2.json): two reports of one shard\n",
    );
    assert_eq!(run.stdout.lines().count(), 9);
}

#[test]
fn of_two_reports_of_one_shard_the_failure_counts() {
    let mirror = sharded();
    fs::copy(
        mirror.path().join("r/1.json"),
        mirror.path().join("good.json"),
    )
    .unwrap();
    let first = read(&mirror, "r/1.json")["artifacts"][0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let size = fs::metadata(mirror.path().join(&first)).unwrap().len();
    mirror.write(&first, vec![b'!'; size as usize]);
    shard_by(&mirror, (1, 3), &["m"]);
    for order in [["good.json", "r/1.json"], ["r/1.json", "good.json"]] {
        let run = merge(&mirror, &[&ALL[1..], &order].concat());
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(
            run.stdout
                .contains(&format!("{first}: ❌ Signature invalid\n")),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_shard_that_was_not_finished_is_named_with_what_ended_it() {
    let mirror = sharded();
    edit(&mirror, "r/2.json", |report| {
        let artifacts = report["artifacts"].as_array_mut().unwrap();
        artifacts.truncate(1);
        let summary = &mut report["summary"];
        (summary["complete"], summary["interrupted"]) = (json!(false), json!("SIGTERM"));
        (summary["exit_status"], summary["counts"]["valid"]) = (json!(143), json!(1));
    });
    let run = merge(&mirror, &ALL);
    refuses(
        &run,
        "error: shard 2 (r/2.json) was ended by SIGTERM: 1 of 3 were judged\nhelp: run this shard again, with the same number of shards\n",
    );
    assert!(
        run.stderr.contains("summary: ended after 7 of 9: 7 valid"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_shard_that_came_to_no_verdict_is_named_with_its_problem() {
    let mirror = sharded();
    edit(&mirror, "r/3.json", |report| {
        report["summary"]["exit_status"] = json!(2);
        report["summary"]["problems"] = json!(["standard output: No space left on device"]);
    });
    let words = "error: shard 3 (r/3.json) came to no verdict (exit status 2): standard output: No space left on device\n";
    refuses(&merge(&mirror, &ALL), words);
}

#[test]
fn a_report_that_is_cut_off_or_none_is_named() {
    let mirror = sharded();
    let report = fs::read_to_string(mirror.path().join("r/3.json")).unwrap();
    for (content, words) in [
        (
            &report[..report.len() / 2],
            "r/3.json: this report was cut off",
        ),
        ("", "r/3.json: this report is empty"),
        (
            "<html>",
            "r/3.json: no JSON report of this program: expected value",
        ),
        (
            "{}",
            "r/3.json: no JSON report of this program: missing field",
        ),
    ] {
        mirror.write("r/3.json", content);
        let run = merge(&mirror, &ALL);
        refuses(&run, words);
        refuses(&run, "error: shard 3 of 3 is missing\n");
    }
    fs::remove_file(mirror.path().join("r/3.json")).unwrap();
    refuses(
        &merge(&mirror, &ALL),
        "r/3.json: cannot read the report: No such file or directory\n",
    );
    let run = merge(&mirror, &["r/3.json"]);
    refuses(&run, "error: none of these is the report of a shard\n");
}

#[test]
fn the_reports_of_a_directory_are_merged_and_nothing_else_in_it() {
    let mirror = sharded();
    mirror.write("r/slurm-1.log", "not a report");
    let whole = merge(&mirror, &ALL).stdout;
    let run = merge(&mirror, &["r", "--report", "all.json"]);
    assert_eq!((run.stdout, run.status), (whole, Some(0)), "{}", run.stderr);
    // One that was merged before is in the way, and is no shard.
    fs::copy(
        mirror.path().join("all.json"),
        mirror.path().join("r/all.json"),
    )
    .unwrap();
    refuses(
        &merge(&mirror, &["r"]),
        "error: r/all.json: a merged report, and not a shard's",
    );
    fs::create_dir(mirror.path().join("empty")).unwrap();
    let words = "error: empty: no report in this directory\nhelp: the names of the shards' reports end in .json or .jsonl\n";
    refuses(&merge(&mirror, &["empty"]), words);
}

#[test]
fn what_is_no_shard_of_a_mirror_is_refused() {
    let mirror = sharded();
    mirror.run_pinned(&["--report", "one.json", "m"]);
    let run = merge(&mirror, &[&ALL[..], &["--report", "all.json"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    mirror.run(&[
        "--compare",
        "one.json",
        "all.json",
        "--report",
        "compared.json",
    ]);
    for (name, words) in [
        (
            "one.json",
            "not a shard's report: its run was over the whole mirror (without --shard)",
        ),
        (
            "all.json",
            "a merged report, and not a shard's; merge the reports of the shards themselves",
        ),
        ("compared.json", "no JSON report of this program: "),
    ] {
        let run = merge(&mirror, &[&ALL[..], &[name]].concat());
        refuses(&run, &format!("error: {name}: {words}"));
    }
}

#[test]
fn another_number_of_shards_is_named() {
    let mirror = sharded();
    shard_by(&mirror, (3, 4), &["m"]);
    let run = merge(&mirror, &ALL);
    refuses(&run, "error: shard 3 of 3 is missing\n");
    refuses(
        &run,
        "error: the reports do not agree on the number of shards: 3 in shards 1 and 2 (r/1.json, r/2.json); 4 in shard 3 (r/3.json)\n",
    );
}

#[test]
fn a_shard_that_saw_another_mirror_is_named_with_what_it_saw() {
    let mirror = sharded();
    mirror.write_signed("m/d0/late.zst", "m/d0/late.sig.bin", b"late");
    shard_by(&mirror, (2, 3), &["m"]);
    let run = merge(&mirror, &ALL);
    refuses(
        &run,
        "error: the reports do not agree on what the mirror has: 9 (45.00 kB, digest ",
    );
    refuses(
        &run,
        " in shards 1 and 3 (r/1.json, r/3.json); 10 (45.00 kB, digest ",
    );
    refuses(&run, " in shard 2 (r/2.json)\n");
}

#[test]
fn a_file_of_another_size_or_under_another_name_makes_another_mirror() {
    for change in ["grow", "rename", "unsign"] {
        let mirror = sharded();
        let at = |name: &str| mirror.path().join(name);
        match change {
            "grow" => mirror.write_signed("m/d1/1.zst", "m/d1/1.sig.bin", &[b'x'; 1001]),
            "rename" => {
                fs::rename(at("m/d1/1.zst"), at("m/d1/one.zst")).unwrap();
                fs::rename(at("m/d1/1.sig.bin"), at("m/d1/one.sig.bin")).unwrap();
            }
            _ => fs::remove_file(at("m/d1/1.sig.bin")).unwrap(),
        }
        shard_by(&mirror, (2, 3), &["m"]);
        let run = merge(&mirror, &ALL);
        let words = "the reports do not agree on what the mirror has: ";
        assert!(run.stderr.contains(words), "{change}: {}", run.stderr);
        assert!(matches!(run.status, Some(1 | 2)), "{change}");
    }
}

#[test]
fn another_key_is_named_and_so_is_one_that_is_not_pinned() {
    let mirror = sharded();
    let key = read(&mirror, "r/1.json")["start"]["keys"][0]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let pinned = merge(&mirror, &[&ALL[..], &["--key-fingerprint", &key]].concat());
    assert_eq!(pinned.status, Some(0), "{}", pinned.stderr);
    mirror.write("other.pem", public_pem(&signing_key(77)));
    mirror.run(&[
        "--key",
        "key.pem",
        "--key",
        "other.pem",
        "--shard",
        "3/3",
        "--report",
        "r/3.json",
        "m",
    ]);
    let run = merge(&mirror, &ALL);
    refuses(
        &run,
        &format!(
            "error: the reports do not agree on the trusted keys: {key} in shards 1 and 2 (r/1.json, r/2.json); "
        ),
    );
    let run = merge(&mirror, &[&ALL[..], &["--key-fingerprint", &key]].concat());
    refuses(&run, "error: shard 3 (r/3.json): trusted the key ");
    let other = "ab".repeat(32);
    let run = merge(
        &mirror,
        &[&ALL[..2], &["--key-fingerprint", &other]].concat(),
    );
    refuses(
        &run,
        &format!(
            "error: shards 1 and 2 (r/1.json, r/2.json): trusted the key {key}, which --key-fingerprint does not list\n"
        ),
    );
}

#[test]
fn another_option_is_named_unless_it_decides_only_how_fast_a_run_is() {
    let mirror = sharded();
    shard_by(
        &mirror,
        (2, 3),
        &["m", "--jobs", "1", "--io", "read", "--sha256", "portable"],
    );
    let run = merge(&mirror, &[&ALL[..], &["--report", "all.json"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(
        read(&mirror, "all.json")["start"]["options"]["io"],
        "auto, read"
    );
    shard_by(&mirror, (2, 3), &["m", "--exclude", "nothing"]);
    let run = merge(&mirror, &ALL);
    refuses(
        &run,
        "error: the reports do not agree on the option \"exclude\": [] in shards 1 and 3 (r/1.json, r/3.json); [\"nothing\"] in shard 2 (r/2.json)\n",
    );
    shard_by(&mirror, (2, 3), &["m", "--all-files"]);
    refuses(
        &merge(&mirror, &ALL),
        "the option \"all_files\": false in shards 1 and 3 ",
    );
}

#[test]
fn another_version_or_schema_is_named() {
    let mirror = sharded();
    edit(&mirror, "r/1.json", |report| {
        report["start"]["version"] = json!("9.9.9")
    });
    let words = "error: the reports do not agree on the program's version: 0.1.0 in shards 2 and 3 (r/2.json, r/3.json); 9.9.9 in shard 1 (r/1.json)\n";
    refuses(&merge(&mirror, &ALL), words);
    edit(&mirror, "r/1.json", |report| report["schema"] = json!(6));
    refuses(
        &merge(&mirror, &ALL),
        "error: r/1.json: a report with schema 6, of another version of this program; ",
    );
    edit(&mirror, "r/1.json", |report| report["schema"] = json!(3));
    refuses(
        &merge(&mirror, &ALL),
        "error: r/1.json: not a shard's report",
    );
}

#[test]
fn other_directories_and_other_spellings_of_a_path_are_allowed_and_reported() {
    let mirror = sharded();
    let absolute = mirror.path().join("m").canonicalize().unwrap();
    shard_by(&mirror, (2, 3), &[absolute.to_str().unwrap()]);
    edit(&mirror, "r/3.json", |report| {
        report["start"]["host"] = json!("other-host")
    });
    let whole = mirror.run_pinned(&["m"]).stdout;
    let run = merge(&mirror, &ALL);
    assert_eq!((run.stdout, run.status), (whole, Some(0)), "{}", run.stderr);
    let words = "note: the shards ran in different directories, or spell the PATHs differently; paths are shown as in the first report\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("note: 3 shards, run on "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("other-host"), "{}", run.stderr);
}

#[test]
fn shards_that_ran_days_apart_are_reported_and_refused_where_a_span_is_demanded() {
    let mirror = sharded();
    edit(&mirror, "r/2.json", |report| {
        report["start"]["time"] = json!("2026-01-02T03:04:05.678Z")
    });
    let run = merge(&mirror, &ALL);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let first = run.stderr.lines().next().unwrap();
    assert!(
        first.ends_with(" from 2026-01-02T03:04:05.678Z") && first.contains("months"),
        "{first}"
    );
    let run = merge(&mirror, &[&ALL[..], &["--within", "24h"]].concat());
    refuses(
        &run,
        ", and --within allows 1day\nhelp: the mirror may have changed meanwhile: run the oldest shards again\n",
    );
    shard_by(&mirror, (2, 3), &["m"]);
    let run = merge(&mirror, &[&ALL[..], &["--within", "24h"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_record_that_is_not_the_shards_own_is_refused() {
    let mirror = sharded();
    let (mut moved, mut bytes) = (Value::Null, json!(0));
    edit(&mirror, "r/1.json", |report| {
        moved = report["artifacts"].as_array_mut().unwrap().remove(0);
        bytes = moved["size"].clone();
    });
    let words = "error: shard 1 (r/1.json) does not add up: it says 3 valid and 0 failed, and lists 2 and 0\nhelp: run this shard again: its report was changed or damaged\n";
    refuses(&merge(&mirror, &ALL), words);
    let count = |report: &mut Value, change: i64| {
        for member in ["/summary/counts/valid", "/summary/expected"] {
            let number = report.pointer_mut(member).unwrap();
            *number = json!(number.as_i64().unwrap() + change);
        }
    };
    edit(&mirror, "r/1.json", |report| count(report, -1));
    let words =
        "error: shard 1 (r/1.json) does not add up: its share of the mirror is 3, and it lists 2\n";
    refuses(&merge(&mirror, &ALL), words);
    edit(&mirror, "r/1.json", |report| {
        report["start"]["shard"]["share"]["artifacts"] = json!(2)
    });
    edit(&mirror, "r/2.json", |report| {
        report["artifacts"].as_array_mut().unwrap().push(moved);
        report["start"]["shard"]["share"]["artifacts"] = json!(4);
        count(report, 1);
    });
    let run = merge(&mirror, &ALL);
    for number in [1, 2] {
        let words = format!(
            "error: shard {number} (r/{number}.json) does not add up: it lists other artifacts than its share of the mirror\n"
        );
        refuses(&run, &words);
    }
}

#[test]
fn shares_of_another_division_are_refused_even_if_each_adds_up() {
    let mirror = sharded();
    // What another version of the program could divide.
    for name in ALL {
        edit(&mirror, name, |report| {
            report["start"]["shard"]["division_sha256"] = json!("00".repeat(32))
        });
    }
    let words = "error: the shards' shares are not those of one division of the mirror\n";
    refuses(&merge(&mirror, &ALL), words);
    let mirror = sharded();
    edit(&mirror, "r/2.json", |report| {
        report["start"]["shard"]["divided"] = json!("by-name")
    });
    refuses(
        &merge(&mirror, &ALL),
        "error: shard 2 (r/2.json): divided in another way (by-name)\n",
    );
}

#[test]
fn a_report_that_contradicts_itself_is_refused() {
    let mirror = sharded();
    let original = read(&mirror, "r/2.json");
    for (member, value, words) in [
        ("passes", json!(false), "a verdict that contradicts itself"),
        (
            "status",
            json!("invalid"),
            "a verdict that contradicts itself",
        ),
        (
            "line",
            json!("❌ Signature valid"),
            "a verdict that contradicts itself",
        ),
        ("line", json!("✅ All is well"), " explains another line"),
        ("status", json!("fine"), "\"fine\" is no term of a verdict"),
        (
            "reason",
            json!("because"),
            "\"because\" is no term of a verdict",
        ),
        ("key", json!("ab".repeat(32)), "a key not trusted"),
        ("key", Value::Null, "a verdict that contradicts itself"),
        ("sha256", json!("abc"), "\"abc\" is no SHA-256"),
        ("path", Value::Null, "a path that is none"),
        ("seconds", json!(-1.0), "-1 is no number of seconds"),
        ("type", json!("image"), "a record on nothing"),
    ] {
        let mut report = original.clone();
        report["artifacts"][0][member] = value;
        mirror.write("r/2.json", report.to_string());
        let run = merge(&mirror, &ALL);
        refuses(&run, "error: r/2.json: a damaged report: ");
        refuses(&run, words);
    }
}

#[test]
fn a_merge_is_compared_with_a_baseline_if_it_is_whole() {
    let mirror = mirror();
    mirror.run_pinned(&["--report", "b.json", "m"]);
    shards(&mirror);
    let run = merge(&mirror, &[&ALL[..], &["--baseline", "b.json"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    fs::remove_file(mirror.path().join("m/d1/9.zst")).unwrap();
    fs::remove_file(mirror.path().join("m/d1/9.sig.bin")).unwrap();
    shards(&mirror);
    let run = merge(
        &mirror,
        &[&ALL[..], &["--baseline", "b.json", "--report", "all.json"]].concat(),
    );
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("error: m/d1/9.zst: ❌ Removed: "),
        "{}",
        run.stderr
    );
    let report = read(&mirror, "all.json");
    assert_eq!(
        report["summary"]["audit"]["findings"][0]["finding"],
        "removed"
    );
    let run = merge(&mirror, &[&ALL[..2], &["--baseline", "b.json"]].concat());
    refuses(
        &run,
        "error: not compared with the baseline, since the run did not reach its end\n",
    );
    let run = merge(&mirror, &[&ALL[..], &["--baseline", "r/1.json"]].concat());
    refuses(
        &run,
        "r/1.json: the report of shard 1/3, which has only a part of the mirror",
    );
    // A merge is a baseline.
    let run = mirror.run_pinned(&["--baseline", "all.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_merge_is_written_in_every_format() {
    let mirror = sharded();
    let names = [
        "all.json",
        "all.xml",
        "all.html",
        "all.csv",
        "all.prom",
        "all.intoto.jsonl",
        "all.oscal.json",
        "SHA256SUMS",
    ];
    let reports = names.iter().flat_map(|name| ["--report", name]);
    let arguments: Vec<&str> = ALL
        .into_iter()
        .chain(reports)
        .chain(["--note", "night 1"])
        .collect();
    let run = merge(&mirror, &arguments);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let text = |name: &str| fs::read_to_string(mirror.path().join(name)).unwrap();
    let listed = text("SHA256SUMS");
    assert_eq!(listed.lines().count(), 9);
    let first = read(&mirror, "all.json")["artifacts"][0].clone();
    let line = format!(
        "{}  {}\n",
        first["sha256"].as_str().unwrap(),
        first["path"].as_str().unwrap()
    );
    assert!(listed.starts_with(&line), "{listed}");
    let page = text("all.html");
    assert!(page.contains("<h2>Shards</h2>") && page.contains("Every signature is valid: 9"));
    assert!(text("all.xml").contains("<property name=\"merged\" value=\"shard 1 on "));
    assert!(text("all.csv").contains("merged from 3 shards"));
    assert_eq!(read(&mirror, "all.json")["start"]["note"], "night 1");
    // Of what is not whole, no list is written that would look whole.
    let run = merge(
        &mirror,
        &[
            "r/1.json",
            "r/2.json",
            "--report",
            "SHA256SUMS",
            "--report",
            "all.intoto.jsonl",
        ],
    );
    assert_eq!(run.status, Some(2));
    for name in ["SHA256SUMS", "all.intoto.jsonl"] {
        assert!(!mirror.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_report_never_replaces_one_that_is_merged() {
    let mirror = sharded();
    let before = fs::read(mirror.path().join("r/2.json")).unwrap();
    fs::hard_link(
        mirror.path().join("r/2.json"),
        mirror.path().join("link.json"),
    )
    .unwrap();
    for name in ["r/2.json", "link.json"] {
        let run = merge(&mirror, &[&ALL[..], &["--report", name]].concat());
        refuses(
            &run,
            &format!("error: --report {name}: this is one of the reports to merge"),
        );
    }
    assert_eq!(fs::read(mirror.path().join("r/2.json")).unwrap(), before);
}

#[test]
fn one_content_under_two_names_in_two_shards_is_found() {
    let mirror = mirror();
    // Two files of one content, which are large enough to be in two shares.
    for name in ["old", "new"] {
        mirror.write_signed(
            &format!("m/{name}.iso"),
            &format!("m/{name}.iso.sig.bin"),
            &[7; 900_000],
        );
    }
    let whole = mirror.run_pinned(&["m"]);
    shards(&mirror);
    let shards = ["new.iso", "old.iso"].map(|name| {
        let has = |report: &&&str| {
            read(&mirror, report)["artifacts"]
                .to_string()
                .contains(name)
        };
        *ALL.iter().find(has).unwrap()
    });
    assert_ne!(shards[0], shards[1]);
    let run = merge(&mirror, &ALL);
    let note = whole
        .stderr
        .lines()
        .find(|line| line.contains("the same content"))
        .unwrap();
    assert!(run.stderr.contains(note), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_wrong_key_is_noted_over_all_shards_and_what_was_not_looked_for_is_said() {
    let mirror = mirror();
    mirror.write("other.pem", public_pem(&signing_key(77)));
    for number in 1..=3 {
        let (shard, report) = (format!("{number}/3"), format!("r/{number}.json"));
        fs::create_dir_all(mirror.path().join("r")).unwrap();
        mirror.run(&[
            "--key",
            "other.pem",
            "--shard",
            &shard,
            "--report",
            &report,
            "m",
        ]);
    }
    let run = merge(&mirror, &ALL);
    assert_eq!(run.status, Some(1));
    for words in [
        "none of the 9 signatures of this run was made by a trusted key",
        "9 of the 9 signatures that fit no trusted key were made by one key that you did not name",
        "each shard looked for other signers and misplaced signatures in its own share only",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
}

#[test]
fn names_that_are_not_text_are_merged_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let mirror = mirror();
    let name = |bytes: &[u8]| {
        mirror
            .path()
            .join("m")
            .join(std::ffi::OsStr::from_bytes(bytes))
    };
    fs::rename(mirror.path().join("m/d1/9.zst"), name(b"\xff\n.zst")).unwrap();
    fs::rename(
        mirror.path().join("m/d1/9.sig.bin"),
        name(b"\xff\n.sig.bin"),
    )
    .unwrap();
    let whole = mirror.run_pinned(&["m"]).stdout;
    shards(&mirror);
    let run = merge(&mirror, &ALL);
    assert_eq!((run.stdout, run.status), (whole, Some(0)), "{}", run.stderr);
}

#[test]
fn images_are_merged_behind_their_bundles() {
    let mirror = Mirror::new();
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/images");
    assert!(images.exists());
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(&images)
        .arg(mirror.path().join("m"))
        .status();
    assert!(copied.unwrap().success());
    let key = fs::read_dir(&images)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let key = key
        .into_iter()
        .find(|path| path.extension().is_some_and(|ending| ending == "pem"));
    let key = key.unwrap();
    let key = key.to_str().unwrap();
    let whole = mirror.run(&["--key", key, "--images", "--report", "one.json", "m"]);
    fs::create_dir(mirror.path().join("r")).unwrap();
    for number in 1..=3 {
        let (shard, report) = (format!("{number}/3"), format!("r/{number}.json"));
        mirror.run(&[
            "--key", key, "--images", "--shard", &shard, "--report", &report, "m",
        ]);
    }
    let run = mirror.run(&[&["--merge"], &ALL[..], &["--report", "all.json"]].concat());
    assert_eq!(
        (&run.stdout, run.status),
        (&whole.stdout, whole.status),
        "{}",
        run.stderr
    );
    let (one, all) = (read(&mirror, "one.json"), read(&mirror, "all.json"));
    assert_eq!(
        all["summary"]["image_counts"],
        one["summary"]["image_counts"]
    );
    assert_ne!(all["summary"]["image_counts"], Value::Null);
}

#[test]
fn paths_in_another_order_are_not_taken_for_each_other() {
    let mirror = mirror();
    let at = |name: &str| mirror.path().join(name);
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([at("m"), at("copy")])
        .status();
    assert!(copied.unwrap().success());
    mirror.write("copy/d1/9.zst", vec![b'!'; 9000]);
    fs::create_dir(at("r")).unwrap();
    // Both read `m`, and neither reads the copy.
    let shard = |number: usize, paths: [&str; 2]| {
        let (shard, report) = (format!("{number}/2"), format!("r/{number}.json"));
        mirror.run_pinned(&[&["--shard", &shard, "--report", &report], &paths[..]].concat());
    };
    shard(1, ["m", "copy"]);
    shard(2, ["copy", "m"]);
    let run = merge(&mirror, &["r/1.json", "r/2.json", "--report", "SHA256SUMS"]);
    assert!(
        run.stderr.contains(
            "error: shards 1 and 2 (r/1.json, r/2.json) do not give the PATHs in the same order: "
        ),
        "{}",
        run.stderr
    );
    assert!(matches!(run.status, Some(1 | 2)), "{}", run.stderr);
    assert!(!at("SHA256SUMS").exists());
}

#[test]
fn paths_below_each_other_are_merged_in_the_order_of_one_run() {
    let mirror = mirror();
    for paths in [
        ["m", "m/d0"],
        ["m/d0", "m"],
        ["m", "m/d0/2.zst"],
        ["m/d0/4.sig.bin", "m"],
        ["m", "m/d0/4.sig.bin"],
    ] {
        let whole = mirror.run_pinned(&paths).stdout;
        for number in 1..=3 {
            shard_by(&mirror, (number, 3), &paths);
        }
        let run = merge(&mirror, &ALL);
        assert_eq!((run.stdout, run.status), (whole, Some(0)), "{}", run.stderr);
    }
}

#[test]
fn a_key_that_lay_in_the_mirror_in_any_shard_is_warned_of() {
    let mirror = sharded();
    fs::copy(
        mirror.path().join("key.pem"),
        mirror.path().join("m/key.pem"),
    )
    .unwrap();
    for number in 1..=3 {
        let (shard, report) = (format!("{number}/3"), format!("r/{number}.json"));
        let key = if number == 2 { "m/key.pem" } else { "key.pem" };
        mirror.run(&["--key", key, "--shard", &shard, "--report", &report, "m"]);
    }
    let run = merge(&mirror, &[&ALL[..], &["--report", "all.json"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("warning: key.pem: this key is inside the tree that it verifies"),
        "{}",
        run.stderr
    );
    assert_eq!(
        read(&mirror, "all.json")["start"]["keys"][0]["inside_tree"],
        true
    );
}

#[test]
fn texts_that_no_report_has_are_not_printed() {
    let mirror = sharded();
    let original = read(&mirror, "r/2.json");
    for line in [
        "✅ Signature valid\nm/forged.zst: ✅ Signature valid",
        "✅ Signature valid\u{1b}[2J",
        "✅ Signature valid, really",
    ] {
        let mut report = original.clone();
        let (_, words) = line.split_once(' ').unwrap();
        let detail = report["artifacts"][0]["detail"].as_str().unwrap().replacen(
            "Signature valid",
            words,
            1,
        );
        report["artifacts"][0]["line"] = json!(line);
        report["artifacts"][0]["detail"] = json!(detail);
        mirror.write("r/2.json", report.to_string());
        let run = merge(&mirror, &ALL);
        refuses(&run, "error: r/2.json: a damaged report: ");
        assert!(
            !run.stdout.contains("forged") && !run.stdout.contains('\u{1b}'),
            "{}",
            run.stdout
        );
    }
    let mut report = original;
    let detail = report["artifacts"][0]["detail"]
        .as_str()
        .unwrap()
        .replace(", key", ",\u{202e} key");
    report["artifacts"][0]["detail"] = json!(detail);
    mirror.write("r/2.json", report.to_string());
    refuses(&merge(&mirror, &ALL), "a text that no report has");
}

#[test]
fn an_end_that_contradicts_the_records_is_refused() {
    let mirror = sharded();
    let original = read(&mirror, "r/2.json");
    for (member, value) in [
        ("exit_status", json!(1)),
        ("conclusion", json!("no verdict")),
        ("conclusion", json!("not-valid")),
        ("exit_status", Value::Null),
        ("problems", json!(["something was in the way"])),
    ] {
        let mut report = original.clone();
        report["summary"][member] = value.clone();
        if value.is_null() {
            let summary = report["summary"].as_object_mut().unwrap();
            summary.remove("exit_status");
            summary.remove("conclusion");
        }
        mirror.write("r/2.json", report.to_string());
        let run = merge(&mirror, &ALL);
        assert!(
            matches!(run.status, Some(1 | 2)),
            "{member}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("shard 2 (r/2.json)"),
            "{member}: {}",
            run.stderr
        );
    }
}

#[test]
fn an_artifact_that_is_accepted_without_being_asked_for_is_refused() {
    let mirror = sharded();
    edit(&mirror, "r/2.json", |report| {
        let artifact = &mut report["artifacts"][0];
        for (member, value) in [
            ("status", "unsigned"),
            ("reason", "no-signature-file"),
            ("line", "⚠️ Signature file not found"),
            ("detail", "Signature file not found (it is not here)"),
        ] {
            artifact[member] = json!(value);
        }
        let valid = &mut report["summary"]["counts"]["valid"];
        *valid = json!(valid.as_u64().unwrap() - 1);
    });
    refuses(
        &merge(&mirror, &ALL),
        "does not add up: it accepts what is unsigned, without --allow-unsigned\n",
    );
}

#[test]
fn a_report_may_come_through_a_pipe() {
    let mirror = sharded();
    let whole = merge(&mirror, &ALL).stdout;
    let arguments = [
        "-c",
        "exec \"$0\" --merge /dev/stdin r/2.json r/3.json <<END\n$(cat r/1.json)\nEND",
    ];
    let run = std::process::Command::new("bash")
        .args(arguments)
        .arg(crate::support::COMMAND)
        .current_dir(mirror.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(run.stdout).unwrap(),
        whole,
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn the_key_that_signs_a_merge_may_lie_where_the_command_is_run() {
    use crate::support::private_pem;
    let mirror = sharded();
    mirror.write("sign.pem", private_pem(&signing_key(5)));
    let run = merge(
        &mirror,
        &[
            &ALL[..],
            &["--report", "SHA256SUMS", "--sign-report", "sign.pem"],
        ]
        .concat(),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(mirror.path().join("SHA256SUMS.sig.bin").exists());
}

#[test]
fn a_span_without_a_merge_is_refused() {
    let mirror = mirror();
    let run = mirror.run_pinned(&["--within", "24h", "m"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    assert_eq!(
        run.stderr,
        "error: --within: it is for --merge, and there is nothing to merge\n"
    );
}

//! Signed checksum lists.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use crate::support::bundles::{Image, Layout, zstd};
use crate::support::{
    Mirror, PINNED, Run, is_here, private_pem, public_pem, sign, signing_key, wait_until,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(content: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(content.as_ref()))
}

/// A line of `sha256sum`.
fn line(name: &str, content: &str) -> String {
    format!("{}  {name}\n", sha256(content))
}

/// A mirror with these files, and a list of these lines with a valid signature.
fn mirror(files: &[(&str, &str)], lines: &[String]) -> Mirror {
    let mirror = Mirror::new();
    for (name, content) in files {
        mirror.write(&format!("m/{name}"), content);
    }
    write_list(&mirror, "m/SHA256SUMS", &lines.concat());
    mirror
}

fn write_list(mirror: &Mirror, name: &str, text: &str) {
    mirror.write_signed(name, &format!("{name}.sig.bin"), text.as_bytes());
}

fn assert_run(run: &Run, stdout: &str, status: i32) {
    assert_eq!(
        (&*run.stdout, run.status),
        (stdout, Some(status)),
        "{}",
        run.stderr
    );
}

#[test]
fn a_signed_list_vouches_for_every_file_that_it_names_and_the_name_is_not_a_detail() {
    let mirror = mirror(
        &[
            ("a.iso", "a"),
            ("d/b.zst", "b"),
            ("README", "c"),
            ("d/e.iso", "e"),
        ],
        &[
            line("a.iso", "a"),
            format!("{} *d/b.zst\n", sha256("b")),
            format!("SHA256 (README) = {}\n", sha256("c")),
        ],
    );
    let run = mirror.run_pinned(&["m"]);
    let lines = "m/README: ✅ Listed in a signed list\n\
                 m/SHA256SUMS: ✅ Signature valid\n\
                 m/a.iso: ✅ Listed in a signed list\n\
                 m/d/b.zst: ✅ Listed in a signed list\n\
                 m/d/e.iso: ❌ Signature file not found\n";
    assert_run(&run, lines, 1);
    let summary = "summary: 1 valid, 3 listed in a signed list, 1 without signature file; ";
    assert!(run.stderr.contains(summary), "{}", run.stderr);
    // What a detached signature cannot tell: an old release under the name of a new one.
    fs::copy(
        mirror.path().join("m/d/b.zst"),
        mirror.path().join("m/a.iso"),
    )
    .unwrap();
    fs::remove_file(mirror.path().join("m/d/e.iso")).unwrap();
    let run = mirror.run_pinned(&["-v", "m/SHA256SUMS"]);
    let lines = "m/README: ✅ Listed in a signed list (SHA256SUMS, key key.pem)\n\
                 m/SHA256SUMS: ✅ Signature valid (SHA256SUMS.sig.bin, key key.pem)\n\
                 m/a.iso: ❌ Differs from the signed list (SHA256SUMS: its digest is not the one in the list; the data file is not a whole ISO 9660 image, though its name says so: download it again)\n\
                 m/d/b.zst: ✅ Listed in a signed list (m/SHA256SUMS, key key.pem)\n";
    assert_run(&run, lines, 1);
}

#[test]
fn nothing_but_listed_files_is_a_success_and_a_missing_one_is_none() {
    let mirror = mirror(&[("a.iso", "a")], &[line("a.iso", "a")]);
    let run = mirror.run_pinned(&["m"]);
    let lines = "m/SHA256SUMS: ✅ Signature valid\nm/a.iso: ✅ Listed in a signed list\n";
    assert_run(&run, lines, 0);
    assert!(
        run.stderr
            .ends_with("OK: 1 of 2 valid, 1 listed in a signed list\n")
    );
    fs::remove_file(mirror.path().join("m/a.iso")).unwrap();
    for options in [&[][..], &["--allow-unsigned"], &["--max-depth", "1"]] {
        let run = mirror.run_pinned(&[options, &["m"]].concat());
        let lines = "m/SHA256SUMS: ✅ Signature valid\nm/a.iso: ❌ Data file not found\n";
        assert_run(&run, lines, 1);
    }
    let run = mirror.run_pinned(&["-q", "--exclude", "a.*", "m"]);
    assert_run(&run, "", 0);
}

#[test]
fn what_a_list_cannot_mean_fails_and_nothing_outside_its_directory_is_read() {
    let md5 = "9dd4e461268c8034f5c8564e155c67a6";
    let mirror = mirror(
        &[("a", "a"), ("b", "b"), ("d/c", "c")],
        &[
            line("a", "a"),
            line("./a", "b"),
            format!("{md5}  b\n"),
            line("../key.pem", "x"),
            line("/etc/hostname", "x"),
            line("d/../a", "a"),
            line("d", "x"),
        ],
    );
    let run = mirror.run_pinned(&["m"]);
    let lines = "/etc/hostname: ❌ Listed outside the list's directory\n\
                 m/../key.pem: ❌ Listed outside the list's directory\n\
                 m/SHA256SUMS: ✅ Signature valid\n\
                 m/a: ❌ Listed with two digests\n\
                 m/b: ❌ Listed without a usable digest\n\
                 m/d: ❌ Not a regular file\n\
                 m/d/../a: ❌ Listed outside the list's directory\n";
    assert_run(&run, lines, 1);
}

#[test]
fn a_list_with_a_line_that_cannot_be_read_vouches_for_nothing() {
    let files = [("a.iso", "a")];
    let mirror = mirror(&files, &[line("a.iso", "a"), "b.iso\n".to_owned()]);
    let run = mirror.run_pinned(&["m"]);
    let lines =
        "m/SHA256SUMS: ❌ Not a usable checksum list\nm/a.iso: ❌ Signature file not found\n";
    assert_run(&run, lines, 1);
    let why = "(SHA256SUMS.sig.bin: line 2 is not a line of a checksum list)";
    assert!(run.stderr.contains(why), "{}", run.stderr);
    // Named like a list, it is something else; named by the user, it must be one.
    write_list(&mirror, "m/SHA256SUMS", "released on Monday\n");
    let run = mirror.run_pinned(&["m/SHA256SUMS"]);
    assert_run(&run, "m/SHA256SUMS: ✅ Signature valid\n", 0);
    let run = mirror.run_pinned(&["--list", "m/SHA256SUMS", "m/SHA256SUMS"]);
    assert_run(&run, "m/SHA256SUMS: ❌ Not a usable checksum list\n", 1);
}

#[test]
fn a_list_that_no_trusted_key_signed_vouches_for_nothing_and_its_agreement_is_no_success() {
    let mirror = mirror(&[("a.txt", "a"), ("b.zst", "b"), ("c.zst", "c")], &[]);
    let text = [line("b.zst", "b"), line("c.zst", "x"), line("a.txt", "a")].concat();
    mirror.write("m/SHA256SUMS", &text);
    mirror.write(
        "m/SHA256SUMS.sig.bin",
        sign(&signing_key(2), text.as_bytes()),
    );
    let unsigned = "m/b.zst: ❌ Signature file not found\nm/c.zst: ❌ Signature file not found\n";
    let run = mirror.run_pinned(&["m"]);
    assert_run(
        &run,
        &format!("m/SHA256SUMS: ❌ Signature invalid\n{unsigned}"),
        1,
    );
    fs::remove_file(mirror.path().join("m/SHA256SUMS.sig.bin")).unwrap();
    let run = mirror.run_pinned(&["m"]);
    assert_run(&run, unsigned, 1);
    let agrees = "its digest is the one in SHA256SUMS, which is not signed either, so nothing shows who made them";
    let differs = "its digest is not the one in SHA256SUMS, which is not signed either";
    assert!(
        run.stderr
            .contains(&format!("b.zst.sig.bin is here; {agrees}"))
    );
    assert!(
        run.stderr
            .contains(&format!("c.zst.sig.bin is here; {differs}"))
    );
    assert!(!run.stdout.contains('✅') && !run.stderr.contains('✅'));
    let run = mirror.run_pinned(&["--allow-unsigned", "-v", "m"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stdout.contains(&format!("⚠️ Signature file not found (no signature file claims it: neither b.sig.bin nor b.zst.sig.bin is here; {agrees})")), "{}", run.stdout);
    // Named, it is an artifact that needs a signature.
    let run = mirror.run_pinned(&["--list", "m/SHA256SUMS", "m"]);
    let lines = format!("m/SHA256SUMS: ❌ Signature file not found\n{unsigned}");
    assert_run(&run, &lines, 1);
}

#[test]
fn a_file_is_hashed_once_for_its_signature_and_for_lists_with_any_digests() {
    let mirror = mirror(&[], &[]);
    let content = vec![7; 100_000];
    mirror.write_signed("m/a.iso", "m/a.sig.bin", &content);
    write_list(
        &mirror,
        "m/SHA256SUMS",
        &format!("{}  a.iso\n", sha256(&content)),
    );
    let wide = hex(&Sha512::digest(&content));
    write_list(&mirror, "m/a.iso.sha512", &format!("{wide}  a.iso\n"));
    let run = mirror.run_pinned(&["-v", "--report", "r.json", "m"]);
    let lines = "m/SHA256SUMS: ✅ Signature valid (SHA256SUMS.sig.bin, key key.pem)\n\
                 m/a.iso: ✅ Listed in a signed list (SHA256SUMS, key key.pem)\n\
                 m/a.iso: ✅ Listed in a signed list (a.iso.sha512, key key.pem)\n\
                 m/a.iso: ✅ Signature valid (a.sig.bin, key key.pem)\n\
                 m/a.iso.sha512: ✅ Signature valid (a.iso.sha512.sig.bin, key key.pem)\n";
    assert_run(&run, lines, 0);
    let report = mirror.report("r.json");
    let lists: u64 = [72, 136].iter().sum();
    assert_eq!(report["summary"]["bytes"], 100_000 + lists);
    assert_eq!(report["summary"]["counts"]["listed"], 2);
    // One wrong digit of the wider digest, and everything else as it was.
    let other = wide.replacen(&wide[..1], if wide.starts_with('0') { "1" } else { "0" }, 1);
    write_list(&mirror, "m/a.iso.sha512", &format!("{other}  a.iso\n"));
    let run = mirror.run_pinned(&["-q", "m"]);
    assert_run(&run, "m/a.iso: ❌ Differs from the signed list\n", 1);
}

#[test]
fn a_list_of_any_name_is_named_by_list_and_judged_once_however_its_path_is_spelled() {
    let mirror = mirror(&[("a.bin", "a")], &[]);
    write_list(&mirror, "m/index", &line("a.bin", "a"));
    fs::remove_file(mirror.path().join("m/SHA256SUMS")).unwrap();
    fs::remove_file(mirror.path().join("m/SHA256SUMS.sig.bin")).unwrap();
    assert_run(
        &mirror.run_pinned(&["m"]),
        "m/index: ✅ Signature valid\n",
        0,
    );
    let lines = "m/a.bin: ✅ Listed in a signed list\nm/index: ✅ Signature valid\n";
    let absolute = mirror.path().join("m/index");
    for list in ["m/index", "./m/../m//index", absolute.to_str().unwrap()] {
        assert_run(&mirror.run_pinned(&["--list", list, "m"]), lines, 0);
    }
    // A list elsewhere brings in its own directory's files.
    mirror.write_signed("n/x.zst", "n/x.sig.bin", b"x");
    let both = format!("n/x.zst: ✅ Signature valid\n{lines}");
    assert_run(&mirror.run_pinned(&["--list", "m/index", "n"]), &both, 0);
    let run = mirror.run_pinned(&["--list", "m", "n"]);
    let error = "error: m: --list names a checksum list, and this is a directory\n";
    assert!(run.stderr.starts_with(error), "{}", run.stderr);
    assert_eq!((&*run.stdout, run.status), ("", Some(2)));
    let run = mirror.run_pinned(&["--list", "m/none", "n"]);
    assert_eq!((&*run.stdout, run.status), ("", Some(2)));
}

#[test]
fn links_to_listed_files_and_files_in_parts_are_judged_by_the_list_too() {
    let files = [("a.iso", "a"), ("b.iso.part0", "b"), ("b.iso.part1", "c")];
    let mirror = mirror(&files, &[line("a.iso", "a"), line("b.iso", "bc")]);
    symlink("a.iso", mirror.path().join("m/latest.iso")).unwrap();
    let run = mirror.run_pinned(&["m"]);
    let lines = "m/SHA256SUMS: ✅ Signature valid\n\
                 m/a.iso: ✅ Listed in a signed list\n\
                 m/b.iso: ✅ Listed in a signed list\n\
                 m/latest.iso: ✅ Listed in a signed list\n";
    assert_run(&run, lines, 0);
    mirror.write("m/b.iso.part1", "x");
    let run = mirror.run_pinned(&["-q", "m"]);
    assert_run(&run, "m/b.iso: ❌ Differs from the signed list\n", 1);
    // The parts themselves may be what is listed.
    let lines = ["a.iso", "b.iso.part0"].map(|name| line(name, &name[..1]));
    write_list(
        &mirror,
        "m/SHA256SUMS",
        &(lines.concat() + &line("b.iso.part1", "x")),
    );
    let run = mirror.run_pinned(&["m/SHA256SUMS"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.stdout.matches("✅ Listed").count(), 3);
}

#[test]
fn a_listed_bundle_vouches_for_the_images_in_it() {
    let mirror = mirror(&[], &[]);
    let mut layout = Layout::default();
    let image = Image::new("amd64", &[b"a layer"]);
    layout.add("r.example/app:1", &image);
    let bundle = zstd(&layout.tar());
    mirror.write("m/x.tar.zst", &bundle);
    let image = "m/x.tar.zst » r.example/app:1 (linux/amd64)";
    let run = mirror.run_pinned(&["--images", "m"]);
    assert!(
        run.stdout
            .contains(&format!("{image}: ❌ Image not signed\n"))
    );
    assert_eq!(run.status, Some(1));
    write_list(
        &mirror,
        "m/SHA256SUMS",
        &format!("{}  x.tar.zst\n", sha256(&bundle)),
    );
    let run = mirror.run_pinned(&["--images", "m"]);
    let lines = format!(
        "m/SHA256SUMS: ✅ Signature valid\n\
         m/x.tar.zst: ✅ Listed in a signed list\n\
         {image}: ⚠️ Image not signed, intact\n"
    );
    assert_run(&run, &lines, 0);
}

#[test]
fn shards_of_a_listed_mirror_merge_to_what_one_run_finds() {
    let names: Vec<String> = (0..9).map(|n| format!("d{}/{n}.iso", n % 2)).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
    let lines: Vec<String> = names.iter().map(|name| line(name, name)).collect();
    let mirror = mirror(&files, &[lines.concat(), line("gone", "x")]);
    let whole = mirror.run_pinned(&["m"]);
    assert_eq!(whole.status, Some(1));
    let mut reports = Vec::new();
    for n in 1..=3 {
        let (shard, report) = (format!("{n}/3"), format!("r/{n}.json"));
        fs::create_dir_all(mirror.path().join("r")).unwrap();
        mirror.run_pinned(&["--shard", &shard, "--report", &report, "m"]);
        reports.push(report);
    }
    let merge: Vec<&str> = ["--merge"]
        .into_iter()
        .chain(reports.iter().map(|r| &**r))
        .collect();
    let merged = mirror.run(&merge);
    assert_run(&merged, &whole.stdout, 1);
    // A report that claims more than it says at its end.
    let path = mirror.path().join("r/1.json");
    let text = fs::read_to_string(&path).unwrap();
    let before = text.split_once("\"listed\": ").unwrap().1;
    let listed: u64 = before[..1].parse().unwrap();
    let forged = text.replacen(&format!("\"listed\": {listed}"), "\"listed\": 9", 1);
    fs::write(&path, forged).unwrap();
    let run = mirror.run(&merge);
    assert!(
        run.stderr
            .contains(&format!("it says 9 listed, and lists {listed}")),
        "{}",
        run.stderr
    );
}

#[test]
fn what_was_listed_and_is_unchanged_need_not_be_read_again_while_the_list_is_the_same() {
    let mirror = mirror(
        &[("a.iso", "a"), ("b.iso", "b")],
        &[line("a.iso", "a"), line("b.iso", "b")],
    );
    let kept = ["--ledger", "ledger", "--max-age", "30d", "m"];
    let runs = || mirror.run_pinned(&kept);
    wait_until("the files have settled", || {
        runs().status == Some(0) && runs().stdout.matches("Verified earlier").count() == 2
    });
    let run = runs();
    // The list itself is always read.
    assert!(
        run.stdout
            .starts_with("m/SHA256SUMS: ✅ Signature valid\nm/a.iso: ⏭️"),
        "{}",
        run.stdout
    );
    write_list(
        &mirror,
        "m/SHA256SUMS",
        &(line("a.iso", "a") + &line("b.iso", "x")),
    );
    let lines = "m/SHA256SUMS: ✅ Signature valid\n\
                 m/a.iso: ✅ Listed in a signed list\n\
                 m/b.iso: ❌ Differs from the signed list\n";
    assert_run(&runs(), lines, 1);
}

#[test]
fn every_report_has_what_is_listed_as_something_that_passes() {
    let mirror = mirror(
        &[("a.iso", "a"), ("b.iso", "b")],
        &[line("a.iso", "a"), line("b.iso", "b")],
    );
    let formats = [
        "json",
        "xml",
        "html",
        "csv",
        "prom",
        "intoto.jsonl",
        "oscal.json",
    ];
    let reports = formats.map(|format| format!("r.{format}"));
    let mut arguments: Vec<&str> = reports.iter().flat_map(|r| ["--report", r]).collect();
    arguments.extend(["--report", "SHA256SUMS", "m"]);
    let run = mirror.run_pinned(&arguments);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let read = |name: &str| fs::read_to_string(mirror.path().join(name)).unwrap();
    let report = mirror.report("r.json");
    let artifact = &report["artifacts"][1];
    assert_eq!(artifact["status"], "listed");
    assert_eq!(artifact["reason"], "in-signed-list");
    assert_eq!(artifact["signature"], "m/SHA256SUMS");
    let list = fs::read(mirror.path().join("m/SHA256SUMS")).unwrap();
    assert_eq!(artifact["signature_file"]["sha256"], sha256(&list));
    let sums = [
        line("m/SHA256SUMS", &String::from_utf8(list).unwrap()),
        line("m/a.iso", "a"),
        line("m/b.iso", "b"),
    ];
    assert_eq!(read("SHA256SUMS"), sums.concat());
    assert!(read("r.html").contains("Everything is signed: 1 valid, 2 listed in a signed list"));
    assert!(read("r.prom").contains("verdict=\"listed\"} 2\n"));
    assert!(
        read("r.csv").contains(",listed,true,in-signed-list,"),
        "{}",
        read("r.csv")
    );
    assert!(!read("r.xml").contains("<skipped") && !read("r.xml").contains("<failure"));
    let statement = read("r.intoto.jsonl");
    assert_eq!(statement.lines().count(), 1);
}

/// The hand-over between two networks, as the README has it.
#[test]
fn a_mirror_is_handed_over_by_a_list_that_the_operator_signs() {
    let here = Mirror::new();
    for name in ["m/a.iso", "m/d/b.zst", "m/c.txt"] {
        here.write_signed(name, &format!("{name}.sig.bin"), name.as_bytes());
    }
    let operator = signing_key(9);
    here.write("operator.pem", private_pem(&operator));
    let report = [
        "--all-files",
        "--report",
        "SHA256SUMS",
        "--sign-report",
        "operator.pem",
        "m",
    ];
    // As often as it is made.
    for _ in 0..2 {
        let run = here.run_pinned(&report);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
    }
    let there = |change: &dyn Fn(&Path)| {
        let other = tempfile::tempdir().unwrap();
        let mut copy = Command::new("cp");
        copy.arg("-r")
            .args(["m", "key.pem", "SHA256SUMS", "SHA256SUMS.sig.bin"]);
        copy.arg(other.path()).current_dir(here.path());
        assert!(copy.status().unwrap().success());
        fs::write(other.path().join("operator.pub.pem"), public_pem(&operator)).unwrap();
        change(other.path());
        let mut command = Command::new(crate::support::COMMAND);
        command.current_dir(other.path()).env_remove("PUBKEY");
        command.args([
            "-q",
            "-k",
            "operator.pub.pem",
            "-k",
            "key.pem",
            "--all-files",
        ]);
        command.args(["--list", "SHA256SUMS", "m"]);
        Run::of(command)
    };
    assert_run(&there(&|_| ()), "", 0);
    let remove = |names: &'static [&str]| {
        move |at: &Path| {
            names
                .iter()
                .for_each(|name| fs::remove_file(at.join(name)).unwrap())
        }
    };
    let lost = there(&remove(&["m/d/b.zst", "m/d/b.zst.sig.bin"]));
    assert_run(&lost, "m/d/b.zst: ❌ Data file not found\n", 1);
    let unsigned = there(&remove(&["SHA256SUMS.sig.bin"]));
    assert_run(&unsigned, "SHA256SUMS: ❌ Signature file not found\n", 1);
    let no_list = there(&remove(&["SHA256SUMS", "SHA256SUMS.sig.bin"]));
    assert_eq!((&*no_list.stdout, no_list.status), ("", Some(2)));
    let renamed = there(&|at| {
        fs::rename(at.join("m/a.iso"), at.join("m/a-2.iso")).unwrap();
        fs::rename(at.join("m/a.iso.sig.bin"), at.join("m/a-2.iso.sig.bin")).unwrap();
    });
    assert_run(&renamed, "m/a.iso: ❌ Data file not found\n", 1);
    let added = there(&|at| fs::write(at.join("m/new.txt"), "").unwrap());
    assert_run(&added, "m/new.txt: ❌ Signature file not found\n", 1);
}

#[test]
fn a_list_that_no_list_could_be_is_not_signed() {
    let mirror = Mirror::new();
    mirror.write_signed("m/a.iso", "m/a.sig.bin", b"a");
    mirror.write("operator.pem", private_pem(&signing_key(9)));
    fs::create_dir(mirror.path().join("r")).unwrap();
    let report = ["--report", "r/SHA256SUMS", "m"];
    assert_eq!(mirror.run_pinned(&report).status, Some(0));
    let run = mirror.run_pinned(&[&["--sign-report", "operator.pem"], &report[..]].concat());
    assert_eq!(run.status, Some(2));
    assert!(
        run.stderr
            .contains("it would have names that lead out of its directory"),
        "{}",
        run.stderr
    );
}

/// What coreutils, BSD's and OpenSSL's programs write is read as they mean it.
#[test]
fn lists_of_other_programs_name_the_same_files_to_them_and_to_us() {
    if !is_here("sha256sum", "lists of other programs")
        || !is_here("openssl", "lists of other programs")
    {
        return;
    }
    let names = [
        "plain",
        " two  blanks ",
        "*star",
        "back\\slash",
        "new\nline",
        "re\rturn",
        "a) = b",
        "\u{e9}",
        "-n",
    ];
    let makers: [&[&str]; 7] = [
        &["sha256sum"],
        &["sha256sum", "--binary"],
        &["sha384sum"],
        &["sha512sum", "--tag"],
        &["sha256sum", "--tag"],
        &["shasum", "-a", "512"],
        &["openssl", "dgst", "-sha256"],
    ];
    for maker in makers {
        let mirror = Mirror::new();
        // OpenSSL escapes nothing.
        let is_plain = |name: &&str| maker[0] != "openssl" || !name.contains(['\n', '\r', '\\']);
        let names: Vec<String> = names
            .iter()
            .filter(|n| is_plain(n))
            .map(|n| format!("./{n}"))
            .collect();
        for name in &names {
            mirror.write(&format!("m/{name}"), name);
        }
        let made = Command::new(maker[0])
            .args(&maker[1..])
            .args(&names)
            .current_dir(mirror.path().join("m"))
            .output();
        let Ok(made) = made else {
            is_here(maker[0], "lists of other programs");
            continue;
        };
        write_list(
            &mirror,
            "m/list.sha256",
            &String::from_utf8(made.stdout).unwrap(),
        );
        let run = mirror.run_pinned(&["-q", "m"]);
        assert_run(&run, "", 0);
        let count = format!("1 valid, {} listed in a signed list;", names.len());
        assert!(run.stderr.contains(&count), "{maker:?}: {}", run.stderr);
        if maker[0] == "sha256sum" || maker[0] == "sha384sum" {
            let check = Command::new(maker[0])
                .args(["--check", "--strict", "--status", "list.sha256"])
                .current_dir(mirror.path().join("m"))
                .status()
                .unwrap();
            assert!(check.success(), "{maker:?}");
        }
    }
}

#[test]
fn a_merge_and_a_run_over_one_file_take_no_list() {
    let mirror = mirror(&[("a.iso", "a")], &[line("a.iso", "a")]);
    for arguments in [
        &[
            "--list",
            "m/SHA256SUMS",
            "-s",
            "m/SHA256SUMS.sig.bin",
            "m/SHA256SUMS",
        ][..],
        &["--list", "m/SHA256SUMS", "--merge", "r.json"],
    ] {
        let run = mirror.run(&[&PINNED[..2], arguments].concat());
        assert_eq!((&*run.stdout, run.status), ("", Some(2)), "{arguments:?}");
        assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
    }
}

#[test]
fn no_file_beside_a_list_takes_its_signature_away() {
    for name in ["SHA256SUMS.iso", "SHA256SUMS.zst"] {
        let mirror = mirror(&[("x.tgz", "other")], &[line("x.tgz", "x")]);
        let list = mirror.path().join("m/SHA256SUMS");
        fs::copy(&list, mirror.path().join("m").join(name)).unwrap();
        let run = mirror.run_pinned(&["-q", "m"]);
        let lines = format!(
            "m/{name}: ❌ Signature file not found\nm/x.tgz: ❌ Differs from the signed list\n"
        );
        assert_run(&run, &lines, 1);
    }
}

#[test]
fn a_named_list_is_judged_in_its_own_directory_even_if_it_is_a_link_to_one_elsewhere() {
    let mirror = mirror(&[], &[]);
    write_list(&mirror, "v1/list", &line("x.tgz", "x"));
    mirror.write("v1/x.tgz", "x");
    mirror.write("latest/x.tgz", "other");
    for name in ["list", "list.sig.bin"] {
        symlink(
            format!("../v1/{name}"),
            mirror.path().join("latest").join(name),
        )
        .unwrap();
    }
    let run = mirror.run_pinned(&["-q", "--list", "latest/list", "v1"]);
    assert_run(&run, "latest/x.tgz: ❌ Differs from the signed list\n", 1);
}

#[test]
fn a_list_longer_than_any_that_is_read_fails_whatever_its_first_line_is() {
    let mirror = mirror(&[], &[]);
    let text = [b"# comment\n".to_vec(), vec![b'\n'; 64 << 20]].concat();
    mirror.write_signed("m/SHA256SUMS", "m/SHA256SUMS.sig.bin", &text);
    let run = mirror.run_pinned(&["m"]);
    assert_run(&run, "m/SHA256SUMS: ❌ Not a usable checksum list\n", 1);
    assert!(
        run.stderr
            .contains("the list is longer than any that is read"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_list_that_was_split_is_read_from_its_parts() {
    let mirror = Mirror::new();
    let text = line("gone.tgz", "x");
    mirror.write("m/SHA256SUMS.partaa", &text[..20]);
    mirror.write("m/SHA256SUMS.partab", &text[20..]);
    mirror.write("m/SHA256SUMS.sig.bin", sign(&mirror.key, text.as_bytes()));
    let lines = "m/SHA256SUMS: ✅ Signature valid\nm/gone.tgz: ❌ Data file not found\n";
    assert_run(&mirror.run_pinned(&["m"]), lines, 1);
}

#[test]
fn a_pattern_excludes_a_listed_file_only_below_the_path_that_brings_it_in() {
    let mirror = mirror(&[], &[]);
    mirror.write("m/sub/x.tgz", "other");
    write_list(&mirror, "m/sub/SHA256SUMS", &line("x.tgz", "x"));
    let differs = "m/sub/x.tgz: ❌ Differs from the signed list\n";
    for exclude in ["sub", "sub/x.tgz"] {
        let run = mirror.run_pinned(&["-q", "--exclude", exclude, "m/sub", "m"]);
        assert_run(&run, differs, 1);
    }
    for root in ["m/sub", "m/sub/", "./m/sub", "./m/../m/sub"] {
        let run = mirror.run_pinned(&["-q", "--exclude", "x.tgz", root]);
        assert_run(&run, "", 0);
    }
    // What is excluded and gone is counted as excluded.
    fs::remove_file(mirror.path().join("m/sub/x.tgz")).unwrap();
    let run = mirror.run_pinned(&["-q", "--exclude", "x.tgz", "m/sub"]);
    assert_run(&run, "", 0);
    assert!(!run.stderr.contains("nothing matches"), "{}", run.stderr);
    assert!(
        run.stderr.contains("not everything was checked"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_signed_file_that_is_named_like_a_list_and_is_none_gets_a_note() {
    let mirror = mirror(&[], &["Released on Monday.\n".to_owned()]);
    let run = mirror.run_pinned(&["--report", "r.json", "m"]);
    assert_run(&run, "m/SHA256SUMS: ✅ Signature valid\n", 0);
    let note = "m/SHA256SUMS: named like a checksum list and signed, but it lists nothing: it vouches for no file\n";
    assert!(run.stderr.contains(note), "{}", run.stderr);
    let report = mirror.report("r.json");
    assert_eq!(report["summary"]["notes"][0]["note"], "not-a-list");
    assert_eq!(report["summary"]["notes"][0]["path"], "m/SHA256SUMS");
    let text = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}",
        line("a", "a")
    );
    write_list(&mirror, "m/SHA256SUMS", &text);
    let run = mirror.run_pinned(&["m"]);
    assert_run(&run, "m/SHA256SUMS: ❌ Not a usable checksum list\n", 1);
    assert!(
        run.stderr.contains("gpgv --keyring KEYRING"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_named_list_without_a_signature_fails_even_where_unsigned_files_are_accepted() {
    let mirror = mirror(&[], &[]);
    mirror.write("m/list", line("a", "a"));
    let run = mirror.run_pinned(&["--allow-unsigned", "--list", "m/list", "m"]);
    assert_run(
        &run,
        "m/SHA256SUMS: ✅ Signature valid\nm/list: ❌ Signature file not found\n",
        1,
    );
}

#[test]
fn a_list_beside_a_file_that_is_a_path_is_asked_about_that_file_alone() {
    let mirror = mirror(
        &[("a.iso", "a"), ("b.tgz", "b")],
        &[line("a.iso", "a"), line("gone", "x"), line("b.tgz", "x")],
    );
    let listed = mirror.run_pinned(&["-v", "m/a.iso"]);
    let lines = "m/a.iso: ✅ Listed in a signed list (SHA256SUMS, key key.pem)\n";
    assert_run(&listed, lines, 0);
    let run = mirror.run_pinned(&["m/b.tgz"]);
    assert_run(&run, "m/b.tgz: ❌ Differs from the signed list\n", 1);
    // Named, the list is judged as a whole, and the file once.
    let run = mirror.run_pinned(&["--list", "./m/SHA256SUMS", "m/a.iso"]);
    let lines = "m/a.iso: ✅ Listed in a signed list\n\
                 m/SHA256SUMS: ✅ Signature valid\n\
                 m/b.tgz: ❌ Differs from the signed list\n\
                 m/gone: ❌ Data file not found\n";
    assert_eq!(run.status, Some(1));
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&run.stdout), sorted(lines));
}

#[test]
fn a_listed_file_of_any_name_may_be_in_parts() {
    let mirror = mirror(
        &[("a.tgz.partaa", "a"), ("a.tgz.partab", "b")],
        &[line("a.tgz", "ab")],
    );
    for options in [&["m"][..], &["--all-files", "m"]] {
        let run = mirror.run_pinned(options);
        let parts = run.stdout.replace("m/SHA256SUMS: ✅ Signature valid\n", "");
        assert!(
            parts.starts_with("m/a.tgz: ✅ Listed in a signed list\n"),
            "{parts}"
        );
    }
}

#[test]
fn what_a_list_covers_is_not_counted_as_not_covered_however_many_files_there_are() {
    let mirror = mirror(&[], &[]);
    let names: Vec<String> = (0..10_100).map(|n| format!("d/{n}.txt")).collect();
    for name in &names {
        mirror.write(&format!("m/{name}"), "x");
    }
    mirror.write("m/other.txt", "x");
    let lines: Vec<String> = names.iter().map(|name| line(name, "x")).collect();
    write_list(&mirror, "m/SHA256SUMS", &lines.concat());
    let run = mirror.run_pinned(&["-q", "m"]);
    assert_run(&run, "", 0);
    let left = "not checked: 1 file not covered by a signature";
    assert!(run.stderr.contains(left), "{}", run.stderr);
    assert!(
        run.stderr.contains(": 1 valid, 10100 listed\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_named_list_that_is_a_link_needs_a_signature_of_its_own() {
    let mirror = mirror(&[], &[]);
    mirror.write("m/old/o.txt", "o");
    write_list(&mirror, "m/old/SHA256SUMS", &line("o.txt", "o"));
    mirror.write("m/new/o.txt", "other");
    symlink("../old/SHA256SUMS", mirror.path().join("m/new/vendor.list")).unwrap();
    for path in ["m", "m/old"] {
        let run = mirror.run_pinned(&["-q", "--list", "m/new/vendor.list", path]);
        assert_run(&run, "m/new/vendor.list: ❌ Signature file not found\n", 1);
    }
}

#[test]
fn shards_that_saw_different_lists_do_not_merge() {
    let names: Vec<String> = (0..6).map(|n| format!("{n}.iso")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
    let lines: Vec<String> = names.iter().map(|name| line(name, name)).collect();
    let mirror = mirror(&files, &lines);
    fs::create_dir(mirror.path().join("r")).unwrap();
    let shard = |n: &str| {
        let report = format!("r/{n}.json");
        mirror.run_pinned(&["--shard", &format!("{n}/2"), "--report", &report, "m"])
    };
    assert_eq!(shard("1").status, Some(0));
    // Other digests for what the first shard verified.
    let other: Vec<String> = names.iter().map(|name| line(name, "x")).collect();
    let second = shard("2");
    let kept = |name: &&String| second.stdout.contains(&***name);
    let lines: Vec<String> = names
        .iter()
        .map(|name| {
            if kept(&name) {
                line(name, name)
            } else {
                line(name, "x")
            }
        })
        .collect();
    assert_ne!(lines, other);
    write_list(&mirror, "m/SHA256SUMS", &lines.concat());
    assert_eq!(shard("2").status, Some(0));
    let run = mirror.run(&["--merge", "r/1.json", "r/2.json"]);
    assert_eq!(run.status, Some(2), "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_named_list_keeps_its_signature_beside_a_file_that_has_it_by_its_name() {
    let mirror = mirror(&[("a.iso", "a")], &[line("a.iso", "a")]);
    write_list(&mirror, "m/foo", &line("gone", "x"));
    mirror.write("m/foo.zst", line("gone", "x"));
    let run = mirror.run_pinned(&["--list", "m/foo", "m"]);
    let lines = "m/SHA256SUMS: ✅ Signature valid\n\
                 m/a.iso: ✅ Listed in a signed list\n\
                 m/foo: ✅ Signature valid\n\
                 m/foo.zst: ✅ Signature valid\n\
                 m/gone: ❌ Data file not found\n";
    assert_run(&run, lines, 1);
    // One in parts keeps it beside a whole of another name, too.
    let list = fs::read(mirror.path().join("m/SHA256SUMS")).unwrap();
    mirror.write("m/SHA256SUMS.partaa", &list[..9]);
    mirror.write("m/SHA256SUMS.partab", &list[9..]);
    fs::rename(
        mirror.path().join("m/SHA256SUMS"),
        mirror.path().join("m/SHA256SUMS.zst"),
    )
    .unwrap();
    let run = mirror.run_pinned(&["--exclude", "foo*", "m"]);
    let lines = "m/SHA256SUMS: ✅ Signature valid\n\
                 m/SHA256SUMS.zst: ❌ Signature file not found\n\
                 m/a.iso: ✅ Listed in a signed list\n";
    assert_run(&run, lines, 1);
    let run = mirror.run_pinned(&["--list", "m/foo.sig.bin", "m"]);
    let error =
        "error: m/foo.sig.bin: --list names a checksum list, and this is a signature file\n";
    assert!(run.stderr.starts_with(error), "{}", run.stderr);
}

#[test]
fn one_content_under_two_names_that_a_list_vouches_for_is_no_news() {
    let mirror = mirror(
        &[("1.iso", "a"), ("2.iso", "a")],
        &[line("1.iso", "a"), line("2.iso", "a")],
    );
    let run = mirror.run_pinned(&["m"]);
    assert_eq!(run.status, Some(0));
    assert!(!run.stderr.contains("the same content"), "{}", run.stderr);
}

#[test]
fn a_list_that_openpgp_signed_is_named_with_the_command_that_verifies_it() {
    let mirror = mirror(&[("a.iso", "a")], &[]);
    fs::remove_file(mirror.path().join("m/SHA256SUMS.sig.bin")).unwrap();
    mirror.write("m/SHA256SUMS", line("a.iso", "a"));
    mirror.write("m/SHA256SUMS.gpg", "");
    let run = mirror.run_pinned(&["m"]);
    assert_run(&run, "m/a.iso: ❌ Signature file not found\n", 1);
    let why = "its digest is the one in SHA256SUMS, whose signature SHA256SUMS.gpg is not judged here: \
               gpgv --keyring KEYRING SIGNATURE FILE";
    assert!(run.stderr.contains(why), "{}", run.stderr);
}

/// A list may have a signature of any format, and by any key.
#[test]
fn lists_are_signed_in_every_format() {
    let mirror = mirror(&[("a.iso", "a")], &[]);
    fs::remove_file(mirror.path().join("m/SHA256SUMS.sig.bin")).unwrap();
    let text = line("a.iso", "a");
    mirror.write("m/SHA256SUMS", &text);
    let signature = STANDARD.encode(sign(&mirror.key, text.as_bytes()));
    let bundle = |digest: &str| {
        let digest = STANDARD.encode(Sha256::digest(digest));
        format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"publicKey":{{"hint":""}}}},"messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},"signature":"{signature}"}}}}"#
        )
    };
    let lines = "m/SHA256SUMS: ✅ Signature valid\nm/a.iso: ✅ Listed in a signed list\n";
    for (ending, content) in [("sig", signature.clone()), ("sigstore.json", bundle(&text))] {
        let name = format!("m/SHA256SUMS.{ending}");
        mirror.write(&name, content);
        assert_run(&mirror.run_pinned(&["m"]), lines, 0);
        assert_run(
            &mirror.run_pinned(&["m/a.iso"]),
            "m/a.iso: ✅ Listed in a signed list\n",
            0,
        );
        fs::remove_file(mirror.path().join(name)).unwrap();
    }
    // A bundle over another digest vouches for nothing.
    mirror.write("m/SHA256SUMS.bundle", bundle("other"));
    let lines = "m/SHA256SUMS: ❌ Signature invalid\nm/a.iso: ❌ Signature file not found\n";
    assert_run(&mirror.run_pinned(&["m"]), lines, 1);
}

#[test]
fn an_unfinished_download_is_told_of_even_where_only_a_list_leads() {
    let lines = [line("sub/x.iso", "xyz")];
    let mirror = mirror(&[("sub/x.iso", "xy"), ("sub/x.iso.aria2", "")], &lines);
    let deep = mirror.run_pinned(&["-v", "m"]);
    let flat = mirror.run_pinned(&["-v", "--max-depth", "1", "m"]);
    let of = |run: &Run| -> String {
        let mut lines = run.stdout.lines();
        let line = lines.find(|line| line.starts_with("m/sub/x.iso: "));
        line.unwrap_or_else(|| panic!("{run:?}")).to_owned()
    };
    assert!(of(&deep).contains("unfinished"), "{deep:?}");
    assert_eq!(of(&flat), of(&deep));
}

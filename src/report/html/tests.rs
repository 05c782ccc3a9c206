//! Tests of the page: what its head says, and what gets into it.

use super::*;
use crate::files::SharedPath;
use crate::run::Options;
use crate::run::conclusion::Conclusion;
use crate::run::origin::Origin;
use crate::run::{End, Start};
use crate::trust::summary::Summary;
use crate::trust::unchecked::{Excluded, Unchecked};
use crate::trust::verdict::Verdict;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn end(
    conclusion: Conclusion,
    interrupted: Option<&'static str>,
    valid: u64,
    missing: u64,
    expected: u64,
) -> End {
    End {
        time: SystemTime::UNIX_EPOCH,
        summary: Summary {
            valid,
            missing,
            failures: missing,
            expected,
            elapsed: Duration::from_secs(1),
            ..Summary::default()
        },
        interrupted,
        conclusion,
        problems: Vec::new(),
        unchecked: Arc::default(),
        notes: Arc::from([]),
        audit: None,
    }
}

fn start() -> Start {
    Start {
        module: None,
        origin: Origin {
            note: Some("<b>\u{202e}&".to_owned()),
            command: "x '<i>'".to_owned(),
            ..Origin::default()
        },
        time: SystemTime::UNIX_EPOCH,
        host: "<host>\u{202e}\n".to_owned(),
        keys: Vec::new(),
        directory: None,
        roots: vec![PathBuf::from("a&b")],
        options: Options {
            signature: None,
            max_depth: None,
            follow_links: false,
            exclude: vec!["</script>".to_owned()],
            key_fingerprints: Vec::new(),
            allow_unsigned: true,
            all_files: false,
            lists: Vec::new(),
            fail_fast: false,
            images: None,
            baseline: None,
            over_time: Default::default(),
            io: "auto".to_owned(),
        },
        threads: 1,
        sha256: "portable".to_owned(),
        division: None,
        shards: Vec::new(),
    }
}

#[test]
fn only_a_whole_run_without_a_failure_is_called_valid() {
    let start = start();
    let banner = |end: &End| {
        let banner = Banner::of(Run {
            start: &start,
            records: &[],
            end,
        });
        (banner.class, banner.title)
    };
    let expected = |class, title: &str| (class, title.to_owned());
    assert_eq!(
        banner(&end(Conclusion::Valid, None, 2, 0, 2)),
        expected("pass", "Every signature is valid: 2")
    );
    assert_eq!(
        banner(&end(Conclusion::NotValid, None, 1, 1, 2)),
        expected("fail", "1 of 2 artifacts failed")
    );
    assert_eq!(
        banner(&end(Conclusion::CannotJudge, None, 2, 0, 2)),
        expected("none", "No verdict")
    );
    assert_eq!(
        banner(&end(Conclusion::Valid, None, 1, 0, 2)),
        expected("none", "No verdict")
    );
    let mut allowed = end(Conclusion::Valid, None, 1, 0, 2);
    allowed.summary.unsigned = 1;
    assert_eq!(
        banner(&allowed),
        expected("none", "1 valid, 1 without a signature")
    );
    let mut problem = end(Conclusion::Valid, None, 2, 0, 2);
    problem.problems.push("something".to_owned());
    assert_eq!(banner(&problem), expected("none", "No verdict"));
    let interrupted = end(Conclusion::Interrupted, Some("SIGINT"), 1, 0, 2);
    assert_eq!(
        banner(&interrupted),
        expected("none", "Interrupted by SIGINT")
    );
    let mut excluded = end(Conclusion::Valid, None, 2, 0, 2);
    excluded.unchecked = Arc::new(Unchecked {
        excluded: vec![Excluded {
            directories: [SharedPath::from("old")].into_iter().collect(),
            ..Excluded::default()
        }],
        ..Unchecked::default()
    });
    assert_eq!(
        banner(&excluded),
        expected("none", "2 valid; not everything was checked")
    );
    let closed = expected("none", "Ended early: standard output was closed");
    assert_eq!(banner(&end(Conclusion::PipeClosed, None, 1, 0, 2)), closed);
}

fn page(name: &[u8]) -> String {
    let start = start();
    let record = Record::unhashed(name.into(), None, Verdict::Missing);
    let mut page = Vec::new();
    let run = Run {
        start: &start,
        records: &[record],
        end: &end(Conclusion::NotValid, None, 0, 1, 1),
    };
    write(&mut page, run).unwrap();
    String::from_utf8(page).unwrap()
}

#[test]
fn no_name_is_taken_for_a_part_of_the_page() {
    let page = page(b"</td><script>alert('1')</script>\"&\xff\n");
    assert!(page.contains(
        "&#60;/td&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#34;&#38;\\xff\\n"
    ));
    assert!(page.contains("&#60;host&#62;\\u{202e}\\n") && page.contains("a&#38;b"));
    assert!(page.contains("<dd>&#60;b&#62;\\u{202e}&#38;</dd>"));
    assert!(page.contains("x &#39;&#60;i&#62;&#39;</dd>"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
}

#[test]
fn the_policy_names_the_digests_of_what_stands_between_the_tags() {
    let page = page(b"x.zst");
    let between =
        |begin: &str, end: &str| page.split(begin).nth(1).unwrap().split(end).next().unwrap();
    for (source, text) in [
        ("style-src", between("<style>", "</style>")),
        ("script-src", between("<script>", "</script>")),
    ] {
        let digest = STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
        // Askama escapes the apostrophes of the attribute.
        let named = format!("{source} &#39;sha256-{digest}&#39;");
        assert!(page.contains(&named), "{source}");
    }
}

#[test]
fn a_large_run_has_every_record_as_text_and_a_table_of_what_is_not_valid() {
    let start = start();
    let name = |n: usize| format!("d{}/x-{n}.zst", n % 3);
    let records: Vec<Record> = (0..LARGE + 5)
        .map(|n| Record::unhashed(name(n).into(), None, Verdict::Missing))
        .collect();
    let mut page = Vec::new();
    let run = Run {
        start: &start,
        records: &records,
        end: &end(Conclusion::NotValid, None, 0, 1, 1),
    };
    write(&mut page, run).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("data-status=").count(), LARGE);
    let text: Vec<&str> = page.split("<pre>").skip(1).collect();
    assert_eq!(text.len(), 3);
    for n in 0..records.len() {
        let text = text[n % 3].split("</pre>").next().unwrap();
        let line = format!("\n❌ Data file not found: x-{n}.zst  ");
        assert!(text.contains(&line), "{n}");
    }
}

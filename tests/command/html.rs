//! The HTML report in a browser: what it shows, sorts and filters, and what it does not run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Mirror, is_here, sign};

/// A name that would be a script, were it not escaped.
const SCRIPT: &str = "<script>document.title='owned'<!script>.zst";

fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("b-valid.zst", "b-valid.sig.bin", &[1; 3000]);
    mirror.write_signed("c-small.zst", "c-small.sig.bin", &[1; 20]);
    mirror.write_signed("a-invalid.iso", "a-invalid.iso.sig.bin", &[1; 100]);
    mirror.write("a-invalid.iso", [2; 100]);
    mirror.write("gone.sig.bin", sign(&mirror.key, b"x"));
    mirror.write(SCRIPT, "x");
    mirror.run(&["-k", "key.pem", "--report", "r.html"]);
    mirror
}

/// The page as the browser has it when its script has run, at this fragment of the address.
fn page(mirror: &Mirror, fragment: &str) -> String {
    dump(mirror, &format!("r.html#{fragment}"), "1400,900")
}

/// This file as the browser has it when its scripts have run, in a window of these columns and rows
/// of pixels.
fn dump(mirror: &Mirror, file: &str, window: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let address = format!("file://{}/{file}", mirror.path().display());
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=5000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={window}"))
        .args(["--enable-logging=stderr", "--dump-dom", &address])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!log.contains("Content Security Policy"), "{log}");
    String::from_utf8(output.stdout).unwrap()
}

/// The paths of the rows that are shown, in their order.
fn paths(page: &str) -> Vec<String> {
    let table = page.split("<table id=\"artifacts\"").nth(1).unwrap();
    let rows = table.split("<tr ").skip(1);
    let shown = rows.filter(|row| !row.split('>').next().unwrap().contains("hidden"));
    let path = |row: &str| {
        let cell = row.split("<td class=\"path\">").nth(1).unwrap();
        cell.split("</td>").next().unwrap().to_owned()
    };
    shown.map(path).collect()
}

fn count(page: &str) -> String {
    let begin = page.split("id=\"count\"").nth(1).unwrap();
    let text = begin.split('>').nth(1).unwrap();
    text.split('<').next().unwrap().to_owned()
}

#[test]
fn the_page_shows_every_artifact_in_the_order_of_the_lines_and_no_name_runs_as_a_script() {
    if !is_here("chromium", "the_page_shows_every_artifact") {
        return;
    }
    let mirror = mirror();
    let page = page(&mirror, "");
    let escaped = "&lt;script&gt;document.title='owned'&lt;!script&gt;.zst";
    let all = [
        escaped,
        "a-invalid.iso",
        "b-valid.zst",
        "c-small.zst",
        "gone.zst",
    ];
    assert_eq!(paths(&page), all);
    assert_eq!(count(&page), "5 artifacts");
    assert!(page.contains("<title>3 of 5 artifacts failed – "), "{page}");
    let place = format!(
        "{} on {}, ",
        mirror.path().canonicalize().unwrap().display(),
        rustix::system::uname().nodename().to_str().unwrap()
    );
    let title = page.split("<title>").nth(1).unwrap();
    assert!(title.split("</title>").next().unwrap().contains(&place));
    assert!(page.contains("aria-sort=\"none\""), "{page}");
    assert!(
        page.contains("Failures only (3)</button>"),
        "its number is on the button: {page}"
    );
}

#[test]
fn the_table_is_filtered_by_status_and_text_and_says_that_it_is() {
    if !is_here("chromium", "the_table_is_filtered_by_status_and_text") {
        return;
    }
    let mirror = mirror();
    let filtered = page(&mirror, "status=invalid,missing");
    assert_eq!(paths(&filtered), ["a-invalid.iso", "gone.zst"]);
    assert_eq!(count(&filtered), "Filtered: 2 of 5 artifacts are shown");
    let filtered = page(&mirror, "q=ZST&status=valid");
    assert_eq!(paths(&filtered), ["b-valid.zst", "c-small.zst"]);
    assert_eq!(count(&filtered), "Filtered: 2 of 5 artifacts are shown");
}

#[test]
fn one_click_leaves_the_failures_and_another_one_directory() {
    if !is_here("chromium", "one_click_leaves_the_failures") {
        return;
    }
    let mirror = mirror();
    mirror.write_signed("d/x.zst", "d/x.sig.bin", b"x");
    mirror.write("d/y.zst", b"y");
    mirror.run(&["-k", "key.pem", "--report", "r.html"]);
    let failures = page(&mirror, "show=failures");
    let escaped = "&lt;script&gt;document.title='owned'&lt;!script&gt;.zst";
    let all = [escaped, "a-invalid.iso", "d/y.zst", "gone.zst"];
    assert_eq!(paths(&failures), all);
    assert_eq!(count(&failures), "Filtered: 4 of 7 artifacts are shown");
    let directory = page(&mirror, "dir=d");
    assert_eq!(paths(&directory), ["d/x.zst", "d/y.zst"]);
    let shown = "Filtered: 2 of 7 artifacts are shown (directory d)";
    assert_eq!(count(&directory), shown);
    // The button has the same effect as the fragment.
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    let open = page.replace("http-equiv=\"Content-Security-Policy\"", "");
    let click = "<script>document.getElementById('only').click()</script></body>";
    mirror.write("open.html", open.replace("</body>", click));
    let clicked = dump(&mirror, "open.html", "1400,900");
    assert_eq!(paths(&clicked), all);
}

#[test]
fn the_table_is_sorted_by_number_where_a_column_has_numbers() {
    if !is_here("chromium", "the_table_is_sorted_by_number") {
        return;
    }
    // What has no signature has a size only where it was hashed.
    let ascending = page(&mirror(), "sort=size&status=valid,invalid");
    let by_size = ["c-small.zst", "a-invalid.iso", "b-valid.zst"];
    assert_eq!(paths(&ascending), by_size);
    let sorted = page(&mirror(), "sort=size&order=desc&status=valid,invalid");
    let by_size = ["b-valid.zst", "a-invalid.iso", "c-small.zst"];
    assert_eq!(paths(&sorted), by_size);
    assert!(sorted.contains("aria-sort=\"descending\""), "{sorted}");
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere_and_is_whole_without_its_script() {
    let mirror = mirror();
    let page = fs::read_to_string(Path::new(mirror.path()).join("r.html")).unwrap();
    for link in ["http:", "https:", "src=", "<link", "@import"] {
        assert!(!page.contains(link), "{link}");
    }
    // Its own patterns, and nothing else.
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
    assert_eq!(page.matches("data-status=").count(), 5);
    assert!(page.contains("<form id=\"controls\" hidden>"), "{page}");
}

/// Says in the title how the table lies there. A row out of sight is not looked into: that would
/// lay it out.
const LOOK: &str = "<script>addEventListener('load', () => {
  const heads = [...document.querySelectorAll('#artifacts th')].map((head) => head.getBoundingClientRect());
  const rows = [...document.querySelectorAll('#artifacts tbody tr')];
  const seen = { contentVisibilityAuto: true };
  const last = rows.at(-1).cells[0].checkVisibility(seen);
  const isUnderItsHead = (cell, at) => {
    const place = cell.getBoundingClientRect();
    return Math.abs(place.left - heads[at].left) < 1 && Math.abs(place.right - heads[at].right) < 1;
  };
  const cells = rows.slice(0, 3).map((row) => [...row.cells]);
  const page = document.documentElement;
  document.title = JSON.stringify({
    last_is_laid_out: last,
    columns: cells.every((row) => row.length === heads.length && row.every(isUnderItsHead)),
    all_wrap: [...document.querySelectorAll('#artifacts th'), ...cells.flat()].every((cell) => cell.scrollWidth <= cell.clientWidth),
    page_fits: page.scrollWidth <= page.clientWidth,
  });
});</script></body>";

#[test]
fn rows_out_of_sight_are_not_laid_out_and_those_in_sight_stand_under_their_heads() {
    if !is_here("chromium", "rows_out_of_sight_are_not_laid_out") {
        return;
    }
    let mirror = Mirror::new();
    let long = format!("{}/{}.iso", "directory/".repeat(12), "n".repeat(200));
    mirror.write(&long, "x");
    mirror.write("b.zst", "x");
    mirror.write("b.sig.bin", "aGVsbG8gd29ybGQ=");
    for n in 0..300 {
        mirror.write(&format!("z-{n}.zst"), "x");
    }
    mirror.run(&["-k", "key.pem", "--report", "r.html"]);
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    // Its policy would let no script look.
    let open = page.replace("http-equiv=\"Content-Security-Policy\"", "");
    mirror.write("open.html", open.replace("</body>", LOOK));
    for window in ["1900,900", "1400,900", "400,900"] {
        let looked = dump(&mirror, "open.html", window);
        let right = "<title>{\"last_is_laid_out\":false,\"columns\":true,\"all_wrap\":true,\"page_fits\":true}</title>";
        assert!(looked.contains(right), "{window}: {looked}");
    }
}

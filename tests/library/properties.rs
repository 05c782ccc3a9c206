//! Properties that the fuzz targets check as well (`fuzz/`), here with inputs that are generated to
//! meet every rule.

#[path = "../properties/escape.rs"]
mod escape;
#[path = "../properties/images.rs"]
mod images;
#[path = "../properties/pairing.rs"]
mod pairing;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A line as the pairing's property reads it; names that collide often, so that every rule meets
/// every other.
fn entry() -> impl Strategy<Value = String> {
    let letter = select(vec!["f", "f", "f", "F", "o", "d", "D", "s", "S", "l", "L"]);
    let stem = select(vec!["", "a", "b", "a.tar", "a.iso", "a.zst", "a.sig.bin"]);
    let ending = select(vec![
        "",
        ".zst",
        ".iso",
        ".sig.bin",
        ".zst.sig.bin",
        ".iso.sig.bin",
        ".sig",
        ".zst.sig",
        ".SIGSTORE.json",
        ".iso.sigstore",
        ".bundle",
        ".zst.cosign.bundle",
        ".tar",
        ".ZST",
        ".Zst",
        ".SIG.bin",
        ".zst.part",
        ".zst_part00",
        ".zst_part01",
        "_part00",
        ".iso.aa",
    ]);
    (letter, stem, ending).prop_map(|(letter, stem, ending)| format!("{letter}{stem}{ending}\n"))
}

/// A member of a source of images as the property reads it: a path, and content that names the
/// members `A`, `B` and `C` before it.
fn member() -> impl Strategy<Value = String> {
    const OCI: &str = "application/vnd.oci.image";
    const CONFIG: &str = r#"{"os":"linux","architecture":"a","rootfs":{"diff_ids":[]}}"#;
    let manifest = |layer: &str| {
        format!(
            r#"{{"config":{{"mediaType":"{OCI}.config.v1+json",{{C}}}},"layers":[{{"mediaType":"{layer}",{{A}}}}]}}"#
        )
    };
    let list = |class: &str| {
        let media_type = format!("{OCI}.{class}.v1+json");
        format!(
            r#"{{"manifests":[{{"mediaType":"{media_type}",{{A}}}},{{"mediaType":"{media_type}",{{B}}}}]}}"#
        )
    };
    let layer = format!("{OCI}.layer.v1.tar");
    let members = vec![
        ("@", "layer".to_owned()),
        ("@", "{}".to_owned()),
        ("c", CONFIG.to_owned()),
        ("@", CONFIG.to_owned()),
        ("@", manifest(&layer)),
        ("@", manifest(&layer)),
        ("@", manifest("application/vnd.dsse.envelope.v1+json")),
        ("@", list("manifest")),
        ("@", list("index")),
        ("index.json", list("manifest")),
        ("index.json", list("index")),
        ("a/index.json", list("manifest")),
        ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#.to_owned()),
        (
            "manifest.json",
            r#"[{"Config":"c","RepoTags":["a"],"Layers":[]}]"#.to_owned(),
        ),
        ("manifest.json", manifest(&layer)),
        ("version", "1".to_owned()),
    ];
    (select(members), [0..4_usize, 0..4, 0..4]).prop_map(|((path, text), numbers)| {
        let letters = ["{A}", "{B}", "{C}"].into_iter().zip(numbers);
        let named = |text: String, (letter, number): (&str, usize)| {
            text.replace(letter, &format!("{{{number}}}"))
        };
        format!("{path}\n{}\n%%\n", letters.fold(text, named))
    })
}

fn directory() -> impl Strategy<Value = String> {
    (select(vec!["", "all\n"]), vec(entry(), 0..16))
        .prop_map(|(first, entries)| first.to_owned() + &entries.concat())
}

/// Characters that show nothing, by the properties of the Unicode database that is built into the
/// generator.
const UNSEEN: &str = r"[\p{Default_Ignorable_Code_Point}\p{White_Space}]{1,4}";

/// Bytes of a name, of all that is written otherwise or looks as if it were.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let special = select(vec![
        &b"\\"[..],
        b"\\n",
        b"\\xff",
        b"\\u{2705}",
        b"\n",
        b"\r",
        b"\x1b[31m",
        b"\xff",
        b"\xe2\x9c",
        b"\xc2\x85",
        "✅".as_bytes(),
        "❌".as_bytes(),
        "⚠".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{2028}".as_bytes(),
        b"::set-output name=x::y",
        b"##vso[task.complete]",
        b"#",
        b":",
        b" ",
        "\u{a0}".as_bytes(),
        "❤️".as_bytes(),
    ]);
    let special = special.prop_map(<[u8]>::to_vec);
    let text = any::<String>().prop_map(String::into_bytes);
    let unseen = proptest::string::string_regex(UNSEEN).expect("a pattern");
    let unseen = unseen.prop_map(String::into_bytes);
    let piece = prop_oneof![special, text, unseen, vec(any::<u8>(), 0..6)];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn names_are_paired_by_the_rules_in_any_order(directory in directory()) {
        pairing::check(directory.as_bytes());
    }

    #[test]
    fn a_source_of_images_has_one_judgement_and_what_passes_is_here(
        members in vec(member(), 0..16)
    ) {
        images::check(members.concat().as_bytes());
    }

    #[test]
    fn a_name_is_printed_as_one_line_that_leads_back_to_it_and_to_no_other(name in name()) {
        escape::check(&name);
    }
    #[test]
    fn nothing_that_the_unicode_database_calls_invisible_or_blank_is_printed(
        text in proptest::string::string_regex(UNSEEN).expect("a pattern")
    ) {
        let printed = verify_signatures::internals::text::escape::name(text.as_ref());
        prop_assert!(printed.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{}", printed);
        escape::check(text.as_bytes());
    }
}

#[test]
fn every_character_is_printed_as_one_line_that_leads_back_to_it() {
    for c in '\0'..=char::MAX {
        escape::check(c.to_string().as_bytes());
        escape::check(format!("a{c}").as_bytes());
    }
}

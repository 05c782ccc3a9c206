//! What is written is read as it was.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::*;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Text<'static>> {
    any::<String>().prop_map(Cow::from)
}

fn path() -> impl Strategy<Value = PathMember<'static>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..8);
    let bytes = prop_oneof![bytes, any::<String>().prop_map(String::into_bytes)];
    bytes.prop_map(|bytes| {
        let path = PathBuf::from(OsString::from_vec(bytes));
        let PathMember { path, path_base64 } = PathMember::of(&path);
        let owned = |text: Option<Text<'_>>| text.map(|text| Cow::from(text.into_owned()));
        PathMember {
            path: owned(path),
            path_base64: owned(path_base64),
        }
    })
}

fn signature() -> impl Strategy<Value = SignatureMember<'static>> {
    prop::option::of(path()).prop_map(|path| SignatureMember::from(path.unwrap_or_default()))
}

fn image(text: Text<'static>) -> Image<'static> {
    let sha256 = text.clone();
    Image {
        name: (!text.is_empty()).then(|| text.clone()),
        id: text.clone(),
        platforms: vec![Platform {
            name: text,
            whole: true,
        }],
        blobs: vec![Blob { sha256, size: 5 }],
    }
}

fn artifacts() -> impl Strategy<Value = Artifact<'static>> {
    let known = (
        prop::option::of(any::<u64>()),
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(path()),
        prop::option::of(path()),
        prop::collection::vec(path(), 0..3),
    );
    let term = (text(), any::<bool>(), text(), text(), 0_u32..100_000);
    (path(), signature(), term, known).prop_map(|(path, signature, term, known)| {
        let (status, passes, reason, detail, milliseconds) = term;
        let (size, sha256, key, link, read_as, parts) = known;
        let stamps = size.zip(key.clone()).map(|(size, text)| Stamps {
            device: size,
            inode: u64::MAX,
            size,
            modified: text.clone(),
            changed: text.clone(),
            read: text,
        });
        let PathMember { path, path_base64 } = path;
        let SignatureMember {
            signature,
            signature_base64,
        } = signature;
        Artifact {
            r#type: Type::Artifact,
            path,
            path_base64,
            signature_base64,
            image: key.clone().map(image),
            status,
            passes,
            line: detail.clone(),
            reason,
            detail,
            remedy: key.clone(),
            size,
            sha256: sha256.clone(),
            archive: key.clone().map(|sha256| Content {
                sha256: Some(sha256),
                size,
            }),
            signature,
            signature_file: size.map(|size| SignatureFile {
                sha256: sha256.clone(),
                size,
                modified: key.clone(),
                format: sha256.clone(),
            }),
            stamps,
            key,
            parts,
            link,
            looks: sha256,
            read_as,
            seconds: f64::from(milliseconds) / 1000.0,
        }
    })
}

fn signed() -> impl Strategy<Value = Signed<'static>> {
    (path(), signature(), prop::option::of(text())).prop_map(|(path, signature, image)| Signed {
        path,
        signature,
        image,
    })
}

fn contents() -> impl Strategy<Value = Option<Content<'static>>> {
    let content = (prop::option::of(text()), prop::option::of(any::<u64>()));
    prop::option::of(content.prop_map(|(sha256, size)| Content { sha256, size }))
}

fn notes() -> impl Strategy<Value = Note<'static>> {
    let paths = || prop::collection::vec(path(), 0..3);
    let counted = prop::option::of((text(), any::<u64>()));
    prop_oneof![
        (text(), paths()).prop_map(|(sha256, paths)| Note::SameContent { sha256, paths }),
        (path(), path(), path()).prop_map(|(a, path, fits)| Note::SignatureFitsOther {
            signature: SignatureMember {
                signature: a.path,
                signature_base64: a.path_base64
            },
            path,
            fits,
        }),
        (text(), any::<u64>()).prop_map(|(key, signatures)| Note::WrongKey {
            keys: vec![key],
            signatures
        }),
        (counted, paths(), signed()).prop_map(|(counted, found_in, made)| {
            let trusted_for = counted.as_ref().map(|(text, _)| text.clone());
            let (fingerprint, signatures) = counted.unwrap_or_default();
            Note::OtherSigner {
                fingerprint,
                signatures,
                examined: 3,
                failed: 4,
                trusted_for,
                found_in,
                made: vec![made],
            }
        }),
        (any::<u64>(), signed()).prop_map(|(signatures, of)| Note::NoCommonSigner {
            signatures,
            examined: 3,
            failed: 4,
            of: vec![of],
        }),
        (path(), paths()).prop_map(|(path, paths)| Note::SpareParts { path, paths }),
        (text(), paths()).prop_map(|(difference, paths)| Note::AlikeNames { difference, paths }),
        (path(), path()).prop_map(|(path, judged_as)| Note::SameDirectory { path, judged_as }),
        text().prop_map(|prefix| Note::UnusedRegistry { prefix }),
        Just(Note::WithinShards),
        (path(), text(), text()).prop_map(|(path, image, signed_as)| Note::ImageSignedAs {
            path,
            image,
            signed_as
        }),
        (path(), text()).prop_map(|(path, image)| Note::SameImage {
            path,
            images: vec![image]
        }),
        (path(), text()).prop_map(|(path, image)| Note::SignatureWithoutImage {
            path,
            image,
            others: 3
        }),
        (path(), any::<u64>(), any::<u64>())
            .prop_map(|(path, blobs, bytes)| Note::UnreachableContent { path, blobs, bytes }),
        (path(), text(), text()).prop_map(|(path, image, blob)| Note::ForeignLayer {
            path,
            image,
            blob,
            others: 0
        }),
        path().prop_map(|path| Note::NotAList { path }),
        signature().prop_map(|signature| Note::StraySignature { signature }),
        (signature(), path()).prop_map(|(signature, fits)| Note::SignatureFits { signature, fits }),
    ]
}

fn shard(text: &Text<'static>, number: u64) -> Shard<'static> {
    let share = || Share {
        artifacts: number,
        bytes: 4,
        sha256: text.clone(),
    };
    Shard {
        index: 2,
        count: 3,
        divided: text.clone(),
        survey: share(),
        share: share(),
        division_sha256: text.clone(),
    }
}

fn shard_run(path: &PathMember<'static>, text: &Text<'static>) -> ShardRun<'static> {
    ShardRun {
        index: 2,
        report: path.clone(),
        sha256: text.clone(),
        id: text.clone(),
        host: text.clone(),
        directory: Some(path.clone()),
        roots: vec![path.clone()],
        time: text.clone(),
        seconds: 7,
        records: 3,
        failures: 1,
        exit_status: 1,
    }
}

fn not_checked(path: &PathMember<'static>, pattern: &Text<'static>) -> NotChecked<'static> {
    let names = Names {
        count: 7,
        paths: vec![path.clone()],
        left_off: 6,
    };
    NotChecked {
        excluded: vec![Excluded {
            pattern: pattern.clone(),
            artifacts: 1,
            bytes: 2,
            files: names.clone(),
            directories: Names::default(),
        }],
        unjudged: names,
        ..NotChecked::default()
    }
}

fn documents() -> impl Strategy<Value = Document<'static>> {
    let start = (
        text(),
        path(),
        signature(),
        prop::option::of(path()),
        any::<usize>(),
    );
    let end = (
        any::<[u64; 7]>(),
        prop::collection::vec(notes(), 0..4),
        any::<bool>(),
        text(),
    );
    let finding = (
        text(),
        path(),
        prop::option::of(path()),
        prop::option::of(path()),
        contents(),
        contents(),
    );
    let finding = finding.prop_map(|(finding, path, from, like, old, new)| Finding {
        image: old.as_ref().and_then(|old| old.sha256.clone()),
        finding,
        path,
        from,
        like,
        old,
        new,
    });
    let audit = (path(), text(), prop::collection::vec(finding, 0..3));
    let audit = audit.prop_map(|(baseline, time, findings)| Audit {
        baseline,
        sha256: time.clone(),
        time,
        findings,
    });
    let artifacts = prop::collection::vec(artifacts(), 0..4);
    (start, artifacts, end, prop::option::of(audit)).prop_map(
        |((term, root, signature, directory, threads), artifacts, end, audit)| {
            let (counts, notes, complete, word) = end;
            let [
                valid,
                invalid,
                unsigned,
                missing,
                changed,
                unreadable,
                not_regular,
            ] = counts;
            Document {
                schema: SCHEMA,
                start: Start {
                    r#type: Type::Start,
                    schema: SCHEMA,
                    id: term.clone(),
                    note: complete.then(|| word.clone()),
                    version: term.clone(),
                    commit: complete.then(|| term.clone()),
                    module: complete.then(|| Module {
                        name: term.clone(),
                        version: word.clone(),
                        certificate: term.clone(),
                    }),
                    executable_sha256: Some(word.clone()),
                    command: word.clone(),
                    user: User {
                        id: 5,
                        name: Some(word.clone()),
                        login_id: complete.then_some(6),
                        login_name: None,
                    },
                    system: term.clone(),
                    time: term.clone(),
                    host: term.clone(),
                    keys: vec![Key {
                        name: term.clone(),
                        fingerprint: word.clone(),
                        algorithm: complete.then(|| term.clone()),
                        digest: complete.then(|| word.clone()),
                        pinned: complete,
                        inside_tree: !complete,
                    }],
                    directory: directory.clone(),
                    roots: vec![root.clone()],
                    options: Options {
                        signature,
                        max_depth: Some(threads),
                        follow_links: complete,
                        exclude: vec![word.clone()],
                        key_fingerprints: Vec::new(),
                        allow_unsigned: !complete,
                        all_files: complete,
                        lists: directory.iter().cloned().collect(),
                        fail_fast: complete,
                        images: None,
                        baseline: directory.clone(),
                        stop_after: complete.then(|| word.clone()),
                        ledger: directory.clone(),
                        max_age: (!complete).then(|| word.clone()),
                        resume: directory,
                        io: term.clone(),
                        threads,
                        sha256: term.clone(),
                    },
                    shard: complete.then(|| shard(&word, valid)),
                    shards: vec![shard_run(&root, &word)],
                },
                artifacts,
                summary: Summary {
                    image_counts: None,
                    r#type: Type::Summary,
                    time: word.clone(),
                    complete,
                    interrupted: complete.then(|| word.clone()),
                    expected: valid,
                    counts: Counts {
                        listed: valid / 2,
                        valid,
                        invalid,
                        unsigned,
                        missing,
                        changed,
                        unreadable,
                        not_regular,
                        verified_earlier: valid,
                    },
                    failures: missing,
                    bytes: changed,
                    seconds: 0.25,
                    exit_status: 2,
                    not_checked: not_checked(&root, &word),
                    conclusion: word.clone(),
                    problems: vec![word],
                    notes,
                    audit,
                },
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(document in documents()) {
        let text = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), document);
    }

    #[test]
    fn an_audit_reads_what_was_written(document in documents()) {
        let text = serde_json::to_string(&document).unwrap();
        let read = serde_json::from_str::<audited::Document>(&text).unwrap();
        prop_assert_eq!(read.schema, document.schema);
        prop_assert_eq!(read.start.time, document.start.time);
        prop_assert_eq!(read.start.roots, document.start.roots);
        prop_assert_eq!(read.summary.complete, document.summary.complete);
        prop_assert_eq!(read.summary.interrupted.as_deref(), document.summary.interrupted.as_deref());
        prop_assert_eq!(read.artifacts.len(), document.artifacts.len());
        for (read, written) in read.artifacts.iter().zip(&document.artifacts) {
            prop_assert_eq!(read.path(), written.path());
            prop_assert_eq!(&read.status, &written.status);
            prop_assert_eq!(&read.reason, &written.reason);
            prop_assert_eq!(read.sha256.as_deref(), written.sha256.as_deref());
            prop_assert_eq!((read.size, read.passes), (written.size, written.passes));
            prop_assert_eq!(&read.archive, &written.archive);
        }
    }

    #[test]
    fn a_path_is_read_as_the_bytes_that_were_written(bytes in any::<Vec<u8>>()) {
        let path = PathBuf::from(OsString::from_vec(bytes));
        prop_assert_eq!(PathMember::of(&path).decode(), Some(path.clone()));
    }
}

#[test]
fn a_path_in_no_form_or_in_both_is_none() {
    let both = PathMember {
        path: Some("a".into()),
        path_base64: Some("YQ==".into()),
    };
    assert_eq!(both.decode(), None);
    assert_eq!(PathMember::default().decode(), None);
    let damaged = PathMember {
        path: None,
        path_base64: Some("?".into()),
    };
    assert_eq!(damaged.decode(), None);
}

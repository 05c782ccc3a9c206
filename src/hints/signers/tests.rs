//! Which signatures are grouped, under which key, and at what cost.

use super::*;
use crate::testing::signing_key;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::EncodePublicKey;
use proptest::prelude::*;

fn der(secret: u8) -> Vec<u8> {
    let key = signing_key(secret);
    let der = key.verifying_key().to_public_key_der().unwrap();
    der.into_vec()
}

fn fingerprint(secret: u8) -> ClaimedDigest {
    Digest::of(&der(secret)).into()
}

fn signature(secret: u8, text: &str) -> Signature {
    let digest = Digest::of(text.as_bytes());
    let made: p256::ecdsa::Signature = signing_key(secret).sign_prehash(digest.as_bytes()).unwrap();
    Signature::parse(made.to_der().as_bytes()).unwrap()
}

fn at_hand(secret: u8, file: &str) -> AtHand {
    AtHand {
        key: Arc::new(Key::parse("k", &der(secret)).unwrap()),
        file: Some(file.into()),
        trusted_for: None,
    }
}

/// Signatures, each by the name of its artifact: over this text, by this key.
#[derive(Default)]
struct Run(Strangers);

impl Run {
    fn with(mut self, name: &str, text: &str, signature: &Signature) -> Run {
        let digest = Digest::of(text.as_bytes());
        self.0.take(digest, signature, || Signed {
            path: name.into(),
            signature: Some(format!("{name}.sig.bin").into()),
            image: None,
        });
        self
    }

    /// Adds an artifact with its name as its content.
    fn signed(self, secret: u8, name: &str) -> Run {
        let signature = signature(secret, name);
        self.with(name, name, &signature)
    }

    fn grouped(&self, at_hand: &[AtHand]) -> Grouped {
        self.0.grouped(at_hand, &Budget::new(MOST_WORK, &|| false))
    }

    /// Returns the keys with the names of what they signed, and the names of the others.
    fn found(&self) -> (Vec<(ClaimedDigest, Vec<String>)>, Vec<String>) {
        let grouped = self.grouped(&[]);
        let signers = grouped.signers.iter();
        let signers = signers.map(|signer| (signer.fingerprint, names(&signer.made)));
        (signers.collect(), names(&grouped.alone))
    }
}

fn names(signed: &[Signed]) -> Vec<String> {
    let names = signed.iter();
    names.map(|signed| signed.path.to_string()).collect()
}

fn strings<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[test]
fn the_signatures_of_two_products_are_grouped_by_their_keys_and_a_tampered_file_stands_alone() {
    let run = Run::default()
        .signed(1, "a")
        .signed(2, "b")
        .signed(1, "c")
        .with("tampered", "other content", &signature(1, "tampered"))
        .signed(2, "d")
        .signed(1, "e");
    let groups = vec![
        (fingerprint(1), strings(["a", "c", "e"])),
        (fingerprint(2), strings(["b", "d"])),
    ];
    assert_eq!(run.found(), (groups, strings(["tampered"])));
}

#[test]
fn one_signature_or_copies_of_it_or_others_of_one_digest_name_no_key() {
    assert_eq!(Run::default().found(), (vec![], vec![]));
    assert_eq!(Run::default().signed(1, "a").found().0, []);
    let made = signature(1, "a");
    let copies = Run::default().with("a", "a", &made).with("b", "a", &made);
    assert_eq!(copies.found(), (vec![], strings(["a", "b"])));
    assert!(!copies.grouped(&[]).could_share);
    let different = Run::default().signed(1, "a").signed(2, "b").signed(3, "c");
    assert_eq!(different.found().0, []);
    assert!(different.grouped(&[]).could_share);
    // (r, n − s) is valid for what (r, s) is valid for.
    let (r, s) = made.scalars().unwrap();
    let high = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    let high = Signature::parse(high.to_der().as_bytes()).unwrap();
    for text in ["a", "x"] {
        let run = Run::default().with("a", "a", &made).with("b", text, &high);
        assert_eq!(run.found().0, [], "{text}");
    }
}

#[test]
fn copies_of_a_file_belong_to_the_key_that_its_other_signatures_show() {
    let made = signature(1, "a");
    let run = Run::default()
        .with("a", "a", &made)
        .with("copy", "a", &made)
        .signed(1, "b");
    let group = (fingerprint(1), strings(["a", "copy", "b"]));
    assert_eq!(run.found(), (vec![group], vec![]));
}

#[test]
fn a_key_at_hand_is_recognized_by_one_signature_and_named_with_its_files() {
    let run = Run::default().signed(1, "a").signed(2, "b");
    let files = [
        at_hand(1, "m/k.pem"),
        at_hand(1, "old.pub"),
        at_hand(3, "x.pem"),
    ];
    let grouped = run.grouped(&files);
    let [signer] = &grouped.signers[..] else {
        panic!("{grouped:?}");
    };
    assert_eq!(signer.fingerprint, fingerprint(1));
    let held_by: Vec<SharedPath> = vec!["m/k.pem".into(), "old.pub".into()];
    assert_eq!(signer.found_in, held_by);
    assert_eq!(names(&signer.made), ["a"]);
    assert_eq!(names(&grouped.alone), ["b"]);
    let named = AtHand {
        trusted_for: Some(Purpose::Images),
        file: None,
        ..at_hand(2, "")
    };
    let signer = &run.grouped(&[named]).signers[0];
    assert_eq!(signer.trusted_for, Some(Purpose::Images));
}

#[test]
fn an_image_with_several_signatures_is_alone_only_if_none_of_their_keys_is_known() {
    let mut strangers = Strangers::default();
    for (secret, image, text) in [(1, "x", "1"), (9, "x", "2"), (1, "y", "3"), (8, "z", "4")] {
        let digest = Digest::of(text.as_bytes());
        strangers.take(digest, &signature(secret, text), || Signed {
            path: "b.zst".into(),
            signature: None,
            image: Some(image.into()),
        });
    }
    let grouped = strangers.grouped(&[], &Budget::new(MOST_WORK, &|| false));
    let images = |signed: &[Signed]| -> Vec<String> {
        let images = signed.iter().flat_map(|signed| signed.image.clone());
        images.map(String::from).collect()
    };
    assert_eq!(images(&grouped.signers[0].made), ["x", "y"]);
    assert_eq!(images(&grouped.alone), ["z"]);
}

#[test]
fn signatures_that_fit_other_files_are_left_out() {
    let mut run = Run::default().signed(1, "a").signed(1, "b").signed(1, "c");
    let file = SharedPath::from("b.sig.bin");
    run.0.leave_out(&HashSet::from([&file]));
    assert_eq!(run.0.count(), 2);
    assert_eq!(run.found().0, [(fingerprint(1), strings(["a", "c"]))]);
}

#[test]
fn no_more_is_done_than_the_budget_allows_and_nothing_when_cancelled() {
    let run = Run::default().signed(1, "a").signed(1, "b").signed(1, "c");
    let within = |work| run.0.grouped(&[], &Budget::new(work, &|| false));
    assert_eq!(within(2 * key_recovery::COST + 1).examined, 2);
    assert_eq!(within(2 * key_recovery::COST).signers[0].made.len(), 2);
    assert!(within(key_recovery::COST).signers.is_empty());
    let budget = Budget::new(MOST_WORK, &|| false);
    run.0.grouped(&[], &budget);
    assert_eq!(budget.spent(), 3 * key_recovery::COST);
    let cancelled = run.0.grouped(&[], &Budget::new(MOST_WORK, &|| true));
    assert_eq!((cancelled.examined, cancelled.signers.len()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn however_many_there_are_a_bounded_sample_of_all_of_them_is_kept(count in 0_usize..40_000) {
        let mut strangers = Strangers::default();
        let made = signature(1, "a");
        for n in 0..count {
            strangers.take(Digest::of(&[n as u8 % 3]), &made, || Signed {
                path: n.to_string().into(), signature: None, image: None,
            });
        }
        prop_assert_eq!(strangers.count(), count as u64);
        prop_assert!(strangers.kept.len() < 2 * HALF && strangers.kept.len() >= count.min(HALF - 8));
        let kept: Vec<usize> = strangers.kept.iter().map(|one| one.of.path.to_string().parse().unwrap()).collect();
        prop_assert!(kept.is_sorted());
        // Neither the odd ones nor the last ones are missing.
        let odd = kept.iter().filter(|n| *n % 2 == 1).count();
        prop_assert!(odd >= kept.len() / 3 || kept.len() < 100, "{odd} of {}", kept.len());
        let late = kept.iter().filter(|n| **n >= count / 2).count();
        prop_assert!(late >= kept.len() / 3 || kept.len() < 100, "{late} of {}", kept.len());
    }
}

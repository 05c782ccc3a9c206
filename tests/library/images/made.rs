//! Sources of images for tests: members with paths and contents, as producers write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use serde_json::{Value, json};
use std::sync::Arc;
use verify_signatures::internals::image::{
    Contents, Judged, Judgement, MAX_TEXT, Outer, Policy, judge,
};
use verify_signatures::{Digest, Key, SharedPath, Verdict};

pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
pub const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub const CONTAINERD: &str = "io.containerd.image.name";
/// The number of the key that is trusted.
pub const VENDOR: u8 = 1;

/// The members of a source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub members: Vec<(String, Vec<u8>)>,
    pub links: Vec<(String, String)>,
    /// What `index.json` lists.
    pub entries: Vec<Value>,
}

impl Source {
    pub fn file(&mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> &mut Source {
        self.members.push((path.into(), content.as_ref().to_vec()));
        self
    }

    /// Adds a blob, once, and returns its descriptor.
    pub fn blob(&mut self, media_type: &str, content: impl AsRef<[u8]>) -> Value {
        let content = content.as_ref();
        let path = blob_path(content);
        if self.members.iter().all(|(other, _)| *other != path) {
            self.file(path, content);
        }
        descriptor(media_type, content)
    }

    /// Adds an image of one platform with `layers` layers, and returns its descriptor.
    pub fn image(&mut self, seed: &str, platform: &str, layers: usize) -> Value {
        let layers: Vec<String> = (0..layers)
            .map(|layer| format!("{seed} layer {layer}"))
            .collect();
        let diff_ids: Vec<String> = layers
            .iter()
            .map(|layer| id(format!("{layer} as tar")))
            .collect();
        let config = self.blob(CONFIG, config(platform, &diff_ids));
        let layers: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer)).collect();
        self.manifest(&config, &layers)
    }

    pub fn manifest(&mut self, config: &Value, layers: &[Value]) -> Value {
        let document =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.blob(MANIFEST, document.to_string())
    }

    pub fn index(&mut self, children: &[Value]) -> Value {
        let document = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
        self.blob(INDEX, document.to_string())
    }

    /// Adds an image of two platforms.
    pub fn multi(&mut self, seed: &str) -> Value {
        let amd = self.image(&format!("{seed} amd"), "linux/amd64", 2);
        let arm = self.image(&format!("{seed} arm"), "linux/arm64", 2);
        self.index(&[
            of_platform(amd, "linux/amd64"),
            of_platform(arm, "linux/arm64"),
        ])
    }

    /// Lists an image under a name in `index.json`.
    pub fn list(&mut self, descriptor: &Value, name: &str) -> &mut Source {
        let mut descriptor = descriptor.clone();
        if !name.is_empty() {
            descriptor["annotations"] = json!({CONTAINERD: name});
        }
        self.entries.push(descriptor);
        self
    }

    /// Adds a signature over a document by the key of this number.
    pub fn sign(&mut self, descriptor: &Value, key: u8, name: &str) -> &mut Source {
        let line = signature(descriptor["digest"].as_str().unwrap(), key, name);
        self.blob("", line);
        self
    }

    /// Returns all members, the entry documents included.
    pub fn all(&self) -> Source {
        let mut all = self.clone();
        if !self.entries.is_empty() {
            let index = json!({"schemaVersion": 2, "manifests": self.entries});
            all.file("index.json", index.to_string());
            all.file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        }
        all.entries.clear();
        all
    }

    pub fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        for (path, content) in &self.all().members {
            let is_text = content.trim_ascii_start().starts_with(b"{")
                || content.trim_ascii_start().starts_with(b"[");
            let text = (is_text && content.len() <= MAX_TEXT).then_some(&content[..]);
            let size = content.len() as u64;
            contents.add_file(path.as_bytes(), Digest::of(content), size, text);
        }
        for (path, target) in &self.links {
            contents.add_link(path.as_bytes(), target.as_bytes());
        }
        contents
    }

    /// Judges it, where images must be signed by the vendor.
    pub fn judged(&self) -> Judgement {
        self.judged_by(&policy(), Outer::NotValid)
    }

    pub fn judged_by(&self, policy: &Policy, outer: Outer) -> Judgement {
        self.judged_with(&Contents::default(), policy, outer)
    }

    pub fn judged_with(&self, outside: &Contents, policy: &Policy, outer: Outer) -> Judgement {
        let artifact = SharedPath::from(std::path::Path::new("b.tar.zst"));
        judge(&artifact, &self.contents(), outside, policy, outer)
    }

    /// Returns the verdict on the one image in it.
    pub fn verdict(&self) -> Verdict {
        one(&self.judged()).verdict.clone()
    }

    /// Replaces the content of the member with a path.
    pub fn replace(&mut self, path: &str, content: &[u8]) {
        let member = self.members.iter_mut().find(|(other, _)| other == path);
        member.unwrap().1 = content.to_vec();
    }

    /// Removes the member with a path.
    pub fn remove(&mut self, path: &str) {
        let before = self.members.len();
        self.members.retain(|(other, _)| other != path);
        assert_eq!(self.members.len(), before - 1, "{path}");
    }
}

pub fn one(judgement: &Judgement) -> &Judged {
    assert_eq!(judgement.failures, [], "{judgement:?}");
    assert_eq!(judgement.images.len(), 1, "{judgement:?}");
    &judgement.images[0]
}

/// Returns the verdicts with the images' names.
pub fn verdicts(judgement: &Judgement) -> Vec<(Option<&str>, Verdict)> {
    let images = judgement.images.iter();
    images
        .map(|judged| (judged.image.name.as_deref(), judged.verdict.clone()))
        .collect()
}

pub fn policy() -> Policy {
    Policy {
        keys: vec![key(VENDOR)],
        ..Policy::default()
    }
}

fn signing(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

/// Returns a public key; two calls return equal keys.
pub fn key(number: u8) -> Arc<Key> {
    let der = signing(number).verifying_key().to_public_key_der().unwrap();
    Arc::new(Key::parse("vendor", der.as_bytes()).unwrap())
}

pub fn valid() -> Verdict {
    Verdict::Valid { key: key(VENDOR) }
}

/// Returns a line as `cosign download signature` prints it.
pub fn signature(digest: &str, key: u8, name: &str) -> String {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": name},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    let payload = payload.to_string();
    let digest = Digest::of(payload.as_bytes());
    let made: Signature = signing(key).sign_prehash(digest.as_bytes()).unwrap();
    json!({
        "Base64Signature": STANDARD.encode(made.to_der().as_bytes()),
        "Payload": STANDARD.encode(payload),
        "Cert": null, "Chain": null, "Bundle": null, "RFC3161Timestamp": null,
    })
    .to_string()
}

pub fn descriptor(media_type: &str, content: impl AsRef<[u8]>) -> Value {
    let content = content.as_ref();
    json!({"mediaType": media_type, "digest": id(content), "size": content.len()})
}

pub fn of_platform(mut descriptor: Value, platform: &str) -> Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    descriptor["platform"] = json!({"os": os, "architecture": architecture});
    descriptor
}

pub fn config(platform: &str, diff_ids: &[String]) -> String {
    let (os, architecture) = platform.split_once('/').unwrap();
    json!({
        "os": os, "architecture": architecture,
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string()
}

/// Returns the digest of some content as documents have it.
pub fn id(content: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", Digest::of(content.as_ref()))
}

pub fn blob_path(content: impl AsRef<[u8]>) -> String {
    format!("blobs/sha256/{}", Digest::of(content.as_ref()))
}

/// Returns the path of the blob that a descriptor names.
pub fn path_of(descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap();
    digest.replace("sha256:", "blobs/sha256/")
}

/// A source with one image of two layers, signed by the vendor.
pub fn signed() -> Source {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 2);
    source
        .list(&image, "r.example/a:1")
        .sign(&image, VENDOR, "r.example/a");
    source
}

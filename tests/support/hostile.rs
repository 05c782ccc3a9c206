//! Parts of bundles that no well-meaning program writes: members of tar archives, frames of zstd and
//! documents of signatures, byte by byte.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::SigningKey;
use tar::{EntryType, Header};

use super::bundles::{
    CONFIG, Image, LAYER, Layout, MANIFEST, descriptor, digest, hex, payload, sign,
};

/// The two blocks that end an archive.
pub const END: [u8; 1024] = [0; 1024];

/// A header of this kind (POSIX.1-2024, "ustar Interchange Format", typeflag), with its checksum.
pub fn header(kind: u8, name: &[u8], size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A header, its content, and zeros to the end of the last block.
pub fn with_content(header: &Header, content: &[u8]) -> Vec<u8> {
    let mut bytes = [header.as_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A member of this kind.
pub fn member(kind: u8, name: &[u8], content: &[u8]) -> Vec<u8> {
    with_content(&header(kind, name, content.len() as u64), content)
}

/// A regular file.
pub fn file(name: &str, content: &[u8]) -> Vec<u8> {
    member(b'0', name.as_bytes(), content)
}

/// A link: `1` is a hard one, `2` a symbolic one.
pub fn link(kind: u8, name: &str, target: &str) -> Vec<u8> {
    let mut header = header(kind, name.as_bytes(), 0);
    header.set_link_name_literal(target).unwrap();
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Records of pax: `x` for the next member, `g` for all that follow.
pub fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let length = (rest..).find(|n| n.to_string().len() + rest == *n);
        format!("{} {key}={value}\n", length.unwrap())
    };
    let body: String = records.iter().map(record).collect();
    member(kind, b"pax", body.as_bytes())
}

/// The files of a layout as members, without an end.
pub fn members(layout: &Layout) -> Vec<u8> {
    let files = layout.files();
    let file = |(path, content): &(String, Vec<u8>)| file(path, content);
    files.iter().flat_map(file).collect()
}

/// Members with the end of an archive.
pub fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [&members.concat()[..], &END].concat()
}

/// A frame of zstd (RFC 8878, 3.1.1) of raw blocks.
pub struct Frame<'a> {
    pub content: &'a [u8],
    /// The window descriptor (3.1.1.1.2).
    pub window: u8,
    /// The dictionary's ID: none, 1, 2 or 4 bytes.
    pub dictionary: &'a [u8],
    /// The checksum, right or wrong.
    pub checksum: Option<[u8; 4]>,
    /// Number of zeros before the content that blocks of one repeated byte stand for: whole blocks.
    pub zeros: u64,
}

/// The most bytes that a block stands for.
const BLOCK: usize = 128 * 1024;

impl<'a> Frame<'a> {
    /// A frame with a window of 1 MiB.
    pub fn of(content: &'a [u8]) -> Frame<'a> {
        Frame {
            content,
            window: 10 << 3,
            dictionary: &[],
            checksum: None,
            zeros: 0,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd];
        let dictionary = [0, 1, 2, 0, 3][self.dictionary.len()];
        bytes.push(dictionary | if self.checksum.is_some() { 4 } else { 0 });
        bytes.push(self.window);
        bytes.extend(self.dictionary);
        let block = |kind: u32, length: usize, is_last: bool| {
            let header = (length as u32) << 3 | kind << 1 | u32::from(is_last);
            header.to_le_bytes()
        };
        for _ in 0..self.zeros / BLOCK as u64 {
            bytes.extend(&block(1, BLOCK, false)[..3]);
            bytes.push(0);
        }
        for chunk in self.content.chunks(BLOCK) {
            bytes.extend(&block(0, chunk.len(), false)[..3]);
            bytes.extend(chunk);
        }
        bytes.extend(&block(0, 0, true)[..3]);
        bytes.extend(self.checksum.iter().flatten());
        bytes
    }
}

/// A skippable frame (RFC 8878, 3.1.2).
pub fn skippable(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    [&[0x5a, 0x2a, 0x4d, 0x18], &length[..], content].concat()
}

/// A member of gzip.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = gzip_writer();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip_writer() -> flate2::write::GzEncoder<Vec<u8>> {
    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast())
}

/// What Cosign 3 puts into a bundle for a signature.
pub const IS_SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement about a manifest (in-toto, version 1).
pub fn statement(predicate_type: &str, manifest: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{predicate_type}","predicate":{{}}}}"#,
        hex(manifest)
    )
    .into_bytes()
}

/// A Sigstore bundle, version 0.3, with a signed envelope (DSSE) around this statement. `material`
/// says whose signature it is.
pub fn enveloped(key: &SigningKey, statement: &[u8], material: &str) -> Vec<u8> {
    let kind = "application/vnd.in-toto+json";
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), statement.len()).into_bytes();
    signed.extend(statement);
    format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{material},"dsseEnvelope":{{"payload":"{}","payloadType":"{kind}","signatures":[{{"sig":"{}"}}]}}}}"#,
        STANDARD.encode(statement),
        sign(key, &signed)
    )
    .into_bytes()
}

/// The verification material of a signature by a key.
pub const BY_KEY: &str = r#"{"publicKey":{"hint":"aGludA=="}}"#;
/// That of one by a certificate.
pub const BY_CERTIFICATE: &str = r#"{"certificate":{"rawBytes":"bGVhZg=="}}"#;

/// A manifest with one layer of this type, which refers to `subject`, as Cosign 3 attaches a bundle.
pub fn referrer(layout: &mut Layout, layer_type: &str, layer: &[u8], subject: &[u8]) -> Vec<u8> {
    let empty = b"{}";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"{layer_type}","config":{},"layers":[{}],"subject":{}}}"#,
        descriptor("application/vnd.oci.empty.v1+json", empty, ""),
        descriptor(layer_type, layer, ""),
        descriptor(MANIFEST, subject, "")
    )
    .into_bytes();
    layout.add_blob(empty);
    layout.add_blob(layer);
    layout.add_blob(&manifest);
    manifest
}

/// A line of `cosign download signature` with a certificate and an entry of the log.
pub fn downloaded_with(
    key: &SigningKey,
    reference: &str,
    manifest: &[u8],
    cert: &str,
    bundle: &str,
) -> String {
    let payload = payload(reference, manifest);
    format!(
        r#"{{"Base64Signature":"{}","Payload":"{}","Cert":{cert},"Chain":null,"Bundle":{bundle}}}"#,
        sign(key, &payload),
        STANDARD.encode(&payload)
    ) + "\n"
}

/// The members of a Docker archive: configurations and layers by their paths, and `manifest.json`
/// with these items.
pub fn docker_archive(files: &[(String, Vec<u8>)], items: &[String]) -> Vec<u8> {
    let mut members: Vec<_> = files
        .iter()
        .map(|(path, content)| file(path, content))
        .collect();
    let manifest = format!("[{}]", items.join(","));
    members.push(file("manifest.json", manifest.as_bytes()));
    members.concat()
}

/// The item of `manifest.json` for an image, and its files as `docker save` names them.
pub fn docker_item(name: &str, image: &Image) -> (String, Vec<(String, Vec<u8>)>) {
    let (config, layers) = image.blobs.split_first().unwrap();
    let mut files = vec![(format!("{}.json", hex(config)), config.clone())];
    for layer in layers {
        files.push((format!("{}/layer.tar", hex(layer)), layer.clone()));
    }
    let paths: Vec<String> = files[1..]
        .iter()
        .map(|(path, _)| format!("{path:?}"))
        .collect();
    let item = format!(
        r#"{{"Config":"{}","RepoTags":["{name}"],"Layers":[{}]}}"#,
        files[0].0,
        paths.join(",")
    );
    (item, files)
}

/// A manifest of this configuration and these layers, each with its media type.
pub fn manifest(config: &str, layers: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    )
    .into_bytes()
}

/// An image whose manifest is made of its own by `change`, which takes the text of it.
pub fn changed(image: &Image, change: impl Fn(String) -> String) -> Image {
    let text = String::from_utf8(image.manifest.clone()).unwrap();
    Image {
        manifest: change(text).into_bytes(),
        blobs: image.blobs.clone(),
    }
}

/// The descriptors of a usual image's configuration and layer.
pub fn parts(image: &Image) -> (String, String) {
    (
        descriptor(CONFIG, &image.blobs[0], ""),
        descriptor(LAYER, &image.blobs[1], ""),
    )
}

/// The digest in the form of an image's ID, for lines.
pub fn id(manifest: &[u8]) -> String {
    digest(manifest)
}

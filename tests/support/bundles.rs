//! Bundles with images in them, built byte by byte: an OCI image layout, Cosign's signatures, a tar
//! archive, a zstd frame. Used by the tests and by the example that makes one.

#![allow(dead_code, clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use sha2::{Digest, Sha256};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    Sha256::digest(bytes).iter().map(digits).collect()
}

/// `sha256:` and the digits.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// A descriptor of a blob; `more` is further members, such as `,"annotations":{}`.
pub fn descriptor(media_type: &str, blob: &[u8], more: &str) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}{more}}}"#,
        digest(blob),
        blob.len()
    )
}

/// The annotation that labels an image, as a further member of a descriptor.
pub fn label(name: &str) -> String {
    format!(r#","annotations":{{"io.containerd.image.name":"{name}"}}"#)
}

/// The platform, as a further member of a descriptor.
pub fn platform(architecture: &str) -> String {
    format!(r#","platform":{{"architecture":"{architecture}","os":"linux"}}"#)
}

/// An image for one platform: its manifest, and the other blobs that it consists of.
#[derive(Clone)]
pub struct Image {
    pub manifest: Vec<u8>,
    pub blobs: Vec<Vec<u8>>,
}

impl Image {
    /// An image of these layers.
    pub fn new(architecture: &str, layers: &[&[u8]]) -> Image {
        let diff_ids: Vec<String> = layers
            .iter()
            .map(|layer| format!("\"{}\"", digest(layer)))
            .collect();
        let config = format!(
            r#"{{"architecture":"{architecture}","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            diff_ids.join(",")
        )
        .into_bytes();
        let of_layers: Vec<String> = layers
            .iter()
            .map(|layer| descriptor(LAYER, layer, ""))
            .collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
            descriptor(CONFIG, &config, ""),
            of_layers.join(",")
        );
        let mut blobs = vec![config];
        blobs.extend(layers.iter().map(|layer| layer.to_vec()));
        Image {
            manifest: manifest.into_bytes(),
            blobs,
        }
    }
}

/// An index over manifests, each with its further members.
pub fn index(children: &[(&[u8], String)]) -> Vec<u8> {
    let children: Vec<String> = children
        .iter()
        .map(|(manifest, more)| descriptor(MANIFEST, manifest, more))
        .collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        children.join(",")
    )
    .into_bytes()
}

/// The payload that Cosign signs for an image (simple signing).
pub fn payload(reference: &str, manifest: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{reference}"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
        digest(manifest)
    )
    .into_bytes()
}

/// The base64 of a DER signature over a message.
pub fn sign(key: &SigningKey, message: &[u8]) -> String {
    let signature: Signature = key.sign_prehash(&Sha256::digest(message)).unwrap();
    STANDARD.encode(DerSignature::from(signature).as_bytes())
}

/// A line of `cosign download signature`.
pub fn downloaded(key: &SigningKey, payload: &[u8]) -> String {
    format!(
        r#"{{"Base64Signature":"{}","Payload":"{}","Cert":null,"Chain":null,"Bundle":null}}"#,
        sign(key, payload),
        STANDARD.encode(payload)
    ) + "\n"
}

/// An OCI image layout: what its index names, and its blobs.
#[derive(Clone, Default)]
pub struct Layout {
    /// The descriptors of its index.
    pub entries: Vec<String>,
    /// Paths and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Layout {
    pub fn add_blob(&mut self, blob: &[u8]) {
        let path = format!("blobs/sha256/{}", hex(blob));
        if !self.files.iter().any(|(other, _)| *other == path) {
            self.files.push((path, blob.to_vec()));
        }
    }

    /// Adds an image under this name.
    pub fn add(&mut self, name: &str, image: &Image) {
        self.entries
            .push(descriptor(MANIFEST, &image.manifest, &label(name)));
        self.add_content(image);
    }

    /// Adds the blobs of an image that something else names.
    pub fn add_content(&mut self, image: &Image) {
        self.add_blob(&image.manifest);
        image.blobs.iter().for_each(|blob| self.add_blob(blob));
    }

    /// Adds an index of images for several platforms under this name.
    pub fn add_index(&mut self, name: &str, images: &[(&str, &Image)]) -> Vec<u8> {
        let children: Vec<(&[u8], String)> = images
            .iter()
            .map(|(architecture, image)| (&image.manifest[..], platform(architecture)))
            .collect();
        let index = index(&children);
        self.entries.push(descriptor(INDEX, &index, &label(name)));
        self.add_blob(&index);
        images.iter().for_each(|(_, image)| self.add_content(image));
        index
    }

    /// Adds a signature of a manifest or an index, as Cosign stores it in a registry.
    pub fn sign(&mut self, key: &SigningKey, reference: &str, manifest: &[u8]) {
        let payload = payload(reference, manifest);
        let signature = sign(key, &payload);
        self.add_signature(reference, manifest, &payload, &signature);
    }

    /// Adds any payload, with any signature.
    pub fn add_signature(
        &mut self,
        reference: &str,
        manifest: &[u8],
        payload: &[u8],
        signature: &str,
    ) {
        let config = br#"{"architecture":"","created":"0001-01-01T00:00:00Z","history":[],"os":"","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#;
        let annotations =
            format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#);
        let signed = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
            descriptor(CONFIG, config, ""),
            descriptor(SIMPLE_SIGNING, payload, &annotations)
        )
        .into_bytes();
        let name = format!("{reference}:sha256-{}.sig", hex(manifest));
        self.entries
            .push(descriptor(MANIFEST, &signed, &label(&name)));
        self.add_blob(&signed);
        self.add_blob(config);
        self.add_blob(payload);
    }

    /// The files of the layout, in the order in which most programs write them.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            self.entries.join(",")
        );
        let mut files = self.files.clone();
        files.sort();
        files.push(("index.json".to_owned(), index.into_bytes()));
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec();
        files.push(("oci-layout".to_owned(), layout));
        files
    }

    pub fn tar(&self) -> Vec<u8> {
        tar(&self.files())
    }
}

/// A tar archive of these files.
pub fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, &content[..])
            .unwrap();
    }
    archive.into_inner().unwrap()
}

/// The most bytes of a block of a zstd frame (RFC 8878, 3.1.1.2.4).
const LARGEST_BLOCK: usize = 128 * 1024;

/// A zstd frame with this content, not compressed (RFC 8878, 3.1.1): every decoder takes it, and
/// none is needed to make it.
pub fn zstd(content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    // A content size of 8 bytes, a single segment, no checksum, no dictionary.
    frame.push(0b1110_0000);
    frame.extend((content.len() as u64).to_le_bytes());
    let mut chunks = content.chunks(LARGEST_BLOCK).peekable();
    if chunks.peek().is_none() {
        frame.extend([1, 0, 0]);
    }
    while let Some(chunk) = chunks.next() {
        let is_last = u32::from(chunks.peek().is_none());
        let header = (chunk.len() as u32) << 3 | is_last;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(chunk);
    }
    frame
}

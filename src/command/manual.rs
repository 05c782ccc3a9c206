//! The text of the manual page beyond the options: inside an air gap there may be nothing else to
//! read.

/// A term and its description.
pub(super) type Entry = (&'static str, &'static str);

/// What a valid signature means.
pub(super) const PROOF: [Entry; 3] = [
    (
        "What a ✅ proves",
        "The holder of a private key, whose public key you named, signed exactly these bytes, and the file did not change while it was \
         read. Get the key through a different channel than the files.",
    ),
    (
        "What it does not prove",
        "That nothing is missing: a file removed together with its signature leaves no trace. That the name is right: an old release \
         renamed along with its signature is still valid. --baseline finds both, and so does a signed checksum list for what it names, if --list demands it.",
    ),
    (
        "What an image's ✅ proves",
        "The holder of a key for images signed the image's digest, and everything that the digest covers is there, for each platform \
         listed. It covers the image's name only where the bundle's own signature is valid.",
    ),
];

/// Pairing rules: which signature belongs to which file, and what needs one.
pub(super) const PAIRING: [Entry; 7] = [
    (
        "Signatures",
        "S.sig.bin belongs to the first of these beside it: S, if that ends in .zst or .iso, or is named like a checksum list; S.zst; S.iso; S; or the parts that one of \
         them was split into. Endings are recognized in any case; the rest of a name is compared byte by byte. A file with two \
         signatures gets two lines.",
    ),
    (
        "Other formats",
        "X.sig (base64 of a signature, as cosign writes it, or the bare signature), X.sigstore.json, X.sigstore, X.bundle and \
         X.cosign.bundle (bundles of Sigstore and Cosign; the content decides which) belong to exactly X, of any type. Only trusted keys \
         make them valid: certificates, keys and log entries in a bundle do not. A .bundle without X is a signature only if its content \
         is one.",
    ),
    (
        "Artifacts",
        "Every file with a signature, every .zst and .iso, and every file that is one in all but name: an unfinished download \
         (x.zst.part), a second copy (x.zst.1, \"x.zst (1)\"), a name with a URL's query or trailing blanks, a part without its whole, \
         a directory of an object store's versions (x.zst.versions). These count as unsigned.",
    ),
    (
        "Split artifacts",
        "Parts as split(1) names them (x.zst_part00, x.zst.part-aa, x.zstaa), numbered parts (x.zst.001) and the parts of a zarf package \
         are verified as one file under the name of the whole, unless the whole exists as well.",
    ),
    (
        "Links",
        "A link to a file, without a signature of its own, has the verdict of its target if the same run verifies the target. A link to \
         a directory fails unless -L enters it, --exclude leaves it out, --allow-unsigned accepts it, or the same run reads all of \
         that directory under another name.",
    ),
    (
        "Checksum lists",
        "A signed file named like a list (SHA256SUMS, sha512sum.txt, checksums.txt, x.iso.sha256, and what --list names) vouches for every \
         file that it names in its directory or below, of any kind: those get a line each, whether they are there or not. Digests are SHA-256, \
         SHA-384 or SHA-512. A file with a signature of its own gets both lines. A list without a valid signature vouches for nothing.",
    ),
    (
        "Stray signatures",
        "A signature that belongs to no file is reported. Unsigned artifacts are then hashed, and a note says which of them it fits.",
    ),
];

/// The lines on stdout and their meanings: a closed list.
pub(super) const LINES: [Entry; 27] = [
    (
        "PATH: ✅ Signature valid",
        "A trusted key signed exactly these bytes.",
    ),
    (
        "PATH: ❌ Signature invalid",
        "No trusted key made this signature over these bytes.",
    ),
    (
        "PATH: ❌ Data file not found",
        "There is a signature, or an entry in a signed list, but not its file, or a part is missing.",
    ),
    (
        "PATH: ❌ Signature file not found",
        "An unsigned artifact, or a linked directory that was not entered.",
    ),
    (
        "PATH: ⚠️ Signature file not found",
        "The same under --allow-unsigned. Not a failure.",
    ),
    (
        "PATH: ⏭️ Verified earlier, on ...",
        "Not read, under --max-age or --resume: an earlier run found it valid, and nothing has changed since, as far as the file system says. \
         Not a failure, and not valid.",
    ),
    (
        "PATH: ✅ Listed in a signed list",
        "A checksum list that a trusted key signed has this name, with the digest of exactly these bytes.",
    ),
    (
        "PATH: ❌ Differs from the signed list",
        "The list has another digest for this name.",
    ),
    (
        "PATH: ❌ Listed with two digests",
        "The list has two digests of one kind for this name.",
    ),
    (
        "PATH: ❌ Listed without a usable digest",
        "The list has only digests of other kinds for it: SHA-256, SHA-384 and SHA-512 count.",
    ),
    (
        "PATH: ❌ Listed outside the list's directory",
        "The listed name is absolute, or has .. in it. Nothing was read.",
    ),
    (
        "PATH: ❌ Not a usable checksum list",
        "A line of a signed list cannot be read, it is longer than 64 MiB, or it is signed inside by OpenPGP. It vouches for nothing.",
    ),
    (
        "PATH: ❌ Changed while reading",
        "The file, or the list of a directory's entries, changed during the run.",
    ),
    (
        "PATH: ❌ Cannot read: ...",
        "The system's error. \"internal error\" is a defect of this program.",
    ),
    (
        "PATH: ❌ Not a regular file",
        "A FIFO, socket, device or directory in the place of an artifact or a signature.",
    ),
    (
        "PATH » IMAGE: ✅ Image signature valid",
        "A trusted key signed the image's digest, and everything it covers is there.",
    ),
    (
        "PATH » IMAGE: ⚠️ Image not signed, intact",
        "No trusted key signed the image, but it is complete, and its bundle's signature is valid (or --allow-unsigned was given). Not a \
         failure.",
    ),
    (
        "PATH » IMAGE: ❌ Image not signed",
        "The image needs a signature and has none, or only keyless ones.",
    ),
    (
        "PATH » IMAGE: ❌ Image signature invalid",
        "The image needs a signature, and no trusted key made any that it has.",
    ),
    (
        "PATH » IMAGE: ❌ Image incomplete",
        "A layer, a document or a required platform is missing, or differs from what the manifest says.",
    ),
    (
        "PATH » IMAGE: ❌ Image malformed",
        "A document breaks the specification, so programs may read it differently.",
    ),
    (
        "PATH » IMAGE: ❌ Image name ambiguous",
        "Another image in the same bundle has the same name.",
    ),
    (
        "PATH » IMAGE: ❌ Image not judged",
        "It has too many documents, or they are nested too deeply.",
    ),
    (
        "PATH » (contents): ❌ Contents damaged",
        "The compressed data or the archive is damaged.",
    ),
    (
        "PATH » (contents): ❌ Contents refused",
        "Another program might read something else: two members share a name, a path leads outside, or a blob does not match its name.",
    ),
    (
        "PATH » (contents): ❌ Contents not judged",
        "A limit was exceeded, such as --max-window or --max-unpacked.",
    ),
    (
        "PATH » (contents): ⚠️ No images inside",
        "An archive without images. Not a failure.",
    ),
];

/// What people should know about lines and names.
pub(super) const ORDER: &str = "Lines are in the order of the PATHs, and sorted byte by byte within each; images follow their bundle. In names, control characters, \
     characters that are invisible, look like a blank or change the direction of writing, bytes that are not UTF-8, backslashes and the \
     marks are escaped, so no name can forge a line. Everything else goes to stderr.";

/// How several machines verify one mirror.
pub(super) const MANY: [Entry; 4] = [
    (
        "Shards",
        "--shard K/N verifies part K of N. Every machine surveys the whole mirror and takes its share by size, so nothing has to be \
         coordinated: give each the same PATHs, options and keys, and a number of its own. All names and signatures of a file are in \
         one share. A share may be empty.",
    ),
    (
        "What a shard leaves",
        "A JSON report (or the output of --format jsonl), which says which shard it is, and has digests of what this machine saw of the \
         mirror and of its share. The exit status is that of this share only.",
    ),
    (
        "The merge",
        "--merge REPORT... gives the verdict on the whole. Anything that fails in any shard fails it (1). Otherwise there is no verdict (2) if \
         a shard is missing, was cut off, did not finish, is given twice, or contradicts itself, or if the reports do not agree on the \
         mirror, its division, the keys, the options or the version; each report that disagrees is named. Hosts, directories and \
         spellings of PATHs may differ, and so may what decides only the speed.",
    ),
    (
        "What it rests on",
        "The reports: whoever can change them can change the verdict, so keep them where only the shards can write. The merged report has \
         the SHA-256 of each. It is a run's report in every format, and can be a --baseline; a shard's cannot.",
    ),
];

/// The formats of reports and what they hold.
pub(super) const REPORTS: [Entry; 9] = [
    (
        ".json",
        "One document. start: how the run began (program, arguments, keys with fingerprints, options). artifacts: one object per line, with \
         path, signature, status, passes, reason, remedy, sha256, size, key and more. summary: how it ended (conclusion, exit_status, \
         counts, bytes, seconds, notes, audit). A path that is not UTF-8 has path_base64 in place of path.",
    ),
    (
        "--format jsonl",
        "The same objects on stdout, one per line, as they are decided. type is start, artifact, image, contents or summary. A \
         stream without a summary was cut off.",
    ),
    (
        ".xml",
        "JUnit: a test case per line, a failure with its reason for each ❌, and an error if the run gave no verdict.",
    ),
    (
        ".html",
        "One page to read, print, sort and filter. It loads nothing and needs no network.",
    ),
    (
        ".csv",
        "A table: a row per line, a row per difference from the baseline, and a last row for the run. Characters that begin a formula in \
         a spreadsheet are escaped.",
    ),
    (
        "SHA256SUMS",
        "The valid artifacts, for sha256sum --check. Only of a run that ends with status 0 and read everything. With --sign-report, signed by a \
         SHA256SUMS.sig.bin beside it.",
    ),
    (
        ".intoto.jsonl",
        "in-toto statements with SLSA verification summaries in DSSE envelopes, one per line: what passed, and what failed. Signed with \
         --sign-report. None of a run that did not judge everything.",
    ),
    (
        ".oscal.json",
        "OSCAL assessment results 1.1.3: observations, no findings.",
    ),
    (
        ".prom",
        "Metrics for the textfile collector of Prometheus' node exporter.",
    ),
];

/// What holds for every report.
pub(super) const REPORTS_ARE_WHOLE: &str = "A report is written beside its place and renamed into it at the end: whole or not at all, also when a signal ends the run. It keeps \
     the mode of your earlier report, follows no link that another user made, and is refused in the place of a key, the baseline, a \
     signature or an artifact.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_on_stdout_is_explained() {
        let words = include_str!("../report/words.rs");
        let images = include_str!("../report/images.rs");
        let marks = ["✅ ", "❌ ", "⚠️ "];
        let texts = [words, images].map(|source| source.lines());
        let texts = texts.into_iter().flatten();
        let lines = texts
            .filter_map(|line| line.split('"').nth(1))
            .filter(|text| !text.contains('{') && marks.iter().any(|mark| text.starts_with(mark)));
        let lines: Vec<&str> = lines.collect();
        assert!(lines.len() >= 18, "{lines:?}");
        for line in lines {
            let is_it = |(term, _): &Entry| term.ends_with(&format!(": {line}"));
            assert!(LINES.iter().any(is_it), "{line}");
        }
    }
}

// Wraps each envelope of FILE in a sigstore bundle and verifies it by @sigstore/verify: bundle.cjs FILE PUBLIC_KEY.der.
const fs = require("fs");
const { bundleFromJSON } = require("@sigstore/bundle");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");

const [file, key] = process.argv.slice(2);
const nothing = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = toTrustMaterial(nothing, { hint: { rawBytes: fs.readFileSync(key) } });
const verifier = new Verifier(trusted, { ctlogThreshold: 0, tlogThreshold: 0, tsaThreshold: 0 });
for (const line of fs.readFileSync(file, "utf8").trimEnd().split("\n")) {
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: "hint" } },
    dsseEnvelope: JSON.parse(line),
  });
  verifier.verify(toSignedEntity(bundle));
  console.log("verified");
}

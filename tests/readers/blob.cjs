// Verifies a bundle with the signature of a file by @sigstore/verify: blob.cjs BUNDLE FILE PUBLIC_KEY.der.
const fs = require("fs");
const { bundleFromJSON } = require("@sigstore/bundle");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");

const [file, data, key] = process.argv.slice(2);
const nothing = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = toTrustMaterial(nothing, { hint: { rawBytes: fs.readFileSync(key) } });
const verifier = new Verifier(trusted, { ctlogThreshold: 0, tlogThreshold: 0, tsaThreshold: 0 });
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(file, "utf8")));
verifier.verify(toSignedEntity(bundle, fs.readFileSync(data)));
console.log("verified");

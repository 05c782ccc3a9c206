"""Reads envelopes by securesystemslib: dsse.py FILE [PUBLIC_KEY KEYID]. Prints one payload a line, once its signature is verified."""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

file, *key = sys.argv[1:]
with open(file, encoding="utf-8") as lines:
    for line in lines:
        envelope = Envelope.from_dict(json.loads(line))
        if key:
            with open(key[0], "rb") as public:
                crypto = load_pem_public_key(public.read())
            accepted = envelope.verify([SSlibKey.from_crypto(crypto, keyid=key[1])], 1)
            assert list(accepted) == [key[1]], accepted
        else:
            assert envelope.signatures == {}, envelope.signatures
        print(json.dumps(json.loads(envelope.payload)))

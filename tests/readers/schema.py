"""Holds documents against a JSON Schema: schema.py SCHEMA.

Each line of standard input is a list of documents; the answer is a line with a list of what does not fit."""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for line in sys.stdin:
    errors = [error for document in json.loads(line) for error in validator.iter_errors(document)]
    print(json.dumps([f"{error.json_path}: {error.message}" for error in errors]), flush=True)

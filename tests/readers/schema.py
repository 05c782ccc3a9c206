"""Holds documents, one a line, against a JSON Schema, and prints nothing if they all fit: schema.py FILE SCHEMA."""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[2], encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
with open(sys.argv[1], encoding="utf-8") as file:
    errors = [error for line in file for error in validator.iter_errors(json.loads(line))]
if errors:
    sys.exit("\n".join(f"{error.json_path}: {error.message}" for error in errors))

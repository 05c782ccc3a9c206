"""Reads a table by Python's csv, strictly, and prints its rows as objects: table.py FILE."""

import csv
import json
import sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file, strict=True))
assert all(None not in row and None not in row.values() for row in rows), rows
print(json.dumps(rows))

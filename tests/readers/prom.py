"""Reads metrics by prometheus_client's parser, and prints each sample: prom.py FILE."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    families = list(text_string_to_metric_families(file.read()))
assert all(family.type == "gauge" and family.documentation for family in families), families
assert len({family.name for family in families}) == len(families), families
samples = [sample for family in families for sample in family.samples]
print(json.dumps([[sample.name, sample.labels, sample.value] for sample in samples]))

#!/usr/bin/env python3
"""Compares the table of operators with the schemas of the onnx package (pip install onnx).

Printed and counted as a failure: operators without a row, rows that begin too late, rows whose number of
inputs is narrower than the schema's, and attributes that handlers/attribute_names.c lacks. A row may be wider,
and may know operators that the package does not.

    python3 scripts/check/onnx_schema_coverage.py
"""
import pathlib
import re
import sys

import onnx
import onnx.defs

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFINE = re.compile(r'#define (\w+) "([\w.]*)"')
ATTRIBUTES = re.compile(r'\{(\w+),\s*"(\w+)",\s*((?:"[^"]*"\s*)+)\}')
ROW = re.compile(r'\s*ROW\((\w+), "(\w+)", (\d+), (\d+), (ANY|\d+),')
UNLIMITED = 1000  # the package writes 2^31 - 1 for any number


def read_rows(path):
    """{(domain, operator): [(since, least, most)]} of registry.c, most None for any number."""
    domains, rows = {}, {}
    for line in path.read_text().splitlines():
        if define := DEFINE.match(line):
            domains[define[1]] = define[2]
        elif row := ROW.match(line):
            most = None if row[5] == "ANY" else int(row[5])
            rows.setdefault((domains[row[1]], row[2]), []).append((int(row[3]), int(row[4]), most))
    return rows


def read_attributes(path):
    """{(domain, operator): {names}} of attribute_names.c."""
    text = path.read_text()
    domains = dict(DEFINE.findall(text))
    return {(domains[domain], op_type): set("".join(re.findall(r'"([^"]*)"', names)).split())
            for domain, op_type, names in ATTRIBUTES.findall(text)}


def complaint(rows, attributes, schema):
    """What is wrong for one version of one operator, or None."""
    right = [row for row in rows if row[0] <= schema.since_version]
    if not right:
        return "no row" if not rows else f"the first row is since {min(rows)[0]}"
    since, least, most = max(right)
    if least > schema.min_input:
        return f"the row since {since} demands {least} inputs, the schema {schema.min_input}"
    if most is not None and (schema.max_input > UNLIMITED or most < schema.max_input):
        return f"the row since {since} takes {most} inputs, the schema {schema.max_input}"
    if missing := set(schema.attributes) - attributes:
        return f"attributes not listed: {', '.join(sorted(missing))}"
    return None


def main():
    rows = read_rows(ROOT / "handlers" / "registry.c")
    attributes = read_attributes(ROOT / "handlers" / "attribute_names.c")
    schemas = onnx.defs.get_all_schemas_with_history()
    found = 0
    for schema in sorted(schemas, key=lambda s: (s.domain, s.name, s.since_version)):
        operator = (schema.domain, schema.name)
        problem = complaint(rows.get(operator, []), attributes.get(operator, set()), schema)
        if problem:
            found += 1
            print(f"{schema.domain or 'ai.onnx'} {schema.name}-{schema.since_version}: {problem}")
    print(f"{len(rows)} operators in the table, {len(schemas)} schemas of onnx {onnx.__version__}: {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

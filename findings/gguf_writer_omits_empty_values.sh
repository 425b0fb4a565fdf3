#!/usr/bin/env bash
# gguf 0.19.0 (PyPI): `GGUFWriter.add_array(key, [])` and `add_string(key, "")` write nothing and raise nothing.
#
# The GGUF format has arrays and strings of length 0. A caller that writes one, such as an empty list of merges or an
# empty text for `general.description`, gets a file without the key, and a reader that requires the key refuses the file.
#
# Seen on 2026-11-29, Python 3.11: keys written ['test.array', 'test.string'] of the four that were added.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0

seen=$("$folder/venv/bin/python" - "$folder/test.gguf" <<'PYTHON'
import sys

import gguf

writer = gguf.GGUFWriter(sys.argv[1], "gpt2")
writer.add_array("test.array", ["a"])
writer.add_array("test.empty_array", [])
writer.add_string("test.string", "a")
writer.add_string("test.empty_string", "")
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.close()
reader = gguf.GGUFReader(sys.argv[1])
print(sorted(key for key in reader.fields if key.startswith("test.")))
PYTHON
)
expected="['test.array', 'test.string']"
echo "keys written: $seen"
[ "$seen" = "$expected" ] || { echo "changed; expected $expected" >&2; exit 1; }

#!/usr/bin/env bash
# tokenizers 0.23.3 (PyPI): a `tokenizer.json` with one key more than the library knows is refused with a message about
# JSON's syntax, although it is valid JSON.
#
# It holds for keys of the file itself: a program cannot leave a note of its own in such a file. Inside `model` an unknown
# key is passed over without a word.
#
# Seen on 2026-12-01, Python 3.11, for a word-level tokenizer with a key `note` in either place:
#   in the file: expected `,` or `}` at line 1 column 218
#   in model: opens
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
seen=$("$folder/venv/bin/python" <<'PYTHON'
import json

from tokenizers import Tokenizer, models

file = json.loads(Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).to_str())
changed = {
    "in the file": {**file, "note": 1},
    "in model": {**file, "model": {**file["model"], "note": 1}},
}
for place, value in changed.items():
    try:
        Tokenizer.from_str(json.dumps(value, separators=(",", ":")))
        print(f"{place}: opens")
    except Exception as error:
        print(f"{place}: {error}")
PYTHON
)
echo "$seen"
expected='in the file: expected `,` or `}` at line 1 column 218
in model: opens'
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2

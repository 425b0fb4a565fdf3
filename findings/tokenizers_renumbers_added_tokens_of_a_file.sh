#!/usr/bin/env bash
# tokenizers 0.23.3 (PyPI): `Tokenizer.from_file` gives an added token another id than its `tokenizer.json` states, without
# a warning.
#
# `added_tokens` in the file has an `id` for each token. It counts only where it is the next free one: after a hole, as
# models have whose embedding was padded or whose tokens were removed, tokens are numbered from the vocabulary's end on.
# The rows of the embedding that were trained for these tokens are then never used, and others are.
#
# Seen on 2026-12-01, Python 3.11, for a vocabulary of 257 tokens and an added token with the id 300:
#   the file     300
#   from_file    257
#   saved again  257
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3

seen=$("$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

path = pathlib.Path(sys.argv[1], "tokenizer.json")
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocab = {token: token_id for token_id, token in enumerate([*letters, "<|endoftext|>"])}
tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
tokenizer.add_tokens([AddedToken("[user]", normalized=False)])
file = json.loads(tokenizer.to_str())
[added] = [token for token in file["added_tokens"] if token["content"] == "[user]"]
added["id"] = 300
path.write_text(json.dumps(file))
loaded = Tokenizer.from_file(str(path))
print("the file", added["id"])
print("from_file", loaded.token_to_id("[user]"))
again = json.loads(loaded.to_str())["added_tokens"]
print("saved again", [token["id"] for token in again if token["content"] == "[user]"][0])
PYTHON
)
expected="the file 300
from_file 257
saved again 257"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2

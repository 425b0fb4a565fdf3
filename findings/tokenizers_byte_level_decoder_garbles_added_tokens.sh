#!/usr/bin/env bash
# tokenizers 0.23.3 (PyPI): `decoders.ByteLevel` takes the letters of an added token for letters of GPT-2's byte alphabet.
#
# An added token is written as itself in a vocabulary, not in the byte alphabet. The decoder does not part the two: `é` is
# the alphabet's letter for the byte 0xE9, which alone is no UTF-8, so "café" comes back as "caf" and a replacement
# character. A token with a letter outside the alphabet, such as "日本", comes back whole. A text therefore changes on its
# way through `encode` and `decode` although each id is right.
#
# Seen on 2026-12-01, Python 3.11:
#   tokens   ['a', 'Ġ', 'café', 'Ġ', '日本']
#   decoded  'a caf\ufffd 日本'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3

seen=$("$folder/venv/bin/python" - <<'PYTHON'
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocab = {token: token_id for token_id, token in enumerate([*letters, "<|endoftext|>"])}
tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ["café", "日本"]])
encoding = tokenizer.encode("a café 日本")
print("tokens", encoding.tokens)
print("decoded", ascii(tokenizer.decode(encoding.ids)))
PYTHON
)
expected="tokens ['a', 'Ġ', 'café', 'Ġ', '日本']
decoded 'a caf\ufffd \u65e5\u672c'"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2

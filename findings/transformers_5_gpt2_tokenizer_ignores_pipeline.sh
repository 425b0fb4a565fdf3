#!/usr/bin/env bash
# transformers 5.24.0 with tokenizers 0.23.3 (PyPI): `GPT2Tokenizer` ignores the normalizer and the pre-tokenizer of a
# folder's `tokenizer.json` and uses GPT-2's own, without a warning.
#
# The class takes the vocabulary and the merges from the file. A folder whose `tokenizer_config.json` names it therefore
# gives other ids than `Tokenizer.from_file` gives on the same file. With `tokenizer_class: PreTrainedTokenizerFast` the
# ids agree, and in transformers 4.57.6 they agree with either class.
#
# Seen on 2026-11-29, Python 3.11, for the text "A12" and a file whose normalizer makes lower case, whose pre-tokenizer
# parts digits, and whose only merge is "1" with "2":
#   tokenizer.json           ['a', '1', '2']
#   GPT2Tokenizer            ['A', '12']
#   PreTrainedTokenizerFast  ['a', '1', '2']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3

seen=$(HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

folder = pathlib.Path(sys.argv[1], "model")
folder.mkdir()
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocab = {token: token_id for token_id, token in enumerate([*letters, "12", "<|endoftext|>"])}
tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[("1", "2")]))
tokenizer.normalizer = normalizers.Lowercase()
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.save(str(folder / "tokenizer.json"))
(folder / "config.json").write_text('{"model_type": "gpt2"}')
print("tokenizer.json", tokenizer.encode("A12").tokens)
for name in ["GPT2Tokenizer", "PreTrainedTokenizerFast"]:
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    loaded = AutoTokenizer.from_pretrained(folder)
    print(name, loaded.convert_ids_to_tokens(loaded("A12").input_ids))
PYTHON
)
expected="tokenizer.json ['a', '1', '2']
GPT2Tokenizer ['A', '12']
PreTrainedTokenizerFast ['a', '1', '2']"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2

#!/usr/bin/env bash
# transformers 5.24.0 (PyPI): of the settings of `generate` that take token ids, some raise for an id beyond the
# vocabulary and some pass over it without a warning.
#
# `forced_bos_token_id` is passed over if the prompt has more than one token, and raises otherwise.
#
# Seen on 2026-12-01, Python 3.11, torch 2.15.0, for a GPT-2 of 32 tokens, a prompt of three and the id 99: the lines below.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 torch==2.15.0
seen=$(HF_HUB_OFFLINE=1 "$folder/venv/bin/python" 2> "$folder/warnings" <<'PYTHON'
import warnings

import torch
from transformers import GPT2Config, GPT2LMHeadModel

warnings.simplefilter("error")
shape = dict(vocab_size=32, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(GPT2Config(**shape)).eval()
prompt = torch.tensor([[1, 2, 3]])
settings = {
    "bad_words_ids": [[99]],
    "sequence_bias": [[[99], -1.0]],
    "forced_eos_token_id": 99,
    "forced_bos_token_id": 99,
    "suppress_tokens": [99],
    "begin_suppress_tokens": [99],
    "eos_token_id": 99,
}
for name, value in settings.items():
    try:
        mask = torch.ones_like(prompt)
        model.generate(prompt, attention_mask=mask, max_new_tokens=3, do_sample=False, pad_token_id=0, **{name: value})
        print(name, "writes")
    except Exception as error:
        print(name, type(error).__name__)
PYTHON
)
echo "$seen"
expected='bad_words_ids ValueError
sequence_bias ValueError
forced_eos_token_id IndexError
forced_bos_token_id writes
suppress_tokens writes
begin_suppress_tokens writes
eos_token_id writes'
[ "$seen" = "$expected" ] || { cat "$folder/warnings"; echo "changed; expected:"; echo "$expected"; exit 1; } >&2

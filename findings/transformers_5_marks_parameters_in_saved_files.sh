#!/usr/bin/env bash
# transformers 5.24.0 with torch 2.15.0: parameters of a loaded model have an attribute, which `torch.save` writes into files.
#
# `from_pretrained` sets `_is_hf_initialized` on every parameter. A file of `dict(model.named_parameters())` therefore names
# `torch._utils._rebuild_parameter_with_state` and the attribute, where the same model before it was saved and loaded gives
# `torch._utils._rebuild_parameter`. A reader of PyTorch files without PyTorch that knows the usual names alone refuses it.
#
# Seen on 2026-12-01: made: _rebuild_parameter; loaded: _rebuild_parameter_with_state, _is_hf_initialized.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet transformers==5.24.0 torch==2.15.0
cat > look.py <<'PY'
import pickletools
import zipfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def words(model):
    torch.save(dict(model.named_parameters()), "parameters.bin")
    with zipfile.ZipFile("parameters.bin") as file:
        pickle = file.read("parameters/data.pkl")
    texts = {str(argument) for _, argument, _ in pickletools.genops(pickle) if argument is not None}
    known = ("_rebuild_parameter", "_rebuild_parameter_with_state", "_is_hf_initialized")
    return [word for word in known if any(word in text.split() for text in texts)]


made = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_positions=4, n_embd=4, n_layer=1, n_head=1))
made.save_pretrained("model")
print("made:", *words(made), "loaded:", *words(GPT2LMHeadModel.from_pretrained("model")))
PY
seen=$(venv/bin/python look.py 2> /dev/null)
echo "$seen"
expected="made: _rebuild_parameter loaded: _rebuild_parameter_with_state _is_hf_initialized"
[ "$seen" = "$expected" ] || { echo "changed; expected $expected" >&2; exit 1; }

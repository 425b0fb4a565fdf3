#!/usr/bin/env bash
# transformers 5.24.0 with torch 2.15.0 (PyPI): the text-generation pipeline ignores `task_specific_params` of a
# folder's `config.json`, prefix and lengths included, without a warning.
#
# Models of 2019 to 2022 keep their generation settings there. In transformers 4.57.6 the pipeline puts the prefix before
# the prompt; in 5.24.0 the same folder writes 256 new tokens after the bare prompt, where the file asks for 10 tokens
# in all.
#
# Seen on 2026-11-29, Python 3.11, for a prompt of one token and a prefix of two:
#   asked: max_length 10, prefix 'b b'
#   tokens of the prompt: 1, new tokens: 256
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3 torch==2.15.0

seen=$(HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/venv/bin/python" - "$folder" 2>"$folder/errors" <<'PYTHON'
import pathlib
import sys

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, pipeline

folder = pathlib.Path(sys.argv[1], "model")
words = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "b": 2, "<|endoftext|>": 3}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|endoftext|>").save_pretrained(folder)
torch.manual_seed(0)
settings = {"do_sample": True, "max_length": 10, "prefix": "b b"}
config = GPT2Config(vocab_size=4, n_positions=512, n_embd=8, n_layer=1, n_head=2, bos_token_id=None, eos_token_id=None,
                    task_specific_params={"text-generation": settings})
GPT2LMHeadModel(config).save_pretrained(folder)
(folder / "generation_config.json").unlink()
generator = pipeline("text-generation", model=str(folder))
prompts = []
forward = generator.model.generate
generator.model.generate = lambda **inputs: prompts.append(inputs["input_ids"].shape[1]) or forward(**inputs)
tokens = generator("a", return_tensors=True)[0]["generated_token_ids"]
asked = generator.model.config.task_specific_params["text-generation"]
print(f"asked: max_length {asked['max_length']}, prefix {asked['prefix']!r}")
print(f"tokens of the prompt: {prompts[0]}, new tokens: {len(tokens) - prompts[0]}")
PYTHON
) || { cat "$folder/errors"; exit 1; } >&2
expected="asked: max_length 10, prefix 'b b'
tokens of the prompt: 1, new tokens: 256"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2

"""Finds the held-out texts that the starter, the first bundled model, was not trained on: it is older than the held-out set.

    python unseen.py CORPUS DATA

CORPUS holds pd-english-corpus.tar.xz, DATA what prepare.py wrote; DATA gets unseen.txt, laid out like held_out.txt.
The starter's training is played again up to its arithmetic: its documents, its tokenizer, the order in which seed 7 put
them, and the windows of 129 tokens that PyTorch's generator drew from them after seed 1 had made its weights. A text is
unseen if it has sentences of at least 20 characters and none of them stands in a document that a window touched.
"""

import random
import re
import sys
from pathlib import Path

import numpy as np
import torch
from prepare import VOCABULARY, bodies, trained_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

WINDOW, ROWS = 128, 32
STEPS = 2700  # more than it took: 10 million tokens are 2,441 steps
SHORTEST, LONGEST = 20, 280  # characters of a document
# The starter's rules differ from prepare.py's: the number of the four passes that a document of a kind is in, and more.
PASSES = {
    "sentences": 4, "aphorism": 4, "humour": 2, "diary": 2, "letters": 2, "fable": 2,
    "essay": 1, "short-fiction": 1, "novel": 1, "memoir": 1, "speech": 1, "poetry": 0, "play": 0,
}  # fmt: skip
SLURS = re.compile(
    r"\b(n[i1]gg\w*|negro\w*|darky|darkies|jew(s|ish|ess)?|gyps(y|ies)|savages?|chinam[ae]n|squaws?|whores?|rap(e|ed|ist)|"
    r"coolies?|sluts?|bastards?)\b",
    re.IGNORECASE,
)
EDITORS = re.compile(r"produced by|transcrib|proofread|gutenberg|etext|chapter [ivxl\d]+|^\W*[IVXLC]+\W*$|illustration", re.IGNORECASE)
SENTENCE = re.compile(r".+?(?:[.!?][\"')”’]*(?=\s|$)|$)")


def sentences(text: str) -> list[str]:
    return [s.strip() for s in SENTENCE.findall(text)]


def cut(paragraph: str):
    """Documents of as many whole sentences as fit, in order."""
    document = ""
    for sentence in sentences(paragraph):
        if len(document) + 1 + len(sentence) <= LONGEST:
            document = f"{document} {sentence}".strip()
        else:
            yield document
            document = sentence if len(sentence) <= LONGEST else ""
    yield document


def documents(corpus: Path) -> list[tuple[str, int]]:
    """Each document with the number of its passes."""
    found = []
    for kind, body in bodies(corpus):
        passes = PASSES.get(kind, 1)
        if kind == "sentences":
            texts = map(str.strip, body.split("\n"))
        else:
            paragraphs = (re.sub(r"[_*#]+", "", " ".join(block.split())).strip() for block in re.split(r"\n\s*\n", body))
            texts = (d for p in paragraphs if not EDITORS.search(p[:80]) for d in cut(p))
        found += [
            (t, passes) for t in texts
            if passes and SHORTEST <= len(t) <= LONGEST and not SLURS.search(t) and sum(map(str.isalpha, t)) > 0.6 * len(t)
        ]  # fmt: skip
    return found


def touched(tokens: int) -> np.ndarray:
    """Whether a training window contained the token, as input or as target."""
    torch.manual_seed(1)
    GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_positions=256, n_embd=256, n_layer=6, n_head=8))
    seen = np.zeros(tokens, bool)
    for _ in range(STEPS):
        for start in torch.randint(0, tokens - WINDOW - 1, (ROWS,)).tolist():
            seen[start : start + WINDOW + 1] = True
    return seen


def main(corpus: Path, data: Path):
    texts, passes = zip(*documents(corpus))
    lengths = [1 + len(e.ids) for e in trained_tokenizer(texts).encode_batch(texts)]  # <|endoftext|> first
    random.seed(7)
    order = []
    for n in range(4):
        shuffled = list(range(len(texts)))
        random.shuffle(shuffled)
        order += [i for i in shuffled if n == 0 or passes[i] > n]
    starts = np.cumsum([0] + [lengths[i] for i in order])
    seen = np.maximum.reduceat(touched(starts[-1]), starts[:-1])
    known = {s for i, was_seen in zip(order, seen) if was_seen for s in sentences(texts[i])}
    held_out = (data / "held_out.txt").read_text().strip().split("\n\n")
    compared = [(t, [s for s in sentences(t) if len(s) >= SHORTEST]) for t in held_out]
    unseen = [t for t, own in compared if own and known.isdisjoint(own)]
    (data / "unseen.txt").write_text("\n\n".join(unseen) + "\n")
    print(f"{starts[-1]} tokens, {seen.sum()} of {len(seen)} documents touched, repeats counted; {len(unseen)} of {len(held_out)} texts unseen")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

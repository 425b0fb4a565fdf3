"""Cuts the public-domain corpus into texts of at most 280 characters.

    python prepare.py CORPUS OUT

CORPUS holds pd-english-corpus.tar.xz. OUT gets:
  held_out.txt    one text of every hundredth paragraph, parted by blank lines: never trained on
  tokenizer.json  a byte-level BPE of 8,192 tokens, <|endoftext|> = 0
  texts.npz       `tokens` (uint16, every text begins with <|endoftext|>), `starts` (int64), `weights` (float32), `ends` (bool)
"""

import csv
import hashlib
import re
import sys
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 8192
LONGEST_CHARACTERS, SHORTEST_CHARACTERS = 280, 20
# How often a text of a kind is drawn, relative to a novel's. Verse and plays are left out: their lines are not sentences.
WEIGHTS = {
    "sentences": 1.5, "aphorism": 1.5, "humour": 1.5, "diary": 1.5, "letters": 1.5, "fable": 1.5,
    "essay": 1.0, "short-fiction": 1.0, "novel": 1.0, "memoir": 1.0, "speech": 0.7, "poetry": 0.0, "play": 0.0,
}  # fmt: skip
# A paragraph with one of these words is left out, neutral uses included.
SLURS = re.compile(
    r"\b(n[i1]gg\w*|negr\w*|dark(y|ies)|jew(s|ish|ess)?|gyps(y|ies)|savages?|chinam[ae]n|squaws?|whores?|rap(e[ds]?|ist)|"
    r"coolies?|sluts?|bastards?|injuns?|mulatto\w*|half-?breeds?|redskins?|cripples?|kaff?irs?|japs?|coons?|fagg?ots?)\b",
    re.IGNORECASE,
)
# Texts of editors and transcribers.
EDITORS = re.compile(
    r"produced by|transcrib|proofread|gutenberg|e-?text|chapter [ivxl\d]+|^\W*[IVXLC]+\W*$|illustration|https?:|www\.|\.html?\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(
    r".+?(?:(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMessrs)(?<!\bProf)(?<!\bCapt)(?<!\bCol)(?<!\bGen)(?<!\bRev)(?<!\bHon)(?<!\b[A-Z])"
    r"[.!?]+[\"')\]”’]*(?=\s|$)|$)"
)


def bodies(corpus: Path):
    """Kind and text of every file of the corpus, without the publishers' additions."""
    with tarfile.open(corpus / "pd-english-corpus.tar.xz") as archive:
        files = {m.name.removeprefix("./"): archive.extractfile(m).read() for m in archive if m.isfile()}
    for row in csv.DictReader(files["MANIFEST.tsv"].decode().splitlines(), delimiter="\t"):
        yield row["kind"], files[row["file"]][int(row["body_start"]) : int(row["body_end"])].decode("utf-8", "ignore")


def trained_tokenizer(texts) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def held_out(paragraph: str) -> bool:
    return hashlib.sha256(paragraph.encode()).digest()[0:2] < (65536 // 100).to_bytes(2, "big")


def paragraphs(body: str, kind: str):
    for block in body.split("\n") if kind == "sentences" else re.split(r"\n\s*\n", body):
        paragraph = re.sub(r"[_*#]+", "", " ".join(block.split())).strip()
        if paragraph and not EDITORS.search(paragraph[:80]) and not SLURS.search(paragraph):
            yield paragraph


def texts(sentences: list[str]):
    """Texts of as many whole sentences as fit, in order."""
    text = ""
    for sentence in sentences:
        if len(text) + 1 + len(sentence) <= LONGEST_CHARACTERS:
            text = f"{text} {sentence}".strip()
            continue
        yield text
        text = sentence if len(sentence) <= LONGEST_CHARACTERS else ""
    yield text


def worth(text: str) -> bool:
    return SHORTEST_CHARACTERS <= len(text) and sum(map(str.isalpha, text)) > 0.6 * len(text)


def main(corpus: Path, out: Path):
    out.mkdir(parents=True, exist_ok=True)
    kept = []  # (weight, sentences) of each paragraph
    apart, apart_sentences = [], set()
    for kind, body in bodies(corpus):
        weight = WEIGHTS.get(kind, 1.0)
        if weight == 0:
            continue
        for paragraph in paragraphs(body, kind):
            sentences = [s for s in map(str.strip, SENTENCE.findall(paragraph)) if s]
            if held_out(paragraph):
                apart += [t for t in texts(sentences) if worth(t)]
                apart_sentences.update(s for s in sentences if len(s) >= SHORTEST_CHARACTERS)
            else:
                kept.append((weight, sentences))
    # Books occur twice and sentences are quoted: no training text may contain a held-out sentence.
    kept = [(w, s) for w, s in kept if apart_sentences.isdisjoint(s)]
    (out / "held_out.txt").write_text("\n\n".join(dict.fromkeys(apart)) + "\n")

    # Every paragraph is cut from its first, second and third sentence on: different texts of the same words, so each is drawn less.
    # A sentence that is too long for a text is used too, without an end of text.
    cuts = {}  # text: (weight, cut, whether it ends)
    for weight, sentences in kept:
        for cut in range(3):
            for text in texts(sentences[cut:]):
                if worth(text):
                    cuts.setdefault(text, (weight / (1 + cut), cut, True))
        for sentence in sentences:
            if len(sentence) > LONGEST_CHARACTERS and worth(sentence):
                cuts.setdefault(sentence, (weight, 0, False))
    print(f"{len(dict.fromkeys(apart))} texts apart; {len(cuts)} to train on, {sum(map(len, cuts)) / 1e6:.1f} M characters")
    print("by cut and whether it ends", Counter((cut, ends) for _, cut, ends in cuts.values()))

    tokenizer = trained_tokenizer(t for t, (_, cut, ends) in cuts.items() if cut == 0 and ends)
    tokenizer.save(str(out / "tokenizer.json"))
    encoded = [[0, *e.ids] for e in tokenizer.encode_batch_fast(list(cuts))]
    starts = np.cumsum([0] + [len(e) for e in encoded])
    np.savez(
        out / "texts.npz",
        tokens=np.fromiter((t for e in encoded for t in e), np.uint16, starts[-1]),
        starts=starts,
        weights=np.array([w for w, _, _ in cuts.values()], np.float32),
        ends=np.array([ends for _, _, ends in cuts.values()]),
    )
    print(f"{starts[-1] / 1e6:.1f} M tokens")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

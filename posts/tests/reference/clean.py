"""The cleaning rules of huggingtweets in Python, the reference of `posts/tests/cleaning.rs`.

`python3 clean.py SEED N` generates N posts out of `pieces.json` and prints a line for each: K (kept) or S (short), the words
that count, the cleaned text. `python3 clean.py --fixture` prints the hashes of the fixture `clean.json`.
"""

import hashlib
import json
import pathlib
import random
import re
import sys

PIECES = json.loads((pathlib.Path(__file__).parent / "pieces.json").read_text())
FIXTURE_SEEDS = [1, 2, 3, 4]
FIXTURE_POSTS = 25_000

ENTITIES = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")]
PATTERNS = [
    re.compile(before + prefix + r"\S+" + after)
    for prefix in ("http:", "https:")
    for before, after in ((" ", ""), ("", " "), ("\n", " "), ("\n", ""), ("", ""))
]


def clean(text):
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    for pattern in PATTERNS:
        text = pattern.sub("", text)
    text = re.sub(" +", " ", text)
    text = " ".join(text.split())
    return text.strip()


def counted_words(text):
    return sum(not any(part in word.lower() for part in ("http", "@", "#")) for word in text.split())


def generate(seed, n):
    draw = random.Random(seed).getrandbits
    pieces, spaces = PIECES["pieces"], PIECES["spaces"]
    for _ in range(n):
        text = ""
        for _ in range(draw(32) % 14):
            text += pieces[draw(32) % len(pieces)]
            text += spaces[draw(32) % len(spaces)]
        yield text


def lines(seed, n):
    for text in generate(seed, n):
        cleaned = clean(text)
        words = counted_words(cleaned)
        yield f"{'K' if words >= 3 else 'S'}\t{words}\t{cleaned}\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--fixture"]:
        hashes = {
            str(seed): hashlib.sha256("".join(lines(seed, FIXTURE_POSTS)).encode()).hexdigest()
            for seed in FIXTURE_SEEDS
        }
        print(json.dumps({"python": sys.version.split()[0], "posts": FIXTURE_POSTS, "sha256": hashes}, indent=2))
    else:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        sys.stdout.writelines(lines(int(sys.argv[1]), int(sys.argv[2])))

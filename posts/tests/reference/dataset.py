"""The training text of huggingtweets 0.6 in Python, the reference of `posts/tests/dataset.rs`.

`python3 dataset.py SEED EPOCHS N…` makes accounts of N posts each, by `clean.py`'s generator with the seeds 1, 2, 3, and
prints the training text. `python3 dataset.py --fixture` prints the hashes of the fixture `dataset.json`.
"""

import hashlib
import json
import random
import sys

from clean import clean, generate

SEPARATOR = "<|endoftext|>"
FIXTURES = [
    (42, 4, [1]),
    (0, 1, [5]),
    (42, 4, [300]),
    (4294967295, 4, [1000]),
    (4294967296, 2, [100]),
    (12345678901234567, 2, [100]),
    (7, 4, [20, 300]),
    (8, 4, [300, 20]),
    (9, 4, [3, 200, 50]),
    (10, 4, [100, 100, 100]),
    (11, 3, [1, 2, 400]),
]


def training_text(accounts, seed, epochs):
    shuffle = random.Random(seed).shuffle
    accounts = [list(posts) for posts in accounts]
    target = max(sum(map(len, posts)) for posts in accounts)
    text = []
    for _ in range(epochs):
        for posts in accounts:
            shuffle(posts)
            total = sum(map(len, posts))
            for post in posts:
                # The list grows while it is walked, so it begins again with its own repetitions.
                if total >= target:
                    break
                posts.append(post)
                total += len(post)
            shuffle(posts)
            text += posts
    return SEPARATOR + SEPARATOR.join(text) + SEPARATOR


def accounts_of(sizes):
    # Empty posts are none; a kept post has at least three words.
    return [[clean(text) or "a b c" for text in generate(i + 1, n)] for i, n in enumerate(sizes)]


if __name__ == "__main__":
    if sys.argv[1:] == ["--fixture"]:
        fixtures = [
            {
                "seed": seed,
                "epochs": epochs,
                "posts": sizes,
                "sha256": hashlib.sha256(training_text(accounts_of(sizes), seed, epochs).encode()).hexdigest(),
            }
            for seed, epochs, sizes in FIXTURES
        ]
        print(json.dumps({"python": sys.version.split()[0], "texts": fixtures}, indent=2))
    else:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        seed, epochs, *sizes = map(int, sys.argv[1:])
        sys.stdout.write(training_text(accounts_of(sizes), seed, epochs))

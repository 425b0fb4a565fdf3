"""Writes DATA/model/, a weighted mean of two models' weights.

    python mean.py DATA A B SHARE

SHARE of B and the rest of A, both as train.py writes them; A, which may have fewer blocks, is grown to B's first. The
tokenizer is DATA's.
"""

import sys
from pathlib import Path

from train import blocks_of, export, grown, read


def main(data: Path, a: Path, b: Path, share: float):
    b = read(b)
    a = grown(read(a), blocks_of(b))
    export({name: a[name] * (1 - share) + t * share for name, t in b.items()}, data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))

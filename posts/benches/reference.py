"""A plain script that reads, cleans and counts an X archive: `python3 reference.py ARCHIVE.zip`. What `examples/import.rs`
is compared with, in speed and in result.
"""

import hashlib
import json
import pathlib
import re
import resource
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/reference"))
from clean import clean, counted_words  # noqa: E402

RETWEET = re.compile(r"RT @\w+: ", re.ASCII)


def main(path):
    start = time.perf_counter()
    downloaded = retweets = short = kept = 0
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if re.fullmatch(r"data/tweets(-part\d+)?\.js", name)]
        for name in sorted(names, key=lambda name: int((re.findall(r"part(\d+)", name) or [0])[0])):
            text = archive.read(name).decode()
            for record in json.loads(text[text.index("=") + 1 :]):
                text = record["tweet"]["full_text"]
                downloaded += 1
                if RETWEET.match(text):
                    retweets += 1
                    continue
                text = clean(text)
                if counted_words(text) < 3:
                    short += 1
                else:
                    kept += 1
                    digest.update(text.encode() + b"\n")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{downloaded} downloaded, {retweets} retweets, {short} short, {kept} kept, sha256 {digest.hexdigest()[:16]}")
    print(f"{seconds:.2f} s, peak memory {peak} MB")


if __name__ == "__main__":
    main(sys.argv[1])

"""Makes an X archive of any size, the same for the same seed: `python3 make_archive.py OUT.zip POSTS MEDIA_MB [SEED]`.

A post takes about 2 kB of `tweets.js`, as in real archives; the media are random bytes, stored. Words, names and numbers are
invented.
"""

import json
import random
import sys
import zipfile

WORDS = (
    "the of and to in a is that for it as was with be by on not he this are or his from at which but have an had they you were"
    " their one all we can her has there been if more when will would who so no out up said what its about than into them only"
    " other time new some could these two may first then do any like my now over such our man me even most made after also did"
    " kite lamp bread window garden river copper engine letter summer paper stone bridge music valley winter café naïve straße"
).split()
EMOJI = "🌸🎈🚀😀🍦👍🐦🎉"


def tweet(rng, number):
    id_ = str(1_000_000_000_000_000_000 + number * 7919)
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 28))]
    text = " ".join(words)
    urls, mentions = [], []
    kind = rng.random()
    if kind < 0.2:
        text = f"RT @friend{rng.randint(1, 500)}: {text}…"
    elif kind < 0.5:
        name = f"friend{rng.randint(1, 500)}"
        text = f"@{name} {text}"
        mentions = [{"name": name.title(), "screen_name": name, "indices": ["0", str(len(name) + 1)], "id_str": str(rng.getrandbits(60)), "id": str(rng.getrandbits(60))}]
    if rng.random() < 0.3:
        short = f"https://t.co/{rng.getrandbits(50):010x}"
        text += " " + short
        urls = [{"url": short, "expanded_url": f"https://example.com/{rng.getrandbits(64):x}/a-page-about-{rng.choice(WORDS)}", "display_url": "example.com/a-page…", "indices": [str(len(text) - 23), str(len(text))]}]
    if rng.random() < 0.2:
        text += " &amp; " + rng.choice(EMOJI)
    if rng.random() < 0.1:
        text = text.replace(" ", "\n", 1)
    media = [
        {
            "expanded_url": f"https://twitter.com/someone/status/{id_}/photo/{i}",
            "indices": [str(len(text)), str(len(text) + 23)],
            "url": f"https://t.co/{rng.getrandbits(50):010x}",
            "media_url": f"http://pbs.example/media/{rng.getrandbits(80):x}.jpg",
            "id_str": str(rng.getrandbits(60)),
            "id": str(rng.getrandbits(60)),
            "media_url_https": f"https://pbs.example/media/{rng.getrandbits(80):x}.jpg",
            "sizes": {size: {"w": str(rng.randint(100, 2000)), "h": str(rng.randint(100, 2000)), "resize": "fit"} for size in ("thumb", "small", "medium", "large")},
            "type": "photo",
            "display_url": f"pic.example/{rng.getrandbits(50):x}",
        }
        for i in range(rng.choice((0, 0, 0, 1)))
    ]
    record = {
        "edit_info": {"initial": {"editTweetIds": [id_], "editableUntil": "2022-10-01T12:00:00.000Z", "editsRemaining": "5", "isEditEligible": True}},
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": {"hashtags": [], "symbols": [], "user_mentions": mentions, "urls": urls, **({"media": media} if media else {})},
        "display_text_range": ["0", str(len(text))],
        "favorite_count": str(rng.randint(0, 400)),
        "id_str": id_,
        "truncated": False,
        "retweet_count": str(rng.randint(0, 50)),
        "id": id_,
        "created_at": f"{rng.choice(('Mon', 'Tue', 'Wed'))} {rng.choice(('Jan', 'Jun', 'Oct'))} {rng.randint(1, 28):02} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02} +0000 {rng.randint(2009, 2023)}",
        "favorited": False,
        "full_text": text,
        "lang": "en",
    }
    if mentions:
        record["in_reply_to_status_id_str"] = record["in_reply_to_status_id"] = str(rng.getrandbits(60))
        record["in_reply_to_user_id"] = record["in_reply_to_user_id_str"] = mentions[0]["id_str"]
        record["in_reply_to_screen_name"] = mentions[0]["screen_name"]
    if media:
        record["extended_entities"] = {"media": media}
    return {"tweet": record}


def main(out, n_posts, media_mb, seed=1):
    rng = random.Random(seed)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        account = {"email": "nobody@example.com", "username": "Bench_Person", "accountId": "42", "accountDisplayName": "Bench Person"}
        archive.writestr("data/account.js", "window.YTD.account.part0 = " + json.dumps([{"account": account}], indent=2))
        # Parts as X makes them: one for each 100 MB or so.
        for part, first in enumerate(range(0, n_posts, 50_000)):
            name = f"data/tweets{f'-part{part}' if part else ''}.js"
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(f"window.YTD.tweets.part{part} = [\n".encode())
                for number in range(first, min(first + 50_000, n_posts)):
                    text = json.dumps(tweet(rng, number), ensure_ascii=False, indent=2, separators=(",", " : "))
                    file.write((",\n" if number > first else "").encode() + text.replace("\n", "\n  ").encode())
                file.write(b"\n]")
        block = rng.randbytes(1 << 20)
        for i in range(media_mb):
            archive.writestr(zipfile.ZipInfo(f"data/tweets_media/{10**18 + i}-picture.jpg"), block)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

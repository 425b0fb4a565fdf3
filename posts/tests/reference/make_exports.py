"""Makes a small export of each kind and age, and `expected.json`: what must be read from it.

`python3 make_exports.py` writes the folder `../exports`, the same bytes each time. The person and the posts are invented.
"""

import base64
import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import zipfile
from datetime import datetime, timezone

from clean import clean, counted_words

OUT = pathlib.Path(__file__).parent.parent / "exports"
HANDLE, NAME, ACCOUNT_ID = "Ada_Testwell", "Ada Testwell 🧪", "1000000000000000007"
# A blue square of 8 × 8 pixels.
FACE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGPQqtqBFTEMLQkA2zdXAUT33wEAAAAASUVORK5CYII=")
LONG = "This is a long post about inventing things. " + " ".join(f"Idea {i} is <&> fine." for i in range(60))
# X counts the characters before it escapes them.
BEGINNING = LONG[:270].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
DID = "did:plc:adatestwellexample000000"

# id, seconds since 2021-06-01, text as X stores it, kind
POSTS = [
    ("1400000000000000001", 0, "Good morning to everybody who tests &amp; reads", "post"),
    ("1400000000000000002", 86400, "RT @some_one: an old joke about parsers and their …", "retweet"),
    ("1400000000000000003", 90000, "@some_one thanks so much for that", "reply"),
    ("1400000000000000004", 172800, "nice https://t.co/aaaaaaaaaa", "post"),
    ("1400000000000000005", 172860, "A thread about kites, part one\nwith a second line", "post"),
    ("1400000000000000006", 172920, "and part two of that thread https://t.co/bbbbbbbbbb", "thread"),
    ("1400000000000000007", 2592000, "今日はとても良い天気ですね", "post"),
    ("1400000000000000008", 2600000, "look at this one here https://t.co/cccccccccc", "quote"),
    ("1400000000000000009", 2700000, "🌸 spring is here 🌸 &lt;3 &quot;finally&quot;", "post"),
    ("1400000000000000010", 2800000, "RT by hand is no retweet at all", "post"),
]


def twitter_date(seconds):
    return datetime.fromtimestamp(1622505600 + seconds, timezone.utc).strftime("%a %b %d %H:%M:%S +0000 %Y")


def iso(seconds, ms=0):
    return datetime.fromtimestamp(1622505600 + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms:03}Z"


def tweet(post):
    """A record of an archive: every number is a text."""
    id_, seconds, text, kind = post
    record = {
        "edit_info": {"initial": {"editTweetIds": [id_], "editableUntil": iso(seconds + 3600), "editsRemaining": "5", "isEditEligible": True}},
        "retweeted": False,
        "source": '<a href="https://example.com" rel="nofollow">An invented client</a>',
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
        "display_text_range": ["0", str(len(text))],
        "favorite_count": "3",
        "id_str": id_,
        "truncated": False,
        "retweet_count": "0",
        "id": id_,
        "created_at": twitter_date(seconds),
        "favorited": False,
        "full_text": text,
        "lang": "ja" if kind == "post" and text.startswith("今") else "en",
    }
    if kind == "quote":
        record["entities"]["urls"] = [{"url": "https://t.co/cccccccccc", "expanded_url": "https://twitter.com/some_one/status/1399999999999999999", "indices": ["22", "45"]}]
    if kind == "reply":
        record |= {"in_reply_to_status_id_str": "1399", "in_reply_to_user_id_str": "55", "in_reply_to_screen_name": "some_one"}
    if kind == "thread":
        record |= {"in_reply_to_status_id_str": "1400000000000000005", "in_reply_to_user_id_str": ACCOUNT_ID, "in_reply_to_screen_name": HANDLE}
    return record


def script(name, value):
    return f"window.YTD.{name} = {json.dumps(value, ensure_ascii=False, indent=2, separators=(',', ' : '))}".encode()


def wrapped(records):
    return [{"tweet": record} for record in records]


def expected(texts, n_retweets, **more):
    """What must be read: `texts` are those of the posts that are no retweets, before cleaning."""
    cleaned = [clean(text) for text in texts]
    kept = [text for text in cleaned if counted_words(text) >= 3]
    counts = {"downloaded": len(texts) + n_retweets, "retweets": n_retweets, "short": len(texts) - len(kept), "kept": len(kept)}
    return counts | {"handle": HANDLE.lower(), "name": NAME, "tweets": kept} | more


def make_zip(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def make_tar_gz(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


PLAIN_TEXTS = [text for _, _, text, kind in POSTS if kind != "retweet"]
N_RETWEETS = sum(kind == "retweet" for *_, kind in POSTS)
ACCOUNT = {"email": "nobody@example.com", "createdVia": "web", "username": HANDLE, "accountId": ACCOUNT_ID, "createdAt": iso(0), "accountDisplayName": NAME}
PROFILE = {"description": {"bio": "Invented", "website": "", "location": ""}, "avatarMediaUrl": "https://pbs.example/profile_images/1/face.jpg", "headerMediaUrl": ""}


def x_2023():
    """Parts, three shapes of long posts, an edited post, community posts, and files that must not be read."""
    cut = BEGINNING + "… https://t.co/dddddddddd"
    long = [(f"140000000000000002{i}", 3000000 + 1000 * i, cut, "post") for i in range(3)]
    versions = [f"140000000000000003{i}" for i in range(3)]
    edited = []
    for i, id_ in enumerate(versions):
        record = tweet((id_, 4000000 + i, f"an edited post in version {i}", "post"))
        ids = {"editTweetIds": versions, "editableUntil": iso(4003600), "editsRemaining": "3", "isEditEligible": True}
        record["edit_info"] = {"initial": ids} if i == 0 else {"edit": {"initialTweetId": versions[0], "editControlInitial": ids}}
        edited.append(record)
    records = [tweet(post) for post in POSTS + long] + edited
    notes = [
        {"noteTweet": {"noteTweetId": "9", "updatedAt": iso(3000000, 400), "lifecycle": {"value": "Tweet", "name": "Tweet", "originalName": "Tweet", "annotations": {}}, "createdAt": iso(3000000, 400), "core": {"styletags": [], "urls": [], "text": LONG, "mentions": [], "cashtags": [], "hashtags": []}}},
        {"noteTweet": {"noteTweetId": "10", "noteTweetResults": {"text": LONG}, "tweetId": long[1][0]}},
        {"noteTweet": {"noteTweetId": "11", "createdAt": iso(3002000, 999), "noteTweetContents": {"text": LONG}}},
    ]
    manifest = {
        "userInfo": {"accountId": ACCOUNT_ID, "userName": HANDLE, "displayName": NAME},
        "archiveInfo": {"sizeBytes": "1", "generationDate": iso(5000000), "isPartialArchive": False, "maxPartSizeBytes": "53687091200"},
        "dataTypes": {"tweets": {"mediaDirectory": "data/tweets_media", "files": [{"fileName": f"data/tweets{part}.js", "globalName": f"YTD.tweets.part{i}", "count": "8"} for i, part in enumerate(["", "-part1"])]}},
    }
    other = tweet(("1400000000000000099", 0, "this post must not be read at all", "post"))
    files = [
        ("Your archive.html", b"<!doctype html><title>archive</title>"),
        ("assets/logo.png", b"\x89PNG"),
        ("data/manifest.js", b"window.__THAR_CONFIG = " + json.dumps(manifest, ensure_ascii=False, indent=2).encode()),
        ("data/account.js", script("account.part0", [{"account": ACCOUNT}])),
        ("data/profile.js", script("profile.part0", [{"profile": PROFILE}])),
        (f"data/profile_media/{ACCOUNT_ID}-face.jpg", FACE),
        ("data/tweets.js", script("tweets.part0", wrapped(records[:8]))),
        ("data/tweets-part1.js", script("tweets.part1", wrapped(records[8:])) + b";\n"),
        ("data/note-tweet.js", script("note_tweet.part0", notes)),
        ("data/community-tweet.js", script("community_tweet.part0", wrapped([tweet(("1400000000000000050", 100, "a post in a community of testers", "post"))]))),
        ("data/deleted-tweets.js", script("deleted_tweets.part0", wrapped([other]))),
        ("data/tweet-headers.js", script("tweet_headers.part0", [{"tweet": {"tweet_id": "1", "user_id": ACCOUNT_ID, "created_at": twitter_date(0)}}])),
        ("data/like.js", script("like.part0", [{"like": {"tweetId": "1", "fullText": "the words of somebody else here", "expandedUrl": "https://example.com"}}])),
        ("data/direct-messages.js", b"window.YTD.direct_messages.part0 = [ broken on purpose"),
        ("data/tweets_media/1400000000000000001-picture.jpg", FACE * 40),
    ]
    texts = PLAIN_TEXTS + [LONG] * 3 + ["an edited post in version 2"]
    opened = ["data/manifest.js", "data/account.js", "data/profile.js", f"data/profile_media/{ACCOUNT_ID}-face.jpg", "data/note-tweet.js", "data/tweets.js", "data/tweets-part1.js"]
    return make_zip(files), expected(texts, N_RETWEETS, kind="twitter", opened=opened, superseded=2, joined=3, avatar=base64.b64encode(FACE).decode(), community="a post in a community of testers")


def x_older():
    records = [tweet(post) for post in POSTS]
    account = [{"account": ACCOUNT}]
    parts = [("data/tweet.js", script("tweet.part0", wrapped(records[:5]))), ("data/tweet-part1.js", script("tweet.part1", wrapped(records[5:]))), ("data/account.js", script("account.part0", account))]
    root = [("tweet.js", script("tweet.part0", records)), ("account.js", script("account.part0", account)), ("profile.js", script("profile.part0", [{"profile": PROFILE}]))]
    folder = [("twitter-2023-06-01-abc/" + name, content) for name, content in parts] + [("__MACOSX/twitter-2023-06-01-abc/data/._tweet.js", b"\0\5\26\7")]
    facts = expected(PLAIN_TEXTS, N_RETWEETS, kind="twitter")
    return {
        "x_2020.zip": (make_zip(parts), facts),
        "x_2019_root.zip": (make_zip(root, zipfile.ZIP_STORED), facts | {"avatar_address": PROFILE["avatarMediaUrl"]}),
        "x_in_folder.zip": (make_zip(folder), facts),
        "tweets.js": (script("tweets.part0", wrapped(records)), facts | {"handle": None, "name": None}),
    }


def grailbird():
    records = []
    for id_, seconds, text, kind in POSTS:
        date = datetime.fromtimestamp(1622505600 + seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S +0000")
        record = {"source": "web", "entities": {"user_mentions": [], "media": [], "hashtags": [], "urls": []}, "id_str": id_, "text": text, "created_at": date, "id": int(id_), "user": {"name": NAME, "screen_name": HANDLE, "protected": False, "id_str": ACCOUNT_ID, "profile_image_url_https": "https://pbs.example/profile_images/1/face_normal.jpg", "id": int(ACCOUNT_ID), "verified": False}}
        if kind == "retweet":
            record["retweeted_status"] = {"id": 5, "text": "an old joke"}
        records.append(record)

    def month(name, chosen):
        return (f"data/js/tweets/{name}.js", f"Grailbird.data.tweets_{name} = ".encode() + json.dumps(chosen, ensure_ascii=False, indent=1).encode())

    header = "tweet_id,in_reply_to_status_id,in_reply_to_user_id,timestamp,source,text,retweeted_status_id,retweeted_status_user_id,retweeted_status_timestamp,expanded_urls"
    rows = [",".join('"' + value.replace('"', '""') + '"' for value in (r["id_str"], "", "", r["created_at"], "web", r["text"], "5" if "retweeted_status" in r else "", "", "", "")) for r in reversed(records)]
    csv = ("\n".join([header.replace(",", '","').join('""'), *rows]) + "\n").encode()
    details = b"var user_details =  " + json.dumps({"screen_name": HANDLE, "full_name": NAME, "bio": "Invented", "id": ACCOUNT_ID}, ensure_ascii=False).encode()
    files = [("README.txt", b"invented"), ("tweets.csv", csv), ("data/js/user_details.js", details), month("2021_06", list(reversed(records[:6]))), month("2021_07", list(reversed(records[6:])))]
    facts = expected(PLAIN_TEXTS[::-1], N_RETWEETS, kind="grailbird")
    return {
        "grailbird.zip": (make_zip(files), facts),
        "grailbird_csv_only.zip": (make_zip(files[:2]), facts | {"handle": None, "name": None}),
        "tweets.csv": (csv, facts | {"kind": "csv", "handle": None, "name": None}),
    }


def api():
    records = []
    for id_, seconds, text, kind in POSTS:
        record = {"created_at": twitter_date(seconds), "id": int(id_), "id_str": id_, "full_text": text, "truncated": False, "user": {"id": int(ACCOUNT_ID), "id_str": ACCOUNT_ID, "name": NAME, "screen_name": HANDLE, "profile_image_url_https": "https://pbs.example/profile_images/1/face_normal.jpg"}, "retweeted": kind == "retweet", "lang": "en"}
        if kind == "retweet":
            record["retweeted_status"] = {"id": 5, "full_text": "an old joke about parsers"}
        records.append(record)
    by_hand = dict(records[0], id=1, id_str="1", full_text="RT @some_one: typed by hand and no retweet")
    records.append(by_hand)
    facts = expected(PLAIN_TEXTS + [by_hand["full_text"]], N_RETWEETS, kind="api", avatar_address="https://pbs.example/profile_images/1/face_400x400.jpg")
    v2 = {"data": [{"id": r["id_str"], "text": r["full_text"], "created_at": iso(0), **({"referenced_tweets": [{"type": "retweeted", "id": "5"}]} if "retweeted_status" in r else {})} for r in records], "includes": {"users": []}, "meta": {"result_count": 11}}
    nameless = {"handle": None, "name": None}
    return {
        "api.json": (json.dumps(records, ensure_ascii=True, indent=1).encode(), facts),
        "api.jsonl": ("\r\n".join(json.dumps(r, ensure_ascii=False) for r in records).encode(), facts),
        "api_statuses.json": (json.dumps({"search_metadata": {"count": 11}, "statuses": records}).encode(), facts),
        "api_v2.json": (json.dumps(v2).encode(), {k: v for k, v in facts.items() if k != "avatar_address"} | nameless),
        "texts.json": (json.dumps([PLAIN_TEXTS], ensure_ascii=False).encode(), expected(PLAIN_TEXTS, 0, kind="texts") | nameless),
    }


def community_archive():
    records = [tweet(post) for post in POSTS] + [tweet(("1400000000000000020", 3000000, BEGINNING + "…", "post"))]
    document = {
        "upload-options": {"keepPrivate": False, "uploadLikes": True},
        "like": [{"like": {"tweetId": "1", "fullText": "the words of somebody else here"}}],
        "follower": [{"follower": {"accountId": "5", "userLink": "https://example.com"}}],
        "tweets": wrapped(records),
        "community-tweet": wrapped([tweet(("1400000000000000050", 100, "a post in a community of testers", "post"))]),
        "account": [{"account": {k: v for k, v in ACCOUNT.items() if k != "email"}}],
        "profile": [{"profile": PROFILE}],
        "note-tweet": [{"noteTweet": {"noteTweetId": "9", "createdAt": iso(3000000, 400), "core": {"text": LONG}}}],
    }
    facts = expected(PLAIN_TEXTS + [LONG], N_RETWEETS, kind="community_archive", joined=1, avatar_address=PROFILE["avatarMediaUrl"], community="a post in a community of testers")
    bare = dict(document, tweets=records)
    return {
        "archive.json": (json.dumps(document, ensure_ascii=False).encode(), facts),
        "archive_bare.json": (json.dumps(bare, ensure_ascii=False, indent=1).encode(), facts),
        "archive.json.gz": (gzip.compress(json.dumps(document).encode(), mtime=0), facts),
    }


def mastodon():
    public, actor = "https://www.w3.org/ns/activitystreams#Public", "https://social.example/users/ada"
    link = '<a href="https://blog.example/kites" rel="nofollow noopener" target="_blank"><span class="invisible">https://</span><span class="ellipsis">blog.example/ki</span><span class="invisible">tes</span></a>'
    mention = '<span class="h-card" translate="no"><a href="https://social.example/@bob" class="u-url mention">@<span>bob</span></a></span>'
    tag = '<a href="https://social.example/tags/kites" class="mention hashtag" rel="tag">#<span>kites</span></a>'
    # HTML, the same as plain text, who may read it, other fields
    notes = [
        (f"<p>Kites &amp; strings are &lt;3 {tag}</p>", "Kites & strings are <3 #kites", "to", {}),
        (f"<p>{mention} read this please now {link}</p>", "@bob read this please now", "cc", {"inReplyTo": "https://social.example/users/bob/statuses/1"}),
        ("<p>One line of words<br>and another</p><p>and a paragraph</p>", "One line of words and another and a paragraph", "to", {}),
        ("<p>under a warning there is this text</p>", "under a warning there is this text", "to", {"summary": "a warning", "sensitive": True}),
        ('<p class="quote-inline">RE: <a href="https://social.example/@bob/1">https://social.example/@bob/1</a></p><p>so very true indeed</p>', "so very true indeed", "to", {}),
        ("<p>for followers only and nobody else</p>", None, "followers", {}),
        ("<p>a direct word to you alone</p>", None, "direct", {}),
        (f"<p>short {link}</p>", "short", "to", {}),
        (None, "", "to", {}),
        ("<p>my own thread goes on and on</p>", "my own thread goes on and on", "to", {"inReplyTo": actor + "/statuses/1"}),
    ]
    items = []
    for i, (html, _, audience, more) in enumerate(notes):
        to = {"to": [public], "cc": [actor + "/followers"], "followers": [actor + "/followers"], "direct": ["https://social.example/users/bob"]}[audience]
        cc = [public] if audience == "cc" else []
        note = {"id": f"{actor}/statuses/{i}", "type": "Note", "summary": None, "inReplyTo": None, "published": iso(1000 * i)[:-5] + "Z", "url": f"https://social.example/@ada/{i}", "attributedTo": actor, "to": to, "cc": cc, "sensitive": False, "content": html, "contentMap": {"en": html}, "attachment": [], "tag": []} | more
        items.append({"id": note["id"] + "/activity", "type": "Create", "actor": actor, "published": note["published"], "to": to, "cc": cc, "object": note})
    items.insert(3, {"id": actor + "/statuses/90/activity", "type": "Announce", "actor": actor, "published": iso(5), "to": [public], "cc": [], "object": "https://social.example/users/bob/statuses/2"})
    items.insert(5, {"id": actor + "/statuses/91/activity", "type": "Announce", "actor": actor, "published": iso(6), "to": [public], "cc": [], "object": None})
    outbox = json.dumps({"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection", "totalItems": len(items), "orderedItems": items}, ensure_ascii=False)
    # A key that stands twice, as some exports have it.
    outbox = outbox.replace('"type": "Create"', '"@context": "a", "@context": "b", "type": "Create"', 1).encode()
    person = json.dumps({"@context": [], "id": "actor.json", "type": "Person", "preferredUsername": HANDLE, "name": NAME, "summary": "<p>Invented</p>", "icon": {"type": "Image", "mediaType": "image/png", "url": "avatar.png"}, "image": {"url": "header.png"}}, ensure_ascii=False).encode()
    files = [("media_attachments/files/1/original/a.png", FACE * 50), ("outbox.json", outbox), ("likes.json", b"{ broken on purpose"), ("bookmarks.json", b"{}"), ("actor.json", person), ("avatar.png", FACE), ("header.png", FACE)]
    texts = [text for _, text, _, _ in notes if text is not None]
    facts = expected(texts, 2, kind="mastodon", not_public=2)
    whole = facts | {"opened": ["actor.json", "avatar.png", "outbox.json"], "avatar": base64.b64encode(FACE).decode()}
    return {
        "mastodon.zip": (make_zip(files), whole),
        "mastodon.tar.gz": (make_tar_gz(files), whole),
        "outbox.json": (outbox, facts | {"handle": None, "name": None}),
    }


BSKY = [
    ("Kites & strings are <3 #kites", {}),
    ("é read blog.example/ki… please right now", {"links": [("blog.example/ki…", "link")]}),
    ("@bob.example thanks for the idea, friend", {"links": [("@bob.example", "mention")], "reply": "at://did:plc:somebodyelse00000000000000/app.bsky.feed.post/3k1"}),
    ("my own thread goes on and on", {"reply": f"at://{DID}/app.bsky.feed.post/3kaaaaaaaaa0a"}),
    ("look at what they wrote there", {"embed": {"$type": "app.bsky.embed.record", "record": {"uri": "at://did:plc:x/app.bsky.feed.post/1", "cid": "bafy"}}}),
    ("two\nwords", {}),
    ("Kites & strings are <3 #kites", {}),
    ("今日はとても良い天気ですね", {"langs": ["ja"]}),
]


def bsky_record(i, text, more):
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": iso(0 if more == {} else 1000 * i), "langs": more.get("langs", ["en"])}
    facets = []
    for part, kind in more.get("links", []):
        start = len(text[: text.index(part)].encode())
        facets.append({"index": {"byteStart": start, "byteEnd": start + len(part.encode())}, "features": [{"$type": "app.bsky.richtext.facet#" + kind, **({"uri": "https://blog.example/kites"} if kind == "link" else {"did": "did:plc:b"})}]})
    if facets:
        record["facets"] = facets
    if "reply" in more:
        ref = {"uri": more["reply"], "cid": "bafyreib"}
        record["reply"] = {"root": ref, "parent": ref}
    if "embed" in more:
        record["embed"] = more["embed"]
    return record


def bsky_text(text, more):
    for part, kind in more.get("links", []):
        if kind == "link":
            text = text.replace(part, "")
    return text


def bluesky():
    rkey = lambda i: f"3kaaaaaaaaa{i:x}a"
    uri = lambda i: f"at://{DID}/app.bsky.feed.post/{rkey(i)}"
    records = [bsky_record(i, *post) for i, post in enumerate(BSKY)]
    texts = [bsky_text(*post) for post in BSKY]
    repost = {"$type": "app.bsky.feed.repost", "subject": {"uri": "at://did:plc:x/app.bsky.feed.post/1", "cid": "bafy"}, "createdAt": iso(77)}
    items = [{"uri": uri(i), "cid": "bafyrei", "value": record} for i, record in enumerate(records)]
    pages = json.dumps({"records": items[:5], "cursor": "x"}) + "\n" + json.dumps({"records": items[5:]}) + "\n"
    author = {"did": DID, "handle": HANDLE, "displayName": NAME, "avatar": "https://cdn.example/ada.jpg"}
    feed = [{"post": {"uri": uri(i), "cid": "b", "author": author, "record": record}} for i, record in enumerate(records)]
    feed.insert(2, {"post": {"uri": "at://did:plc:x/app.bsky.feed.post/1", "author": {"did": "did:plc:x", "handle": "x.example"}, "record": bsky_record(0, "the words of somebody else here", {})}, "reason": {"$type": "app.bsky.feed.defs#reasonRepost", "by": author, "indexedAt": iso(3)}})
    feed.insert(0, dict(feed[6], reason={"$type": "app.bsky.feed.defs#reasonPin"}))
    pinned_first = [texts[5]] + texts[:5] + texts[6:]
    tree = {f"app.bsky.feed.post/{rkey(i)}": record for i, record in enumerate(records)}
    tree |= {f"app.bsky.feed.like/3kb{i:010}": {"$type": "app.bsky.feed.like", "subject": {"uri": "at://did:plc:x/app.bsky.feed.post/1", "cid": "bafy"}, "createdAt": iso(i)} for i in range(60)}
    tree |= {f"app.bsky.graph.follow/3kc{i:010}": {"$type": "app.bsky.graph.follow", "subject": f"did:plc:{i}", "createdAt": iso(i)} for i in range(60)}
    tree["app.bsky.feed.repost/3kd"] = repost
    tree["app.bsky.actor.profile/self"] = {"$type": "app.bsky.actor.profile", "displayName": NAME, "description": "Invented"}
    deleted = bsky_record(0, "this deleted post must not be read", {})
    nameless = {"handle": None, "name": None}
    return {
        "bluesky_records.json": (pages.encode(), expected(texts, 0, kind="bluesky_pages") | nameless),
        "bluesky_feed.json": (json.dumps({"feed": feed, "cursor": "x"}).encode(), expected(pinned_first, 1, kind="bluesky_pages", avatar_address="https://cdn.example/ada.jpg")),
        "repo.car": (make_car(tree, deleted), expected(texts, 1, kind="bluesky_repo") | {"handle": None}),
    }


class Cid(bytes):
    """A CID in binary: version 1, DAG-CBOR, SHA-256."""

    @staticmethod
    def of(block):
        return Cid(b"\x01\x71\x12\x20" + hashlib.sha256(block).digest())


def cbor(value):
    """DAG-CBOR."""

    def head(major, n):
        for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
            if n < 24:
                return bytes([major << 5 | n])
            if n < 1 << 8 * size:
                return bytes([major << 5 | code]) + n.to_bytes(size, "big")
        raise ValueError(n)

    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value)
        case Cid():
            return b"\xd8\x2a" + head(2, 37) + b"\x00" + value
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            pairs = sorted((len(k.encode()), k.encode(), k) for k in value)
            return head(5, len(value)) + b"".join(cbor(k) + cbor(value[k]) for *_, k in pairs)
    raise TypeError(value)


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def make_car(records, deleted):
    """A repository: its Merkle search tree, as the network's repository specification describes it."""
    blocks = {}

    def put(value):
        block = cbor(value)
        cid = Cid.of(block)
        blocks[cid] = block
        return cid

    def level(key):
        bits = bin(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))[2:].zfill(256)
        return (len(bits) - len(bits.lstrip("0"))) // 2

    def node(keys, height):
        if height < 0 or not keys:
            return None
        here = [i for i, key in enumerate(keys) if level(key) == height]
        if not here:
            child = node(keys, height - 1)
            return put({"l": child, "e": []}) if height < top else child
        entries, last = [], ""
        for i, end in zip(here, here[1:] + [len(keys)]):
            key = keys[i]
            shared = 0
            while shared < min(len(last), len(key)) and last[shared] == key[shared]:
                shared += 1
            entries.append({"p": shared, "k": key[shared:].encode(), "v": cids[key], "t": node(keys[i + 1 : end], height - 1)})
            last = key
        return put({"l": node(keys[: here[0]], height - 1), "e": entries})

    cids = {key: put(record) for key, record in records.items()}
    keys = sorted(cids)
    top = max(map(level, keys))
    tree = node(keys, top)
    put(deleted)
    root = put({"did": DID, "version": 3, "data": tree, "rev": "3kzzzzzzzzzzz", "prev": None, "sig": b"\0" * 64})
    header = cbor({"roots": [root], "version": 1})
    sections = [varint(len(cid) + len(block)) + cid + block for cid, block in sorted(blocks.items())]
    return varint(len(header)) + header + b"".join(sections)


def tables():
    rows = [("id", "screen_name", "Created At", "Tweet Text", "is_retweet")]
    rows += [(id_, HANDLE, iso(seconds), text, "true" if kind == "retweet" else "False") for id_, seconds, text, kind in POSTS]
    quote = lambda value: '"' + value.replace('"', '""') + '"'
    comma = "\r\n".join(",".join(map(quote, row)) for row in rows).encode()
    semicolon = b"\xef\xbb\xbf" + "\n".join(";".join(map(quote, row)) for row in rows).encode()
    one = ("text\n" + "\n".join(quote(text) for text in PLAIN_TEXTS)).encode()
    facts = expected(PLAIN_TEXTS, N_RETWEETS, kind="csv") | {"name": None}
    lines = [text.replace("\n", " ") for text in PLAIN_TEXTS]
    nameless = {"handle": None, "name": None}
    return {
        "table.csv": (comma, facts),
        "table_semicolon.csv": (semicolon, facts),
        "one_column.csv": (one, expected(PLAIN_TEXTS, 0, kind="csv") | nameless),
        "plain.txt": (("\ufeff" + "\r\n\r\n".join(lines)).encode(), expected(lines, 0, kind="plain") | nameless),
        "brackets.txt": (b"[sigh] what a day it was\n{well} so it goes on\n", expected(["[sigh] what a day it was", "{well} so it goes on"], 0, kind="plain") | nameless),
    }


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    made = {"x_2023.zip": x_2023(), **x_older(), **grailbird(), **api(), **community_archive(), **mastodon(), **bluesky(), **tables()}
    for name, (content, _) in made.items():
        (OUT / name).write_bytes(content)
    facts = {name: facts for name, (_, facts) in made.items()}
    (OUT / "expected.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")

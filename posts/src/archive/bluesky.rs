//! Posts of Bluesky: the record itself, and the items of the pages in which the network's interface gives it.

use serde::Deserialize;

use super::report::Report;
use crate::post::{Account, Avatar, Post, Reply};
use crate::time;

/// The collection of reposts.
pub(super) const REPOST: &str = "app.bsky.feed.repost";

/// A record, of a repository or of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    #[serde(rename = "$type")]
    kind: String,
    text: Option<String>,
    #[serde(rename = "createdAt")]
    created_at: Option<String>,
    langs: Option<Vec<String>>,
    facets: Option<Vec<Facet>>,
    reply: Option<ReplyRef>,
    embed: Option<Embed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facet {
    index: Slice,
    features: Vec<Feature>,
}

/// Bytes of the text in UTF-8.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Slice {
    #[serde(rename = "byteStart")]
    start: u64,
    #[serde(rename = "byteEnd")]
    end: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Feature {
    #[serde(rename = "$type")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReplyRef {
    parent: Option<StrongRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StrongRef {
    uri: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Embed {
    #[serde(rename = "$type")]
    kind: String,
}

/// An element of `records`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RecordItem {
    uri: String,
    value: Option<Record>,
}

/// An element of `feed`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FeedItem {
    post: Option<FeedPost>,
    reason: Option<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FeedPost {
    uri: String,
    author: Option<Author>,
    record: Option<Record>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    #[serde(rename = "$type")]
    kind: String,
    by: Option<Author>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Author {
    handle: Option<String>,
    #[serde(rename = "displayName")]
    name: Option<String>,
    avatar: Option<String>,
}

impl Author {
    fn account(self) -> Account {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Account {
            handle: filled(self.handle),
            name: filled(self.name),
            avatar: filled(self.avatar).map(Avatar::Address),
        }
    }
}

/// The part of an address `at://DID/collection/key` that names the repository.
fn repository(uri: &str) -> Option<&str> {
    uri.strip_prefix("at://")?.split('/').next()
}

impl Record {
    /// Whether it is a repost.
    fn is_repost(&self) -> bool {
        self.kind == REPOST
    }

    /// The post at `uri`; without a text it is one that repeats another.
    pub fn into_post(self, uri: &str) -> Post {
        let own = repository(uri);
        let reply = match self.reply {
            None => Reply::No,
            Some(reply) => {
                let parent = reply.parent.unwrap_or_default().uri;
                match repository(&parent) {
                    Some(did) if Some(did) == own => Reply::ToSelf,
                    _ => Reply::ToOther,
                }
            }
        };
        let embed = self.embed.unwrap_or_default().kind;
        let is_retweet = self.kind == REPOST;
        let facets = self.facets.unwrap_or_default();
        Post {
            id: uri.to_owned(),
            time: self.created_at.as_deref().and_then(time::parse),
            text: without_links(self.text.unwrap_or_default(), &facets),
            is_retweet,
            reply,
            is_quote: embed.starts_with("app.bsky.embed.record"),
            lang: self.langs.unwrap_or_default().into_iter().next(),
        }
    }
}

/// `text` without the bytes that are links. A facet whose bytes are not in the text, or cut a character, is no link.
fn without_links(text: String, facets: &[Facet]) -> String {
    let is_link = |facet: &&Facet| {
        let mut features = facet.features.iter();
        features.any(|feature| feature.kind == "app.bsky.richtext.facet#link")
    };
    let mut links: Vec<Slice> = facets
        .iter()
        .filter(is_link)
        .map(|facet| facet.index)
        .collect();
    if links.is_empty() {
        return text;
    }
    links.sort_unstable_by_key(|link| (link.start, link.end));
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for link in links {
        let bounds = (usize::try_from(link.start), usize::try_from(link.end));
        if let (Ok(start), Ok(end)) = bounds
            && start >= from
            && start < end
            && text.is_char_boundary(end)
            && let Some(before) = text.get(from..start)
        {
            kept.push_str(before);
            from = end;
        }
    }
    kept.push_str(&text[from..]);
    kept
}

impl RecordItem {
    /// The post.
    pub fn into_post(self, report: &mut Report) -> Post {
        if report.account.handle.is_none() {
            // A page of records names the repository, not the handle.
            let did = repository(&self.uri).filter(|did| !did.starts_with("did:"));
            report.account.handle = did.map(str::to_owned);
        }
        self.value.unwrap_or_default().into_post(&self.uri)
    }
}

impl FeedItem {
    /// The post, and whether it stands here because it is pinned.
    pub fn into_post(self, report: &mut Report) -> (Post, bool) {
        let reason = self.reason.unwrap_or_default();
        let post = self.post.unwrap_or_default();
        let is_repost = reason.kind.ends_with("#reasonRepost");
        // Of a repost, the account is that of who repeats.
        let author = if is_repost { reason.by } else { post.author };
        if report.account.handle.is_none()
            && let Some(author) = author
        {
            report.account = author.account();
        }
        let record = post.record.unwrap_or_default();
        let is_retweet = is_repost || record.is_repost();
        let post = Post {
            is_retweet,
            ..record.into_post(&post.uri)
        };
        (post, reason.kind.ends_with("#reasonPin"))
    }
}

/// The profile of a repository, which does not hold its picture.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    #[serde(rename = "displayName")]
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_facets_go_by_bytes_and_others_stay() {
        let text = "é see example.com/a… and #tag @bob";
        let at = |part: &str| {
            let start = text.find(part).unwrap_or_default();
            (start, start + part.len())
        };
        let facet = |(start, end): (usize, usize), kind: &str| {
            format!(
                r#"{{"index":{{"byteStart":{start},"byteEnd":{end}}},"features":[{{"$type":"app.bsky.richtext.facet#{kind}"}}]}}"#
            )
        };
        let cases = [
            (
                vec![facet(at("example.com/a…"), "link")],
                "é see  and #tag @bob",
            ),
            (
                vec![facet(at("#tag"), "tag"), facet(at("@bob"), "mention")],
                text,
            ),
            (vec![facet((0, 1), "link")], text),
            (vec![facet((5, 4000), "link")], text),
            (vec![facet((9, 3), "link")], text),
            (
                vec![facet((3, 6), "link"), facet((4, 7), "link")],
                "é  example.com/a… and #tag @bob",
            ),
        ];
        for (facets, expected) in cases {
            let facets = facets.join(",");
            let json = format!(r#"{{"text":"{text}","facets":[{facets}]}}"#);
            let record: Record = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(
                record.into_post("at://did:a/x/1").text,
                expected,
                "{facets}"
            );
        }
    }
}

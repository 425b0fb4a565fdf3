//! `Tweet`: a tweet as archives and the API write it, and the post it is.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lossy::{Id, Lossy};
use crate::post::{Account, Avatar, Post, Reply};
use crate::time;

/// A tweet of any age: of an archive, wrapped in `tweet` or not, of the API's versions 1.1 and 2.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tweet {
    /// What an archive wraps.
    tweet: Option<Box<Tweet>>,
    id_str: Option<Id>,
    id: Option<Id>,
    pub created_at: Option<Lossy>,
    full_text: Option<Lossy>,
    text: Option<Lossy>,
    lang: Option<Lossy>,
    retweeted_status: Option<IgnoredAny>,
    in_reply_to_status_id_str: Option<Id>,
    in_reply_to_status_id: Option<Id>,
    in_reply_to_user_id_str: Option<Id>,
    in_reply_to_user_id: Option<Id>,
    is_quote_status: Option<bool>,
    quoted_status: Option<IgnoredAny>,
    referenced_tweets: Option<Vec<Reference>>,
    entities: Option<Entities>,
    extended_tweet: Option<ExtendedTweet>,
    edit_info: Option<EditInfo>,
    pub user: Option<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entities {
    urls: Option<Vec<EntityUrl>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EntityUrl {
    expanded_url: Option<IsStatus>,
}

/// Whether an address is that of a post: `https://twitter.com/NAME/status/ID`.
#[derive(Debug)]
struct IsStatus(bool);

impl<'de> Deserialize<'de> for IsStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = IsStatus;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an address")
            }

            fn visit_bytes<E>(self, address: &[u8]) -> Result<IsStatus, E> {
                Ok(IsStatus(is_status(address)))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

fn is_status(address: &[u8]) -> bool {
    let Ok(address) = std::str::from_utf8(address) else {
        return false;
    };
    let without_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let mut parts = without_scheme.split(['/', '?']);
    let host = parts.next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let host = host.strip_prefix("mobile.").unwrap_or(host);
    let has_name = parts.next().is_some_and(|name| !name.is_empty());
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    matches!(host, "twitter.com" | "x.com")
        && has_name
        && matches!(parts.next(), Some("status" | "statuses"))
        && parts.next().is_some_and(is_number)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExtendedTweet {
    full_text: Option<Lossy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(rename = "type")]
    kind: String,
}

/// The versions of an edited tweet, as the first version states them and as later ones do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EditInfo {
    initial: Option<Edits>,
    edit: Option<Edit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edit {
    #[serde(rename = "editControlInitial")]
    initial: Option<Edits>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edits {
    #[serde(rename = "editTweetIds")]
    ids: Option<Vec<Id>>,
}

/// Who wrote it, as the API says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    id_str: Option<Id>,
    id: Option<Id>,
    screen_name: Option<Lossy>,
    name: Option<Lossy>,
    profile_image_url_https: Option<Lossy>,
}

impl User {
    fn id(&self) -> Option<&str> {
        first([&self.id_str, &self.id])
    }

    /// What a user tells of an account. The avatar is the large one.
    pub fn account(&self) -> Account {
        let text = |value: &Option<Lossy>| {
            let text = value.as_ref().map(|text| text.0.clone());
            text.filter(|text| !text.is_empty())
        };
        let avatar = text(&self.profile_image_url_https);
        Account {
            handle: text(&self.screen_name),
            name: text(&self.name),
            avatar: avatar.map(|address| Avatar::Address(address.replace("_normal.", "_400x400."))),
        }
    }
}

fn first<const N: usize>(ids: [&Option<Id>; N]) -> Option<&str> {
    let mut known = ids.into_iter().flatten().map(|id| id.0.as_str());
    known.find(|id| !id.is_empty())
}

/// How a retweet is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetweetRule {
    /// By its text, which begins with `RT @name: `: archives have no flag.
    Text,
    /// By the tweet that it repeats.
    Flag,
}

/// Whether a text begins as the retweets of archives do, with `RT @name: `.
pub(super) fn is_retweet_text(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("RT @") else {
        return false;
    };
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let len = rest.bytes().take_while(|b| is_name(*b)).count();
    len > 0 && rest[len..].starts_with(": ")
}

impl Tweet {
    /// The tweet without its wrapper, and whether there was one.
    pub fn unwrapped(self) -> (Self, bool) {
        match self.tweet {
            Some(tweet) => (*tweet, true),
            None => (self, false),
        }
    }

    /// The ids of all versions of it, if it was edited.
    pub fn versions(&mut self) -> Vec<String> {
        let Some(info) = self.edit_info.take() else {
            return Vec::new();
        };
        let edits = info.initial.or(info.edit.and_then(|edit| edit.initial));
        let ids = edits.and_then(|edits| edits.ids).unwrap_or_default();
        ids.into_iter().map(|id| id.0).collect()
    }

    /// The post; `None` if there is no text.
    ///
    /// `account_id`: the author, to tell a thread from an answer to somebody.
    pub fn into_post(self, rule: RetweetRule, account_id: Option<&str>) -> Option<Post> {
        let references = self.referenced_tweets.unwrap_or_default();
        let refers = |kind: &str| references.iter().any(|reference| reference.kind == kind);
        let is_repeated = self.retweeted_status.is_some() || refers("retweeted");
        let answered = first([&self.in_reply_to_user_id_str, &self.in_reply_to_user_id]);
        let is_answer = answered.is_some()
            || first([&self.in_reply_to_status_id_str, &self.in_reply_to_status_id]).is_some()
            || refers("replied_to");
        let author = self.user.as_ref().and_then(User::id).or(account_id);
        let has_status_link = |entities: Entities| {
            let urls = entities.urls.unwrap_or_default();
            let mut urls = urls.into_iter().filter_map(|url| url.expanded_url);
            urls.any(|address| address.0)
        };
        let text = self
            .extended_tweet
            .and_then(|tweet| tweet.full_text)
            .or(self.full_text)
            .or(self.text)?
            .0;
        let reply = match is_answer {
            true if answered.is_some() && answered == author => Reply::ToSelf,
            true => Reply::ToOther,
            false if text.starts_with('@') => Reply::ToOther,
            false => Reply::No,
        };
        let lang = self.lang.map(|lang| lang.0);
        Some(Post {
            id: first([&self.id_str, &self.id])
                .unwrap_or_default()
                .to_owned(),
            time: self.created_at.and_then(|date| time::parse(&date.0)),
            is_retweet: match rule {
                RetweetRule::Text => is_repeated || is_retweet_text(&text),
                RetweetRule::Flag => is_repeated,
            },
            text,
            reply,
            is_quote: self.is_quote_status == Some(true)
                || self.quoted_status.is_some()
                || refers("quoted")
                || self.entities.is_some_and(has_status_link),
            // `und` is undetermined, `qme`, `zxx` and the like are X's own for texts of links or tags alone.
            lang: lang.filter(|lang| {
                !matches!(lang.as_str(), "" | "und" | "zxx") && !lang.starts_with('q')
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(json: &str, rule: RetweetRule) -> Post {
        let tweet: Tweet = serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}"));
        let tweet = tweet.unwrapped().0;
        tweet
            .into_post(rule, Some("7"))
            .unwrap_or_else(|| panic!("{json}: no text"))
    }

    #[test]
    fn retweets_are_told_by_text_in_archives_and_by_flag_elsewhere() {
        let text = r#"{"tweet":{"full_text":"RT @ab_1: hello","retweeted":false}}"#;
        assert!(post(text, RetweetRule::Text).is_retweet);
        assert!(!post(text, RetweetRule::Flag).is_retweet);
        let flag = r#"{"full_text":"RT @ab_1: hello","retweeted_status":{"id":1}}"#;
        assert!(post(flag, RetweetRule::Flag).is_retweet);
        let v2 = r#"{"text":"x","referenced_tweets":[{"type":"retweeted","id":"1"}]}"#;
        assert!(post(v2, RetweetRule::Flag).is_retweet);
        let null = r#"{"full_text":"x","retweeted_status":null}"#;
        assert!(!post(null, RetweetRule::Flag).is_retweet);
        for other in [
            "RT @: x",
            "RT @a:x",
            "rt @a: x",
            " RT @a: x",
            "RT a: x",
            "RT @a b: x",
        ] {
            assert!(!is_retweet_text(other), "{other}");
        }
    }

    #[test]
    fn a_thread_answers_its_author() {
        for (json, reply) in [
            (r#"{"text":"x"}"#, Reply::No),
            (r#"{"text":"@a x"}"#, Reply::ToOther),
            (
                r#"{"text":"x","in_reply_to_user_id_str":"7"}"#,
                Reply::ToSelf,
            ),
            (r#"{"text":"x","in_reply_to_user_id":7}"#, Reply::ToSelf),
            (r#"{"text":"x","in_reply_to_user_id":8}"#, Reply::ToOther),
            (r#"{"text":"x","in_reply_to_status_id":8}"#, Reply::ToOther),
            (r#"{"text":"x","in_reply_to_status_id":null}"#, Reply::No),
            (
                r#"{"text":"x","in_reply_to_user_id":9,"user":{"id":9}}"#,
                Reply::ToSelf,
            ),
        ] {
            assert_eq!(post(json, RetweetRule::Text).reply, reply, "{json}");
        }
    }

    #[test]
    fn a_quote_links_to_a_post() {
        let with = |address: &str| {
            let json =
                format!(r#"{{"text":"x","entities":{{"urls":[{{"expanded_url":"{address}"}}]}}}}"#);
            post(&json, RetweetRule::Text).is_quote
        };
        assert!(with("https://twitter.com/a/status/12?s=20"));
        assert!(with("https://x.com/a/status/12"));
        for other in [
            "https://twitter.com/a/status/",
            "https://twitter.com/a/likes/12",
            "https://example.com/a/status/12",
            "",
        ] {
            assert!(!with(other), "{other}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        assert_eq!(
            post(r#"{"text":"a\ud83db"}"#, RetweetRule::Text).text,
            "a\u{fffd}b"
        );
        assert_eq!(
            post(r#"{"text":"\ud83c\udf38"}"#, RetweetRule::Text).text,
            "🌸"
        );
    }
}

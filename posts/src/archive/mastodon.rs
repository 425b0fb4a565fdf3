//! A Mastodon archive: activities of its outbox, and the account of its `actor.json`.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entries::{Entries, read_small};
use super::error::{MAX_SMALL_FILE_BYTES, ReadError};
use super::html;
use super::interest::{base_name, folder};
use super::lossy::Lossy;
use super::report::{ImportNotice, Report};
use crate::post::{Avatar, Post, Reply};
use crate::time;

/// The address that stands for everybody, in its three forms.
const PUBLIC: [&str; 3] = [
    "https://www.w3.org/ns/activitystreams#Public",
    "as:Public",
    "Public",
];

/// An element of `orderedItems`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Activity {
    id: Option<Lossy>,
    #[serde(rename = "type")]
    kind: Option<Lossy>,
    published: Option<Lossy>,
    to: Audience,
    cc: Audience,
    object: Object,
}

/// Whether everybody is among those addressed.
#[derive(Debug, Default)]
struct Audience {
    is_public: bool,
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an address or a list of them")
    }

    fn visit_str<E>(self, address: &str) -> Result<Audience, E> {
        Ok(Audience {
            is_public: PUBLIC.contains(&address),
        })
    }

    fn visit_unit<E>(self) -> Result<Audience, E> {
        Ok(Audience::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audience, A::Error> {
        let mut is_public = false;
        while let Some(one) = list.next_element::<Audience>()? {
            is_public |= one.is_public;
        }
        Ok(Audience { is_public })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Audience, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Audience::default())
    }
}

/// What an activity is about: a note, or the address of one that is boosted.
#[derive(Debug, Default)]
struct Object(Option<Box<Note>>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a note or its address")
    }

    fn visit_str<E>(self, _: &str) -> Result<Object, E> {
        Ok(Object::default())
    }

    fn visit_unit<E>(self) -> Result<Object, E> {
        Ok(Object::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
        let note = Note::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Object(Some(Box::new(note))))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Note {
    id: Option<Lossy>,
    #[serde(rename = "type")]
    kind: Option<Lossy>,
    published: Option<Lossy>,
    #[serde(rename = "attributedTo")]
    author: Option<Lossy>,
    #[serde(rename = "inReplyTo")]
    in_reply_to: Option<Lossy>,
    content: Option<Lossy>,
    #[serde(rename = "contentMap")]
    languages: Languages,
    to: Audience,
    cc: Audience,
    quote: Option<IgnoredAny>,
    #[serde(rename = "quoteUrl")]
    quote_url: Option<IgnoredAny>,
}

/// The first language of a post.
#[derive(Debug, Default)]
struct Languages(Option<String>);

impl<'de> Deserialize<'de> for Languages {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LanguagesVisitor)
    }
}

struct LanguagesVisitor;

impl<'de> Visitor<'de> for LanguagesVisitor {
    type Value = Languages;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("texts by language")
    }

    fn visit_unit<E>(self) -> Result<Languages, E> {
        Ok(Languages::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Languages, A::Error> {
        let mut languages = Languages::default();
        while let Some((language, _)) = map.next_entry::<String, IgnoredAny>()? {
            languages.0.get_or_insert(language);
        }
        Ok(languages)
    }
}

/// What an activity is for a data set.
pub(super) enum ActivityPost {
    Post(Post),
    /// A post that only some can read.
    NotPublic,
    /// Something else, such as a like or a move.
    NoPost,
}

impl Activity {
    /// The post. A boost is a retweet without a text; a content warning is no part of the text.
    pub fn into_post(self) -> ActivityPost {
        let kind = self.kind.unwrap_or_default().0;
        let text = |value: Option<Lossy>| value.map(|text| text.0);
        let time = |date: Option<Lossy>| date.and_then(|date| time::parse(&date.0));
        let is_public = self.to.is_public || self.cc.is_public;
        match (kind.as_str(), self.object.0) {
            ("Announce", _) => ActivityPost::Post(Post {
                id: text(self.id).unwrap_or_default(),
                time: time(self.published),
                is_retweet: true,
                ..Post::default()
            }),
            ("Create", Some(note)) => {
                let note = *note;
                let note_kind = note.kind.unwrap_or_default().0;
                if !matches!(note_kind.as_str(), "Note" | "Question" | "Article" | "") {
                    return ActivityPost::NoPost;
                }
                if !(is_public || note.to.is_public || note.cc.is_public) {
                    return ActivityPost::NotPublic;
                }
                let author = text(note.author).filter(|author| !author.is_empty());
                let reply = match (&author, note.in_reply_to) {
                    (_, None) => Reply::No,
                    // The address of one's own post begins with one's own address.
                    (Some(author), Some(post)) if post.0.starts_with(&format!("{author}/")) => {
                        Reply::ToSelf
                    }
                    _ => Reply::ToOther,
                };
                let content = note.content.unwrap_or_default().0;
                ActivityPost::Post(Post {
                    id: text(note.id).unwrap_or_default(),
                    time: time(note.published.or(self.published)),
                    is_retweet: false,
                    reply,
                    is_quote: note.quote.is_some()
                        || note.quote_url.is_some()
                        || content.contains("quote-inline"),
                    text: html::to_text(&content),
                    lang: note.languages.0,
                })
            }
            _ => ActivityPost::NoPost,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Actor {
    #[serde(rename = "preferredUsername")]
    handle: Option<Lossy>,
    name: Option<Lossy>,
    icon: Option<Icon>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Icon {
    url: Option<Lossy>,
}

/// The index of the outbox; the one nearest to the root, if there are several.
pub(super) fn outbox(entries: &dyn Entries) -> Option<usize> {
    let files = entries.entries();
    let is_outbox = |idx: &usize| base_name(&files[*idx].name) == "outbox.json";
    (0..files.len())
        .filter(is_outbox)
        .min_by_key(|idx| files[*idx].name.len())
}

/// Tells the report whose archive it is: `actor.json` and the avatar beside the outbox.
pub(super) fn tell_account(entries: &mut dyn Entries, outbox: usize, report: &mut Report) {
    let place = folder(&entries.entries()[outbox].name).to_owned();
    let find = |entries: &dyn Entries, name: &str| {
        let wanted = format!("{place}{name}");
        let mut files = entries.entries().iter();
        files.position(|entry| entry.name == wanted)
    };
    let Some(idx) = find(entries, "actor.json") else {
        return;
    };
    let name = entries.entries()[idx].name.clone();
    report.opened.push(name.clone());
    let read = read_small(entries, idx, MAX_SMALL_FILE_BYTES).and_then(|bytes| {
        serde_json::from_slice::<Actor>(&bytes).map_err(|_| ReadError::Json {
            name: name.clone(),
            at: 0,
        })
    });
    let actor = match read {
        Ok(actor) => actor,
        Err(error) => {
            let reason = error.to_string();
            report.notices.push(ImportNotice::Ignored { name, reason });
            return;
        }
    };
    let text = |value: Option<Lossy>| value.map(|text| text.0).filter(|text| !text.is_empty());
    report.account.handle = text(actor.handle);
    report.account.name = text(actor.name);
    let Some(icon) = actor.icon.and_then(|icon| text(icon.url)) else {
        return;
    };
    if icon.starts_with("https://") {
        report.account.avatar = Some(Avatar::Address(icon));
    } else if let Some(idx) = find(entries, &icon) {
        let name = entries.entries()[idx].name.clone();
        report.opened.push(name.clone());
        if let Ok(bytes) = read_small(entries, idx, MAX_SMALL_FILE_BYTES) {
            report.account.avatar = Some(Avatar::Bytes { name, bytes });
        }
    }
}

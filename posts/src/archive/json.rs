//! Posts in one JSON file: tweets of the API, the Community Archive's document, an outbox of Mastodon, pages of Bluesky,
//! or a list of texts. Which it is follows from its fields.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::bluesky::{FeedItem, RecordItem};
use super::edits::Edits;
use super::elements::{Elements, Next};
use super::entries::Entries;
use super::error::ReadError;
use super::lossy::Lossy;
use super::mastodon::{Activity, ActivityPost};
use super::notes::{NoteElement, Notes};
use super::reader::{Reader, bytes_of};
use super::report::{ImportNotice, ImportOptions, Kind, Sink, Step};
use super::tweet::{RetweetRule, Tweet};
use super::twitter::{AccountElement, ProfileElement};
use crate::post::{Avatar, Post};

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Tweet,
    Text,
    Activity,
    Record,
    FeedItem,
}

/// What the list of a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Posts(Element),
    /// Posts of whatever kind the first element shows.
    Unknown,
    Notes,
    Communities,
    Account,
    Profile,
    Other,
}

impl List {
    /// The list that is the value of this field; an empty name stands for the top level.
    fn of(field: &str) -> Self {
        match field {
            "note-tweet" | "note_tweet" => Self::Notes,
            "community-tweet" | "community_tweet" => Self::Communities,
            "account" => Self::Account,
            "profile" => Self::Profile,
            "orderedItems" => Self::Posts(Element::Activity),
            "records" => Self::Posts(Element::Record),
            "feed" => Self::Posts(Element::FeedItem),
            "" | "tweets" | "tweet" | "statuses" | "data" | "results" | "posts" => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// The lists of the Community Archive's document.
const ARCHIVE_LISTS: [&str; 9] = [
    "account",
    "profile",
    "tweets",
    "tweet",
    "note-tweet",
    "note_tweet",
    "community-tweet",
    "community_tweet",
    "upload-options",
];

/// A pass over the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Collects whose posts they are and the long posts, which may come last.
    Context,
    Posts,
}

/// A JSON file being read.
pub(super) struct Json {
    entries: Box<dyn Entries>,
    idx: usize,
    pass: Pass,
    elements: Option<Elements>,
    options: ImportOptions,
    /// What the elements of [`List::Unknown`] are, once the first was seen.
    element: Option<Element>,
    rule: RetweetRule,
    notes: Notes,
    edits: Edits,
    account_id: Option<String>,
    /// Whether the file has fields of an archive of X, which is read twice.
    is_archive: bool,
    pinned: Vec<String>,
    has_begun: bool,
}

impl Json {
    /// A reader of the file `idx` of `entries`.
    pub fn new(entries: Box<dyn Entries>, idx: usize, options: ImportOptions) -> Self {
        Self {
            entries,
            idx,
            pass: Pass::Context,
            elements: None,
            options,
            element: None,
            rule: RetweetRule::Flag,
            notes: Notes::default(),
            edits: Edits::default(),
            account_id: None,
            is_archive: false,
            pinned: Vec::new(),
            has_begun: false,
        }
    }

    fn open(&mut self) -> Result<Elements, ReadError> {
        let name = self.entries.entries()[self.idx].name.clone();
        Ok(Elements::new(&name, self.entries.open(self.idx)?))
    }

    /// Looks at the first element, which decides whether a pass for the context is needed.
    fn begin(&mut self, sink: &mut Sink<'_>) -> Result<Elements, ReadError> {
        self.has_begun = true;
        let mut elements = self.open()?;
        sink.report.opened.push(elements.name().to_owned());
        elements.look()?;
        self.is_archive = ARCHIVE_LISTS.contains(&elements.first_list());
        if elements.is_script {
            self.rule = RetweetRule::Text;
        }
        if !self.is_archive {
            if elements.is_script {
                sink.report.kind = Kind::Twitter;
            }
            self.pass = Pass::Posts;
        }
        Ok(elements)
    }

    /// Reads one element in the pass for the context.
    fn take_context(
        &mut self,
        elements: &mut Elements,
        sink: &mut Sink<'_>,
    ) -> Result<(), ReadError> {
        match List::of(elements.list()) {
            List::Account => {
                // Tweets of the API come without such a list.
                self.rule = RetweetRule::Text;
                sink.report.kind = Kind::CommunityArchive;
                if let Some(account) = elements.parse::<AccountElement>()? {
                    self.account_id = account.tell(sink.report).or(self.account_id.take());
                }
            }
            List::Profile => {
                if let Some(profile) = elements.parse::<ProfileElement>()? {
                    sink.report.account.avatar = profile.avatar().map(Avatar::Address);
                }
            }
            List::Notes => {
                if let Some(note) = elements.parse::<NoteElement>()?
                    && !self.notes.add(note)
                    && !sink
                        .report
                        .notices
                        .contains(&ImportNotice::TooManyLongPosts)
                {
                    sink.report.notices.push(ImportNotice::TooManyLongPosts);
                }
            }
            List::Communities => {
                let name = elements.list().to_owned();
                if !sink.report.community_files.contains(&name) {
                    sink.report.community_files.push(name);
                }
                elements.skip()?;
            }
            _ => elements.skip()?,
        }
        Ok(())
    }

    /// Reads one element in the pass for the posts.
    fn take_post(&mut self, elements: &mut Elements, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let element = match List::of(elements.list()) {
            List::Posts(element) => element,
            List::Communities if self.options.community_posts => Element::Tweet,
            List::Unknown => match self.element {
                Some(element) => element,
                None => {
                    let fields = elements.peek_at::<Fields>()?.unwrap_or_default();
                    *self.element.insert(fields.element())
                }
            },
            _ => return elements.skip(),
        };
        if sink.report.posts == 0 && sink.report.kind != Kind::CommunityArchive {
            sink.report.kind = match element {
                Element::Tweet if elements.is_script => Kind::Twitter,
                Element::Tweet => Kind::Api,
                Element::Text => Kind::Texts,
                Element::Activity => Kind::Mastodon,
                Element::Record | Element::FeedItem => Kind::BlueskyPages,
            };
        }
        let post = match element {
            Element::Tweet => match elements.parse::<Tweet>()? {
                Some(tweet) => {
                    self.take_tweet(tweet, sink);
                    return Ok(());
                }
                None => None,
            },
            Element::Text => elements.parse::<Lossy>()?.map(|text| Post {
                text: text.0,
                ..Post::default()
            }),
            Element::Activity => match elements.parse::<Activity>()? {
                Some(activity) => match activity.into_post() {
                    ActivityPost::Post(post) => Some(post),
                    ActivityPost::NotPublic => {
                        sink.report.not_public += 1;
                        return Ok(());
                    }
                    ActivityPost::NoPost => return Ok(()),
                },
                None => None,
            },
            Element::Record => elements
                .parse::<RecordItem>()?
                .map(|item| item.into_post(sink.report)),
            Element::FeedItem => match elements.parse::<FeedItem>()? {
                Some(item) => {
                    let (post, is_pin) = item.into_post(sink.report);
                    if self.pinned.contains(&post.id) {
                        return Ok(());
                    }
                    if is_pin && self.pinned.len() < 64 {
                        self.pinned.push(post.id.clone());
                    }
                    Some(post)
                }
                None => None,
            },
        };
        match post {
            Some(post) => sink.push(post),
            None => sink.report.unreadable += 1,
        }
        Ok(())
    }

    fn take_tweet(&mut self, tweet: Tweet, sink: &mut Sink<'_>) {
        let (mut tweet, is_wrapped) = tweet.unwrapped();
        let versions = tweet.versions();
        if let Some(user) = &tweet.user
            && sink.report.account.handle.is_none()
        {
            sink.report.account = user.account();
        }
        // The API wraps no tweet; what is wrapped comes from an archive.
        let rule = match is_wrapped {
            true => RetweetRule::Text,
            false => self.rule,
        };
        let Some(mut post) = tweet.into_post(rule, self.account_id.as_deref()) else {
            sink.report.unreadable += 1;
            return;
        };
        if self.notes.join(&mut post) {
            sink.report.joined += 1;
        }
        if let Some(post) = self.edits.latest(post, &versions) {
            sink.push(post);
        }
        sink.report.superseded = self.edits.superseded;
    }
}

/// How far a step came.
enum Read {
    /// As far as it should.
    Some,
    /// To the end of the file.
    All,
    /// To a post after which no more is wanted.
    Stopped,
}

impl Json {
    /// Reads about `budget` bytes of the current pass.
    fn read_on(
        &mut self,
        elements: &mut Elements,
        budget: u64,
        sink: &mut Sink<'_>,
    ) -> Result<Read, ReadError> {
        let until = elements.position().saturating_add(budget);
        while !sink.is_stopped {
            if elements.position() >= until {
                return Ok(Read::Some);
            }
            if elements.advance()? == Next::End {
                elements.drain()?;
                return Ok(Read::All);
            }
            match self.pass {
                Pass::Context => self.take_context(elements, sink)?,
                Pass::Posts => self.take_post(elements, sink)?,
            }
        }
        Ok(Read::Stopped)
    }
}

impl Reader for Json {
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError> {
        let mut elements = match self.elements.take() {
            Some(elements) => elements,
            None if !self.has_begun => self.begin(sink)?,
            None => self.open()?,
        };
        let pass = self.pass;
        match self.read_on(&mut elements, budget, sink) {
            Ok(Read::Some) => {
                self.elements = Some(elements);
                Ok(Step::More)
            }
            Ok(Read::Stopped) => Ok(Step::Stopped),
            // A damaged file has its posts before the damage, which the next pass comes to again.
            Ok(Read::All) | Err(_) if pass == Pass::Context => {
                self.pass = Pass::Posts;
                Ok(Step::More)
            }
            Ok(Read::All) => {
                for post in self.edits.rest() {
                    sink.push(post);
                }
                Ok(Step::Done)
            }
            Err(error) => Err(error),
        }
    }

    fn bytes(&self) -> (u64, u64) {
        let passes = if self.is_archive { 2 } else { 1 };
        let total = self.entries.entries()[self.idx].size_bytes * passes;
        bytes_of(&*self.entries, total)
    }
}

/// The fields of an element, of which some tell what it is.
#[derive(Debug, Default)]
struct Fields {
    is_text: bool,
    has_value: bool,
    has_post: bool,
    has_object: bool,
}

impl Fields {
    fn element(&self) -> Element {
        if self.is_text {
            Element::Text
        } else if self.has_value {
            Element::Record
        } else if self.has_post {
            Element::FeedItem
        } else if self.has_object {
            Element::Activity
        } else {
            Element::Tweet
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a text")
    }

    fn visit_str<E>(self, _: &str) -> Result<Fields, E> {
        Ok(Fields {
            is_text: true,
            ..Fields::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<Lossy>()? {
            match key.0.as_str() {
                "value" => fields.has_value = true,
                "post" => fields.has_post = true,
                "object" => fields.has_object = true,
                _ => {}
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(fields)
    }
}

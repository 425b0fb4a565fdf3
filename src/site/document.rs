//! The tags of an HTML document with their places in its text, and a way to replace them.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, Token, Tokenizer};
use std::collections::BTreeMap;
use std::ops::Range;

/// A start or end tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// Its name, such as `link`.
    pub name: String,
    /// Whether it is an end tag, such as `</head>`.
    pub is_end: bool,
    /// The bytes of the document that the tag occupies.
    pub place: Range<usize>,
    attributes: BTreeMap<String, String>,
}

impl Tag {
    /// The value of an attribute; empty for one without a value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The tag as the document has it.
    pub fn text<'a>(&self, document: &'a str) -> &'a str {
        &document[self.place.clone()]
    }
}

/// All tags of `document`, in order. Tags inside scripts, styles and comments are text and not among them.
pub(super) fn tags(document: &str) -> Vec<Tag> {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let text = |bytes: &HtmlString| String::from_utf8_lossy(bytes).into_owned();
    Tokenizer::new_with_emitter(document, emitter)
        .flatten()
        .filter_map(|token| match token {
            Token::StartTag(tag) => Some(Tag {
                name: text(&tag.name),
                is_end: false,
                place: tag.span.start..tag.span.end,
                attributes: tag
                    .attributes
                    .iter()
                    .map(|(name, value)| (text(name), text(value)))
                    .collect(),
            }),
            Token::EndTag(tag) => Some(Tag {
                name: text(&tag.name),
                is_end: true,
                place: tag.span.start..tag.span.end,
                attributes: BTreeMap::new(),
            }),
            _ => None,
        })
        .collect()
}

/// `text` as the value of an attribute in double quotes, or as the text of an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `document` with each of these places replaced by a text. The places are in order and do not overlap.
pub(super) fn replace(document: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut result = String::with_capacity(document.len());
    let mut copied = 0;
    for (place, text) in edits {
        result.push_str(&document[copied..place.start]);
        result.push_str(text);
        copied = place.end;
    }
    result.push_str(&document[copied..]);
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    const PAGE: &str = "<!doctype html>\n<head><!-- <link no> --><link rel=\"css\" data-trunk href='a b.css'>\
        <script>'<link rel=\"no\">'</script></head>é<p>";

    #[test]
    fn tags_are_found_outside_comments_and_scripts_with_their_places() {
        let tags = tags(PAGE);
        let texts: Vec<&str> = tags.iter().map(|tag| tag.text(PAGE)).collect();
        let expected = [
            "<head>",
            "<link rel=\"css\" data-trunk href='a b.css'>",
            "<script>",
            "</script>",
            "</head>",
            "<p>",
        ];
        assert_eq!(texts, expected);
        assert_eq!(tags[1].attribute("href"), Some("a b.css"));
        assert_eq!(tags[1].attribute("data-trunk"), Some(""));
        assert_eq!(tags[1].attribute("rust"), None);
        assert!(tags[4].is_end && tags[4].name == "head");
    }

    #[test]
    fn escaped_text_is_read_back_as_it_was_and_ends_no_attribute() {
        let text = "\"><script>alert('&amp;')</script>";
        let document = format!("<p title=\"{}\">", escaped(text));
        let tags = tags(&document);
        assert_eq!(tags.len(), 1);
        assert_eq!(tags[0].attribute("title"), Some(text));
    }

    #[test]
    fn replaced_places_leave_the_rest_as_it_is() {
        let tags = tags(PAGE);
        let edits = [
            (tags[1].place.clone(), String::new()),
            (tags[5].place.clone(), "<b>".to_owned()),
        ];
        let expected = PAGE
            .replace("<link rel=\"css\" data-trunk href='a b.css'>", "")
            .replace("<p>", "<b>");
        assert_eq!(replace(PAGE, &edits), expected);
    }
}

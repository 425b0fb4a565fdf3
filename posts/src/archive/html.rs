//! The plain text of a post in HTML, as Mastodon and its relatives write it.

use html5gum::{Token, Tokenizer};

/// Elements that stand on lines of their own, or break one.
const BREAKS: [&str; 14] = [
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];

/// The text of `html`: paragraphs and line breaks as white space, mentions and hashtags as `@name` and `#tag`, other links
/// left out as addresses are, and so is the line that links to a quoted post.
pub(super) fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    // The element whose content is left out, and how many of its name are open in it.
    let mut skipped: Option<(&'static [u8], usize)> = None;
    for token in Tokenizer::new(html).flatten() {
        match token {
            Token::StartTag(tag) => {
                let name: &[u8] = &tag.name;
                if let Some((skipped_name, depth)) = &mut skipped {
                    if *skipped_name == name && !tag.self_closing {
                        *depth += 1;
                    }
                    continue;
                }
                let has_class = |wanted: &[u8]| {
                    let classes = tag.attributes.get(&b"class"[..]);
                    classes.is_some_and(|classes| {
                        classes
                            .split(u8::is_ascii_whitespace)
                            .any(|class| class == wanted)
                    })
                };
                if is_break(name) {
                    text.push('\n');
                }
                match name {
                    b"a" if !has_class(b"mention") && !has_class(b"hashtag") => {
                        skipped = Some((b"a", 1));
                    }
                    b"p" if has_class(b"quote-inline") => skipped = Some((b"p", 1)),
                    b"span" if has_class(b"quote-inline") => skipped = Some((b"span", 1)),
                    b"script" => skipped = Some((b"script", 1)),
                    b"style" => skipped = Some((b"style", 1)),
                    _ => {}
                }
            }
            Token::EndTag(tag) => {
                let name: &[u8] = &tag.name;
                if let Some((skipped_name, depth)) = &mut skipped {
                    if *skipped_name == name {
                        *depth -= 1;
                        if *depth == 0 {
                            skipped = None;
                        }
                    }
                    // A link that never ends ends with its paragraph.
                    if name == b"p" && skipped.is_some_and(|(open, _)| open == b"a") {
                        skipped = None;
                    }
                }
                if skipped.is_none() && is_break(name) {
                    text.push('\n');
                }
            }
            Token::String(content) if skipped.is_none() => {
                text.push_str(&String::from_utf8_lossy(&content));
            }
            _ => {}
        }
    }
    text.trim().to_owned()
}

fn is_break(name: &[u8]) -> bool {
    BREAKS.iter().any(|known| known.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn mentions_and_tags_stay_and_other_links_go() {
        for (html, text) in [
            ("<p>a &amp; b &lt;3 &#39;c&#39;</p>", "a & b <3 'c'"),
            (
                "<p>one<br>two<br />three</p><p>four</p>",
                "one\ntwo\nthree\n\nfour",
            ),
            (
                r#"<p><span class="h-card"><a href="https://e.example/@bob" class="u-url mention">@<span>bob</span></a></span> hi</p>"#,
                "@bob hi",
            ),
            (
                r#"<p>see <a href="https://e.example/tags/Rust" class="mention hashtag" rel="tag">#<span>Rust</span></a></p>"#,
                "see #Rust",
            ),
            (
                r#"<p>see <a href="https://e.example/x" rel="nofollow"><span class="invisible">https://</span><span class="ellipsis">e.example</span><span class="invisible">/x</span></a> now</p>"#,
                "see  now",
            ),
            (
                r#"<p class="quote-inline">RE: <a href="https://e.example/1">https://e.example/1</a></p><p>yes</p>"#,
                "yes",
            ),
            ("<p>an <a href='x'>open link</p><p>next", "an \n\nnext"),
            ("no tags at all", "no tags at all"),
            ("a<script>b</script>c", "ac"),
            ("", ""),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }
}

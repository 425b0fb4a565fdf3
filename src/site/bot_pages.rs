//! The documents of the page: `index.html`, and for each bot `bot/OWNER/NAME/` with a page of its own, its preview
//! picture, and the `oembed.json` by which other sites show it.

use super::document::{self, escaped};
use super::first_screen::FirstScreens;
use super::unfurl::{BotWords, PREVIEW, UP, index_head, origin_of};
use super::{SiteError, SourceTree};
use crate::bot::Bot;
use std::fs;
use std::path::Path;

/// The folder with a picture per bot, `OWNER/NAME.png`, and one for all.
const PREVIEWS: &str = "assets/previews";

/// Writes the documents into `folder`, whose `index.html` is assembled and has no first screen yet.
///
/// `public_url` is the site's address; with an origin, the addresses that other sites read are absolute.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write(
    tree: &SourceTree,
    screens: &FirstScreens,
    public_url: &str,
    folder: &Path,
) -> Result<(), SiteError> {
    let write = |path: &Path, content: &str| {
        fs::write(path, content).map_err(SiteError::file("write", path))
    };
    let copy = |from: &Path, to: &Path| {
        fs::copy(from, to)
            .map(drop)
            .map_err(SiteError::file("copy", from))
    };
    let previews = tree.root().join(PREVIEWS);
    let index = folder.join("index.html");
    let shell = fs::read_to_string(&index).map_err(SiteError::file("read", &index))?;
    let site = origin_of(public_url);
    for (bot, screen) in screens.in_pages(UP) {
        let place = folder.join("bot").join(&bot.repo);
        fs::create_dir_all(&place).map_err(SiteError::file("create", &place))?;
        copy(
            &previews.join(format!("{}.png", bot.repo)),
            &place.join(PREVIEW),
        )?;
        let facts = BotWords::of(bot, site.as_deref());
        let page = Document {
            bot,
            to_folder: UP,
            first_screen: &screen,
            texts: Some(&facts),
            head: facts.head(),
        };
        write(&place.join("index.html"), &page.filled_in(&shell))?;
        write(&place.join("oembed.json"), &facts.oembed())?;
    }
    copy(&previews.join("all.png"), &folder.join(PREVIEW))?;
    if let Some((bot, screen)) = screens.in_pages("").next() {
        let page = Document {
            bot,
            to_folder: "",
            first_screen: &screen,
            texts: None,
            head: index_head(site.as_deref()),
        };
        write(&index, &page.filled_in(&shell))?;
    }
    Ok(())
}

/// Where supported, nothing is painted before the first screen has been read whole: while a part of it was on the screen,
/// what is centered or on the right would move with each further part.
const WHOLE: &str = "<link rel=\"expect\" href=\"#still\" blocking=\"render\">\n";

/// One document, made from the assembled `index.html`.
struct Document<'a> {
    /// The bot that the page opens on.
    bot: &'a Bot,
    /// The way from the document to the site's folder.
    to_folder: &'a str,
    first_screen: &'a str,
    /// Title and description, where they are not the shell's.
    texts: Option<&'a BotWords<'a>>,
    head: String,
}

impl Document<'_> {
    fn filled_in(&self, shell: &str) -> String {
        let tags = document::tags(shell);
        let mut edits = Vec::new();
        let mut title_start = None;
        for tag in &tags {
            let text = tag.text(shell);
            let edit = match (tag.name.as_str(), tag.is_end) {
                ("html", false) => {
                    let root = match self.to_folder {
                        "" => String::new(),
                        up => format!(" data-root=\"{up}\""),
                    };
                    let repo = escaped(&self.bot.repo);
                    let end = format!(" data-bot=\"{repo}\"{root}>");
                    Some(text.trim_end_matches('>').to_owned() + &end)
                }
                ("title", false) => {
                    title_start = Some(tag.place.end);
                    None
                }
                ("title", true) => {
                    if let (Some(start), Some(facts)) = (title_start.take(), self.texts) {
                        edits.push((start..tag.place.start, escaped(&facts.title)));
                    }
                    None
                }
                ("meta", false) if tag.attribute("name") == Some("description") => {
                    self.texts.map(|facts| {
                        let description = escaped(&facts.description);
                        format!("<meta name=\"description\" content=\"{description}\">")
                    })
                }
                ("head", true) => Some(format!("{WHOLE}{}{text}", self.head)),
                ("body", true) => Some(format!(
                    "<div id=\"still\">{}</div>\n{text}",
                    self.first_screen
                )),
                ("link" | "script", false) => Some(self.with_address(tag, text)),
                _ => None,
            };
            edits.extend(edit.map(|edit| (tag.place.clone(), edit)));
        }
        document::replace(shell, &edits)
    }

    /// The tag, with its relative address as seen from the document.
    fn with_address(&self, tag: &document::Tag, text: &str) -> String {
        for name in ["href", "src"] {
            let Some(address) = tag.attribute(name) else {
                continue;
            };
            if self.to_folder.is_empty() || address.contains(':') || address.starts_with('/') {
                continue;
            }
            let file = address.trim_start_matches("./");
            let written = format!("{name}=\"{address}\"");
            return text.replace(&written, &format!("{name}=\"{}{file}\"", self.to_folder));
        }
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::super::unfurl::PREVIEW_SIZE;
    use super::*;
    use crate::bot;

    const SHELL: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>old</title>\n\
        <meta name=\"description\" content=\"old\">\n<script src=\"start.js\"></script>\n\
        <link rel=\"icon\" href=\"icon.svg\">\n<link rel=\"stylesheet\" href=\"./page-0.css\">\n\
        <script type=\"module\" src=\"/bots/app_start.js\"></script>\n</head>\n<body>\n</body>\n</html>\n";

    fn page(bot: &Bot, site: Option<&str>) -> (String, serde_json::Value) {
        let facts = BotWords::of(bot, site);
        let document = Document {
            bot,
            to_folder: UP,
            first_screen: "<main>drawn</main>",
            texts: Some(&facts),
            head: facts.head(),
        };
        let oembed = serde_json::from_str(&facts.oembed()).unwrap();
        (document.filled_in(SHELL), oembed)
    }

    /// The values of an attribute of the tags that have another attribute with this value.
    fn values(html: &str, name: &str, value: &str, of: &str) -> Vec<String> {
        let tags = document::tags(html).into_iter();
        tags.filter(|tag| tag.attribute(name) == Some(value))
            .filter_map(|tag| tag.attribute(of).map(str::to_owned))
            .collect()
    }

    #[test]
    fn names_of_strangers_stay_text_in_page_and_oembed() {
        let mut bot = bot::bundled()[0].clone();
        let name = "\"><script>alert(1)</script>&amp;";
        bot.card.names = vec![name.to_owned()];
        let (html, oembed) = page(&bot, None);
        let scripts = |html: &str| {
            let tags = document::tags(html).into_iter();
            tags.filter(|tag| tag.name == "script" && !tag.is_end)
                .count()
        };
        assert_eq!(scripts(&html), scripts(SHELL));
        let title = &values(&html, "property", "og:title", "content")[0];
        assert!(title.contains(name), "{title}");
        let frame = oembed["html"].as_str().unwrap();
        let tags = document::tags(frame);
        assert_eq!(tags.len(), 2, "{frame}");
        assert!(tags[0].attribute("title").unwrap().contains(name));
    }

    #[test]
    fn page_of_a_bot_has_its_texts_and_leads_to_the_files_of_the_site() {
        let bot = &bot::bundled()[0];
        let (html, _) = page(bot, None);
        assert!(html.contains("<title>@jen_122 · huggingtweets-web</title>"));
        let root = format!(
            "<html lang=\"en\" data-bot=\"{}\" data-root=\"{UP}\">",
            bot.repo
        );
        assert!(html.contains(&root), "{html}");
        assert!(html.contains("<div id=\"still\"><main>drawn</main></div>\n</body>"));
        let description = &values(&html, "name", "description", "content")[0];
        assert!(description.contains("@jen_122"), "{description}");
        for address in ["../../../start.js", "/bots/app_start.js"] {
            assert!(html.contains(&format!("src=\"{address}\"")), "{html}");
        }
        for address in ["../../../icon.svg", "../../../page-0.css"] {
            assert!(html.contains(&format!("href=\"{address}\"")), "{html}");
        }
    }

    #[test]
    fn with_an_origin_all_that_other_sites_read_is_absolute_and_without_one_nothing_is() {
        let bot = &bot::bundled()[0];
        let site = origin_of("https://example.org/bots").unwrap();
        let own = format!("{site}bot/{}/", bot.repo);
        let (html, oembed) = page(bot, Some(&site));
        let value = |name, value, of| values(&html, name, value, of).remove(0);
        assert_eq!(value("rel", "canonical", "href"), own);
        assert_eq!(value("property", "og:url", "content"), own);
        let picture = format!("{own}preview.png");
        assert_eq!(value("property", "og:image", "content"), picture);
        assert_eq!(
            value("type", "application/json+oembed", "href"),
            format!("{own}oembed.json")
        );
        assert_eq!(oembed["thumbnail_url"], picture);
        let frame = document::tags(oembed["html"].as_str().unwrap()).remove(0);
        assert_eq!(
            frame.attribute("src").unwrap(),
            format!("{site}index.html?view=embed&bot={}", bot.repo)
        );

        let (html, oembed) = page(bot, None);
        assert!(values(&html, "rel", "canonical", "href").is_empty());
        assert_eq!(oembed["thumbnail_url"], "preview.png");
        for path in ["./", "/bots/", ""] {
            assert_eq!(origin_of(path), None, "{path}");
        }
    }

    #[test]
    fn every_bot_gets_its_folder_and_the_index_the_first_bot() {
        let tree = SourceTree::find().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), SHELL).unwrap();
        let screens = FirstScreens::read(&tree).unwrap();
        write(&tree, &screens, "./", folder.path()).unwrap();
        for bot in bot::bundled() {
            let place = folder.path().join("bot").join(&bot.repo);
            let html = fs::read_to_string(place.join("index.html")).unwrap();
            assert!(html.contains(&format!("@{}", bot.card.handle)));
            let picture = fs::read(place.join(PREVIEW)).unwrap();
            // The size in a PNG's header.
            let [width, height] = PREVIEW_SIZE.map(u32::to_be_bytes);
            assert_eq!(picture[16..24], [width, height].concat(), "{}", bot.repo);
            assert!(place.join("oembed.json").is_file());
        }
        let index = fs::read_to_string(folder.path().join("index.html")).unwrap();
        assert!(index.contains("<title>old</title>") && index.contains("id=\"still\""));
        assert!(!index.contains("data-root"), "{index}");
        assert!(values(&index, "rel", "canonical", "href").is_empty());

        fs::write(folder.path().join("index.html"), SHELL).unwrap();
        write(&tree, &screens, "https://example.org/bots", folder.path()).unwrap();
        let index = fs::read_to_string(folder.path().join("index.html")).unwrap();
        let canonical = values(&index, "rel", "canonical", "href");
        assert_eq!(canonical, ["https://example.org/bots/"]);
        let picture = values(&index, "property", "og:image", "content");
        assert_eq!(picture, ["https://example.org/bots/preview.png"]);
    }
}

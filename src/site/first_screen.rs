//! `FirstScreens`: each bot's page as the program draws it, for visitors to whom the program has not come yet, and for
//! readers without scripts.
//!
//! The drawings are kept in `assets/first_screens`. `tests/web/first_screens.rs` compares them with what the program
//! draws in a browser, and writes them anew on request. To render them here, the native build would compile leptos too:
//! 70 s of processor time for its crates alone (2026-11-29).

use super::{SiteError, SourceTree, document};
use crate::bot::{self, Bot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// The folder with a file per bot, `OWNER/NAME.html`.
const FOLDER: &str = "assets/first_screens";
/// The attribute that stands for a `style`, which strict security policies forbid in documents.
const STYLE: &str = "data-style";

/// The drawings, and the style sheet that they share.
pub(super) struct FirstScreens {
    screens: Vec<(&'static Bot, String)>,
    /// Rules of the styles that the program sets element by element.
    pub css: String,
}

impl FirstScreens {
    /// Reads the drawing of each bot of the gallery.
    ///
    /// # Errors
    /// [`SiteError::File`].
    pub fn read(tree: &SourceTree) -> Result<Self, SiteError> {
        let folder = tree.root().join(FOLDER);
        let mut styles = Styles::default();
        let mut screens = Vec::new();
        let mut css = String::new();
        for bot in bot::bundled() {
            let path = folder.join(format!("{}.html", bot.repo));
            let html = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
            screens.push((bot, styles.move_out_of(&html)));
            // Writing to a string does not fail.
            let _ = writeln!(
                css,
                "[data-bot=\"{}\"] {{ --hue: {}; }}",
                bot.repo,
                bot::hue(&bot.card.handle)
            );
        }
        css += &styles.rules();
        Ok(Self { screens, css })
    }

    /// The bots in the gallery's order, each with its drawing in a page from which `to_folder` leads to the site's
    /// folder.
    pub fn in_pages(&self, to_folder: &str) -> impl Iterator<Item = (&'static Bot, String)> {
        self.screens
            .iter()
            .map(move |(bot, html)| (*bot, with_links_from(html, to_folder)))
    }
}

/// The distinct values of `style` attributes, each with its number.
#[derive(Default)]
struct Styles {
    numbers: BTreeMap<String, usize>,
}

impl Styles {
    /// `html` with a number in place of each `style`.
    fn move_out_of(&mut self, html: &str) -> String {
        let mut edits = Vec::new();
        for tag in document::tags(html) {
            let Some(style) = tag.attribute("style") else {
                continue;
            };
            let next = self.numbers.len();
            let number = *self.numbers.entry(style.to_owned()).or_insert(next);
            let text = tag.text(html);
            let written = format!("style=\"{}\"", document::escaped(style));
            let moved = text.replace(&written, &format!("{STYLE}=\"{number}\""));
            edits.push((tag.place, moved));
        }
        document::replace(html, &edits)
    }

    fn rules(&self) -> String {
        let rule = |(style, number)| format!("[{STYLE}=\"{number}\"] {{ {style} }}\n");
        self.numbers.iter().map(rule).collect()
    }
}

/// `html`, whose links lead to the site's folder, for a page elsewhere in the site.
fn with_links_from(html: &str, to_folder: &str) -> String {
    let mut edits = Vec::new();
    for tag in document::tags(html) {
        let Some(href) = tag.attribute("href") else {
            continue;
        };
        let Some(rest) = href
            .strip_prefix("./")
            .or(Some(href).filter(|href| href.starts_with('?')))
        else {
            continue;
        };
        let link = match (to_folder, rest) {
            ("", "") => "./".to_owned(),
            _ => format!("{to_folder}{rest}"),
        };
        let written = format!("href=\"{}\"", document::escaped(href));
        let moved = format!("href=\"{}\"", document::escaped(&link));
        edits.push((tag.place.clone(), tag.text(html).replace(&written, &moved)));
    }
    document::replace(html, &edits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn every_bot_has_a_drawing_with_its_own_words_and_without_scripts_and_styles() {
        let screens = FirstScreens::read(&SourceTree::find().unwrap()).unwrap();
        let mut n = 0;
        for (bot, html) in screens.in_pages("") {
            n += 1;
            for part in ["bot-name", "bot-label", "prompt", "generate", "avatar"] {
                let testid = format!("data-testid=\"{part}\"");
                assert!(html.contains(&testid), "{}: {part}", bot.repo);
            }
            assert!(html.contains(&format!("@{}", bot.card.handle)));
            for tag in document::tags(&html) {
                assert!(!["script", "style", "iframe", "link"].contains(&tag.name.as_str()));
                assert_eq!(tag.attribute("style"), None, "{}", tag.text(&html));
            }
        }
        assert_eq!(n, bot::bundled().len());
        assert!(screens.css.contains("--avatar-hue"), "{}", screens.css);
    }

    #[test]
    fn equal_styles_share_a_number_and_become_rules() {
        let mut styles = Styles::default();
        let html = "<b style=\"--hue: 1;\">a</b><i class=\"x\" style=\"--hue: 2;\"></i><b style=\"--hue: 1;\"></b>";
        assert_eq!(
            styles.move_out_of(html),
            "<b data-style=\"0\">a</b><i class=\"x\" data-style=\"1\"></i><b data-style=\"0\"></b>"
        );
        assert_eq!(
            styles.rules(),
            "[data-style=\"0\"] { --hue: 1; }\n[data-style=\"1\"] { --hue: 2; }\n"
        );
    }

    #[test]
    fn links_to_the_folder_are_led_there_and_others_stay() {
        let html = "<a href=\"./\">a</a><a href=\"?bot=a/b\">b</a><a href=\"#c\">c</a><a href=\"https://d.example/\">d</a>";
        assert_eq!(with_links_from(html, ""), html);
        assert_eq!(
            with_links_from(html, "../../../"),
            html.replace("./", "../../../")
                .replace("?bot", "../../../?bot")
        );
    }
}

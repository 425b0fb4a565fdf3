//! What the page, and each bot's, says about itself to other sites: Open Graph and a card of X in the head, `oembed.json`.
//!
//! Names on cards are strangers' texts: [`escaped`] and `serde_json` write them.

use super::document::escaped;
use crate::bot::Bot;
use serde_json::json;
use std::fmt::Write as _;

/// The name of the site.
const SITE: &str = "huggingtweets-web";
/// The way from a bot's page to the site's folder.
pub(super) const UP: &str = "../../../";
/// The name of a page's preview picture.
pub(super) const PREVIEW: &str = "preview.png";
/// Width and height of a preview picture.
pub(super) const PREVIEW_SIZE: [u32; 2] = [1200, 630];
/// Width and height of the frame that other sites show.
const FRAME_SIZE: [u32; 2] = [560, 640];

/// The site's address with a slash at its end, if it has an origin.
pub(super) fn origin_of(public_url: &str) -> Option<String> {
    let has_origin = ["https://", "http://"]
        .iter()
        .any(|scheme| public_url.starts_with(scheme));
    has_origin.then(|| format!("{}/", public_url.trim_end_matches('/')))
}

/// What `index.html` says about itself to other sites.
pub(super) fn index_head(site: Option<&str>) -> String {
    let mut head = String::new();
    if let Some(site) = site {
        link(&mut head, "canonical", site);
        property(&mut head, "og:url", site);
    }
    property(&mut head, "og:title", SITE);
    property(
        &mut head,
        "og:description",
        "The tweet bots of huggingtweets, alive again in your own browser.",
    );
    picture(
        &mut head,
        &format!("{}{PREVIEW}", site.unwrap_or_default()),
        "Five bots of huggingtweets with their drawn avatars and names",
    );
    head
}

/// What a bot's page says about itself to other sites.
pub(super) struct BotWords<'a> {
    bot: &'a Bot,
    label: &'static str,
    /// All display names and the handle.
    who: String,
    /// The document's title, as the program sets it.
    pub title: String,
    /// One sentence on the bot and one on its texts.
    pub description: String,
    /// The site's address, absolute or as seen from the bot's page.
    site: String,
    /// The page's own absolute address.
    own: Option<String>,
}

impl<'a> BotWords<'a> {
    pub fn of(bot: &'a Bot, site: Option<&str>) -> Self {
        let card = &bot.card;
        let label = card.label.text();
        let who = format!("{} (@{})", card.names.join(" & "), card.handle);
        let kept: u64 = card
            .table
            .iter()
            .map(|account| u64::from(account.kept))
            .sum();
        Self {
            label,
            title: format!("@{} · {SITE}", card.handle),
            description: format!(
                "A GPT-2 that imitates the tweets of {who}, fine-tuned on {kept} of them. It writes in your own browser, \
                 and a machine makes up what it writes."
            ),
            site: site.unwrap_or(UP).to_owned(),
            own: site.map(|site| format!("{site}bot/{}/", bot.repo)),
            who,
            bot,
        }
    }

    /// The address of a file beside the page.
    fn file(&self, name: &str) -> String {
        format!("{}{name}", self.own.as_deref().unwrap_or_default())
    }

    pub fn head(&self) -> String {
        let mut head = String::new();
        if let Some(own) = &self.own {
            link(&mut head, "canonical", own);
            property(&mut head, "og:url", own);
        }
        property(
            &mut head,
            "og:title",
            &format!("{}: {}", self.label, self.who),
        );
        property(&mut head, "og:description", &self.description);
        picture(
            &mut head,
            &self.file(PREVIEW),
            &format!("{} {}, drawn", self.label, self.who),
        );
        // Writing to a string does not fail.
        let _ = writeln!(
            head,
            "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{}\" title=\"{}\">",
            escaped(&self.file("oembed.json")),
            escaped(&self.title)
        );
        head
    }

    pub fn oembed(&self) -> String {
        let [width, height] = FRAME_SIZE;
        let [thumbnail_width, thumbnail_height] = PREVIEW_SIZE;
        let src = format!("{}index.html?view=embed&bot={}", self.site, self.bot.repo);
        let frame = format!(
            "<iframe src=\"{}\" title=\"{}\" width=\"{width}\" height=\"{height}\" allow=\"clipboard-write\" loading=\"lazy\" \
             style=\"border: 0; max-width: 100%\"></iframe>",
            escaped(&src),
            escaped(&format!("{} {}", self.label, self.who))
        );
        json!({
            "version": "1.0",
            "type": "rich",
            "title": format!("{}: {}", self.label, self.who),
            "author_name": "huggingtweets",
            "author_url": self.bot.hub_url(),
            "provider_name": SITE,
            "provider_url": self.site,
            "cache_age": 86400,
            "thumbnail_url": self.file(PREVIEW),
            "thumbnail_width": thumbnail_width,
            "thumbnail_height": thumbnail_height,
            "html": frame,
            "width": width,
            "height": height,
        })
        .to_string()
    }
}

fn property(head: &mut String, name: &str, content: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(
        head,
        "<meta property=\"{name}\" content=\"{}\">",
        escaped(content)
    );
}

fn link(head: &mut String, rel: &str, href: &str) {
    let _ = writeln!(head, "<link rel=\"{rel}\" href=\"{}\">", escaped(href));
}

fn picture(head: &mut String, address: &str, alt: &str) {
    let [width, height] = PREVIEW_SIZE.map(|side| side.to_string());
    for (name, content) in [
        ("og:site_name", SITE),
        ("og:type", "website"),
        ("og:image", address),
        ("og:image:type", "image/png"),
        ("og:image:width", &width),
        ("og:image:height", &height),
        ("og:image:alt", alt),
    ] {
        property(head, name, content);
    }
    // X reads the rest from the properties above.
    *head += "<meta name=\"twitter:card\" content=\"summary_large_image\">\n";
}

//! `Embedding`: the choices of the embed maker, and the code that other sites paste.

use super::markup::escaped;
use super::recipe::encoded;

/// Which form the code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `<huggingtweets-bot>` and the script that defines it.
    Element,
    /// An `<iframe>`, for sites that take no script.
    Frame,
    /// The address that a site with oEmbed unfurls.
    Address,
}

impl Form {
    /// All forms, in the order of the tabs.
    pub const ALL: [Form; 3] = [Form::Element, Form::Frame, Form::Address];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Form::Element => "Element",
            Form::Frame => "Frame",
            Form::Address => "Address",
        }
    }

    /// Where it is of use.
    #[must_use]
    pub fn note(self) -> &'static str {
        match self {
            Form::Element => {
                "For your own pages. It shows a card and your example texts, and downloads nothing more until a reader asks."
            }
            Form::Frame => {
                "For sites that take frames but no scripts. The frame opens the page at once."
            }
            Form::Address => {
                "For WordPress, Notion and others: paste the address on a line of its own. The site asks its oEmbed file for the rest."
            }
        }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmbedTheme {
    /// As the page around it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl EmbedTheme {
    /// All themes.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// When the element loads the bot's page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmbedLoad {
    /// When a reader presses its button.
    #[default]
    Click,
    /// When it is scrolled into view.
    Visible,
    /// With the page around it.
    Eager,
}

impl EmbedLoad {
    /// All times.
    pub const ALL: [Self; 3] = [Self::Click, Self::Visible, Self::Eager];

    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Visible => "visible",
            Self::Eager => "eager",
        }
    }
}

/// A text that was generated on this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Prompt and continuation.
    pub text: String,
    /// Who wrote it, as [`author`](super::share::author) says it.
    pub author: String,
    /// The model's name.
    pub model: String,
    /// The day, as `2026-11-29`.
    pub date: String,
}

/// What the visitor chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding {
    /// `OWNER/NAME`.
    pub bot: String,
    /// The prompt.
    pub prompt: String,
    /// Greatest width in pixels; `None` takes the width that there is.
    pub width: Option<u32>,
    /// Height of the frame in pixels.
    pub height: u32,
    /// Light or dark.
    pub theme: EmbedTheme,
    /// When the element loads.
    pub load: EmbedLoad,
    /// Texts that readers see before any script runs.
    pub examples: Vec<Example>,
}

impl Embedding {
    /// The code in this form. `base`: the address of this page's folder, with its slash.
    #[must_use]
    pub fn code(&self, form: Form, base: &str) -> String {
        match form {
            Form::Element => self.element(base),
            Form::Frame => self.frame(base),
            Form::Address => self.address(base),
        }
    }

    /// The address of the bot's own page, which names its oEmbed file.
    #[must_use]
    pub fn address(&self, base: &str) -> String {
        format!("{base}bot/{}/", self.bot)
    }

    fn element(&self, base: &str) -> String {
        let mut attributes = format!(" bot=\"{}\"", escaped(&self.bot));
        if !self.prompt.is_empty() {
            attributes += &format!(" text=\"{}\"", escaped(&self.prompt));
        }
        if self.theme != EmbedTheme::default() {
            attributes += &format!(" theme=\"{}\"", self.theme.name());
        }
        if self.load != EmbedLoad::default() {
            attributes += &format!(" load=\"{}\"", self.load.name());
        }
        if let Some(width) = self.width {
            attributes += &format!(" style=\"max-width: {width}px\"");
        }
        let examples: String = self.examples.iter().map(Example::html).collect();
        let children = match examples.is_empty() {
            true => String::new(),
            false => format!("\n{examples}"),
        };
        format!(
            "<script type=\"module\" src=\"{}embed.js\"></script>\n<huggingtweets-bot{attributes}>{children}</huggingtweets-bot>",
            escaped(base)
        )
    }

    /// The address of the frame.
    #[must_use]
    pub fn frame_address(&self, base: &str) -> String {
        let mut query = format!("view=embed&bot={}", encoded(&self.bot));
        if !self.prompt.is_empty() {
            query += &format!("&text={}", encoded(&self.prompt));
        }
        if self.theme != EmbedTheme::default() {
            query += &format!("&theme={}", self.theme.name());
        }
        format!("{base}index.html?{query}")
    }

    fn frame(&self, base: &str) -> String {
        let width = self
            .width
            .map_or("100%".to_owned(), |width| width.to_string());
        format!(
            "<iframe src=\"{}\" title=\"AI bot {}\" width=\"{width}\" height=\"{}\" loading=\"lazy\" \
             allow=\"clipboard-write; cross-origin-isolated\" frameborder=\"0\"></iframe>",
            escaped(&self.frame_address(base)),
            escaped(&self.bot),
            self.height
        )
    }
}

impl Example {
    /// Who wrote it, when, and that it is generated.
    #[must_use]
    pub fn mark(&self) -> String {
        format!(
            "Generated by {} ({}), {}. No person wrote it.",
            self.author, self.model, self.date
        )
    }

    fn html(&self) -> String {
        format!(
            "  <blockquote><p dir=\"auto\">{}</p><footer>{}</footer></blockquote>\n",
            escaped(&self.text).replace('\n', "<br>"),
            escaped(&self.mark())
        )
    }
}

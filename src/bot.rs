//! `Bot`: a published bot as the page shows it, by its repository and its model card.

mod avatar;
mod gallery;

pub use avatar::{drawings, hue, initials};
pub use gallery::{bundled, find};

// The page's components name the types of a card through this module.
pub use crate::card::{AccountData, Card, Label, Links};
use crate::hub::HUB;

/// Size in MB (10⁶ bytes) of the `pytorch_model.bin` of each bundled bot, as listed on the Hub: 124.4 million weights
/// of 4 bytes, and 12.6 MB of attention masks.
pub const HUB_WEIGHTS_MB: u32 = 510;

/// A bot and its model card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// `OWNER/NAME` on the Hub.
    pub repo: String,
    /// Its model card.
    pub card: Card,
}

impl Bot {
    /// The owner's name of a bot that was made here, or is being made.
    pub const ON_THIS_DEVICE: &str = "this-device";

    /// The owner's name of the bot that a copy of the site was made for.
    const ON_THIS_SITE: &str = "this-site";

    /// `OWNER/NAME` of the bot that a copy of the site was made for.
    pub fn repo_of_site(name: &str) -> String {
        format!("{}/{name}", Self::ON_THIS_SITE)
    }

    /// Whether no host of models has it: it was made here, or this site was made for it.
    pub fn is_own_work(&self) -> bool {
        let owner = self.repo.split('/').next();
        [Some(Self::ON_THIS_DEVICE), Some(Self::ON_THIS_SITE)].contains(&owner)
    }

    /// The separator of the two folders in the name of a mixed bot.
    pub const MIXED: &str = ".";

    /// The folders of the two bots that a bot of this device is mixed of.
    pub fn mixed_here(repo: &str) -> Option<[String; 2]> {
        let (one, other) = Self::folder_here(repo)?.split_once(Self::MIXED)?;
        Some([one.to_owned(), other.to_owned()])
    }

    /// The cyborg of two bots that were made here; `None` if it had more than three names.
    pub fn mixed(one: &Bot, other: &Bot) -> Option<Bot> {
        let (first, second) = (
            Self::folder_here(&one.repo)?,
            Self::folder_here(&other.repo)?,
        );
        let both = |list: fn(&Card) -> &[String]| [list(&one.card), list(&other.card)].concat();
        let handles = both(|card| &card.handles);
        let card = Card {
            label: Label::Cyborg,
            names: both(|card| &card.names),
            handle: handles.join("-"),
            handles,
            avatars: Vec::new(),
            table: [&one.card.table[..], &other.card.table].concat(),
            links: Links::default(),
            ..one.card.clone()
        };
        (card.names.len() <= 3).then(|| Bot {
            repo: Self::repo_here(&[first, second].join(Self::MIXED)),
            card,
        })
    }

    /// The name of the folder of a bot that was made here, in storage; `None` of another `repo`.
    pub fn folder_here(repo: &str) -> Option<&str> {
        repo.strip_prefix(Self::ON_THIS_DEVICE)?.strip_prefix('/')
    }

    /// `OWNER/NAME` of a bot that was made here, by the name of its folder.
    pub fn repo_here(folder: &str) -> String {
        format!("{}/{folder}", Self::ON_THIS_DEVICE)
    }

    /// The bot of the repository `repo`, from its `README.md`; `None` if that is not a huggingtweets card.
    pub fn from_readme(repo: &str, markdown: &str) -> Option<Bot> {
        let card = crate::card::read::read(markdown.as_bytes()).ok()?;
        Some(Bot {
            repo: repo.to_owned(),
            card,
        })
    }

    /// How many pictures it has: those of its card, or one per name where no host has any.
    pub fn n_pictures(&self) -> usize {
        match self.card.avatars.len() {
            0 if self.is_own_work() => self.card.names.len(),
            n => n,
        }
    }

    /// The address of the repository's page on the Hub.
    pub fn hub_url(&self) -> String {
        format!("{HUB}/{}", self.repo)
    }
}

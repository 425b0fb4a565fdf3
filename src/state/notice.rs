//! `Notice`: a plain remark above the results; it changes nothing and can be dismissed.

use super::wording::isolated;
use crate::generate::parameter::OutOfRange;
use crate::hub::dtype::DtypeError;
use crate::hub::{AddressError, RepoIdError, WebAddressError};

/// A remark that the page shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The bot in the page's address is not in the gallery; it is fetched when the visitor presses Generate.
    NotInGallery {
        /// `OWNER/NAME`.
        repo: String,
        /// The host that has it.
        host: String,
    },
    /// The bot in the page's address was made on a device, and this device does not have it.
    NotHere,
    /// The base model of the mixed bots in the page's address is not on this device.
    NoBase,
    /// The page's address holds the seed of texts, so Generate writes the same ones.
    Again,
    /// The model of the page's address is a file on another device.
    FileElsewhere {
        /// The file's name.
        name: String,
    },
    /// A part of the page's address was ignored.
    Ignored(AddressPart),
    /// A folder that was dropped on the page could not be opened.
    Folder {
        /// The folder's name.
        name: String,
        /// The cause.
        problem: FolderProblem,
    },
}

/// A part of the page's address that cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub enum AddressPart {
    /// `?endpoint=`.
    Endpoint(WebAddressError),
    /// `?bot=`.
    Bot(RepoIdError),
    /// `?model=`.
    Model(AddressError),
    /// `?dtype=`.
    Dtype(DtypeError),
    /// `?file=`, which is too long.
    File,
    /// `?mix=`.
    Mix,
    /// `?text=`, which is too long.
    Prompt,
    /// A generation parameter.
    Parameter(OutOfRange),
}

/// Why a dropped folder could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderProblem {
    /// It has no files.
    Empty,
    /// It has more entries than a model's folder.
    TooLarge,
    /// The browser could not read it.
    Unreadable,
}

impl Notice {
    /// The remark as the page shows it.
    pub fn text(&self) -> String {
        match self {
            Notice::NotInGallery { repo, host } => {
                format!("{repo} is not in this gallery. Press Generate to fetch it from {host}.")
            }
            Notice::NotHere => {
                "The bot of this link was made on a device, and is not on this one. Its maker can send it: “Save” in the maker makes a file of it, which opens here.".to_owned()
            }
            Notice::NoBase => {
                "The base model of these two bots is not on this device. Open one of them and choose the model’s file under “Mix it with another bot”.".to_owned()
            }
            Notice::Again => {
                "This link holds a seed: Generate writes its texts again. For new ones, reset the seed in the settings."
                    .to_owned()
            }
            Notice::FileElsewhere { name } => format!(
                "The texts of this link were written by a model from a file called {} on another device. Open that file here to write them again.",
                isolated(name)
            ),
            Notice::Ignored(part) => match part {
                AddressPart::Endpoint(error) => {
                    format!("The endpoint in the link was ignored: {error}.")
                }
                AddressPart::Bot(error) => format!("The bot in the link was ignored: {error}."),
                AddressPart::Model(error) => format!("The model in the link was ignored: {error}."),
                AddressPart::Dtype(error) => format!("The type in the link was ignored: {error}."),
                AddressPart::File => {
                    "The file name in the link was ignored: it is longer than 255 bytes.".to_owned()
                }
                AddressPart::Mix => {
                    "The share of the mixed bots in the link was ignored: it is no whole number from 0 to 100.".to_owned()
                }
                AddressPart::Prompt => {
                    "The prompt in the link was ignored: it is longer than 32 KiB.".to_owned()
                }
                AddressPart::Parameter(error) => {
                    format!("A setting in the link was ignored: {error}.")
                }
            },
            Notice::Folder { name, problem } => {
                let problem = match problem {
                    FolderProblem::Empty => "has no files in it",
                    FolderProblem::TooLarge => "has more than 1000 entries, too many for a model",
                    FolderProblem::Unreadable => "could not be read",
                };
                let name = isolated(name);
                format!(
                    "The folder {name} {problem}. Drop the folder that config.json is in, or the files themselves. An archive of posts is for the maker."
                )
            }
        }
    }
}

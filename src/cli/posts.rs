//! The posts of the files named on the command line, an account per file.

use super::folder_entries::FolderEntries;
use super::{CliError, notes};
use crate::posts::archive::{Import, ImportOptions, ReadError, Report, Step};
use crate::posts::clean::{CleanOptions, Cleaner, Verdict};
use crate::posts::counts::{Counts, FEW_CHARACTERS, Volume};
use crate::posts::post::{Post, normal_handle};
use crate::posts::time;
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Most accounts of a bot.
pub const MAX_ACCOUNTS: usize = 3;

/// Bytes read between two looks at the progress; nothing else has to be done here.
const STEP_BYTES: u64 = 64 << 20;

/// Which posts are read and how they are cleaned. The defaults are the original's rules.
#[derive(Debug, clap::Args)]
pub struct PostsArgs {
    /// Exports, one per account: a zip, an unpacked folder, outbox.json, tar.gz, CAR, CSV, JSON, JSONL, or a text with a
    /// post per line
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    cleaning: CleaningArgs,
}

/// Which posts of the files are read and how they are cleaned.
#[derive(Debug, clap::Args)]
pub struct CleaningArgs {
    /// Go on with what could be read of a damaged file
    #[arg(long)]
    partial: bool,
    /// Read the posts in communities of X too
    #[arg(long)]
    community_posts: bool,
    /// Count the words of scripts without spaces by segments
    #[arg(long)]
    segments: bool,
    /// Leave out answers to others
    #[arg(long)]
    no_replies: bool,
    /// Leave out posts whose text was kept before
    #[arg(long)]
    no_duplicates: bool,
    /// Leave out posts before this date, such as 2020-01-31
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<i64>,
    /// Leave out posts from this date on
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<i64>,
    /// Leave out posts that state another language, such as en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
}

fn date(text: &str) -> Result<i64, &'static str> {
    time::parse(text).ok_or("it must be a date such as 2020-01-31")
}

/// The posts of one account.
#[derive(Debug)]
pub struct AccountPosts {
    /// The display name, or else the handle.
    pub name: String,
    /// The handle as compared.
    pub handle: String,
    /// The counts of the card.
    pub counts: Counts,
    /// The kept texts in the export's order.
    pub kept: Vec<String>,
    /// The texts before cleaning, without retweets.
    pub raw: Vec<String>,
}

/// Whether the texts before cleaning are kept too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// They are.
    Keep,
    /// They are not.
    Drop,
}

impl AccountPosts {
    /// Refuses an account with too little text, unless `little_text`, and notes one with little.
    ///
    /// # Errors
    /// [`CliError::TooLittleText`].
    pub fn check_volume(&self, little_text: bool) -> Result<(), CliError> {
        let counts = self.counts;
        match counts.volume() {
            Volume::TooLittle if !little_text => Err(CliError::TooLittleText {
                handle: self.handle.clone(),
                counts,
            }),
            Volume::TooLittle | Volume::Little => {
                notes::print_notices([format!(
                    "@{} has {} characters of posts to learn from; from {FEW_CHARACTERS} on a bot repeats itself less",
                    self.handle,
                    counts.joined_characters()
                )]);
                Ok(())
            }
            Volume::Enough => Ok(()),
        }
    }
}

impl PostsArgs {
    /// The switches of the cleaning.
    pub fn clean_options(&self) -> CleanOptions {
        self.cleaning.clean_options()
    }

    /// Reads and cleans the posts of each file.
    ///
    /// # Errors
    /// As [`CleaningArgs::read`].
    pub fn read(&self, raw: Raw) -> Result<Vec<AccountPosts>, CliError> {
        self.cleaning.read(&self.files, raw)
    }
}

impl CleaningArgs {
    /// The switches of the cleaning.
    pub fn clean_options(&self) -> CleanOptions {
        CleanOptions {
            segments: self.segments,
            no_replies: self.no_replies,
            no_duplicates: self.no_duplicates,
            from: self.from,
            until: self.until,
            lang: self.lang.clone(),
        }
    }

    /// Reads and cleans the posts of each file.
    ///
    /// # Errors
    /// [`CliError`] if a file cannot be read or holds no posts, or if two are of one account.
    pub fn read(&self, files: &[PathBuf], raw: Raw) -> Result<Vec<AccountPosts>, CliError> {
        let mut accounts: Vec<AccountPosts> = Vec::new();
        let mut stated: BTreeSet<String> = BTreeSet::new();
        for path in files {
            let (mut account, is_stated) = self.read_one(path, raw)?;
            if is_stated && !stated.insert(account.handle.clone()) {
                return Err(CliError::SameAccount {
                    handle: account.handle,
                });
            }
            if !is_stated {
                // A name made of the file's is no claim.
                let base = account.handle.clone();
                let mut n = 1;
                while accounts.iter().any(|other| other.handle == account.handle) {
                    n += 1;
                    account.handle = format!("{base}_{n}");
                }
            }
            accounts.push(account);
        }
        Ok(accounts)
    }

    /// The posts of one file, and whether the file says whose they are.
    fn read_one(&self, path: &Path, raw: Raw) -> Result<(AccountPosts, bool), CliError> {
        let mut cleaner = Cleaner::new(self.clean_options());
        let mut counts = Counts::default();
        let mut kept = Vec::new();
        let mut raw_texts = Vec::new();
        let mut take = |post: Post| {
            let verdict = cleaner.judge(&post);
            counts.add(&verdict);
            if raw == Raw::Keep && !post.is_retweet {
                raw_texts.push(post.text);
            }
            if let Verdict::Kept { text, .. } = verdict {
                kept.push(text);
            }
            ControlFlow::Continue(())
        };
        let failed = |source: ReadError, n_posts: u64| CliError::Posts {
            path: path.to_owned(),
            source,
            n_posts,
        };
        let mut import = self.open(path)?;
        loop {
            match import.step(STEP_BYTES, &mut take) {
                Ok(Step::More) => {}
                Ok(Step::Done | Step::Stopped) => break,
                Err(error) => {
                    let n_posts = import.report().posts;
                    let error = failed(error, n_posts);
                    if !self.partial || n_posts == 0 {
                        return Err(error);
                    }
                    notes::print_notices([error]);
                    break;
                }
            }
        }
        let report = import.into_report();
        if report.posts == 0 {
            return Err(CliError::NoPosts {
                path: path.to_owned(),
            });
        }
        self.note(&report);
        let stated = report.account.handle.as_deref().map(normal_handle);
        let stated = stated.filter(|handle| !handle.is_empty());
        let is_stated = stated.is_some();
        let handle = stated.unwrap_or_else(|| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            handle_of(&stem)
        });
        let name = report.account.name.filter(|name| !name.trim().is_empty());
        let account = AccountPosts {
            name: name.unwrap_or_else(|| handle.clone()),
            handle,
            counts,
            kept,
            raw: raw_texts,
        };
        Ok((account, is_stated))
    }

    fn open(&self, path: &Path) -> Result<Import, CliError> {
        let options = ImportOptions {
            community_posts: self.community_posts,
        };
        let unreadable = |source| CliError::Read {
            path: path.to_owned(),
            source,
        };
        let import = if path.is_dir() {
            let entries = FolderEntries::new(path).map_err(unreadable)?;
            Import::open_entries(Box::new(entries), options)
        } else {
            let file = File::open(path).map_err(unreadable)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Import::open(Box::new(file), &name, options)
        };
        import.map_err(|source| CliError::Posts {
            path: path.to_owned(),
            source,
            n_posts: 0,
        })
    }

    /// Says what the counts do not show.
    fn note(&self, report: &Report) {
        let mut lines: Vec<String> = report.notices.iter().map(ToString::to_string).collect();
        if report.unreadable > 0 {
            lines.push(format!(
                "{} entries without a text were left out",
                report.unreadable
            ));
        }
        if report.superseded > 0 {
            lines.push(format!(
                "{} earlier versions of edited posts were left out",
                report.superseded
            ));
        }
        if report.not_public > 0 {
            lines.push(format!(
                "{} posts that not everybody could read were left out",
                report.not_public
            ));
        }
        if !report.community_files.is_empty() && !self.community_posts {
            lines.push(
                "posts in communities were left out; --community-posts reads them".to_owned(),
            );
        }
        notes::print_notices(lines);
    }
}

/// A handle for a file that names none: the letters, digits and `_` of its name.
pub fn handle_of(stem: &str) -> String {
    let handle: String = normal_handle(stem)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    match handle.trim_matches('_') {
        "" => "posts".to_owned(),
        handle => handle.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::handle_of;

    #[test]
    fn a_file_gives_a_handle() {
        assert_eq!(handle_of("Jen_122"), "jen_122");
        assert_eq!(handle_of("my posts (2)"), "my_posts__2");
        assert_eq!(handle_of("日記"), "posts");
    }
}

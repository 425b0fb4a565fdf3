//! Posts: from the export of a social network to clean texts, their counts, a training text and the record of it all.
//!
//! Nothing here knows a browser, a file system or a clock. Files come as [`archive::Entries`], seeds and times are handed in.
//!
//! In reading order:
//!
//! | modules | contents |
//! |---|---|
//! | [`post`] | a post and the account that wrote it |
//! | [`python`], [`random`] | what Python calls white space; its generator of random numbers and its shuffle |
//! | [`clean`], [`counts`] | the rules of huggingtweets, a verdict per post, and the counts on the card |
//! | [`language`] | the language of an account's posts |
//! | [`dataset`] | the training text |
//! | [`copied`] | how much of a text was copied from posts |
//! | [`record`] | what was made of what: runs and artifacts |
//! | [`time`] | the dates in exports |
//! | [`archive`] | exports of each network, read a bounded amount at a time |

pub mod archive;
pub mod clean;
pub mod copied;
pub mod counts;
pub mod dataset;
pub mod language;
pub mod post;
pub mod python;
pub mod random;
pub mod record;
pub mod time;

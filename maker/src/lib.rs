//! The maker: from exports of posts to the data and the record of a bot, kept on the device.
//!
//! The program of this package, `src/main.rs`, runs in a web worker of the page; the library is what it computes, and
//! the messages that it and the page exchange.
//!
//! | modules | contents |
//! |---|---|
//! | [`message`] | the messages between page and worker |
//! | [`picture`] | an account's picture as an address that needs no request |
//! | [`posts_file`] | an account's posts, in a file and not in memory |
//! | [`survey`] | posts by month, lengths, most used words |
//! | [`session`] | the bot that is being made: reading, cleaning, listing, writing, a step at a time |
//! | [`manifest`] | what is kept of it |
//! | [`bundle`] | the same as one zip |

pub mod bundle;
pub mod manifest;
pub mod message;
pub mod picture;
pub mod posts_file;
pub mod session;
pub mod survey;

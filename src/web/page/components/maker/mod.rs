//! The maker's components: from an export of posts to the data and the card of a bot.

mod account;
mod bots;
mod charts;
mod compared_runs;
mod import;
mod loss_curve;
mod posts_table;
mod record;
mod shared;
mod switches;
mod training;
mod training_text;
mod view;

pub use view::MakerView;

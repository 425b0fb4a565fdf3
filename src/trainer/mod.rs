//! `Training`: a bot's training from its text to its files, a step at a time, and what the page and the trainer's worker
//! tell each other.
//!
//! | modules | contents |
//! |---|---|
//! | [`message`] | what page and worker tell each other |
//! | [`training`] | the training with its record, its samples and its checkpoints |
//! | [`record`] | the run `train`, as the command line keeps it too |
//! | [`output`] | the files of the trained bot |
//! | [`trained`] | what storage lists of a trained bot |
//! | [`site`] | a copy of the site with the bot as its first |
//! | [`interrupted`] | what is known of a training that a closed tab has left |
//! | [`copy_check`] | how much of what the bot writes was copied from its posts |

pub mod copy_check;
pub mod interrupted;
pub mod message;
pub mod output;
pub mod record;
pub mod site;
pub mod trained;
pub mod training;

pub use interrupted::Interrupted;
pub use message::{Event, Request, TrainingPlan};
pub use trained::TrainedBot;
pub use training::Training;

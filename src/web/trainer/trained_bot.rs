//! Keeps checkpoints, writes the trained bot's files, packs them as a zip.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::bot_writer::{self, Given, Unwritten};
use super::failure::Failure;
use super::folder::TrainingFolder;
use super::host::{Host, date_ms, now, post};
use super::site_copy;
use crate::runs::ArtifactFile;
use crate::trainer::message::Left;
use crate::trainer::trained::INDEX;
use crate::trainer::{Event, Training};

impl Host {
    /// Keeps the state, where the browser has a place for it.
    pub(super) fn keep_checkpoint(&self) {
        let mut guard = self.state.borrow_mut();
        let state = &mut *guard;
        if let (Some(training), Some(checkpoints)) = (&state.training, &mut state.checkpoints)
            && let Err(error) = checkpoints.write(training)
        {
            // The training goes on without; the older checkpoint is there.
            let Failure { message, hint } = error.into();
            self.post(&Event::NotKept {
                reason: format!("{message}; {hint}"),
            });
        }
    }

    pub(super) fn finish_later(self: &Rc<Self>) {
        let host = Rc::clone(self);
        spawn_local(async move {
            let finished = host.finish().await;
            finished.unwrap_or_else(|failure| host.fail(failure));
        });
    }

    /// Writes the bot's files. What fails, such as a full device, can be tried again.
    async fn finish(&self) -> Result<(), Failure> {
        self.keep_checkpoint();
        let ended_ms = date_ms();
        let taken = {
            let mut state = self.state.borrow_mut();
            let (training, unwritten) = (state.training.take(), state.unwritten.take());
            (training, unwritten, state.folder.take())
        };
        let told = |texts| self.post(&Event::Writing { texts });
        let (mut unwritten, mut folder) = match taken {
            (Some(mut training), _, Some(mut folder)) => {
                told(0);
                let weights = match self.write_weights(&mut training, &mut folder).await {
                    Ok(weights) => weights,
                    Err(failure) => {
                        let mut state = self.state.borrow_mut();
                        (state.training, state.folder) = (Some(training), Some(folder));
                        self.post(&not_finished(Left::Training, failure));
                        return Ok(());
                    }
                };
                let given = {
                    let mut state = self.state.borrow_mut();
                    Given {
                        text: std::mem::take(&mut state.text),
                        preview: state.preview.take(),
                    }
                };
                training.end(ended_ms);
                (Unwritten::new(training, weights, given)?, folder)
            }
            (None, Some(unwritten), Some(folder)) => {
                told(0);
                (unwritten, folder)
            }
            // Everything is written, or nothing was begun.
            (_, _, folder) => {
                self.state.borrow_mut().folder = folder;
                return Ok(());
            }
        };
        let written = unwritten.write(&mut folder, &self.threads, &now, &told);
        let bot = match written.await {
            Ok(bot) => bot,
            Err(failure) => {
                let mut state = self.state.borrow_mut();
                (state.unwritten, state.folder) = (Some(unwritten), Some(folder));
                self.post(&not_finished(Left::Weights, failure));
                return Ok(());
            }
        };
        let gguf = folder.blob(&bot.gguf).await?;
        let mut state = self.state.borrow_mut();
        // The bot is there; a checkpoint is as large as three of it.
        if let Some(mut checkpoints) = state.checkpoints.take() {
            checkpoints.clear();
        }
        let is_kept = folder.stored().is_some();
        state.folder = Some(folder);
        let done = Event::Done {
            bot: Box::new(bot),
            is_kept,
        };
        post(&self.scope, &done, Some(&gguf));
        Ok(())
    }

    /// Writes the weights in place of those of an earlier bot.
    async fn write_weights(
        &self,
        training: &mut Training,
        folder: &mut TrainingFolder,
    ) -> Result<Vec<ArtifactFile>, Failure> {
        if bot_writer::withdraw(folder).await? {
            self.post(&Event::Replacing);
        }
        bot_writer::write_weights(training, folder).await
    }

    pub(super) fn pack_later(self: &Rc<Self>, bot: String, site: Option<String>) {
        let host = Rc::clone(self);
        spawn_local(async move {
            let packed = host.pack(&bot, site.as_deref()).await;
            if let Err(Failure { message, hint }) = packed {
                host.post(&Event::NotPacked { message, hint });
            }
        });
    }

    /// Gives out the bot's files in one zip, or the site with the bot.
    async fn pack(&self, bot: &str, site: Option<&str>) -> Result<(), Failure> {
        let kept = self.state.borrow_mut().folder.take();
        let folder = match kept {
            Some(folder) => folder,
            None => TrainingFolder::open(bot).await?,
        };
        let packed = zip_of(&folder, site).await;
        // Where the browser keeps no files, this folder is the only one.
        self.state.borrow_mut().folder = Some(folder);
        let (name, zip) = packed?;
        post(&self.scope, &Event::Packed { name }, Some(&zip));
        Ok(())
    }
}

fn not_finished(left: Left, Failure { message, hint }: Failure) -> Event {
    Event::NotFinished {
        left,
        message,
        hint,
    }
}

/// The name of a zip and its bytes: of the bot in `folder`, or of the site at an address with the bot.
async fn zip_of(folder: &TrainingFolder, site: Option<&str>) -> Result<(String, Blob), Failure> {
    let trained = bot_writer::read_bot(folder, INDEX).await?;
    let name = trained.gguf.trim_end_matches(".gguf");
    Ok(match site {
        Some(url) => (
            format!("{name}-site.zip"),
            site_copy::pack(&trained, folder, url).await?,
        ),
        None => (
            format!("{name}.zip"),
            bot_writer::pack(&trained, folder).await?,
        ),
    })
}

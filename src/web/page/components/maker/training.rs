//! `TrainingView`: what a training takes, its course, and the trained bot.

use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlInputElement};

use super::compared_runs::ComparedRuns;
use super::loss_curve::LossCurve;
use crate::bundled::BUNDLED_NAME;
use crate::hub::Dtype;
use crate::state::copied::copied_words;
use crate::state::training::{Phase, base_words};
use crate::state::training_settings::TrainingSettings;
use crate::state::wording::{bytes, count, estimated, isolated, plural, sentence};
use crate::trainer::copy_check::N_TEXTS;
use crate::trainer::record::STEPS;
use crate::web::page::base_models::BaseModel;
use crate::web::page::context::today;
use crate::web::page::made_bot;
use crate::web::page::maker::Maker;
use crate::web::page::trainer::Trainer;

/// The section.
#[component]
pub fn TrainingView() -> impl IntoView {
    let (maker, trainer) = (Maker::here(), Trainer::here());
    let phase = trainer.memo(|state| state.phase);
    let is_busy = trainer.memo(|state| state.is_busy());
    let is_begun = move || phase.get() != Phase::Idle;
    let failure = trainer.memo(|state| state.failure.clone());
    let not_kept = trainer.memo(|state| state.not_kept.clone());
    let status = trainer.memo(|state| state.status_words(N_TEXTS).unwrap_or_default());
    let interrupted = Memo::new(move |_| {
        trainer.with(|state| state.interrupted_words(&trainer.base_name(), BUNDLED_NAME))
    });
    let obstacle = maker.memo(|state| match (&state.bot.record, state.running) {
        (_, Some(_)) => Some("Posts are still being read."),
        (None, None) => Some("Write the training text first."),
        (Some(_), None) => None,
    });
    // Whether steps follow the preparation.
    let begins = StoredValue::new(false);
    let prepare = move |at_once: bool| {
        begins.set_value(at_once);
        maker.ask_for_text();
    };
    Effect::new(move |_| {
        let Some(text) = maker.take_text() else {
            return;
        };
        let settings = trainer.with_untracked(|state| state.settings.clone());
        let base = untrack(|| trainer.base_name());
        let plan = maker.with_untracked(|state| state.plan(&settings, &base, &today()));
        if let Some(plan) = plan {
            let shown = maker.with_untracked(|state| state.card_bot());
            trainer.prepare(plan, text, shown, begins.get_value());
        }
    });
    // What the document was before.
    let state_before = StoredValue::new(None::<String>);
    let show_state = move |is_training: bool| {
        const STATE: &str = "data-state";
        let Some(root) = document().document_element() else {
            return;
        };
        match (is_training, state_before.get_value()) {
            (true, None) => {
                state_before.set_value(root.get_attribute(STATE));
                let _ = root.set_attribute(STATE, "training");
            }
            (false, Some(before)) => {
                state_before.set_value(None);
                // The page beside may have written its own meanwhile.
                if root
                    .get_attribute(STATE)
                    .is_some_and(|now| now == "training")
                {
                    let _ = root.set_attribute(STATE, &before);
                }
            }
            _ => {}
        }
    };
    Effect::new(move |_| show_state(is_busy.get()));
    // The section may go with its bot.
    on_cleanup(move || show_state(false));
    // One button for what begins and what pauses, and one for what leads back, so that the focus stays.
    let press = move |_| match phase.get_untracked() {
        Phase::Ready | Phase::Paused => trainer.train(),
        Phase::Running => trainer.pause(),
        Phase::Unwritten => trainer.finish(),
        Phase::Idle if obstacle.with_untracked(Option::is_none) => prepare(true),
        _ => {}
    };
    let is_waiting = move || match phase.get() {
        Phase::Preparing { .. } | Phase::Pausing | Phase::Writing { .. } => true,
        Phase::Idle => obstacle.with(Option::is_some),
        _ => false,
    };
    let loses_steps = Memo::new(move |_| {
        let is_kept = maker.with(|state| state.name.is_none() || state.is_kept);
        trainer.with(|state| state.loses_steps(is_kept))
    });
    // A second press leads back where that costs steps.
    let is_asked = RwSignal::new(false);
    Effect::new(move |_| {
        phase.track();
        is_asked.set(false);
    });
    let back = move |_| match phase.get_untracked() {
        Phase::Paused | Phase::Unwritten
            if loses_steps.get_untracked() && !is_asked.get_untracked() =>
        {
            is_asked.set(true);
        }
        Phase::Preparing { .. } | Phase::Ready | Phase::Paused | Phase::Unwritten => {
            trainer.reset();
        }
        Phase::Idle if obstacle.with_untracked(Option::is_none) => prepare(false),
        _ => {}
    };
    let has_text = maker.memo(|state| state.bot.record.is_some());
    let lacks_text = move || phase.get() == Phase::Idle && !has_text.get();
    let can_pause = move || {
        matches!(
            phase.get(),
            Phase::Running | Phase::Pausing | Phase::Writing { .. }
        )
    };
    let can_stop = move || matches!(phase.get(), Phase::Running | Phase::Pausing | Phase::Paused);
    let title = NodeRef::<leptos::html::H2>::new();
    let stop = move |_| {
        if matches!(phase.get_untracked(), Phase::Running | Phase::Paused) {
            // The button goes.
            if let Some(title) = title.get_untracked() {
                let _ = title.focus();
            }
            trainer.finish();
        }
    };
    view! {
        <section class="maker-section" aria-labelledby="training-title" data-testid="maker-training">
            <h2 id="training-title" tabindex="-1" node_ref=title>"Train the bot"</h2>
            <p>"The processor of this device does it, in this tab. The state is kept every minute: a closed tab goes on where it was."</p>
            <Show when=move || !is_begun()>
                {move || interrupted.get().map(|words| view! { <p class="notice" data-testid="maker-interrupted">{words}</p> })}
                <Choices/>
            </Show>
            <p class="maker-picks">
                <button type="button" class="button is-primary" data-testid=move || if can_pause() { "maker-pause" } else { "maker-train" }
                    disabled=lacks_text aria-disabled=move || is_waiting().then_some("true") on:click=press>
                    {move || match phase.get() {
                        Phase::Idle | Phase::Preparing { .. } => "Train",
                        Phase::Ready => "Begin",
                        Phase::Paused => "Go on",
                        Phase::Unwritten => "Write its files again",
                        Phase::Running | Phase::Pausing | Phase::Writing { .. } => "Pause",
                    }}
                </button>
                <Show when=can_stop>
                    <button type="button" class="button" data-testid="maker-stop" aria-disabled=move || (phase.get() == Phase::Pausing).then_some("true") on:click=stop>"Stop and keep what it learnt"</button>
                </Show>
                <Show when=move || matches!(phase.get(), Phase::Idle | Phase::Preparing { .. } | Phase::Ready | Phase::Paused | Phase::Unwritten)>
                    <button type="button" class="button" data-testid=move || if is_begun() { "maker-figures" } else { "maker-measure" }
                        disabled=lacks_text aria-disabled=move || (!is_begun() && obstacle.with(Option::is_some)).then_some("true") on:click=back>
                        {move || match phase.get() {
                            Phase::Idle => "Measure what it takes",
                            Phase::Preparing { .. } => "Cancel",
                            _ if is_asked.get() => "Change the settings, and lose the last steps",
                            _ => "Change the settings",
                        }}
                    </button>
                </Show>
                <span class="muted">{move || obstacle.get().unwrap_or_default()}</span>
            </p>
            <p role="status">{status}</p>
            <Course/>
            {move || not_kept.get().map(|reason| view! {
                <p class="notice">{format!("{} The state could not be kept: a closed tab loses the steps since it was kept last.", sentence(&reason))}</p>
            })}
            {move || failure.get().map(|failure| view! {
                <div class="problem" role="alert" data-testid="error">
                    <p><strong>{sentence(&failure.message)}</strong></p>
                    <p>{sentence(&failure.hint)}</p>
                </div>
            })}
            <TrainedBot/>
        </section>
    }
}

/// Whether a file begins as models do.
async fn is_gguf(file: &Blob) -> bool {
    let Ok(start) = file.slice_with_f64_and_f64(0.0, 4.0) else {
        return false;
    };
    let bytes = JsFuture::from(start.array_buffer()).await;
    bytes.is_ok_and(|bytes| Uint8Array::new(&bytes).to_vec() == b"GGUF")
}

/// The value of the file that was picked in the choice of a model.
const FILE: &str = "file";

/// The base model and the settings.
#[component]
fn Choices() -> impl IntoView {
    let trainer = Trainer::here();
    let settings = trainer.memo(|state| state.settings.clone());
    let change = move |change: fn(&mut TrainingSettings, &str), text: String| {
        trainer.change(|state| change(&mut state.settings, text.trim()));
    };
    let number = move |id: &'static str,
                       words: &'static str,
                       value: fn(&TrainingSettings) -> String,
                       set: fn(&mut TrainingSettings, &str)| {
        view! {
            <label for=id>{words}</label>
            <input id=id class="field" inputmode="decimal" prop:value=move || settings.with(value)
                on:change:target=move |event| change(set, event.target().value())/>
        }
    };
    let maker = Maker::here();
    let here = RwSignal::new(Vec::<BaseModel>::new());
    leptos::task::spawn_local(async move {
        let open = maker.with_untracked(|state| state.name.clone());
        let models = BaseModel::list(open.as_deref()).await;
        // The section may be gone.
        let _ = here.try_set(models);
    });
    let take = move |chosen| trainer.take_base(chosen);
    // The model of the list that was taken last; a second one may have its name.
    let taken = RwSignal::new(None::<BaseModel>);
    // The name of a picked file that is no model.
    let refused = RwSignal::new(None::<String>);
    let picked = move |event: web_sys::Event| {
        let input = event
            .target()
            .and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
        let Some(input) = input else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same file can be picked again.
        input.set_value("");
        let Some(file) = file else { return };
        leptos::task::spawn_local(async move {
            let is_model = is_gguf(&file).await;
            // The section may be gone.
            let _ = refused.try_set((!is_model).then(|| file.name()));
            if is_model {
                let _ = taken.try_set(None);
                take(Some((file.name(), Blob::from(file))));
            }
        });
    };
    // It stays once it was there, with the focus on it.
    let has_choice = Memo::new(move |had: Option<&bool>| {
        had == Some(&true) || trainer.has_base() || here.with(|models| !models.is_empty())
    });
    // Drawn anew when another model is taken in another way.
    let options = move || {
        let base = trainer.base_name();
        let taken = taken.get().filter(|model| model.base_name() == base);
        let option = |value: String, name: String, is_base: bool| {
            view! { <option value=value selected=is_base>{name}</option> }
        };
        let models = here.get().into_iter().enumerate().map(|(place, model)| {
            let is_base = match &taken {
                Some(taken) => *taken == model,
                None => model.base_name() == base,
            };
            (place.to_string(), model.label, is_base)
        });
        let bundled = "The model that comes with the page".to_owned();
        let mut all = vec![(String::new(), bundled, base == BUNDLED_NAME)];
        all.extend(models);
        if !all.iter().any(|(_, _, is_base)| *is_base) {
            all.push((FILE.to_owned(), base, true));
        }
        let all = all.into_iter();
        all.map(|(value, name, is_base)| option(value, name, is_base))
            .collect_view()
    };
    let is_gone = RwSignal::new(false);
    let chosen = move |place: String| {
        is_gone.set(false);
        refused.set(None);
        if place == FILE {
            return;
        }
        let place = place.parse::<usize>().ok();
        let model = place.and_then(|place| here.with_untracked(|it| it.get(place).cloned()));
        let Some(model) = model else {
            return take(None);
        };
        leptos::task::spawn_local(async move {
            match model.file().await {
                Some(file) => {
                    take(Some((model.name.clone(), file)));
                    taken.set(Some(model));
                }
                None => is_gone.set(true),
            }
        });
    };
    view! {
        <p class="maker-picks">
            <span>{move || if trainer.has_base() { "From the model " } else { "From " }}<strong data-testid="maker-base-name">{move || base_words(&trainer.base_name(), BUNDLED_NAME)}</strong></span>
            <Show when=move || has_choice.get()>
                <select class="field" aria-label="Choose a model on this device" data-testid="maker-base-here" on:change:target=move |event| chosen(event.target().value())>
                    {options}
                </select>
            </Show>
            <label class="button">"Choose a file (GGUF)"
                <input type="file" accept=".gguf" class="visually-hidden" data-testid="maker-base" on:change=picked/>
            </label>
        </p>
        {move || refused.get().map(|name| view! {
            <p class="notice" role="alert">{format!("“{}” is no GGUF file, so nothing can be trained from it. Choose a file that ends in .gguf.", isolated(&name))}</p>
        })}
        <Show when=move || is_gone.get()>
            <p class="notice">"That model is no longer on this device."</p>
        </Show>
        <fieldset class="maker-consent">
            <legend>"What is trained"</legend>
            <label class="check"><input type="radio" name="maker-method" data-testid="maker-method" prop:checked=move || !settings.with(|it| it.is_lora) on:change=move |_| change(|it, _| it.is_lora = false, String::new())/>"every weight, as the original did"</label>
            <label class="check"><input type="radio" name="maker-method" data-testid="maker-method" prop:checked=move || settings.with(|it| it.is_lora) on:change=move |_| change(|it, _| it.is_lora = true, String::new())/>"LoRA: thin matrices beside the model’s, in a quarter of the memory"</label>
        </fieldset>
        <details>
            <summary>"Settings"</summary>
            <div class="maker-names">
                {number("training-rate", "Learning rate", |it| it.learning_rate.map_or_else(String::new, |rate| rate.to_string()), |it, text| it.learning_rate = text.parse().ok().filter(|rate| (1e-7..=1.0).contains(rate)))}
                {number("training-block", "Tokens of a block", |it| it.block_len.map_or_else(String::new, |n| n.to_string()), |it, text| it.block_len = text.parse().ok().filter(|n| (2..=1024).contains(n)))}
                {number("training-passes", "Passes over the text", |it| it.passes.to_string(), |it, text| if let Ok(n @ 1..=100) = text.parse() { it.passes = n })}
                {number("training-rank", "LoRA’s rank", |it| it.rank.to_string(), |it, text| if let Ok(n @ 1..=256) = text.parse() { it.rank = n })}
                <label for="training-dtype">"Type of the bot’s file"</label>
                <select id="training-dtype" class="field" on:change:target=move |event| change(|it, text| if let Ok(dtype) = text.to_owned().try_into() { it.dtype = dtype }, event.target().value())>
                    {[Dtype::Q8_0, Dtype::Q6K, Dtype::Q4K, Dtype::F16, Dtype::F32].map(|dtype| view! {
                        <option value=dtype.name() selected=move || settings.with(|it| it.dtype == dtype)>{dtype.name()}</option>
                    })}
                </select>
            </div>
            <label class="check"><input type="checkbox" prop:checked=move || settings.with(|it| it.little_memory) on:change=move |_| change(|it, _| it.little_memory = !it.little_memory, String::new())/>"Take less memory and a third more time"</label>
            <p class="muted">"An empty field is the method’s own value: 1.372e-4 for every weight and 2e-3 for LoRA, and the model’s context."</p>
        </details>
    }
}

/// Loss, speed, curve and samples, once there is a step.
#[component]
fn Course() -> impl IntoView {
    let trainer = Trainer::here();
    let report = trainer.memo(|state| state.report);
    let speed = trainer.memo(|state| state.speed_words());
    let memory = trainer.memo(|state| state.memory_bytes);
    let samples = trainer.memo(|state| state.samples.clone());
    let curves = trainer.memo(|state| vec![state.curve()]);
    let n_steps = move || report.get().map_or(1.0, |it| f64::from(it.n_steps));
    let has_steps = move || report.with(Option::is_some);
    view! {
        <Show when=has_steps>
            <div class="maker-running">
                <progress max="1" value=move || report.get().map_or(0.0, |it| f64::from(it.step) / f64::from(it.n_steps)) aria-label="Steps done"></progress>
                <dl class="maker-counts">
                    <div><dt>"Step"</dt><dd data-testid="maker-step">{move || report.get().map(|it| format!("{} of {}", count(it.step.into()), count(it.n_steps.into())))}</dd></div>
                    <div><dt>"Loss"</dt><dd data-testid="maker-loss">{move || report.get().map(|it| format!("{:.3}", it.loss))}</dd></div>
                    <div><dt>"Learning rate"</dt><dd>{move || report.get().map(|it| format!("{:.2e}", it.learning_rate))}</dd></div>
                    <div><dt>"Speed"</dt><dd data-testid="maker-speed">{move || speed.get()}</dd></div>
                    <div><dt>"Memory"</dt><dd data-testid="maker-memory">{move || bytes(memory.get())}</dd></div>
                </dl>
                <LossCurve curves n_steps=Signal::derive(n_steps)/>
            </div>
        </Show>
        {move || samples.get().map(|(step, texts)| view! {
            <div data-testid="maker-samples">
                <h3>{format!("After step {} it writes", count(step.into()))}</h3>
                <ul class="maker-posts">{texts.into_iter().map(|text| view! { <li dir="auto">{text}</li> }).collect_view()}</ul>
            </div>
        })}
    }
}

/// The trained bot: what was done, and what can be done with it.
#[component]
fn TrainedBot() -> impl IntoView {
    let (maker, trainer) = (Maker::here(), Trainer::here());
    let trained = trainer.memo(|state| state.trained.clone());
    let is_packing = trainer.memo(|state| state.is_packing);
    let is_packed = trainer.memo(|state| state.is_packed);
    let waits = move || is_packing.get().then_some("true");
    let name = move || maker.with_untracked(|state| state.name.clone());
    move || {
        trained.get().map(|trained| {
            let run = &trained.record.run;
            let number = |name: &str| run.summary.get(name).and_then(serde_json::Value::as_f64).unwrap_or_default();
            let noted = || run.metrics.last().map_or(0, |metric| metric.step.into());
            let steps = run.summary.get(STEPS).and_then(serde_json::Value::as_u64).unwrap_or_else(noted);
            let words = format!(
                "{} in {}, loss {:.2} to {:.2}, {:.0} tokens per second.",
                plural(steps as usize, "step", "steps"), estimated(number("seconds")), number("first_loss"), number("last_loss"), number("tokens_per_second"),
            );
            let copied = copied_words(&trained.record);
            let size: u64 = trained.files.iter().map(|(_, size)| size).sum();
            let files = trained.files.iter().map(|(name, size)| view! { <li><code>{name.clone()}</code>" "<span class="muted">{bytes(*size)}</span></li> });
            let files = files.collect_view();
            let gguf = trained.gguf.clone();
            let open = move |_| {
                let Some(bot) = name() else { return };
                let gguf = gguf.clone();
                leptos::task::spawn_local(async move {
                    if let Some(file) = trainer.trained_file(&bot, &gguf).await {
                        let card = maker.with_untracked(|state| state.card_text(&today()));
                        maker.close_and(move || made_bot::open_file(&file, &bot, &card.unwrap_or_default()));
                    }
                });
            };
            view! {
                <div class="maker-trained" data-testid="maker-trained">
                    <h3>"The bot is trained"</h3>
                    <p>{words}</p>
                    <p data-testid="maker-copied">{copied}</p>
                    <ComparedRuns bot=trained/>
                    <p class="maker-picks">
                        <button type="button" class="button is-primary" data-testid="maker-open" on:click=open>"Let it write"</button>
                        <button type="button" class="button" data-testid="maker-save-trained" aria-disabled=waits on:click=move |_| if !is_packing.get_untracked() && let Some(bot) = name() { trainer.pack(bot) }>{format!("Save its {} as one zip", bytes(size))}</button>
                        <button type="button" class="button" data-testid="maker-save-site" aria-disabled=waits on:click=move |_| if !is_packing.get_untracked() && let Some(bot) = name() { trainer.pack_site(bot) }>"Save a site with it"</button>
                        <span role="status">{move || match is_packing.get() {
                            true => "Making the zip …",
                            false if is_packed.get() => "The zip is made.",
                            false => "",
                        }}</span>
                    </p>
                    <details>
                        <summary>"Its files, as a repository of the Hub has them"</summary>
                        <ul class="maker-files">{files}</ul>
                    </details>
                </div>
            }
        })
    }
}

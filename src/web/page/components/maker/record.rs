//! `RecordView`: what was made of what: the run and its artifacts, drawn as a line of circles and a square.

use leptos::prelude::*;
use posts::record::Artifact;

use crate::state::wording::{bytes, count};
use crate::web::page::maker::Maker;

/// The id of its title.
pub const TITLE: &str = "record-title";

/// The section, once there is a record.
#[component]
pub fn RecordView() -> impl IntoView {
    let maker = Maker::here();
    let record = maker.memo(|state| state.bot.record.clone());
    move || {
        record.get().map(|record| {
            let run = record.run;
            let kind = |artifact: &Artifact| serde_json::to_value(artifact.kind).ok();
            let kind = move |artifact: &Artifact| kind(artifact).and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
            let rows = record.artifacts.iter().map(|artifact| {
                view! {
                    <tr>
                        <th scope="row"><bdi>{format!("{}:{}", artifact.name, artifact.version)}</bdi></th>
                        <td>{kind(artifact)}</td>
                        <td>{format!("{} posts, {}", count(artifact.metadata.posts), bytes(artifact.size_bytes))}</td>
                        <td><code>{artifact.sha256.clone()}</code></td>
                    </tr>
                }
            });
            let rows = rows.collect_view();
            let label = format!("{} became {} by the run {}", run.inputs.join(", "), run.outputs.join(", "), run.name);
            let (input, output) = (run.inputs.join(", "), run.outputs.join(", "));
            view! {
                <section class="maker-section" aria-labelledby=TITLE data-testid="maker-record">
                    <h2 id=TITLE>"What was done"</h2>
                    <svg class="maker-lineage" role="img" aria-label=label viewBox="0 0 320 96">
                        <line x1="40" y1="36" x2="280" y2="36"/>
                        <circle cx="40" cy="36" r="20"/>
                        <rect x="138" y="16" width="44" height="40" rx="6"/>
                        <circle cx="280" cy="36" r="20"/>
                        <text x="40" y="78">"posts"</text>
                        <text x="160" y="78">"preprocess"</text>
                        <text x="280" y="78">"training text"</text>
                    </svg>
                    <dl class="facts">
                        <div><dt>"Run"</dt><dd><code>{run.id.clone()}</code>" "<bdi>{run.name.clone()}</bdi></dd></div>
                        <div><dt>"In"</dt><dd><bdi>{input}</bdi></dd></div>
                        <div><dt>"Out"</dt><dd><bdi>{output}</bdi></dd></div>
                        <div><dt>"Seed, copies"</dt><dd>{format!("{}, {}", run.config.dataset.seed, run.config.dataset.epochs)}</dd></div>
                        <div><dt>"Version"</dt><dd>{format!("huggingtweets-web {}", run.config.version)}</dd></div>
                    </dl>
                    <div class="table-scroll" tabindex="0" role="region" aria-label="Artifacts">
                        <table><thead><tr><th scope="col">"Artifact"</th><th scope="col">"Type"</th><th scope="col">"Size"</th><th scope="col">"SHA-256"</th></tr></thead><tbody>{rows}</tbody></table>
                    </div>
                </section>
            }
        })
    }
}

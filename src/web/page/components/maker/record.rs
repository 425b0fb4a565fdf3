//! `RecordView`: what was made of what: the runs and their artifacts, drawn as a line of circles and squares.

use leptos::prelude::*;

use crate::runs::{Artifact, RunRecord};
use crate::state::wording::{bytes, count};
use crate::web::page::maker::Maker;
use crate::web::page::trainer::Trainer;

/// The id of its title.
pub const TITLE: &str = "record-title";

/// A node of the drawing: what was made, or the run that made it.
type Node = (&'static str, IsRun);
type IsRun = bool;

const PREPARED: [Node; 3] = [
    ("posts", false),
    ("preprocess", true),
    ("training text", false),
];
const TRAINED: [Node; 2] = [("train", true), ("bot", false)];

/// The section, once there is a record.
#[component]
pub fn RecordView() -> impl IntoView {
    let (maker, trainer) = (Maker::here(), Trainer::here());
    let record = maker.memo(|state| state.bot.record.clone());
    let trained = trainer.memo(|state| Some(state.trained.as_ref()?.record.clone()));
    move || {
        record.get().map(|record| {
            let dataset = record.run.config.dataset;
            let prepared = RunRecord::from(record);
            let trained = trained.get();
            let nodes = || {
                let later = trained.is_some().then_some(TRAINED);
                PREPARED.into_iter().chain(later.into_iter().flatten())
            };
            let records: Vec<&RunRecord> = std::iter::once(&prepared).chain(&trained).collect();
            let label = records.iter().map(|record| spoken(record)).collect::<Vec<_>>().join("; ");
            let facts = records.iter().map(|record| facts(record)).collect_view();
            // The training takes in the text that stands there already.
            let mut artifacts: Vec<&Artifact> = prepared.artifacts.iter().collect();
            for artifact in trained.iter().flat_map(|record| &record.artifacts) {
                if !artifacts.iter().any(|known| known.reference() == artifact.reference()) {
                    artifacts.push(artifact);
                }
            }
            let rows = artifacts.into_iter().map(row).collect_view();
            view! {
                <section class="maker-section" aria-labelledby=TITLE data-testid="maker-record">
                    <h2 id=TITLE>"What was done"</h2>
                    {lineage(nodes().collect(), label)}
                    <dl class="facts">
                        {facts}
                        <div><dt>"Seed, copies"</dt><dd>{format!("{}, {}", dataset.seed, dataset.epochs)}</dd></div>
                    </dl>
                    <div class="table-scroll" tabindex="0" role="region" aria-label="Artifacts">
                        <table><thead><tr><th scope="col">"Artifact"</th><th scope="col">"Type"</th><th scope="col">"Size"</th><th scope="col">"SHA-256"</th></tr></thead><tbody>{rows}</tbody></table>
                    </div>
                </section>
            }
        })
    }
}

/// The nodes on a line, which breaks where the page is narrow, each with its word below.
fn lineage(nodes: Vec<Node>, label: String) -> impl IntoView {
    let drawn = nodes.into_iter().map(|(word, is_run)| {
        view! { <span class="maker-node" class:is-run=is_run>{word}</span> }
    });
    view! { <div class="maker-lineage" role="img" aria-label=label>{drawn.collect_view()}</div> }
}

fn spoken(record: &RunRecord) -> String {
    let run = &record.run;
    format!(
        "{} became {} by the run {}",
        run.inputs.join(", "),
        run.outputs.join(", "),
        run.name
    )
}

fn facts(record: &RunRecord) -> impl IntoView + use<> {
    let run = &record.run;
    let versions = run.versions.iter();
    let versions = versions
        .map(|(name, version)| format!("{name} {version}"))
        .collect::<Vec<_>>();
    view! {
        <div><dt>"Run"</dt><dd><code>{run.id.clone()}</code>" "<bdi>{run.name.clone()}</bdi></dd></div>
        <div><dt>"In"</dt><dd><bdi>{run.inputs.join(", ")}</bdi></dd></div>
        <div><dt>"Out"</dt><dd><bdi>{run.outputs.join(", ")}</bdi></dd></div>
        <div><dt>"Versions"</dt><dd>{versions.join(", ")}</dd></div>
    }
}

fn row(artifact: &Artifact) -> impl IntoView + use<> {
    let size = bytes(artifact.files.iter().map(|file| file.size_bytes).sum());
    let posts = artifact
        .metadata
        .get("posts")
        .and_then(serde_json::Value::as_u64);
    let size = match posts {
        Some(posts) => format!("{} posts, {size}", count(posts)),
        None => size,
    };
    let hashes = artifact.files.iter();
    let hashes = hashes.map(|file| view! { <code>{file.sha256.clone()}</code>" " });
    let hashes = hashes.collect_view();
    view! {
        <tr>
            <th scope="row"><bdi>{artifact.reference()}</bdi></th>
            <td>{artifact.kind.clone()}</td>
            <td>{size}</td>
            <td>{hashes}</td>
        </tr>
    }
}

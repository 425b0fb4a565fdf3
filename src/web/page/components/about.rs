//! `About`: the dialog that explains the page and its limits.

use leptos::prelude::*;

use super::dialog::{Dialog, View};
use super::measure_device::MeasureDevice;
use super::outward_link::OutwardLink;

/// The dialog.
#[component]
pub fn About() -> impl IntoView {
    view! {
        <Dialog view=View::About title="About this page" testid="about">
            <p>
                "From 2020 to 2024 people fine-tuned thousands of small GPT-2 models on somebody’s tweets, with a notebook called huggingtweets. "
                "Their pages on the Hub (huggingface.co, where models are published) remain, but nothing answers there any more. This page brings them back: GPT-2 runs in your browser, with no server behind it."
            </p>
            <p>
                "Your prompts and texts stay on this device. A language model makes the text, one token (a word or part of one) at a time; "
                "nobody said it, and it is often wrong, unkind or plain nonsense. Mark it as generated where you show it."
            </p>
            <p>
                "huggingtweets was built by Boris Dayma. huggingtweets-web is free software under the MIT licence, "
                "written in Rust with Leptos."
            </p>
            <ul class="link-list">
                <li><OutwardLink url="https://github.com/borisdayma/huggingtweets" text="The original huggingtweets"/></li>
                <li><OutwardLink url="https://huggingface.co/huggingtweets" text="All published bots"/></li>
            </ul>
            <MeasureDevice/>
        </Dialog>
    }
}

//! The essential claims in WebKitGTK, a relative of Safari: `cargo test --release --test web -- --ignored webkit`.

use crate::harness::{Browser, Site};
use crate::isolation::STARTED;
use crate::{element, essentials, frames};
use huggingtweets::site::Isolation;
use serde_json::json;

macro_rules! in_webkit {
    ($($area:ident::$claim:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        #[ignore = "nightly: its driver and display do not always start"]
        async fn $claim() {
            $area::$claim(Browser::WebKit).await;
        })+
    };
}

in_webkit!(
    essentials::page_opens_at_the_root_and_in_a_sub_folder_without_error_or_foreign_request,
    essentials::one_seed_writes_the_text_of_the_command_line,
    essentials::a_truncated_model_is_refused_and_the_bundled_one_takes_over,
    frames::a_sandboxed_frame_on_another_site_writes,
    element::a_click_writes_in_the_place_of_the_card,
    element::a_host_with_a_strict_policy_needs_two_directives,
    element::ten_elements_share_one_engine,
    element::a_frame_without_the_script_writes_too,
);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "nightly: its driver and display do not always start"]
async fn the_module_writes_the_text_of_the_command_line() {
    let Some(site) = Site::start_in(Browser::WebKit, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    let script = "const done = arguments[0]; \
         import('/huggingtweets.js').then(async ({ pipeline }) => { \
           const generator = await pipeline('text-generation'); \
           const options = { num_return_sequences: 2, max_new_tokens: 12, seed: 7, return_full_text: false }; \
           done((await generator('I like', options)).map(({ generated_text }) => generated_text)); \
         }).catch((error) => done(String(error)))";
    let texts = page.client.execute_async(script, Vec::new()).await.unwrap();
    assert_eq!(
        texts,
        json!(essentials::by_command_line("I like", 2, 12, 7))
    );
}

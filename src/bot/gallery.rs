//! The five bots that come with the page.

use std::sync::OnceLock;

use super::Bot;

/// Cards of the gallery, in its order.
///
/// Each file is the result of [`card::read`](crate::card::read::read) on the published card. `tests/native/cards.rs` compares
/// the two where the published cards are at hand, and rewrites the files on request.
const BUNDLED: [(&str, &str); 5] = [
    (
        "huggingtweets/jen_122",
        include_str!("../../assets/bots/jen_122.json"),
    ),
    (
        "huggingtweets/empressrandom",
        include_str!("../../assets/bots/empressrandom.json"),
    ),
    (
        "huggingtweets/snackmerritt",
        include_str!("../../assets/bots/snackmerritt.json"),
    ),
    (
        "huggingtweets/kr00ney-nerdwallet-producthunt",
        include_str!("../../assets/bots/kr00ney-nerdwallet-producthunt.json"),
    ),
    (
        "huggingtweets/goando-tsuchinao83-za09313103",
        include_str!("../../assets/bots/goando-tsuchinao83-za09313103.json"),
    ),
];

/// The five bots that come with the page, in the gallery's order.
pub fn bundled() -> &'static [Bot] {
    static BOTS: OnceLock<Vec<Bot>> = OnceLock::new();
    BOTS.get_or_init(|| {
        BUNDLED
            .iter()
            .map(|(repo, json)| Bot {
                repo: (*repo).to_owned(),
                card: serde_json::from_str(json).expect("the bundled cards are tested to be cards"),
            })
            .collect()
    })
}

/// The bundled bot of the repository `repo`, letter case ignored.
pub fn find(repo: &str) -> Option<&'static Bot> {
    bundled()
        .iter()
        .find(|bot| bot.repo.eq_ignore_ascii_case(repo))
}

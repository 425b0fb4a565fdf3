//! `PageState`: what the page shows; `update(event)` is its only change.

//! The browser edge: page, worker and the channel between them.

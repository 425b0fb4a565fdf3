//! The browser edge: the page, the worker, and what both share.

// The page is never built with threads: it would wait, which a page may not.
#[cfg(not(target_feature = "atomics"))]
pub mod page;
pub mod shared;
pub mod worker;

//! The code that runs only in a browser: the page, its workers, and the modules that both use.

// The page is never built with threads: threads wait for each other, and a browser's main thread must not wait.
#[cfg(not(target_feature = "atomics"))]
pub mod page;
pub mod shared;
pub mod trainer;
pub mod worker;

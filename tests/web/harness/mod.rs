//! The built page on a server, and browsers that open it.
//!
//! ```ignore
//! #[tokio::test(flavor = "multi_thread")]
//! async fn generate_is_enabled_before_a_model_is_there() {
//!     let site = Site::start().await;
//!     let page = site.open("/").await;
//!     page.wait_for_state(&["idle"]).await;
//!     assert!(page.find("generate").await.is_enabled().await.unwrap());
//!     page.close_clean().await;
//! }
//! ```
//!
//! Every test has its own server, tab, origin and empty storage, so tests run in any order and at once; browsers are
//! lent by [`session`].

mod driver;
mod made;
mod memory;
mod page;
mod programs;
mod routes;
mod session;
mod site;
mod watch;

pub use crate::support::mirror::{Fault, Mirror, Misbehaviour, repositories};
pub use made::made_file;
pub use page::{Page, bytes_of_base64};
pub use programs::Browser;
pub use routes::{SUB_PATH, ServiceWorker};
pub use session::Profile;
pub use site::Site;

/// Makes tests of functions that take a [`Browser`]: each runs in Chromium and in Firefox.
macro_rules! in_both_browsers {
    ($($claim:ident),+ $(,)?) => {
        mod chromium {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $claim() {
                super::$claim($crate::harness::Browser::Chromium).await;
            })+
        }
        mod firefox {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $claim() {
                super::$claim($crate::harness::Browser::Firefox).await;
            })+
        }
    };
}
pub(crate) use in_both_browsers;

use std::future::Future;
use std::time::{Duration, Instant};

/// Limit for steps of the page without a model. A step takes well under a second; a machine that is busy otherwise is
/// no failure of the page.
pub const SOON: Duration = Duration::from_secs(60);

/// Limit for loading the bundled model and writing texts, on a slow machine that also builds.
pub const RUN: Duration = Duration::from_secs(180);

/// Asks every 50 ms until there is an answer.
///
/// # Panics
/// After `limit`, with `what` as the missing event.
pub async fn wait_until<T, F: Future<Output = Option<T>>>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            started.elapsed() < limit,
            "waited {limit:?} in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

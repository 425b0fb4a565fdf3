//! The one pool of a page's worker: its helpers are further workers on the same memory.

use super::{Arc, Ordering, Pool, Range, Shared, Task, Threads};
use std::sync::LazyLock;

static SHARED: LazyLock<Arc<Shared>> = LazyLock::new(|| Arc::new(Shared::new()));

impl Threads {
    /// The calling worker and all that have called [`join`], or will.
    #[must_use]
    pub fn of_workers() -> Self {
        be_called_by_many();
        let shared = Arc::clone(&SHARED);
        Self(Some(Arc::new(Pool { shared })))
    }
}

/// Shows the browser, before there is work, that `do_chunks` calls many functions.
///
/// V8 compiles a call of a function that it has seen there alone, or one of four, into its caller, and throws
/// all of that away when another comes. What it compiles then ran five columns on two threads at 235 tok/s
/// instead of 335, from the second text on, until the page was closed.
fn be_called_by_many() {
    fn task<const N: usize>() -> Task {
        let work: &'static (dyn Fn(Range<usize>) + Sync) = &|items| {
            std::hint::black_box(items.len() + N);
        };
        Task {
            work,
            n_items: 1,
            n_parts: 1,
            chunk: 1,
        }
    }
    let pool = Shared::new();
    for task in [
        task::<1>(),
        task::<2>(),
        task::<3>(),
        task::<4>(),
        task::<5>(),
        task::<6>(),
    ] {
        pool.next[0].0.store(0, Ordering::Relaxed);
        pool.do_chunks(task, 0);
    }
}

/// Counts the calling worker among the threads; [`help`] comes next.
pub fn join() {
    be_called_by_many();
    SHARED.n_helpers.fetch_add(1, Ordering::SeqCst);
}

/// What a helping worker does for as long as it lives.
pub fn help() {
    SHARED.help();
}

/// Says that the calling helper has trapped, so that nobody waits for it.
pub fn report_failure() {
    SHARED.failed.store(true, Ordering::SeqCst);
    drop(SHARED.lock());
    SHARED.left.notify_one();
}

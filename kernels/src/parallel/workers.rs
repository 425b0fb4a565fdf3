//! The pool of the browser's worker: its helpers are further web workers on the same shared memory.

use super::{Arc, Ordering, Pool, Range, RoundWork, SharedState, Threads};
use std::sync::LazyLock;

static SHARED: LazyLock<Arc<SharedState>> = LazyLock::new(|| Arc::new(SharedState::new()));

impl Threads {
    /// The calling worker and every worker that calls [`join`], before or after.
    #[must_use]
    pub fn of_workers() -> Self {
        be_called_by_many();
        let shared = Arc::clone(&SHARED);
        Self(Some(Arc::new(Pool { shared })))
    }
}

/// Calls `do_chunks` with six different closures, so that the browser treats its indirect call as one of many targets.
///
/// V8 inlines an indirect call that has had up to four targets, and discards the optimized code at a further target.
/// The code it compiled afterwards ran five columns on two threads at 235 tok/s instead of 335, from the second text
/// until the page was closed.
fn be_called_by_many() {
    fn task<const N: usize>() -> RoundWork {
        let work: &'static (dyn Fn(Range<usize>) + Sync) = &|items| {
            std::hint::black_box(items.len() + N);
        };
        RoundWork {
            work,
            n_items: 1,
            n_parts: 1,
            chunk: 1,
        }
    }
    let pool = SharedState::new();
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

/// Adds the calling worker to the threads; it has to call [`help`] next.
pub fn join() {
    be_called_by_many();
    SHARED.n_helpers.fetch_add(1, Ordering::SeqCst);
}

/// The loop of a helping worker; it does not return.
pub fn help() {
    SHARED.help();
}

/// Reports that the calling helper has trapped, so that the caller does not wait for it.
pub fn report_failure() {
    SHARED.failed.store(true, Ordering::SeqCst);
    drop(SHARED.lock());
    SHARED.left.notify_one();
}

//! `Threads`: splits rows among threads that wait in a barrier; one thread where there is no shared memory.
//!
//! A round is one call of [`Threads::run`]. Its items are divided into a part for each thread, so that each
//! reads one stretch of the weights, and a part into chunks. Whoever takes part claims the chunks of its own
//! part and then those that others have left, so a helper that comes late, or never, costs its share of speed
//! and nothing else. Between rounds helpers spin for as long as the next one usually takes to come and then
//! sleep.
#![allow(
    unsafe_code,
    reason = "helpers borrow the caller's closure for the length of a round, which no lifetime can say"
)]
#![cfg_attr(
    all(target_arch = "wasm32", not(target_feature = "atomics")),
    allow(dead_code, reason = "without shared memory nobody comes to help")
)]

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod workers;

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
pub use workers::{help, join, report_failure};

#[cfg(all(
    target_arch = "wasm32",
    target_feature = "atomics",
    not(all(target_feature = "bulk-memory", panic = "abort"))
))]
compile_error!(
    "the build with threads needs `-C target-feature=+atomics,+bulk-memory,+mutable-globals` and `panic = \"abort\"`; `cargo run --release -- build` sets them"
);

/// Most threads that work together.
pub const MOST_THREADS: usize = 64;

/// Chunks per thread: enough that a thread that is held up leaves little to wait for.
const CHUNKS_PER_THREAD: usize = 8;

/// How often a waiting thread looks before it sleeps: for about 60 µs, which spans what one thread does alone
/// between two products of a layer. GPT-2 124M decodes at 155 tok/s on two threads that spin for 24 µs, at 164
/// for 73 µs, at 164 for 240 µs.
const SPINS: u32 = if cfg!(target_arch = "wasm32") {
    // No pause instruction there: 0.4 ns a look.
    150_000
} else {
    2_500
};

/// The calling thread and its helpers; a handle that is cheap to clone. The default is one thread.
#[derive(Clone, Default)]
pub struct Threads(Option<Arc<Pool>>);

impl Threads {
    /// `n_threads` in all, at most [`MOST_THREADS`]; fewer if the system refuses some.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn new(n_threads: usize) -> Self {
        if n_threads <= 1 {
            return Self::default();
        }
        let shared = Arc::new(Shared::new());
        let helpers: Vec<_> = (1..n_threads.min(MOST_THREADS))
            .map_while(|_| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new()
                    .name("helper".to_owned())
                    .spawn(move || shared.help())
                    .ok()
            })
            .collect();
        shared.n_helpers.store(helpers.len(), Ordering::Relaxed);
        Self(Some(Arc::new(Pool { shared, helpers })))
    }

    /// As many as this machine has cores, at most 8.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, |n| n.get().min(8)))
    }

    /// How many there are. In the browser helpers may still come.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0
            .as_ref()
            .map_or(1, |pool| 1 + pool.shared.n_helpers.load(Ordering::Relaxed))
    }

    /// Calls `work` with ranges that together are `0..n_items`, each item once, on as many threads as come;
    /// returns when all is done. No range is shorter than `least`, but for the last.
    ///
    /// A call from within `work`, or while another thread has the helpers, is done by its own thread alone.
    ///
    /// # Panics
    /// If `work` does, on whichever thread; every thread has left `work` then.
    pub fn run(&self, n_items: usize, least: usize, work: impl Fn(Range<usize>) + Sync) {
        let n_parts = self.count();
        let chunk = n_items.div_ceil(n_parts * CHUNKS_PER_THREAD).max(least);
        match &self.0 {
            Some(pool) if n_parts > 1 && chunk < n_items => {
                pool.shared.run(n_items, n_parts, chunk, &work);
            }
            _ => work(0..n_items),
        }
    }

    /// Calls `work` with every item and its place, each once, as [`Threads::run`] spreads them.
    ///
    /// # Panics
    /// As [`Threads::run`].
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let list = Items(items.as_mut_ptr());
        self.run(items.len(), 1, |places| {
            for place in places {
                // SAFETY: `run` gives every place of the borrowed list to one call alone.
                work(place, unsafe { list.item(place) });
            }
        });
    }
}

/// A list whose items go to different threads.
struct Items<T>(*mut T);

// SAFETY: threads take different items, which may move to another thread.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    /// # Safety
    /// The list is borrowed for longer than the item and has it, and nobody else takes it.
    #[allow(clippy::mut_from_ref, reason = "each item is taken once")]
    unsafe fn item(&self, place: usize) -> &mut T {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.add(place) }
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Threads").field(&self.count()).finish()
    }
}

/// Ends its helpers when the last handle goes.
struct Pool {
    shared: Arc<Shared>,
    #[cfg(not(target_arch = "wasm32"))]
    helpers: Vec<std::thread::JoinHandle<()>>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(self.shared.lock());
        self.shared.begun.notify_all();
        for helper in self.helpers.drain(..) {
            // A panic of `work` has been told to its caller.
            let _ = helper.join();
        }
    }
}

/// What caller and helpers have in common.
struct Shared {
    state: OwnLine<AtomicU32>,
    /// The first chunk of each part that nobody has claimed.
    next: [OwnLine<AtomicUsize>; MOST_THREADS],
    /// Written by the caller between rounds, read by helpers that are inside one.
    task: UnsafeCell<Option<Task>>,
    /// Whether a caller has the helpers.
    taken: AtomicBool,
    n_helpers: AtomicUsize,
    /// Helpers that have begun to wait for rounds.
    n_begun: AtomicUsize,
    /// Helpers that sleep, or are about to.
    n_asleep: AtomicUsize,
    /// Whether the caller sleeps, or is about to, until the last helper has left.
    caller_asleep: AtomicBool,
    /// Whether a helper's part of this round was not done.
    failed: AtomicBool,
    stopped: AtomicBool,
    /// Held between the last look and falling asleep, and by whoever wakes, so that no call is missed.
    sleep: Mutex<()>,
    begun: Condvar,
    left: Condvar,
}

/// A value that shares its cache line with none that others write.
#[repr(align(64))]
struct OwnLine<T>(T);

/// In [`Shared::state`] the low half counts helpers inside the round, the high half rounds begun and ended:
/// an odd one is open. Who changes the state has the helpers that enter and the round's end in one order.
const ROUND: u32 = 1 << 16;

fn is_open(state: u32) -> bool {
    state & ROUND != 0
}

fn round(state: u32) -> u32 {
    state / ROUND
}

fn n_inside(state: u32) -> u32 {
    state % ROUND
}

#[derive(Clone, Copy)]
struct Task {
    work: *const (dyn Fn(Range<usize>) + Sync),
    n_items: usize,
    n_parts: usize,
    chunk: usize,
}

impl Task {
    /// The chunks of a part.
    fn chunks(&self, part: usize) -> Range<usize> {
        let n_chunks = self.n_items.div_ceil(self.chunk);
        let before = |part| n_chunks * part / self.n_parts;
        before(part)..before(part + 1)
    }

    /// The items of a chunk.
    fn items(&self, chunk: usize) -> Range<usize> {
        let start = chunk * self.chunk;
        start..self.n_items.min(start + self.chunk)
    }
}

// SAFETY: `task` is the only part that is not `Sync` by itself. It is written by the thread that has set
// `taken`, while no round is open and no helper inside; helpers read it inside a round only, and entering
// (acquire) comes after the opening (release). What `work` points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; nothing here belongs to one thread.
unsafe impl Send for Shared {}

impl Shared {
    const fn new() -> Self {
        Self {
            state: OwnLine(AtomicU32::new(0)),
            next: [const { OwnLine(AtomicUsize::new(0)) }; MOST_THREADS],
            task: UnsafeCell::new(None),
            taken: AtomicBool::new(false),
            n_helpers: AtomicUsize::new(0),
            n_begun: AtomicUsize::new(0),
            n_asleep: AtomicUsize::new(0),
            caller_asleep: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            sleep: Mutex::new(()),
            begun: Condvar::new(),
            left: Condvar::new(),
        }
    }

    fn run(
        &self,
        n_items: usize,
        n_parts: usize,
        chunk: usize,
        work: &(dyn Fn(Range<usize>) + Sync),
    ) {
        if self.taken.swap(true, Ordering::Acquire) {
            return work(0..n_items);
        }
        // SAFETY: only the lifetime changes. `Round` does not let this call end, not by a panic either,
        // before every helper has left the round, and later ones cannot enter it.
        let work = unsafe {
            std::mem::transmute::<
                *const (dyn Fn(Range<usize>) + Sync + '_),
                *const (dyn Fn(Range<usize>) + Sync + 'static),
            >(work)
        };
        let task = Task {
            work,
            n_items,
            n_parts,
            chunk,
        };
        // SAFETY: `taken` is ours and no round is open, so nobody else reads or writes.
        unsafe { *self.task.get() = Some(task) };
        for (part, next) in self.next[..n_parts].iter().enumerate() {
            next.0.store(task.chunks(part).start, Ordering::Relaxed);
        }
        let round = Round::begin(self);
        self.do_chunks(task, 0);
        assert!(!round.end(), "a helper could not do its part");
    }

    /// Claims chunks until there are none: of the part at `place`, then of those after it.
    #[inline(never)]
    fn do_chunks(&self, task: Task, place: usize) {
        // SAFETY: the caller's closure lives as long as its round, and this thread is inside it.
        let work = unsafe { &*task.work };
        for turn in 0..task.n_parts {
            let part = (place + turn) % task.n_parts;
            let end = task.chunks(part).end;
            loop {
                let chunk = self.next[part].0.fetch_add(1, Ordering::Relaxed);
                if chunk >= end {
                    break;
                }
                work(task.items(chunk));
            }
        }
    }

    /// What a helper does until the pool is dropped.
    fn help(&self) {
        let place = 1 + self.n_begun.fetch_add(1, Ordering::Relaxed);
        let mut done = 0;
        while let Some(state) = self.wait_for_round(done) {
            if self
                .state
                .0
                .compare_exchange(state, state + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                continue;
            }
            done = round(state);
            // SAFETY: this helper is inside an open round.
            let task = unsafe { *self.task.get() };
            let task = task.expect("a task is set before a round begins");
            if catch_unwind(AssertUnwindSafe(|| self.do_chunks(task, place))).is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            self.leave();
        }
    }

    fn leave(&self) {
        let state = self.state.0.fetch_sub(1, Ordering::SeqCst) - 1;
        let is_last = !is_open(state) && n_inside(state) == 0;
        if is_last && self.caller_asleep.load(Ordering::SeqCst) {
            drop(self.lock());
            self.left.notify_one();
        }
    }

    /// The state of an open round other than `done`; `None` when the pool is dropped.
    fn wait_for_round(&self, done: u32) -> Option<u32> {
        let is_new = |state| is_open(state) && round(state) != done;
        for _ in 0..SPINS {
            let state = self.state.0.load(Ordering::Acquire);
            if is_new(state) {
                return Some(state);
            }
            std::hint::spin_loop();
        }
        let mut guard = self.lock();
        self.n_asleep.fetch_add(1, Ordering::SeqCst);
        let found = loop {
            let state = self.state.0.load(Ordering::SeqCst);
            if is_new(state) {
                break Some(state);
            }
            if self.stopped.load(Ordering::SeqCst) {
                break None;
            }
            guard = self
                .begun
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.n_asleep.fetch_sub(1, Ordering::Relaxed);
        found
    }

    /// Until no helper is inside; in a build where panics abort, or until one has failed: it never leaves.
    fn wait_for_helpers(&self) {
        let is_over = |state| {
            n_inside(state) == 0 || cfg!(panic = "abort") && self.failed.load(Ordering::SeqCst)
        };
        for _ in 0..SPINS {
            if is_over(self.state.0.load(Ordering::Acquire)) {
                return;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.lock();
        self.caller_asleep.store(true, Ordering::SeqCst);
        while !is_over(self.state.0.load(Ordering::SeqCst)) {
            guard = self
                .left
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.caller_asleep.store(false, Ordering::Relaxed);
    }

    /// Ends the round that is open; whether a helper has failed in it.
    fn close(&self) -> bool {
        self.state.0.fetch_add(ROUND, Ordering::SeqCst);
        self.wait_for_helpers();
        let failed = self.failed.swap(false, Ordering::Relaxed);
        self.taken.store(false, Ordering::Release);
        failed
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open round; its end waits for the helpers inside.
struct Round<'a>(&'a Shared);

impl<'a> Round<'a> {
    fn begin(shared: &'a Shared) -> Self {
        // Either this sees the sleeper's count or the sleeper, which counts itself first, sees the round.
        shared.state.0.fetch_add(ROUND, Ordering::SeqCst);
        if shared.n_asleep.load(Ordering::SeqCst) > 0 {
            drop(shared.lock());
            shared.begun.notify_all();
        }
        Self(shared)
    }
}

impl Round<'_> {
    /// Waits for the helpers inside and frees them for the next caller; whether one has failed.
    fn end(self) -> bool {
        let shared = self.0;
        std::mem::forget(self);
        shared.close()
    }
}

impl Drop for Round<'_> {
    /// The caller's own panic goes on, and that of a helper besides is forgotten.
    fn drop(&mut self) {
        self.0.close();
    }
}

//! `Threads`: a pool that splits the rows of a product among threads; one thread where memory is not shared.
//!
//! A round is one call of [`Threads::run`]. Its items are divided into one part per thread, so that each thread reads a
//! contiguous stretch of the weights, and each part into chunks. A thread claims the chunks of its own part, then the
//! chunks that remain in other parts, so a helper that arrives late, or never, costs speed but not correctness. Between
//! rounds helpers spin for about as long as the next round takes to begin, and then sleep.
#![allow(
    unsafe_code,
    reason = "helpers borrow the caller's closure for the length of a round, which no lifetime can say"
)]
#![cfg_attr(
    all(target_arch = "wasm32", not(target_feature = "atomics")),
    allow(dead_code, reason = "without shared memory there are no helpers")
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

/// Most threads of one pool, the caller included.
pub const MOST_THREADS: usize = 64;

/// Chunks per thread; with more, smaller chunks, a delayed thread delays the round less.
const CHUNKS_PER_THREAD: usize = 8;

/// Loads of the state by a waiting thread before it sleeps: about 60 µs, longer than the serial work between two
/// products of a layer. On two threads GPT-2 124M decodes at 155 tok/s with 24 µs of spinning, at 164 with 73 µs and
/// at 164 with 240 µs.
const SPINS: u32 = if cfg!(target_arch = "wasm32") {
    // WebAssembly has no pause instruction: 0.4 ns per load.
    150_000
} else {
    2_500
};

/// A handle of the calling thread and its helpers, cheap to clone. The default has no helpers.
#[derive(Clone, Default)]
pub struct Threads(Option<Arc<Pool>>);

impl Threads {
    /// A pool of `n_threads`, the caller included, at most [`MOST_THREADS`]; fewer if the system refuses to start some.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn new(n_threads: usize) -> Self {
        if n_threads <= 1 {
            return Self::default();
        }
        let shared = Arc::new(SharedState::new());
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

    /// A pool with one thread per core of this machine, at most 8.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, |n| n.get().min(8)))
    }

    /// The number of threads. In the browser it grows while helpers start.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| {
            let n_helpers = pool.shared.n_helpers.load(Ordering::Relaxed);
            // More workers may have joined.
            (1 + n_helpers).min(MOST_THREADS)
        })
    }

    /// Calls `work` with ranges that cover `0..n_items` exactly once, on all threads of the pool, and returns when all
    /// calls have returned. Every range but the last has at least `least` items.
    ///
    /// A call from within `work`, or while another thread uses the helpers, runs on the calling thread alone.
    ///
    /// # Panics
    /// If `work` panics on any thread, after every thread has left `work`.
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

    /// Calls `work` once with each item and its index, distributed as [`Threads::run`] does.
    ///
    /// # Panics
    /// As [`Threads::run`].
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let list = Items(items.as_mut_ptr());
        self.run(items.len(), 1, |places| {
            for place in places {
                // SAFETY: `run` gives each index of the borrowed list to exactly one call.
                work(place, unsafe { list.item(place) });
            }
        });
    }
}

/// A list whose items are handed to different threads.
struct Items<T>(*mut T);

// SAFETY: threads take different items, and `T: Send` lets each move to another thread.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    /// # Safety
    /// `place` is an index of the list, whose borrow outlives the result, and no other call takes the same index.
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

/// The helpers of a pool; dropping the last handle ends them.
struct Pool {
    shared: Arc<SharedState>,
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
            // A panic of `work` was already reported to its caller.
            let _ = helper.join();
        }
    }
}

/// The state that the caller and the helpers share.
struct SharedState {
    state: OwnLine<AtomicU32>,
    /// The first unclaimed chunk of each part.
    next: [OwnLine<AtomicUsize>; MOST_THREADS],
    /// Written by the caller between rounds, read by helpers inside a round.
    task: UnsafeCell<Option<RoundWork>>,
    /// Whether a caller uses the helpers.
    taken: AtomicBool,
    n_helpers: AtomicUsize,
    /// Helpers that have started to wait for rounds.
    n_begun: AtomicUsize,
    /// Helpers that sleep or are about to sleep.
    n_asleep: AtomicUsize,
    /// Whether the caller sleeps, or is about to sleep, until the last helper leaves.
    caller_asleep: AtomicBool,
    /// Whether a helper panicked or trapped in this round.
    failed: AtomicBool,
    stopped: AtomicBool,
    /// Held from the last load of the state until a thread sleeps, and while waking, so that no wake-up is lost.
    sleep: Mutex<()>,
    begun: Condvar,
    left: Condvar,
}

/// A value on a cache line of its own, which no other thread writes.
#[repr(align(64))]
struct OwnLine<T>(T);

/// The unit of the high half of [`SharedState::state`], which counts the beginnings and ends of rounds: an odd count is an
/// open round. The low half counts the helpers inside the round. Both are in one atomic, so that a helper's entry and
/// the end of the round have an order.
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
struct RoundWork {
    work: *const (dyn Fn(Range<usize>) + Sync),
    n_items: usize,
    n_parts: usize,
    chunk: usize,
}

impl RoundWork {
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

// SAFETY: `task` is the only field that is not `Sync` by itself. The thread that has set `taken` writes it, while no
// round is open and no helper is inside. Helpers read it inside a round only, and their entry (acquire) follows the
// opening (release). The closure behind `work` is `Sync`.
unsafe impl Sync for SharedState {}
// SAFETY: as above; no field is bound to one thread.
unsafe impl Send for SharedState {}

impl SharedState {
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
        // SAFETY: only the lifetime changes. `Round` keeps this call from ending, by a panic too, before every helper
        // has left the round, and no helper can enter it later.
        let work = unsafe {
            std::mem::transmute::<
                *const (dyn Fn(Range<usize>) + Sync + '_),
                *const (dyn Fn(Range<usize>) + Sync + 'static),
            >(work)
        };
        let task = RoundWork {
            work,
            n_items,
            n_parts,
            chunk,
        };
        // SAFETY: this thread has set `taken` and no round is open, so no other thread reads or writes.
        unsafe { *self.task.get() = Some(task) };
        for (part, next) in self.next[..n_parts].iter().enumerate() {
            next.0.store(task.chunks(part).start, Ordering::Relaxed);
        }
        let round = Round::begin(self);
        self.do_chunks(task, 0);
        assert!(!round.end(), "a helper failed in its part of the work");
    }

    /// Claims and runs chunks until none is left: those of the part `place`, then those of the following parts.
    #[inline(never)]
    fn do_chunks(&self, task: RoundWork, place: usize) {
        // SAFETY: the caller's closure lives as long as its round, and this thread is inside the round.
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

    /// The loop of a helper, until the pool is dropped.
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

    /// Waits for an open round other than `done` and returns its state; `None` when the pool is dropped.
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

    /// Waits until no helper is inside. Where panics abort, a failed helper never leaves, so a failure ends the wait
    /// too.
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

    /// Ends the open round and returns whether a helper failed in it.
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

/// An open round; ending it waits for the helpers inside.
struct Round<'a>(&'a SharedState);

impl<'a> Round<'a> {
    fn begin(shared: &'a SharedState) -> Self {
        // A helper counts itself before it looks for a round and sleeps. So either it sees this round, or this thread
        // sees its count.
        shared.state.0.fetch_add(ROUND, Ordering::SeqCst);
        if shared.n_asleep.load(Ordering::SeqCst) > 0 {
            drop(shared.lock());
            shared.begun.notify_all();
        }
        Self(shared)
    }
}

impl Round<'_> {
    /// Waits for the helpers inside, frees them for the next caller, and returns whether one failed.
    fn end(self) -> bool {
        let shared = self.0;
        std::mem::forget(self);
        shared.close()
    }
}

impl Drop for Round<'_> {
    /// Runs when the caller's own `work` panics. That panic continues; a helper's panic is dropped.
    fn drop(&mut self) {
        self.0.close();
    }
}

//! Threads: every item is done once, in any number of rounds, with late helpers and after panics.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use huggingtweets::parallel::{MOST_THREADS, Threads};

/// The number of times that each of `n_items` was done.
fn times_done(threads: &Threads, n_items: usize, least: usize) -> Vec<u32> {
    let times: Vec<AtomicU32> = (0..n_items).map(|_| AtomicU32::new(0)).collect();
    threads.run(n_items, least, |items| {
        for item in items {
            times[item].fetch_add(1, Ordering::Relaxed);
        }
    });
    times.into_iter().map(AtomicU32::into_inner).collect()
}

/// The threads that took part in a round whose items wait for one another: each chunk ends only when
/// `wanted` threads are inside.
fn takers(threads: &Threads, wanted: usize) -> HashSet<ThreadId> {
    let seen = Mutex::new(HashSet::new());
    let deadline = Instant::now() + Duration::from_secs(20);
    threads.run(wanted, 1, |_| {
        seen.lock().unwrap().insert(thread::current().id());
        while seen.lock().unwrap().len() < wanted && Instant::now() < deadline {
            thread::yield_now();
        }
    });
    seen.into_inner().unwrap()
}

#[test]
fn every_item_is_done_once() {
    for n_threads in 1..=8 {
        let threads = Threads::new(n_threads);
        assert_eq!(threads.count(), n_threads);
        for n_items in [0, 1, 2, 7, 8, 9, 63, 64, 65, 1000] {
            for least in [0, 1, 3, 100] {
                let times = times_done(&threads, n_items, least);
                assert_eq!(
                    times,
                    vec![1; n_items],
                    "{n_threads} threads, {n_items} items, {least} at least"
                );
            }
        }
    }
}

#[test]
fn all_threads_take_part() {
    let threads = Threads::new(4);
    assert_eq!(takers(&threads, 4).len(), 4);
}

#[test]
fn a_sleeping_helper_wakes() {
    let threads = Threads::new(2);
    for _ in 0..5 {
        // Far longer than a helper spins.
        thread::sleep(Duration::from_millis(20));
        assert_eq!(takers(&threads, 2).len(), 2);
    }
}

#[test]
fn a_hundred_thousand_rounds_in_a_row_lose_no_item() {
    let threads = Threads::new(3);
    for round in 0..100_000_u32 {
        let done = AtomicU32::new(0);
        threads.run(5, 1, |items| {
            for item in items {
                done.fetch_add(round ^ item as u32, Ordering::Relaxed);
            }
        });
        let expected = (0..5).map(|item| round ^ item).sum::<u32>();
        assert_eq!(done.into_inner(), expected, "round {round}");
    }
}

#[test]
fn rounds_between_pauses_of_every_length_lose_no_item() {
    let threads = Threads::new(2);
    for pause_us in (0..400).chain((0..400).rev()) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(pause_us) {
            std::hint::spin_loop();
        }
        assert_eq!(times_done(&threads, 3, 1), [1; 3], "after {pause_us} µs");
    }
}

#[test]
fn each_item_is_changed_once_and_seen_so_after_the_round() {
    let threads = Threads::new(4);
    let caller = thread::current().id();
    // Plain memory: only the end of the round keeps the caller from an early read.
    let mut items = vec![0_u64; 100];
    for _ in 0..200 {
        threads.for_each(&mut items, |place, item| {
            if thread::current().id() != caller {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_micros(20) {
                    std::hint::spin_loop();
                }
            }
            *item += place as u64;
        });
        items.iter_mut().for_each(|item| *item += 1);
    }
    let expected: Vec<u64> = (0..100).map(|place| 200 * (place + 1)).collect();
    assert_eq!(items, expected);
}

#[test]
fn a_panic_on_any_thread_reaches_the_caller_and_the_threads_go_on() {
    let threads = Threads::new(3);
    for panicking in 0..30 {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            threads.run(30, 1, |items| {
                // Time for the other threads to take items.
                thread::sleep(Duration::from_micros(50));
                assert!(!items.contains(&panicking), "as the test wants it");
            });
        }));
        assert!(outcome.is_err(), "item {panicking}");
        assert_eq!(times_done(&threads, 30, 1), [1; 30]);
    }
    assert_eq!(takers(&threads, 3).len(), 3, "no helper was lost");
}

#[test]
fn a_round_within_a_round_is_done_by_its_thread() {
    let threads = Threads::new(2);
    let inner = AtomicU32::new(0);
    threads.run(4, 1, |outer| {
        for _ in outer {
            threads.run(10, 1, |items| {
                inner.fetch_add(items.len() as u32, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(inner.into_inner(), 40);
}

#[test]
fn callers_on_two_threads_share_the_helpers() {
    let threads = Threads::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    assert_eq!(times_done(&threads, 20, 1), [1; 20]);
                }
            });
        }
    });
}

#[test]
fn helpers_end_with_the_last_handle() {
    /// Counts the end of its thread.
    struct Farewell(Arc<AtomicU32>);

    impl Drop for Farewell {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    thread_local! {
        static FAREWELL: RefCell<Option<Farewell>> = const { RefCell::new(None) };
    }

    let ended = Arc::new(AtomicU32::new(0));
    let threads = Threads::new(3);
    let inside = AtomicU32::new(0);
    threads.run(3, 1, |_| {
        FAREWELL.set(Some(Farewell(Arc::clone(&ended))));
        inside.fetch_add(1, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_secs(20);
        while inside.load(Ordering::SeqCst) < 3 && Instant::now() < deadline {
            thread::yield_now();
        }
    });
    let other = threads.clone();
    drop(threads);
    assert_eq!(takers(&other, 3).len(), 3);
    assert_eq!(ended.load(Ordering::SeqCst), 0);
    drop(other);
    assert_eq!(ended.load(Ordering::SeqCst), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn idle_helpers_use_no_processor_time() {
    // The other tests of this process are busy.
    crate::support::own_process::run("parallel::idle_helpers_use_no_processor_time", idle);
}

#[cfg(target_os = "linux")]
fn idle() {
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let threads = Threads::new(4);
    assert_eq!(times_done(&threads, 100, 1), [1; 100]);
    let before = ticks();
    thread::sleep(Duration::from_millis(500));
    // Three helpers that spin for half a second would be 150 ticks of 10 ms.
    assert!(ticks() - before <= 5, "{} ticks", ticks() - before);
}

#[test]
fn there_are_never_more_than_the_most() {
    assert_eq!(Threads::default().count(), 1);
    assert_eq!(Threads::new(0).count(), 1);
    assert_eq!(Threads::new(MOST_THREADS + 1).count(), MOST_THREADS);
}

//! What the commands take from the clock: times and drawn seeds.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or_default())
}

/// A seed below 2³², as the original drew it.
pub fn drawn_seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(now.subsec_nanos() ^ (now.as_secs() as u32) ^ std::process::id().rotate_left(16))
}

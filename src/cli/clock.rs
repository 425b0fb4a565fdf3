//! The clock: milliseconds since 1970, and seeds.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or_default())
}

/// A seed, different from call to call.
pub fn drawn_seed() -> u32 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.subsec_nanos().rotate_left(16) ^ (now.as_secs() as u32) ^ std::process::id().rotate_left(24)
}

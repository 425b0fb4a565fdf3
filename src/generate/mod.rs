//! `Generation`: prefill, then one token of every sequence per `step()`.

pub mod params;

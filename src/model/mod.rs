//! GPT-2 as the paper has it: configuration and the readable candle tier.

pub mod config;

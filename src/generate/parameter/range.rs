//! `Range`: the values that a parameter takes.

use std::fmt;

/// The values that a parameter takes. Its text completes "must be …".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// A whole number.
    Whole {
        /// Least value.
        min: u32,
        /// Greatest value; `None` for no limit of its own.
        max: Option<u32>,
    },
    /// A finite number.
    Decimal {
        /// Lower end.
        least: Least,
        /// Inclusive upper end; `None` for no limit.
        max: Option<f32>,
    },
    /// Yes or no.
    Switch,
    /// Any text.
    Text,
    /// `true`, `false` or `"never"`.
    EarlyStopping,
    /// Token ids; one may stand without a list.
    Ids,
    /// Sequences of token ids.
    IdLists,
    /// Sequences of token ids with a number each.
    Biases,
    /// A number of tokens and a factor.
    Decay,
    /// Texts; one may stand without a list.
    Texts,
}

/// The lower end of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Least {
    /// Only larger numbers.
    Above(f32),
    /// This number and larger ones.
    From(f32),
    /// Every number.
    Any,
}

impl Range {
    pub(super) const ANY_NUMBER: Self = Self::decimal(Least::Any, None);
    pub(super) const ABOVE_ZERO: Self = Self::decimal(Least::Above(0.0), None);
    pub(super) const SHARE: Self = Self::decimal(Least::From(0.0), Some(1.0));
    pub(super) const SHARE_ABOVE_ZERO: Self = Self::decimal(Least::Above(0.0), Some(1.0));

    pub(super) const fn whole(min: u32, max: Option<u32>) -> Self {
        Self::Whole { min, max }
    }

    const fn decimal(least: Least, max: Option<f32>) -> Self {
        Self::Decimal { least, max }
    }

    /// Whether it is a range of whole numbers with this one in it.
    pub(super) fn has_whole(self, value: usize) -> bool {
        let Range::Whole { min, max } = self else {
            return false;
        };
        value >= min as usize && max.is_none_or(|max| value <= max as usize)
    }

    /// Whether it is a range of numbers with this one in it.
    pub(super) fn has_decimal(self, value: f32) -> bool {
        let Range::Decimal { least, max } = self else {
            return false;
        };
        let is_enough = match least {
            Least::Above(above) => value > above,
            Least::From(from) => value >= from,
            Least::Any => true,
        };
        value.is_finite() && is_enough && max.is_none_or(|max| value <= max)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Range::Whole {
                min,
                max: Some(max),
            } => write!(f, "a whole number from {min} to {max}"),
            Range::Whole { min, max: None } => write!(f, "a whole number, {min} or more"),
            Range::Decimal { least, max } => match (least, max) {
                (Least::Above(above), Some(max)) => {
                    write!(f, "a number above {above}, at most {max}")
                }
                (Least::Above(above), None) => write!(f, "a number above {above}"),
                (Least::From(from), Some(max)) => write!(f, "a number from {from} to {max}"),
                (Least::From(from), None) => write!(f, "a number, {from} or more"),
                (Least::Any, Some(max)) => write!(f, "a number, at most {max}"),
                (Least::Any, None) => f.write_str("a number"),
            },
            Range::Switch => f.write_str("true or false"),
            Range::Text => f.write_str("text"),
            Range::EarlyStopping => f.write_str("true, false or \"never\""),
            Range::Ids => f.write_str("a token id or a list of them, such as [198, 628]"),
            Range::IdLists => {
                f.write_str("a list of lists of token ids, such as [[1212], [318, 407]]")
            }
            Range::Biases => {
                f.write_str("a list of pairs of token ids and a number, such as [[[1212], -2.5]]")
            }
            Range::Decay => f.write_str("a whole number and a number, such as [20, 1.1]"),
            Range::Texts => f.write_str("a text or a list of texts, such as [\".\", \"!\"]"),
        }
    }
}

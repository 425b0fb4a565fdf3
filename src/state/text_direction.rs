//! The direction of a text, left to right or right to left, by its first letter.

/// Blocks of scripts that run from right to left: Hebrew, Arabic and their neighbours, presentation forms, historic ones.
const RIGHT_TO_LEFT: [std::ops::RangeInclusive<char>; 5] = [
    '\u{590}'..='\u{8ff}',
    '\u{fb1d}'..='\u{fdff}',
    '\u{fe70}'..='\u{fefe}',
    '\u{10800}'..='\u{10fff}',
    '\u{1e800}'..='\u{1efff}',
];

/// Characters that are searched for the first letter; a text with letters has one near its beginning.
const MAX_CHARS: usize = 1000;

/// Value of a `dir` attribute for `text`; `None` for a text without letters.
pub fn text_direction(text: &str) -> Option<&'static str> {
    let first = text.chars().take(MAX_CHARS).find(|c| c.is_alphabetic())?;
    let is_rtl = RIGHT_TO_LEFT.iter().any(|block| block.contains(&first));
    Some(if is_rtl { "rtl" } else { "ltr" })
}

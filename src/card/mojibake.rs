//! Detects the legacy code page that garbled a text, and restores the text.
//!
//! A garbled text was UTF-8, was decoded with the code page, one character per byte, and encoded as UTF-8 again. The
//! repair reverses that line by line: characters to bytes of the code page, bytes decoded as UTF-8.

/// A code page that garbles cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePage {
    /// Western Windows as the web platform decodes it: the five unassigned bytes are the control characters of the same
    /// number.
    Windows1252,
    /// Classic Mac OS; its byte F0 is the Apple logo, U+F8FF.
    MacRoman,
}

/// Windows-1252 from 80 to 9F; A0 to FF are the code points of the same number.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// MacRoman from 80 to FF.
const MAC_ROMAN: &str = concat!(
    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü",
    "†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø",
    "¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ",
    "‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
);

impl CodePage {
    /// Both code pages, the more frequent cause first.
    pub const ALL: [Self; 2] = [Self::Windows1252, Self::MacRoman];

    /// The byte of `c`, if the code page has that character.
    pub fn byte(self, c: char) -> Option<u8> {
        let from_0x80 = |table: &str| {
            let idx = table.chars().position(|t| t == c)?;
            u8::try_from(0x80 + idx).ok()
        };
        match (self, c) {
            (_, '\0'..='\x7f') => u8::try_from(c).ok(),
            (Self::Windows1252, '\u{a0}'..='\u{ff}') => u8::try_from(c).ok(),
            (Self::Windows1252, _) => from_0x80(WINDOWS_1252),
            (Self::MacRoman, _) => from_0x80(MAC_ROMAN),
        }
    }

    /// `line` before this code page garbled it; `None` if it is ASCII or was not garbled by this code page.
    fn repair_line(self, line: &str) -> Option<String> {
        if line.is_ascii() {
            return None;
        }
        let bytes: Option<Vec<u8>> = line.chars().map(|c| self.byte(c)).collect();
        String::from_utf8(bytes?).ok()
    }
}

/// The code page that garbled `text`, or `None` if the text looks undamaged.
///
/// Garbling affects a whole file. A text with a character outside a code page was therefore not garbled by that page;
/// U+FFFD, which marks a lost byte, is excepted. Of the remaining pages the one that repairs more lines is returned.
/// Emoji are decisive: their first byte, F0, is `ð` in Windows-1252 and U+F8FF in MacRoman, and neither page has the
/// other's character.
pub fn code_page(text: &str) -> Option<CodePage> {
    let mut best = None;
    let mut most_lines = 0;
    for page in CodePage::ALL {
        if !text
            .chars()
            .all(|c| c == '\u{fffd}' || page.byte(c).is_some())
        {
            continue;
        }
        let lines = text
            .lines()
            .filter_map(|line| page.repair_line(line))
            .count();
        if lines > most_lines {
            (best, most_lines) = (Some(page), lines);
        }
    }
    best
}

/// `text` before it was garbled. An undamaged text and lines that cannot be repaired stay unchanged; line ends become
/// `\n`.
pub fn repair(text: &str) -> String {
    let page = code_page(text);
    let mut repaired = String::with_capacity(text.len());
    for line in text.lines() {
        match page.and_then(|page| page.repair_line(line)) {
            Some(line) => repaired.push_str(&line),
            None => repaired.push_str(line),
        }
        repaired.push('\n');
    }
    repaired
}

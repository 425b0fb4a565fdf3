//! The avatar that is drawn for an account without a picture: its letters and its colour.

/// The letters of the avatar drawn for `name`: the first letters of its first two words, or one
/// character where the script has no capitals; `🤖` for a name without a letter or digit.
pub fn initials(name: &str) -> String {
    let mut firsts = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let Some(first) = firsts.next() else {
        return "🤖".to_owned();
    };
    let has_capitals = |c: &char| c.is_lowercase() || c.is_uppercase();
    let second = firsts
        .next()
        .filter(|c| has_capitals(&first) && has_capitals(c));
    std::iter::once(first)
        .chain(second)
        .flat_map(char::to_uppercase)
        .collect()
}

/// The hue of a bot's colour in degrees, 0 to 359; it depends on the handle alone.
///
/// Hues 65 to 124 are left out: yellow and yellow-green look brown at the lightness that readable text needs.
pub fn hue(handle: &str) -> u16 {
    // FNV-1a: the same on every machine and in every version, which std's hasher does not promise.
    let hash = handle.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    u16::try_from((hash % 300 + 125) % 360).expect("a remainder of 360 fits 16 bits")
}

/// Turn of the colour circle between the accounts of one cyborg.
const HUE_STEP: u16 = 55;

/// Hue and letters of each of a bot's pictures, in the card's order; there is always one.
pub fn drawings(
    handle: &str,
    names: &[String],
    n_pictures: usize,
) -> impl Iterator<Item = (u16, String)> {
    let first = hue(handle);
    (0..n_pictures.max(1)).map(move |i| {
        let name = names.get(i).map_or(handle, String::as_str);
        ((first + HUE_STEP * i as u16) % 360, initials(name))
    })
}

//! Untrusted texts of a card as plain text, without tags, entities and control characters, and as checked addresses.

/// Longest address accepted from a card, in bytes.
const MAX_ADDRESS_BYTES: usize = 2048;

/// `raw` as plain text: without tags and control characters, entities decoded once, ends trimmed.
///
/// `<` opens a tag where it does in a browser, so `<3` stays. Escaped markup in the card (`&lt;b&gt;`) becomes the text
/// `<b>`.
pub(super) fn plain(raw: &str) -> String {
    let text = decode_entities(&without_tags(raw));
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    kept.trim().to_owned()
}

fn without_tags(raw: &str) -> String {
    let mut kept = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let is_tag = from[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        match from.find('>') {
            Some(end) if is_tag => rest = &from[end + 1..],
            _ => {
                kept.push('<');
                rest = &from[1..];
            }
        }
    }
    kept + rest
}

/// `text` with its entities decoded once.
pub(super) fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        decoded.push_str(before);
        let entity = from[1..].split_once(';').map(|(name, _)| name);
        match entity.and_then(|name| Some((name, entity_char(name)?))) {
            Some((name, c)) => {
                decoded.push(c);
                rest = &from[name.len() + 2..];
            }
            None => {
                decoded.push('&');
                rest = &from[1..];
            }
        }
    }
    decoded + rest
}

/// The character of `&name;`, for the names that occur in cards and for every number.
fn entity_char(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// `raw` if it is an `https://` address that is safe in a link or a style without escaping.
pub(super) fn https_address(raw: &str) -> Option<String> {
    web_address(raw).filter(|address| address.starts_with("https://"))
}

/// `raw` if it is an `https://` or `http://` address of visible ASCII without quotes, brackets or backslashes.
pub(super) fn web_address(raw: &str) -> Option<String> {
    let address = decode_entities(raw.trim());
    let after_scheme = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))?;
    let has_host = after_scheme.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_harmless = address
        .chars()
        .all(|c| c.is_ascii_graphic() && !"\"'`<>()[]{}\\".contains(c));
    (has_host && is_harmless && address.len() <= MAX_ADDRESS_BYTES).then_some(address)
}

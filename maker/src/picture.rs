//! An account's picture as a `data:` address, which a page shows without a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most bytes of a picture. Those of X are 400 × 400 and have 10 to 60 kB.
const MAX_BYTES: usize = 512 << 10;
/// The first bytes of each kind, and its media type. SVG is left out, because it is a document and not only a picture.
const KINDS: [(&[u8], &str); 4] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
];
/// What follows the length in a WebP file.
const WEBP_MARK: &[u8] = b"WEBP";

/// The address of a picture; `None` if it is of another kind, or too large.
#[must_use]
pub fn address(bytes: &[u8]) -> Option<String> {
    let (_, media_type) = KINDS.iter().find(|(start, _)| bytes.starts_with(start))?;
    let is_webp = *media_type == "image/webp";
    if bytes.len() > MAX_BYTES || is_webp && bytes.get(8..12) != Some(WEBP_MARK) {
        return None;
    }
    Some(format!(
        "data:{media_type};base64,{}",
        STANDARD.encode(bytes)
    ))
}

/// Whether `text` is such an address.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let content = text.split_once(";base64,").map(|(_, content)| content);
    let bytes = content.and_then(|content| STANDARD.decode(content).ok());
    bytes.and_then(|bytes| address(&bytes)).as_deref() == Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_an_address_of_its_own_kind_and_nothing_else_has_one() {
        let png = address(b"\x89PNG\r\n\x1a\n and more").unwrap_or_default();
        assert!(
            png.starts_with("data:image/png;base64,iVBORw0KGgo"),
            "{png}"
        );
        assert!(is_address(&png));
        assert!(address(b"RIFF\0\0\0\0WEBPVP8 ").is_some());
        for other in [&b"RIFF\0\0\0\0WAVEfmt "[..], b"<svg xmlns=", b"", b"GIF"] {
            assert_eq!(address(other), None, "{other:?}");
        }
        let mut large = b"\xff\xd8\xff".to_vec();
        large.resize(MAX_BYTES + 1, 0);
        assert_eq!(address(&large), None);
        for other in [
            "https://example.org/a.png",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/png;base64,R0lGODlh",
            "data:text/html,<b>",
        ] {
            assert!(!is_address(other), "{other}");
        }
    }
}

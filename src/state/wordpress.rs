//! What a frame and the WordPress post around it tell each other: WordPress puts every pasted address that has an oEmbed
//! document into a frame, with a secret in its address, and gives it the height that it asks for under this secret.
//!
//! Source: WordPress' `wp-includes/js/wp-embed.js`.

use serde::Serialize;

/// A message of the frame.
#[derive(Debug, Serialize)]
pub struct HeightMessage<'a> {
    message: &'static str,
    /// CSS pixels. WordPress takes 200 to 1,000.
    value: u32,
    secret: &'a str,
}

impl<'a> HeightMessage<'a> {
    /// The request for `height` CSS pixels by the frame with this secret.
    #[must_use]
    pub fn new(height: f64, secret: &'a str) -> Self {
        Self {
            message: "height",
            value: height.ceil() as u32,
            secret,
        }
    }
}

/// The secret in the fragment of a frame's address, `#?secret=…`.
#[must_use]
pub fn secret(fragment: &str) -> Option<&str> {
    let secret = fragment.strip_prefix("#?secret=")?;
    let is_secret =
        (1..=64).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_secret.then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_of_wordpress_is_read_and_any_other_fragment_is_none() {
        assert_eq!(secret("#?secret=a1B2c3D4e5"), Some("a1B2c3D4e5"));
        for other in [
            "",
            "#",
            "#results",
            "#?secret=",
            "#?secret=a<b",
            "?secret=a",
        ] {
            assert_eq!(secret(other), None, "{other}");
        }
        assert_eq!(secret(&format!("#?secret={}", "a".repeat(65))), None);
    }
}

//! Texts of strangers in messages, cut to a length that a message can have.

/// Most names of files in a message.
const MAX_EXAMPLES: usize = 5;
/// Most characters of a name.
const MAX_NAME_CHARS: usize = 80;

/// The first `max_chars` characters of `text`, with `…` for the rest.
pub(super) fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A name that is as long as its archive wants.
pub(super) fn quoted(name: &str) -> String {
    shortened(name, MAX_NAME_CHARS)
}

/// The names of some files.
#[derive(Debug, Default)]
pub(super) struct Examples(Vec<String>);

impl Examples {
    /// Adds a name, if there is room.
    pub fn add(&mut self, name: &str) {
        if self.0.len() < MAX_EXAMPLES {
            self.0.push(quoted(name));
        }
    }

    /// The names with commas between them.
    pub fn joined(&self) -> String {
        self.0.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_only_where_it_is_too_long() {
        assert_eq!(shortened("écrit", 5), "écrit");
        assert_eq!(shortened("écrit", 1), "é…");
        assert_eq!(shortened("", 0), "");
    }

    #[test]
    fn five_names_of_eighty_characters_are_quoted() {
        let mut examples = Examples::default();
        for i in 0..9 {
            examples.add(&format!("{i}{}", "🌸".repeat(500)));
        }
        let joined = examples.joined();
        assert_eq!(joined.split(", ").count(), MAX_EXAMPLES);
        assert_eq!(joined.chars().count(), 5 * (MAX_NAME_CHARS + 1) + 4 * 2);
    }
}

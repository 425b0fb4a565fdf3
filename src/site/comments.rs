//! Leaves comments out of the scripts and the style sheet that visitors download.

/// Scripts for developers, who read their comments.
const FOR_DEVELOPERS: [&str; 2] = ["huggingtweets.js", "module/"];

/// Whether the comments of a file of `www/` are left out.
pub(super) fn are_left_out(name: &str) -> bool {
    let is_read = FOR_DEVELOPERS.iter().any(|file| name.starts_with(file));
    name.ends_with(".js") && !is_read
}

/// A script or a style sheet without the comments that have lines of their own. A text of several lines must have none that
/// begins like a comment.
#[must_use]
pub fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if is_inside || trimmed.starts_with("/*") {
            let end = trimmed.find("*/").map(|end| end + 2);
            // Code that follows a comment keeps its line; that after a comment of several lines has none of its own.
            let has_code = end.is_some_and(|end| end < trimmed.len());
            if has_code {
                kept.push_str(if is_inside {
                    trimmed[end.unwrap_or(0)..].trim_start()
                } else {
                    line
                });
                kept.push('\n');
            }
            is_inside = end.is_none();
        } else if !trimmed.is_empty() && !trimmed.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_with_lines_of_their_own_are_left_out_and_nothing_else() {
        let text = "// A script.\n\n/**\n * Its count.\n */\nlet a = 1; // one\n  /* of several\n     lines */\n  b(/* x */ 'http://c');\n/* @vite-ignore */ d();\n";
        let kept = "let a = 1; // one\n  b(/* x */ 'http://c');\n/* @vite-ignore */ d();\n";
        assert_eq!(without_comments(text), kept);
        // Code on the line of a comment stays.
        assert_eq!(
            without_comments("/* a */ b(); /* c */\n"),
            "/* a */ b(); /* c */\n"
        );
        assert_eq!(without_comments("/* a\n b */ c();\n"), "c();\n");
        assert_eq!(
            without_comments("/* A rule. */\na { b: c }\n"),
            "a { b: c }\n"
        );
    }

    #[test]
    fn the_module_keeps_its_comments() {
        assert!(are_left_out("sw.js") && are_left_out("one_file/page.js"));
        for name in [
            "huggingtweets.js",
            "module/error.js",
            "huggingtweets.d.ts",
            "copy.mjs",
        ] {
            assert!(!are_left_out(name), "{name}");
        }
    }
}

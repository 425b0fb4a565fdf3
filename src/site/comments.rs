//! Leaves comments and indentation out of the scripts and the style sheet that visitors download.

/// Scripts for developers, who read their comments.
const FOR_DEVELOPERS: [&str; 2] = ["huggingtweets.js", "module/"];

/// Whether the comments of a file of `www/` are left out.
pub(super) fn are_left_out(name: &str) -> bool {
    let is_read = FOR_DEVELOPERS.iter().any(|file| name.starts_with(file));
    name.ends_with(".js") && !is_read
}

/// A script or a style sheet without indentation and without the comments that have lines of their own. A text of several
/// lines between backticks, whose indentation counts, stays as it is.
#[must_use]
pub fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut is_inside, mut is_quoted) = (false, false);
    let has_odd_mark = |code: &str| code.matches('`').count() % 2 == 1;
    for whole in text.lines() {
        let line = whole.trim();
        let mut code = line;
        if is_quoted {
            code = whole;
            is_quoted = !has_odd_mark(code);
        } else {
            if is_inside || line.starts_with("/*") {
                let end = line.find("*/").map(|end| end + 2);
                // Code that follows a comment keeps its line; that after a comment of several lines has none of its own.
                code = match end {
                    Some(end) if end < line.len() && is_inside => line[end..].trim_start(),
                    Some(end) if end < line.len() => line,
                    _ => "",
                };
                is_inside = end.is_none();
            } else if line.starts_with("//") {
                code = "";
            }
            is_quoted = has_odd_mark(code);
            if is_quoted {
                // The end of the line is a part of the text.
                code = &whole[whole.trim_end().len() - code.len()..];
            } else if code.is_empty() {
                continue;
            }
        }
        kept.push_str(code);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_with_lines_of_their_own_are_left_out_and_nothing_else() {
        let text = "// A script.\n\n/**\n * Its count.\n */\nlet a = 1; // one\n  /* of several\n     lines */\n  b(/* x */ 'http://c');\n/* @vite-ignore */ d();\n";
        let kept = "let a = 1; // one\nb(/* x */ 'http://c');\n/* @vite-ignore */ d();\n";
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
    fn a_text_of_several_lines_stays_as_it_is() {
        let text = "// A script, with a `.\n/* And `\n b */\n  let a = `b \n    // c\n\n  `;\n  // d\n  e(`f`);\n";
        let kept = "let a = `b \n    // c\n\n  `;\ne(`f`);\n";
        assert_eq!(without_comments(text), kept);
        assert_eq!(without_comments("  a(`${b} c`);\n"), "a(`${b} c`);\n");
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

//! Prints notices about a model's files.

/// Prints a line for each notice on standard error, each once.
pub fn print_notices(notices: impl IntoIterator<Item = impl std::fmt::Display>) {
    let mut printed: Vec<String> = Vec::new();
    for notice in notices {
        let line = format!("note: {notice}");
        if !printed.contains(&line) {
            eprintln!("{line}");
            printed.push(line);
        }
    }
}

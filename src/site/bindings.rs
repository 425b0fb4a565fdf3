//! Binds a compiled WebAssembly program to JavaScript: wasm-bindgen, as a library.

use super::SiteError;
use super::comments::without_comments;
use std::fs;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// How the JavaScript is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScriptKind {
    /// An ES module, for the page.
    Module,
    /// A classic script with the global `wasm_bindgen`, for workers.
    Classic,
}

impl ScriptKind {
    /// Reads trunk's `data-bindgen-target`.
    pub fn parse(target: &str) -> Option<Self> {
        match target {
            "web" => Some(Self::Module),
            "no-modules" => Some(Self::Classic),
            _ => None,
        }
    }
}

/// The last line of a classic script. Bundlers may make it a module, whose variables are its own.
const GLOBAL: &str = "self.wasm_bindgen = wasm_bindgen;\n";

/// Writes `NAME.js`, without comments, and `NAME_bg.wasm` into `folder`, from the program that cargo compiled.
///
/// # Errors
/// [`SiteError::NotBound`] if wasm-bindgen refuses the program; [`SiteError::File`].
pub(super) fn bind(
    program: &Path,
    kind: ScriptKind,
    name: &str,
    folder: &Path,
) -> Result<(), SiteError> {
    let generate = || {
        let mut bindgen = Bindgen::new();
        match kind {
            ScriptKind::Module => bindgen.web(true)?,
            ScriptKind::Classic => bindgen.no_modules(true)?,
        };
        bindgen
            .input_path(program)
            .out_name(name)
            .typescript(false)
            // A tenth of a visitor's download, and nobody reads them.
            .remove_name_section(true)
            // The program `wasm-bindgen` sets this option in the same way.
            .omit_default_module_path(false)
            .generate(folder)
    };
    generate().map_err(|source| SiteError::NotBound {
        program: program.to_owned(),
        source: source.into(),
    })?;
    let path = folder.join(format!("{name}.js"));
    let script = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
    let mut script = without_comments(&script);
    if kind == ScriptKind::Classic {
        script.push_str(GLOBAL);
    }
    fs::write(&path, script).map_err(SiteError::file("write", &path))
}

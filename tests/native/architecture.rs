//! Holds every file of the packages to the architecture: which modules a module may name, no circle of files, and the places
//! where `unsafe` and the browser's crates may appear.
//!
//! The sources are parsed with `syn`; items under `#[cfg(test)]` are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// Which siblings a module may name. The longest entry that a file's module path begins with counts.
///
/// A target also allows what is inside it: `model` allows `model::gpt2`. Every top-level module may name itself.
/// A comment explains each entry that is wider than the layer's purpose suggests.
const ARROWS: &[(&str, &[&str])] = &[
    // A package of its own. `parallel` is its module, which the library exports again.
    ("kernels", &[]),
    ("parallel", &[]),
    // Others. The maker's program keeps what is made of posts.
    ("posts", &[]),
    ("maker", &["posts"]),
    ("shown", &[]),
    // Names on a card are strangers' texts. A card can name the bundled model as the base of its bot.
    ("card", &["bundled", "file_kind", "shown"]),
    // A bot has the address of its repository.
    ("bot", &["card", "hub"]),
    ("bundled", &[]),
    ("file_kind", &[]),
    ("json", &["file_kind"]),
    // Messages quote the beginnings of strangers' texts.
    ("notice", &["shown"]),
    // A `ModelRef` can name the bundled model. The memory a model takes follows from its shape, which a repository's
    // `config.json` states.
    (
        "hub",
        &[
            "bundled",
            "json",
            "shown",
            "model::config",
            "model::ModelError",
        ],
    ),
    // The reference computes the same activations.
    ("model", &["json", "notice", "shown", "kernels::Activation"]),
    ("infer", &["kernels", "parallel", "model::config"]),
    // Reading `model::config` out of a checkpoint fails with `ModelError`.
    (
        "weights",
        &[
            "file_kind",
            "notice",
            "shown",
            "model::config",
            "model::ModelError",
            "kernels::pack",
        ],
    ),
    // A text file of tokens may be another kind of file, as JSON may be.
    ("tokenizer", &["file_kind", "json", "notice", "shown"]),
    // Parameters and their table cross the worker's channel, so they know no model; the table reads their values from JSON.
    ("generate::params", &[]),
    ("generate::parameter", &["json", "shown"]),
    // A generation passes its threads to the session.
    (
        "generate",
        &[
            "infer",
            "json",
            "kernels::filters",
            "kernels::logits",
            "notice",
            "parallel",
            "tokenizer",
        ],
    ),
    // Its operations compute with the kernels and their threads.
    (
        "finetune",
        &["kernels", "model", "parallel", "posts", "weights"],
    ),
    // A trained bot is a folder as `engine` opens it, and writes samples on the way.
    (
        "trainer",
        &[
            "engine",
            "finetune",
            "generate",
            "json",
            "kernels",
            "parallel",
            "posts",
            "protocol",
            "runs",
            "tokenizer",
            "weights",
        ],
    ),
    // Messages carry the figures of a training and its steps.
    ("trainer::message", &["finetune", "hub", "runs"]),
    ("runs", &["posts"]),
    // A stored model has the name by which it is loaded, and what was noticed about it.
    ("store", &["hub", "notice"]),
    // Messages carry the shape of a model, the parameters and the results of a generation, and the name of a model.
    ("protocol", &["generate", "model::config", "hub", "notice"]),
    (
        "engine",
        &[
            "kernels",
            "parallel",
            "hub",
            "model",
            "infer",
            "weights",
            "tokenizer",
            "generate",
            "protocol",
            "json",
            "notice",
            "shown",
        ],
    ),
    // The settings follow the table of generation parameters; a bot's model is named as `hub` names models. The maker's
    // messages carry posts and their counts, and what it makes has a card.
    (
        "state",
        &[
            "maker",
            "posts",
            "card",
            "protocol",
            "bot",
            "runs",
            "hub",
            "finetune::params",
            "finetune::FineTuneParams",
            "finetune::StepReport",
            "generate::params",
            "generate::parameter",
            "shown",
            "trainer::message",
            "trainer::Event",
            "trainer::TrainingPlan",
            "trainer::Interrupted",
            "trainer::TrainedBot",
        ],
    ),
    // Converts arriving weights with the engine's own conversion.
    (
        "web::worker::acquisition",
        &["protocol", "store", "hub", "engine", "notice"],
    ),
    // `kernels` for the name of this build's instruction set, `parallel` for the engine's threads.
    (
        "web::worker::host",
        &["protocol", "hub", "engine", "kernels", "parallel"],
    ),
    (
        "web::trainer",
        &[
            "engine",
            "finetune",
            "maker::manifest",
            "parallel",
            "protocol",
            "runs",
            "trainer",
        ],
    ),
    // The settings panel has a control per row of the table of parameters; the maker's page talks to its worker.
    (
        "web::page",
        &[
            "maker",
            "posts",
            "state",
            "protocol",
            "hub",
            "bot",
            "bundled",
            "generate::parameter",
            "runs",
            "trainer",
        ],
    ),
    ("web", &["protocol", "store", "hub"]),
    ("site", &[]),
    // The card of the element for other sites.
    ("site::bot_facts", &["bot"]),
    // What a bot's page shows before its program has come, and says to other sites.
    ("site::bot_pages", &["bot"]),
    ("site::first_screen", &["bot"]),
    ("site::unfurl", &["bot"]),
    // `lib` lists the modules, exports the other packages, and has no logic.
    ("lib", &["kernels", "posts"]),
    // The programs are thin, so they name what they start.
    ("bin::app", &["web"]),
    ("bin::maker_page", &["web"]),
    // A worker runs the engine, or is one of its threads.
    ("bin::worker", &["web", "kernels::parallel"]),
    ("bin::trainer", &["web", "kernels::parallel"]),
    ("bin::helpers", &["kernels::parallel"]),
    ("bin::huggingtweets", NATIVE),
    ("cli", NATIVE),
];

/// The modules that some command of the native program calls.
const NATIVE: &[&str] = &[
    "cli",
    "shown",
    "engine",
    "weights",
    "tokenizer",
    "trainer",
    "generate",
    "kernels",
    "parallel",
    "posts",
    "finetune",
    "card",
    "bundled",
    "runs",
    "site",
    "hub",
    "protocol",
];

/// Where `unsafe` may appear.
const UNSAFE: &[&str] = &["kernels", "weights::candle_blocks"];

/// The packages of their own, each a module of its name.
const PACKAGES: [&str; 3] = ["kernels", "maker", "posts"];

/// Where the browser may appear.
const BROWSER: &[&str] = &[
    "web",
    "bin::app",
    "bin::maker_page",
    "bin::worker",
    "bin::trainer",
    "bin::helpers",
    "maker::browser",
];

/// The browser's crates; each name also stands for crates whose names begin with it, such as `wasm_bindgen_futures`.
const BROWSER_CRATES: &[&str] = &[
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "serde_wasm_bindgen",
    "gloo",
    "leptos",
    "console_error_panic_hook",
];

/// A native crate whose name begins like a browser's: it makes JavaScript for compiled programs.
const NATIVE_CRATE: &str = "wasm_bindgen_cli_support";

/// One file of a package.
struct Source {
    path: PathBuf,
    /// Its module path from the library's root, `card::read`; a `mod.rs` has its folder's. Each of [`PACKAGES`] is the
    /// module of its name, and the worker's program is `bin::worker`.
    module: String,
    text: String,
    /// The file's module first, then the modules written inside it.
    scopes: Vec<Scope>,
    has_unsafe: bool,
}

/// The names of one module: those it defines, imports and uses.
#[derive(Default)]
struct Scope {
    module: String,
    /// Items defined here, modules apart.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of `use PATH::*`.
    globs: Vec<Vec<String>>,
    /// Paths in the code, `use` declarations apart.
    paths: BTreeSet<Vec<String>>,
    /// Names called as methods, `x.name()` or `Type::name()`.
    calls: BTreeSet<String>,
    /// `impl TYPE { … }` without a trait: the type's path and the methods' names.
    inherent_impls: Vec<(Vec<String>, Vec<String>)>,
}

/// One name of a `use` declaration.
struct Import {
    /// The name it has here.
    name: String,
    path: Vec<String>,
    /// Whether it also exports the name.
    is_exported: bool,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = [
        ("main", "worker"),
        ("trainer", "trainer"),
        ("helpers", "helpers"),
    ];
    let mut sources = Vec::new();
    for (file, module) in programs {
        let path = root.join(format!("worker/src/{file}.rs"));
        let text = fs::read_to_string(&path).unwrap();
        sources.push(Source::parse(path, format!("bin::{module}"), text));
    }
    sources.extend(sources_in(&root.join("src"), ""));
    for package in PACKAGES {
        sources.extend(sources_in(&root.join(package).join("src"), package));
    }
    sources
}

/// The sources of a library whose root is `module`.
fn sources_in(root: &Path, module: &str) -> Vec<Source> {
    let mut folders = vec![root.to_owned()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let module = match (module, module_path(path.strip_prefix(root).unwrap())) {
                    (package, name) if !package.is_empty() && name == "lib" => package.to_owned(),
                    (root, name) => join(root, &name),
                };
                sources.push(Source::parse(path, module, text));
            }
        }
    }
    sources
}

fn module_path(relative: &Path) -> String {
    let parts: Vec<_> = relative
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    let parts = parts
        .strip_suffix(&["mod".to_owned()][..])
        .unwrap_or(&parts);
    parts.join("::")
}

impl Source {
    fn parse(path: PathBuf, module: String, text: String) -> Self {
        let file =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let root = if module == "lib" { "" } else { &module };
        let mut reader = Reader {
            scopes: vec![Scope::of(root)],
            current: 0,
            has_unsafe: false,
        };
        reader.visit_file(&file);
        Self {
            path,
            module,
            text,
            scopes: reader.scopes,
            has_unsafe: reader.has_unsafe,
        }
    }

    /// Paths that the file names, in `use` declarations and in its code.
    fn paths(&self) -> impl Iterator<Item = (&Scope, &[String])> {
        self.scopes.iter().flat_map(|scope| {
            let imports = scope.imports.iter().map(|import| &import.path);
            let paths = imports.chain(&scope.globs).chain(&scope.paths);
            paths.map(move |path| (scope, path.as_slice()))
        })
    }
}

impl Scope {
    fn of(module: &str) -> Self {
        Self {
            module: module.to_owned(),
            ..Self::default()
        }
    }
}

/// Collects the scopes of one file.
struct Reader {
    scopes: Vec<Scope>,
    /// Index of the scope being read.
    current: usize,
    has_unsafe: bool,
}

impl Reader {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes[self.current]
    }

    fn add_path(&mut self, path: Vec<String>) {
        if let [_, .., last] = path.as_slice() {
            let last = last.clone();
            self.scope().calls.insert(last);
        }
        self.has_unsafe |= path == ["unsafe"];
        self.scope().paths.insert(path);
    }

    fn add_use(&mut self, tree: &UseTree, prefix: &[String], is_exported: bool) {
        let import = |name: String, last: String| {
            // `a::{self}` is `a`.
            let last = Some(last).filter(|last| prefix.is_empty() || last != "self");
            let path: Vec<String> = prefix.iter().cloned().chain(last).collect();
            let name = match name.as_str() {
                "self" => path.last().unwrap().clone(),
                _ => name,
            };
            Import {
                name,
                path,
                is_exported,
            }
        };
        match tree {
            UseTree::Path(path) => {
                let prefix = [prefix, &[path.ident.to_string()]].concat();
                self.add_use(&path.tree, &prefix, is_exported);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, prefix, is_exported);
                }
            }
            UseTree::Name(name) => {
                let import = import(name.ident.to_string(), name.ident.to_string());
                self.scope().imports.push(import);
            }
            UseTree::Rename(name) => {
                let import = import(name.rename.to_string(), name.ident.to_string());
                self.scope().imports.push(import);
            }
            UseTree::Glob(_) => self.scope().globs.push(prefix.to_vec()),
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = attributes_and_name(item);
        if attributes.iter().any(is_test) {
            return;
        }
        self.scope().items.extend(name);
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() {
            return;
        }
        let outer = self.current;
        let module = join(&self.scope().module, &item.ident.to_string());
        self.current = self.scopes.len();
        self.scopes.push(Scope::of(&module));
        visit::visit_item_mod(self, item);
        self.current = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_exported = !matches!(item.vis, Visibility::Inherited);
        self.add_use(&item.tree, &[], is_exported);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.has_unsafe |= item.unsafety.is_some();
        if let (None, syn::Type::Path(of)) = (&item.trait_, &*item.self_ty) {
            // The header is in `inherent_impls` and not among the paths.
            visit::visit_generics(self, &item.generics);
            for item in &item.items {
                self.visit_impl_item(item);
            }
            let methods = item.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            });
            let implementation = (segments(&of.path), methods.collect());
            self.scope().inherent_impls.push(implementation);
        } else {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_safety(&mut self, safety: &'ast syn::Safety) {
        self.has_unsafe |= matches!(safety, syn::Safety::Unsafe(_));
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.has_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_path(segments(path));
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.scope().calls.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    /// What a macro or an attribute is given: every sequence `a::b::c` in it counts as a path.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut before = String::new();
        for token in tokens.clone() {
            let text = match &token {
                TokenTree::Group(group) => {
                    self.visit_token_stream(&group.stream());
                    String::new()
                }
                TokenTree::Literal(_) => String::new(),
                TokenTree::Punct(punct) if punct.as_char() == ':' && before == ":" => {
                    "::".to_owned()
                }
                TokenTree::Punct(punct) => punct.as_char().to_string(),
                TokenTree::Ident(ident) => ident.to_string(),
            };
            let continues = match &token {
                TokenTree::Ident(_) => before == "::",
                _ => matches!(text.as_str(), ":" | "::"),
            };
            if !continues && !path.is_empty() {
                self.add_path(std::mem::take(&mut path));
            }
            if let TokenTree::Ident(_) = &token {
                match before.as_str() {
                    "'" => {}
                    "." => _ = self.scope().calls.insert(text.clone()),
                    _ => path.push(text.clone()),
                }
            }
            before = text;
        }
        if !path.is_empty() {
            self.add_path(path);
        }
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|segment| segment.ident.to_string()).collect()
}

/// Whether it leaves the item out of all builds but the tests'.
fn is_test(attribute: &Attribute) -> bool {
    match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    }
}

fn attributes_and_name(item: &Item) -> (&[Attribute], Option<String>) {
    let (attributes, name) = match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Use(item) => (&item.attrs, None),
        Item::ForeignMod(item) => (&item.attrs, None),
        _ => return (&[], None),
    };
    (attributes, name.map(ToString::to_string))
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}

/// `path` as seen from `module`, from the crate's root on; `None` if it begins with a name of that module or of a
/// crate.
fn from_root(module: &str, path: &[String]) -> Option<Vec<String>> {
    let mut prefix: Vec<String> = module.split("::").map(str::to_owned).collect();
    let rest = match path.first()?.as_str() {
        "crate" | "huggingtweets" => {
            prefix.truncate(1);
            prefix.retain(|name| PACKAGES.contains(&name.as_str()));
            &path[1..]
        }
        package if PACKAGES.contains(&package) => {
            prefix = vec![package.to_owned()];
            &path[1..]
        }
        "self" => &path[1..],
        "super" => path,
        _ => return None,
    };
    let n_super = rest.iter().take_while(|name| *name == "super").count();
    prefix.truncate(prefix.len().saturating_sub(n_super));
    prefix.retain(|name| !name.is_empty());
    prefix.extend_from_slice(&rest[n_super..]);
    Some(prefix)
}

/// Whether `path` is `module` or inside it.
fn is_inside(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn top_level(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// The entry of the table that counts for a module, or nothing if it does not know the module.
fn entry(module: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let known = ARROWS.iter().filter(|(from, _)| is_inside(module, from));
    known.max_by_key(|(from, _)| from.len())
}

/// The names of other modules in a source, from the root on.
fn named(source: &Source) -> BTreeSet<String> {
    source
        .paths()
        .filter_map(|(scope, path)| Some(from_root(&scope.module, path)?.join("::")))
        .collect()
}

/// The arrows of `source` that the table lacks.
fn forbidden_arrows(source: &Source) -> Vec<String> {
    let modules: BTreeSet<&str> = ARROWS.iter().map(|(from, _)| top_level(from)).collect();
    let Some((_, allowed)) = entry(&source.module) else {
        return vec![format!(
            "module `{}` is not in the table of tests/native/architecture.rs",
            source.module
        )];
    };
    named(source)
        .into_iter()
        .filter(|path| {
            modules.contains(top_level(path)) && top_level(path) != top_level(&source.module)
        })
        .filter(|path| !allowed.iter().any(|to| is_inside(path, to)))
        .map(|path| {
            format!(
                "`{}` names `{path}`; it may name {allowed:?}",
                source.module
            )
        })
        .collect()
}

/// Arrows between files, each with the names that draw it.
///
/// A file points to another when its code resolves a name to an item that the other defines, through any number of
/// re-exports. Two uses of a name draw no arrow:
///
/// - `mod` and `pub use` are an index. A `mod.rs` may list and re-export children that use its items; it is in a circle
///   with a child when its own code uses the child too. Then the shared items belong in a file of their own.
/// - `impl super::Type` in a child continues the type's definition. The type's file points to every child with methods
///   that it calls; the child points back when it uses another item of the parent, or the type in another place.
struct Graph<'a> {
    sources: &'a [Source],
    /// Source and scope of every module.
    modules: BTreeMap<&'a str, (usize, &'a Scope)>,
}

enum Target<'a> {
    Module(&'a str),
    /// An item, by the source that defines it and its name.
    Item(usize, String),
}

impl<'a> Graph<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let modules = sources.iter().enumerate().flat_map(|(i, source)| {
            let scopes = source.scopes.iter();
            scopes.map(move |scope| (scope.module.as_str(), (i, scope)))
        });
        Self {
            sources,
            modules: modules.collect(),
        }
    }

    /// What `path` means in `module`; `None` for names of other crates, local variables and the like.
    fn resolve(&self, module: &str, path: &[String], depth: usize) -> Option<Target<'a>> {
        // Imports may go in a circle, as two modules with a glob of each other do.
        if depth == 0 {
            return None;
        }
        let absolute = from_root(module, path);
        let (mut module, mut rest): (&'a str, &[String]) = match &absolute {
            Some(absolute) => ("", absolute),
            None => (*self.modules.get_key_value(module)?.0, path),
        };
        while let Some((name, tail)) = rest.split_first() {
            let (file, scope) = self.modules.get(module)?;
            let inner = self.modules.get_key_value(join(module, name).as_str());
            // A function may have the name of a module; a path goes on only through the module.
            if scope.items.contains(name) && (tail.is_empty() || inner.is_none()) {
                return Some(Target::Item(*file, name.clone()));
            }
            if let Some((inner, _)) = inner {
                (module, rest) = (inner, tail);
                continue;
            }
            let through = |path: &[String]| {
                let path = [path, tail].concat();
                self.resolve(module, &path, depth - 1)
            };
            let imports = scope.imports.iter().filter(|import| import.name == *name);
            return imports
                .filter(|import| import.path != [name.as_str()])
                .find_map(|import| through(&import.path))
                .or_else(|| {
                    scope.globs.iter().find_map(|glob| {
                        match self.resolve(module, glob, depth - 1)? {
                            Target::Module(glob) if glob != module => {
                                self.resolve(glob, rest, depth - 1)
                            }
                            _ => None,
                        }
                    })
                });
        }
        Some(Target::Module(module))
    }

    /// The item of this path: the source that defines it, and its name there.
    fn definition(&self, module: &str, path: &[String]) -> Option<(usize, String)> {
        match self.resolve(module, path, 16)? {
            Target::Item(source, name) => Some((source, name)),
            Target::Module(_) => None,
        }
    }

    fn arrows(&self) -> BTreeMap<(usize, usize), BTreeSet<String>> {
        let mut arrows: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for (from, source) in self.sources.iter().enumerate() {
            for scope in &source.scopes {
                // An imported module draws no arrow; the names taken from it do. Nor does a type that is imported to be
                // continued.
                let imports = scope.imports.iter().filter(|import| {
                    let is_used =
                        |path: &Vec<String>| path.first().is_some_and(|name| *name == import.name);
                    let is_continued = scope.inherent_impls.iter().any(|(of, _)| is_used(of));
                    if is_continued && !scope.paths.iter().any(is_used) {
                        return false;
                    }
                    let module = match from_root(&scope.module, &import.path) {
                        Some(path) => path.join("::"),
                        None => join(&scope.module, &import.path.join("::")),
                    };
                    !import.is_exported && !self.modules.contains_key(module.as_str())
                });
                let paths = imports.map(|import| &import.path).chain(&scope.paths);
                for path in paths {
                    if let Some((to, name)) = self.definition(&scope.module, path) {
                        arrows.entry((from, to)).or_default().insert(name);
                    }
                }
                for (of, methods) in &scope.inherent_impls {
                    let Some((owner, name)) = self.definition(&scope.module, of) else {
                        continue;
                    };
                    if !is_inside(&scope.module, &self.sources[owner].scopes[0].module) {
                        arrows.entry((from, owner)).or_default().insert(name);
                    }
                    let owners = &self.sources[owner].scopes;
                    let is_called =
                        |method: &&String| owners.iter().any(|scope| scope.calls.contains(*method));
                    for method in methods.iter().filter(is_called) {
                        let name = format!("{method}()");
                        arrows.entry((owner, from)).or_default().insert(name);
                    }
                }
            }
        }
        arrows.retain(|(from, to), _| from != to);
        arrows
    }

    /// Files that reach each other, as lists of the arrows among them.
    fn circles(&self) -> Vec<String> {
        let module = |i: usize| self.sources[i].module.as_str();
        let arrows = self.arrows();
        let reach: Vec<BTreeSet<usize>> = (0..self.sources.len())
            .map(|start| {
                let mut reached = BTreeSet::new();
                let mut left = vec![start];
                while let Some(from) = left.pop() {
                    let next = arrows.range((from, 0)..(from + 1, 0));
                    left.extend(
                        next.map(|((_, to), _)| *to)
                            .filter(|to| reached.insert(*to)),
                    );
                }
                reached
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for start in 0..self.sources.len() {
            let members: BTreeSet<usize> = reach[start]
                .iter()
                .copied()
                .filter(|member| reach[*member].contains(&start))
                .collect();
            if members.is_empty() || !seen.insert(members.clone()) {
                continue;
            }
            let mut circle = format!("a circle of {} files:", members.len());
            for ((from, to), names) in &arrows {
                if members.contains(from) && members.contains(to) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let names = names.join(", ");
                    circle += &format!("\n  {} -> {}: {names}", module(*from), module(*to));
                }
            }
            circles.push(circle);
        }
        circles
    }
}

fn report(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_file_opens_with_what_it_is() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            source
                .text
                .strip_prefix("//! ")
                .is_none_or(|rest| rest.trim_start().starts_with('\n'))
        })
        .map(|source| {
            format!(
                "{} does not open with a `//!` sentence",
                source.path.display()
            )
        })
        .collect();
    report(&faults);
}

#[test]
fn modules_import_only_along_the_arrows() {
    let faults: Vec<String> = sources().iter().flat_map(forbidden_arrows).collect();
    report(&faults);
}

#[test]
fn every_arrow_of_the_table_is_used() {
    let sources = sources();
    let mut faults = Vec::new();
    for (from, targets) in ARROWS {
        let of_entry = sources
            .iter()
            .filter(|source| entry(&source.module).is_some_and(|(counting, _)| counting == from));
        let named: BTreeSet<String> = of_entry.flat_map(named).collect();
        let unused = targets
            .iter()
            .filter(|to| !named.iter().any(|path| is_inside(path, to)));
        // The commands' table is one for several entries.
        let unused = unused.filter(|_| !std::ptr::eq(*targets, NATIVE) || *from == "cli");
        faults.extend(unused.map(|to| format!("`{from}` may name `{to}` and does not")));
    }
    report(&faults);
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    report(&Graph::new(&sources()).circles());
}

#[test]
fn unsafe_stays_in_the_kernels_and_at_candles_blocks() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            !UNSAFE
                .iter()
                .any(|module| is_inside(&source.module, module))
        })
        .filter(|source| source.has_unsafe)
        .map(|source| {
            format!(
                "{} holds `unsafe`; it belongs into {UNSAFE:?}",
                source.path.display()
            )
        })
        .collect();
    report(&faults);
}

#[test]
fn the_browser_stays_at_the_edge() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            !BROWSER
                .iter()
                .any(|module| is_inside(&source.module, module))
        })
        .filter_map(|source| {
            let krate = browser_crate(source)?;
            Some(format!(
                "{} names `{krate}`; only {BROWSER:?} may",
                source.path.display()
            ))
        })
        .collect();
    report(&faults);
}

/// A crate of the browser that the file names.
fn browser_crate(source: &Source) -> Option<&str> {
    let mut firsts = source
        .paths()
        .filter_map(|(_, path)| path.first())
        .map(String::as_str);
    firsts.find(|name| {
        *name != NATIVE_CRATE
            && BROWSER_CRATES.iter().any(|krate| {
                name.strip_prefix(krate)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            })
    })
}

// The checks above pass on an empty folder too; these hold the reader itself to account.

fn source(module: &str, text: &str) -> Source {
    Source::parse(PathBuf::from(module), module.to_owned(), text.to_owned())
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = [("lib", "")]
        .iter()
        .chain(files)
        .map(|(module, text)| source(module, text))
        .collect();
    Graph::new(&sources).circles()
}

#[test]
fn all_sources_are_found() {
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    for module in [
        "lib",
        "card",
        "card::read",
        "bot",
        "bin::app",
        "web",
        "kernels",
        "posts::clean",
    ] {
        assert!(
            modules.contains(module),
            "{module} is not among {modules:?}"
        );
    }
}

#[test]
fn a_forbidden_arrow_is_seen_in_every_form() {
    for (n_paths, text) in [
        (1, "use crate::engine::Engine;"),
        (1, "use crate::engine;"),
        (1, "use crate::engine::*;"),
        (2, "use crate::{card::Card, engine::{self, Engine}};"),
        (1, "use crate::engine::job::Load as L;"),
        (1, "use super::super::engine::Engine;"),
        (1, "mod inner { use super::super::super::engine::Engine; }"),
        (1, "fn f() { use crate::engine::Engine; }"),
        (1, "fn f() { let x = crate::engine::start('\\'', '\"'); }"),
        (
            1,
            "fn f<'a>(x: &'a str) -> crate::engine::Engine<'a> { todo() }",
        ),
        (1, "fn f() { println!(\"{}\", g(crate::engine::NAME)) }"),
        (1, "#[derive(crate::engine::Derive)] struct A;"),
        (
            1,
            "#[cfg(test)] mod tests { fn f() {} } use crate::engine::Engine;",
        ),
        (1, "#[cfg(test)] mod tests; use crate::engine::Engine;"),
    ] {
        let faults = forbidden_arrows(&source("card::read", text));
        assert_eq!(faults.len(), n_paths, "{text}: {faults:?}");
    }
    assert_eq!(
        forbidden_arrows(&source("weights::gguf", "use crate::model::gpt2::Gpt2;")).len(),
        1
    );
    assert_eq!(forbidden_arrows(&source("elsewhere", "")).len(), 1);
}

#[test]
fn allowed_arrows_comments_strings_and_tests_are_no_fault() {
    for text in [
        "use super::{Card, Label};",
        "use crate::card::Card;",
        "/// Like [`crate::engine::Engine`].\nfn f() {}",
        "/* crate::engine /* x */ crate::engine */",
        "const A: &str = \"crate::engine::x \\\" crate::engine::x\";",
        "const A: &str = r#\" \"crate::engine::x \"#;",
        "#[cfg(test)]\nmod tests { use crate::engine::Engine; fn f() { {} } }",
    ] {
        assert_eq!(
            forbidden_arrows(&source("card::read", text)),
            [""; 0],
            "{text}"
        );
    }
    assert_eq!(
        forbidden_arrows(&source(
            "weights::gguf",
            "use crate::model::config::Gpt2Config;"
        )),
        [""; 0]
    );
    assert_eq!(
        forbidden_arrows(&source("web::worker::host", "use crate::engine::Engine;")),
        [""; 0]
    );
}

#[test]
fn a_circle_of_files_is_seen_over_re_exports_globs_macros_and_methods() {
    for files in [
        &[
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "pub struct B(crate::a::A);"),
        ][..],
        &[
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::A; pub struct C;"),
        ],
        // A parent that uses the child it lends a type to.
        &[
            ("a", "mod child; pub struct A(child::B);"),
            ("a::child", "use super::A; pub struct B;"),
        ],
        &[
            (
                "a",
                "mod child; pub use child::B; pub struct A; fn f(b: B) {}",
            ),
            ("a::child", "pub struct B(super::A);"),
        ],
        &[
            ("a", "mod child; use child::B; pub trait A {}"),
            ("a::child", "pub struct B; impl super::A for B {}"),
        ],
        // Siblings that know each other by the parent's re-exports.
        &[
            ("a", "mod b; mod c; pub use b::B; pub use c::*;"),
            ("a::b", "use super::C; pub struct B;"),
            ("a::c", "use super::*; pub struct C(B);"),
        ],
        &[
            ("a", "use crate::b; pub fn f() { println!(\"{}\", b::g()) }"),
            ("b", "pub fn g() { crate::a::f() }"),
        ],
        // Methods that a child adds to the parent's type, and an item of the parent that they use.
        &[
            (
                "a",
                "mod b; pub struct A; const N: u8 = 0; fn f(a: A) { a.g() }",
            ),
            (
                "a::b",
                "use super::{A, N}; impl A { pub fn g(&self) { N } }",
            ),
        ],
        &[
            ("a", "use crate::b::B; pub struct A; fn f(a: A) { a.g() }"),
            ("b", "pub struct B; impl crate::a::A { pub fn g(&self) {} }"),
        ],
    ] {
        assert_eq!(circles(files).len(), 1, "{files:?}");
    }
}

#[test]
fn an_index_of_children_and_a_chain_are_no_circle() {
    for files in [
        &[
            ("a", "mod child; pub use child::B; pub struct A;"),
            ("a::child", "use super::A; pub struct B;"),
        ][..],
        &[
            ("a", "use crate::b::B; use crate::c::C;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "pub struct C;"),
        ],
        &[
            ("a", "mod child; pub struct A(child::B);"),
            (
                "a::child",
                "pub struct B; #[cfg(test)] mod tests { use super::super::A; }",
            ),
        ],
        // A child that adds methods to the parent's type.
        &[
            ("a", "mod b; pub struct A; fn f(a: A) { a.g() }"),
            (
                "a::b",
                "use super::A; impl A { pub fn g(&self) -> Self {} }",
            ),
        ],
        // Another crate's module and a local variable with the names of ours.
        &[
            ("a", "use std::b::g; pub fn f(b: u8) { x(b) }"),
            ("b", "pub fn g() { crate::a::f(0) }"),
        ],
    ] {
        assert_eq!(circles(files), [""; 0], "{files:?}");
    }
}

#[test]
fn unsafe_and_browser_crates_are_seen_in_every_form() {
    for text in [
        "fn f() { unsafe { g() } }",
        "unsafe fn f() {}",
        "unsafe impl Sync for A {}",
        "unsafe trait A {}",
        "unsafe extern \"C\" {}",
        "#[unsafe(no_mangle)] fn f() {}",
        "fn f() { assert!(unsafe { g() }) }",
        "mod inner { impl A { unsafe fn f() {} } }",
    ] {
        assert!(source("a", text).has_unsafe, "{text}");
    }
    assert!(!source("a", "// unsafe\nconst A: &str = \"unsafe\";").has_unsafe);
    for text in [
        "use web_sys::Window;",
        "use {std::fmt, wasm_bindgen_futures::spawn_local};",
        "fn f() { js_sys::eval(x) }",
        "fn f() { log!(gloo::utils::window()) }",
        "#[wasm_bindgen] fn f() {}",
    ] {
        assert!(browser_crate(&source("a", text)).is_some(), "{text}");
    }
    for text in [
        "// web_sys\nuse crate::web_sys_like;",
        "use wasm_bindgen_cli_support::Bindgen;",
    ] {
        assert_eq!(browser_crate(&source("a", text)), None, "{text}");
    }
}

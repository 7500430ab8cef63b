//! Which definition an import, or a qualified name, means: told by the paths of files, as nothing is built here.
//!
//! A module path such as `crate::parser::tree`, `..pkg.sub`, `./lib/file.js` or `com.example.model.Thing` is compared
//! with the paths of the files that have a definition of the name. What fits is evidence, not proof: a file may shadow
//! what it imports, and a module may hand on the name of another.

use ast_core_model::{LanguageName, Reference, ReferenceKind, RepoPath};

/// How well a definition fits what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It does not.
    No,
    /// It is further inside of the module that is named, which may hand it on.
    Inside,
    /// It is in the file that is named.
    Exact,
}

/// A definition that may be meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) path: &'a RepoPath,
    pub(crate) language: &'a LanguageName,
    pub(crate) name: &'a str,
    /// The names round it, outermost first.
    pub(crate) scope: &'a [Box<str>],
}

/// How languages name modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Rust,
    Python,
    Script,
    /// A file is brought in whole: C, C++, Bash, Ruby.
    Include,
    Go,
    /// A package is a directory, and sees itself without imports: Java, Kotlin, Scala.
    Package,
    /// The text says what namespace it is in: C#, PHP.
    Namespace,
    Other,
}

fn family(language: &LanguageName) -> Family {
    match language.as_str() {
        "rust" => Family::Rust,
        "python" => Family::Python,
        "typescript" | "tsx" | "javascript" => Family::Script,
        "c" | "cpp" | "bash" | "ruby" => Family::Include,
        "go" => Family::Go,
        "java" | "kotlin" | "scala" => Family::Package,
        "csharp" | "php" => Family::Namespace,
        _ => Family::Other,
    }
}

/// The names in a path of modules, or in what stands before a name: of `std::fs`, `os.path`, `a->b`, `x/y.h`.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let text = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let names = text.split("->").flat_map(|part| part.split([':', '.', '\\', '/']));
    let names = names
        .map(|name| name.trim_start_matches(['*', '&', '$', '(']).trim_end_matches(['(', ')', '?', '!']));
    names.filter(|name| !name.is_empty())
}

/// A path of modules, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Module {
    start: Start,
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// At the root of the tree.
    Root,
    /// Anywhere: at a directory that is a root of sources, as far as that can be told.
    Anywhere,
    /// At the crate of the first name.
    Crate,
    /// At the end of the path: of a package's address its last names count.
    Tail,
}

/// Directories that are roots of sources by custom.
const SOURCE_ROOTS: &[&str] = &[
    "src",
    "lib",
    "libs",
    "include",
    "source",
    "sources",
    "python",
    "java",
    "kotlin",
    "scala",
    "main",
    "app",
    "apps",
    "packages",
    "crates",
    "modules",
    "vendor",
    "node_modules",
    "site-packages",
    "third_party",
];

/// What a file is called as a module: its path without extension, and without the name that only says that it stands
/// for its directory.
fn place(path: &RepoPath, family: Family) -> Vec<&str> {
    let mut names: Vec<&str> = path.as_str().split('/').collect();
    if let Some(last) = names.pop() {
        let stem = last.split_once('.').map_or(last, |(stem, _)| if stem.is_empty() { last } else { stem });
        let stands_for_directory = match family {
            Family::Rust => matches!(stem, "mod" | "lib" | "main"),
            Family::Python => stem == "__init__",
            Family::Script => stem == "index",
            _ => false,
        };
        if !stands_for_directory {
            names.push(stem);
        }
    }
    names
}

fn directory(path: &RepoPath) -> Vec<&str> {
    let mut names: Vec<&str> = path.as_str().split('/').collect();
    names.pop();
    names
}

/// The directory of a crate's sources.
fn crate_root(path: &RepoPath) -> Vec<&str> {
    let directory = directory(path);
    let end = directory.iter().rposition(|name| matches!(*name, "src" | "tests" | "benches" | "examples"));
    directory[..end.map_or(directory.len(), |at| at + 1)].to_vec()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The names of a path on disk, from a directory on. `None` if it leaves the tree.
fn walk(mut from: Vec<String>, text: &str) -> Option<Vec<String>> {
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(from.pop()?),
            name => from.push(name.to_owned()),
        }
    }
    Some(from)
}

/// Of the name of a file, what is before its extension.
fn without_extension(names: &mut [String]) {
    if let Some(last) = names.last_mut()
        && let Some((stem, extension)) = last.rsplit_once('.')
        && !stem.is_empty()
        && extension.len() <= 4
    {
        *last = stem.to_owned();
    }
}

/// What a path of modules may stand for in a file.
fn modules(importer: &RepoPath, family: Family, text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut add = |start, names: Vec<String>| found.push(Module { start, names });
    let here = owned(&directory(importer));
    match family {
        Family::Rust => {
            let mut names: Vec<&str> = names_in(text).collect();
            let own = place(importer, family);
            let root = crate_root(importer);
            match names.first().copied() {
                Some("crate" | "$crate") => {
                    names.splice(..1, root);
                    add(Start::Root, owned(&names));
                }
                Some("self" | "super") => {
                    let mut base = own;
                    while let Some(first @ ("self" | "super")) = names.first().copied() {
                        if first == "super" {
                            base.pop();
                        }
                        names.remove(0);
                    }
                    base.extend(names);
                    add(Start::Root, owned(&base));
                }
                Some(_) => {
                    add(Start::Crate, owned(&names));
                    add(Start::Root, owned(&[&own[..], &names].concat()));
                }
                None => {}
            }
        }
        Family::Python => {
            let dots = text.bytes().take_while(|byte| *byte == b'.').count();
            let names: Vec<&str> = names_in(text).collect();
            match dots {
                0 => add(Start::Anywhere, owned(&names)),
                _ if dots - 1 <= here.len() => {
                    add(Start::Root, [&here[..here.len() - (dots - 1)], &owned(&names)].concat());
                }
                _ => {}
            }
        }
        Family::Script | Family::Include => {
            let walked =
                match text.starts_with("./") || text.starts_with("../") || text == "." || text == ".." {
                    true => walk(here, text).map(|names| (Start::Root, names)),
                    false => {
                        walk(Vec::new(), text.trim_start_matches('/')).map(|names| (Start::Anywhere, names))
                    }
                };
            if let Some((start, mut names)) = walked {
                without_extension(&mut names);
                add(start, names);
            }
        }
        Family::Go => {
            let mut names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
            let is_version = |name: &&str| {
                name.strip_prefix('v')
                    .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
            };
            if names.len() > 1 {
                names.pop_if(|name| is_version(&*name));
            }
            add(Start::Tail, owned(&names));
        }
        Family::Package | Family::Namespace | Family::Other => {
            add(Start::Anywhere, owned(&names_in(text).collect::<Vec<_>>()));
        }
    }
    found
}

impl Module {
    /// How the candidate fits this module and the names behind it, which end with that of the candidate.
    fn fit(&self, behind: &[&str], candidate: &Candidate<'_>, importer: &RepoPath) -> Fit {
        let family = family(candidate.language);
        let place = place(candidate.path, family);
        let names: Vec<&str> = self.names.iter().map(String::as_str).chain(behind.iter().copied()).collect();
        let full = full_name(candidate);
        let mut best = Fit::No;
        // From the whole path down: what is left off at the end is the name of the candidate in its file.
        for end in (0..=names.len()).rev() {
            let (head, inner) = names.split_at(end);
            let Some(round) = full.strip_suffix(inner) else { break };
            // Java's file of a class has its name, and what a file includes is not always within what it names.
            let is_whole = round.is_empty() || place.ends_with(round) || family == Family::Include;
            if is_whole || inner.is_empty() {
                best = best.max(self.fit_place(head, &place, importer));
            }
            if best == Fit::Exact {
                break;
            }
        }
        best
    }

    fn fit_place(&self, names: &[&str], place: &[&str], importer: &RepoPath) -> Fit {
        let graded = |is_exact: bool| if is_exact { Fit::Exact } else { Fit::Inside };
        match self.start {
            Start::Root if place.starts_with(names) => graded(place.len() == names.len()),
            Start::Crate => {
                let Some((first, rest)) = names.split_first() else { return Fit::No };
                // The tests of a package name it, whatever its directory is called.
                let package = directory(importer);
                let at = package.iter().rposition(|name| matches!(*name, "tests" | "benches" | "examples"));
                let own = at.and_then(|at| place.strip_prefix(&package[..at])?.strip_prefix(&["src"]));
                if own.is_some_and(|own| !own.is_empty() && own == rest) {
                    return Fit::Exact;
                }
                let is_crate = |name: &&str| {
                    let name = name.replace('-', "_");
                    name == *first || name.strip_prefix(first).is_some_and(is_version_suffix)
                };
                let Some(at) = place.iter().position(is_crate) else { return Fit::No };
                let inside = &place[at + 1..];
                let inside = inside.strip_prefix(&["src"]).unwrap_or(inside);
                if inside.starts_with(rest) { graded(inside.len() == rest.len()) } else { Fit::No }
            }
            Start::Anywhere if !names.is_empty() => {
                let runs = place.windows(names.len()).enumerate().filter(|(_, run)| *run == names);
                let fits = runs
                    .filter(|(at, _)| names.len() > 1 || is_source_root(&place[..*at], names[0], importer));
                fits.map(|(at, _)| graded(at + names.len() == place.len())).max().unwrap_or(Fit::No)
            }
            Start::Tail => {
                let Some((_, folder)) = place.split_last() else { return Fit::No };
                let same = folder.iter().rev().zip(names.iter().rev()).take_while(|(a, b)| a == b).count();
                match same {
                    0 => Fit::No,
                    same => graded(same > 1 || folder.len() == 1 || names.len() == 1),
                }
            }
            _ => Fit::No,
        }
    }
}

/// The names round a candidate in its file, and its own. A namespace may be several.
fn full_name<'a>(candidate: &Candidate<'a>) -> Vec<&'a str> {
    candidate.scope.iter().flat_map(|scope| names_in(scope)).chain([candidate.name]).collect()
}

/// Of a directory such as `name-1.2.3`, what is behind the name.
fn is_version_suffix(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether modules may begin in this directory, for a file that imports one of this name.
fn is_source_root(directory: &[&str], module: &str, importer: &RepoPath) -> bool {
    let importer: Vec<&str> = importer.as_str().split('/').collect();
    importer.starts_with(directory)
        || directory.last().is_some_and(|last| {
            SOURCE_ROOTS.contains(last)
                || last
                    .strip_prefix(module)
                    .is_some_and(|version| is_version_suffix(&version.replace('-', "_")))
        })
}

/// The imports of a file.
pub(crate) struct Imports<'a> {
    path: &'a RepoPath,
    family: Family,
    imports: Vec<Import<'a>>,
}

struct Import<'a> {
    /// The name in this file; `None` for all that the module has.
    local: Option<&'a str>,
    /// The name in its module; `None` for the module itself.
    name: Option<&'a str>,
    modules: Vec<Module>,
}

impl<'a> Imports<'a> {
    pub(crate) fn new(path: &'a RepoPath, language: &LanguageName, references: &'a [Reference]) -> Self {
        let family = family(language);
        let imports = references.iter().filter(|reference| reference.kind == ReferenceKind::Import);
        let imports = imports.map(|import| Import::new(path, family, import)).collect();
        Self { path, family, imports }
    }

    /// The names that the file knows something by whose name in its module is this one.
    pub(crate) fn aliases(&self, name: &str) -> Vec<&'a str> {
        let renamed = self.imports.iter().filter(|import| import.name == Some(name));
        renamed.filter_map(|import| import.local).filter(|local| *local != name).collect()
    }

    /// The name in its module of what this file knows by another.
    pub(crate) fn original(&self, local: &str) -> Option<&'a str> {
        self.imports.iter().find(|import| import.local == Some(local))?.name
    }

    /// Whether the file has imported something under this name.
    pub(crate) fn has(&self, local: &str) -> bool {
        self.imports.iter().any(|import| import.local == Some(local))
    }

    /// How a definition in another file fits an import of its own name.
    pub(crate) fn fit_of_import(&self, reference: &Reference, candidate: &Candidate<'_>) -> Fit {
        Import::new(self.path, self.family, reference).fit(&[], candidate, self.path)
    }

    /// How a definition in another file fits a mention of a name, with what stands before it, by the imports of this
    /// file, by the name itself if it is a full path (`is_path`: with `::` before the name), or by a package that both are
    /// in.
    pub(crate) fn fit(
        &self,
        name: &str,
        qualifier: Option<&str>,
        is_path: bool,
        candidate: &Candidate<'_>,
    ) -> Fit {
        let before: Vec<&str> = qualifier.map_or(Vec::new(), |qualifier| names_in(qualifier).collect());
        let head = before.first().copied().unwrap_or(name);
        let rest: Vec<&str> =
            before.iter().skip(1).copied().chain((!before.is_empty()).then_some(name)).collect();
        let mut best = Fit::No;
        for import in &self.imports {
            let fit = match import.local {
                Some(local) if local == head => {
                    // `x.name` of an imported type has the type round it, of an imported module it has not.
                    import.fit(&rest, candidate, self.path)
                }
                None => {
                    let names: Vec<&str> = before.iter().copied().chain([name]).collect();
                    import.fit(&names, candidate, self.path)
                }
                Some(_) => Fit::No,
            };
            best = best.max(fit);
        }
        if best < Fit::Exact
            && let (false, Some(qualifier)) = (before.is_empty(), qualifier)
        {
            best = best.max(self.fit_full_name(name, qualifier, is_path, &before, candidate));
        }
        if best < Fit::Exact && self.shares_package(candidate) && in_scope(&before, candidate) {
            best = Fit::Exact;
        }
        best
    }

    /// A name with all of its path, which needs no import.
    fn fit_full_name(
        &self,
        name: &str,
        qualifier: &str,
        is_path: bool,
        before: &[&str],
        candidate: &Candidate<'_>,
    ) -> Fit {
        match self.family {
            Family::Rust if is_path => {
                let fits = modules(self.path, self.family, qualifier).into_iter();
                fits.map(|module| module.fit(&[name], candidate, self.path)).max().unwrap_or(Fit::No)
            }
            Family::Package if before.len() > 1 => {
                let module = Module { start: Start::Anywhere, names: owned(before) };
                module.fit(&[name], candidate, self.path)
            }
            // Namespaces are in the text.
            Family::Include | Family::Namespace if spells(before, candidate) => Fit::Exact,
            _ => Fit::No,
        }
    }

    /// Whether both files are in a package that sees itself without imports.
    fn shares_package(&self, candidate: &Candidate<'_>) -> bool {
        matches!(self.family, Family::Package | Family::Go)
            && self.family == family(candidate.language)
            && directory(self.path) == directory(candidate.path)
    }
}

/// Whether what stands before a name is round the definition: nothing, or the end of its scope.
fn in_scope(before: &[&str], candidate: &Candidate<'_>) -> bool {
    match before.last() {
        None => true,
        Some(last) => candidate.scope.last().is_some_and(|scope| **scope == **last),
    }
}

/// Whether these names are, in order, the end of the scope of a definition, whose namespaces may be several names each.
fn spells(names: &[&str], candidate: &Candidate<'_>) -> bool {
    let full = full_name(candidate);
    !names.is_empty() && full[..full.len() - 1].ends_with(names)
}

impl<'a> Import<'a> {
    fn new(path: &RepoPath, family: Family, import: &'a Reference) -> Self {
        let name = &*import.name;
        let alias = import.alias.as_deref();
        let module = import.qualifier.as_deref();
        // A module as a whole has its last name as its own.
        let is_whole = |module: &str| {
            module == name
                || module.rsplit(['/', '\\', ':', '.']).next() == Some(name)
                || module.ends_with(name)
        };
        let (local, name, module) = match (family, module) {
            (_, Some(module)) if name == "*" => (alias, None, module.to_owned()),
            // Mostly it is called so there as well.
            (Family::Script, Some(module)) if name == "default" => (alias, alias, module.to_owned()),
            (Family::Include, Some(module)) if is_whole(module) => (None, None, module.to_owned()),
            // Of Bash and Ruby the path is cut before its last name.
            (Family::Include, Some(module)) if module.contains(['/', '.']) => {
                (None, None, format!("{module}/{name}"))
            }
            (Family::Include, None) => (None, None, name.to_owned()),
            (Family::Namespace, None) => (None, None, name.to_owned()),
            (Family::Go, Some(module)) => (Some(alias.unwrap_or(name)), None, module.to_owned()),
            (_, Some(module)) => (Some(alias.unwrap_or(name)), Some(name), module.to_owned()),
            (_, None) => (Some(alias.unwrap_or(name)), None, name.to_owned()),
        };
        Self { local, name, modules: modules(path, family, &module) }
    }

    fn fit(&self, behind: &[&str], candidate: &Candidate<'_>, importer: &RepoPath) -> Fit {
        let names: Vec<&str> = self.name.iter().copied().chain(behind.iter().copied()).collect();
        let by_path = self.modules.iter().map(|module| module.fit(&names, candidate, importer)).max();
        let best = by_path.unwrap_or(Fit::No);
        if best == Fit::No && family(candidate.language) == Family::Namespace {
            return self.fit_namespace(&names, candidate);
        }
        best
    }

    /// C# and PHP say in the file what namespace it is in.
    fn fit_namespace(&self, behind: &[&str], candidate: &Candidate<'_>) -> Fit {
        let full = full_name(candidate);
        let fits = |module: &Module| {
            let mut names: Vec<&str> = module.names.iter().map(String::as_str).collect();
            names.extend(behind.iter().filter(|name| full.contains(*name)));
            full.starts_with(&names) && names.len() > 1
        };
        if self.modules.iter().any(fits) { Fit::Exact } else { Fit::No }
    }
}

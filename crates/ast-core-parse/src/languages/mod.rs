//! The list of languages, and what a language's folder says about it.

use crate::triggers::Triggers;
use crate::visit::{Definitions, Visit};
use std::sync::OnceLock;

mod cpp;
mod java;
mod javascript;
mod python;
mod rust;
mod typescript;

/// Every language, in order of its name.
pub(crate) static LANGUAGES: &[&Spec] = &[
    &cpp::CPP,
    &java::JAVA,
    &javascript::JAVASCRIPT,
    &python::PYTHON,
    &rust::RUST,
    &typescript::TSX,
    &typescript::TYPESCRIPT,
];

/// A language: how its files are known, its grammar, and where its definitions are.
pub(crate) struct Spec {
    /// Lower case, as in output and filters.
    pub(crate) name: &'static str,
    /// Without the dot, lower case unless case tells languages apart.
    pub(crate) extensions: &'static [&'static str],
    /// Whole file names.
    pub(crate) file_names: &'static [&'static str],
    /// The grammar's crate and its version in the lock file.
    pub(crate) grammar_crate: &'static str,
    pub(crate) grammar_version: &'static str,
    pub(crate) load_grammar: fn() -> tree_sitter::Language,
    pub(crate) syntax: Syntax,
    pub(crate) compiled: OnceLock<Compiled>,
}

/// Which nodes of the grammar matter for an outline. Node kinds are named as in the grammar.
pub(crate) struct Syntax {
    /// Nodes that may define something: `define` is asked.
    pub(crate) definitions: &'static [&'static str],
    /// Adds what the visited node defines, if anything.
    pub(crate) define: for<'tree> fn(&Visit<'_, 'tree>, &mut Definitions<'tree>),
    /// Nodes that stand for the definition inside them, such as an export statement: what precedes them belongs
    /// to the definition, whose span they widen.
    pub(crate) wrappers: &'static [&'static str],
    /// Wrappers that do not widen the span, only the extent, such as Python's decorated definition.
    pub(crate) outer_wrappers: &'static [&'static str],
    /// Siblings that belong to the definition after them, such as Rust's attributes.
    pub(crate) attributes: &'static [&'static str],
    /// Comments.
    pub(crate) comments: &'static [&'static str],
    /// Whether a comment before a definition is its documentation.
    pub(crate) is_doc: fn(&str) -> bool,
    /// Siblings that set the visibility of what follows, such as C++'s `public:`.
    pub(crate) sections: &'static [&'static str],
    /// Nodes in which nothing is defined: not looked into.
    pub(crate) opaque: &'static [&'static str],
    /// Lists of members, also of a type that has no name: all that is in them defines something.
    pub(crate) members: &'static [&'static str],
    /// What every definition inside a function has, but for variables, which are part of the function.
    pub(crate) triggers: Triggers,
    /// Whether that goes for the values of variables and fields too.
    pub(crate) values_are_code: bool,
}

/// A syntax ready for use.
pub(crate) struct Compiled {
    pub(crate) grammar: tree_sitter::Language,
    /// Indexed by node kind id.
    pub(crate) roles: Box<[Role]>,
}

/// What a node kind is to the outline: a set of bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Role(u16);

impl Role {
    pub(crate) const DEFINITION: Role = Role(1);
    pub(crate) const WRAPPER: Role = Role(2);
    pub(crate) const OUTER_WRAPPER: Role = Role(4);
    pub(crate) const ATTRIBUTE: Role = Role(8);
    pub(crate) const COMMENT: Role = Role(16);
    pub(crate) const SECTION: Role = Role(32);
    pub(crate) const OPAQUE: Role = Role(64);
    /// Keywords and punctuation.
    pub(crate) const TOKEN: Role = Role(128);
    pub(crate) const MEMBERS: Role = Role(256);

    /// Whether they share a bit.
    pub(crate) const fn is(self, other: Role) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn or(self, other: Role) -> Role {
        Role(self.0 | other.0)
    }

    pub(crate) const fn is_plain(self) -> bool {
        self.0 == 0
    }
}

impl Spec {
    pub(crate) const fn new(
        name: &'static str,
        extensions: &'static [&'static str],
        grammar_crate: &'static str,
        grammar_version: &'static str,
        load_grammar: fn() -> tree_sitter::Language,
        syntax: Syntax,
    ) -> Self {
        Self {
            name,
            extensions,
            file_names: &[],
            grammar_crate,
            grammar_version,
            load_grammar,
            syntax,
            compiled: OnceLock::new(),
        }
    }

    /// Loads the grammar at the first use in a process.
    pub(crate) fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let grammar = (self.load_grammar)();
            let roles = (0..grammar.node_kind_count()).map(|id| self.role(&grammar, id as u16)).collect();
            Compiled { grammar, roles }
        })
    }

    pub(crate) fn grammar(&self) -> &tree_sitter::Language {
        &self.compiled().grammar
    }

    fn role(&self, grammar: &tree_sitter::Language, id: u16) -> Role {
        let Some(kind) = grammar.node_kind_for_id(id) else { return Role::default() };
        if !grammar.node_kind_is_named(id) {
            return Role::TOKEN;
        }
        let bits = self
            .role_lists()
            .into_iter()
            .filter(|(kinds, _)| kinds.contains(&kind))
            .fold(0, |bits, (_, role)| bits | role.0);
        Role(bits)
    }

    fn role_lists(&self) -> [(&'static [&'static str], Role); 8] {
        let syntax = &self.syntax;
        [
            (syntax.definitions, Role::DEFINITION),
            (syntax.wrappers, Role::WRAPPER),
            (syntax.outer_wrappers, Role::OUTER_WRAPPER),
            (syntax.attributes, Role::ATTRIBUTE),
            (syntax.comments, Role::COMMENT),
            (syntax.sections, Role::SECTION),
            (syntax.opaque, Role::OPAQUE),
            (syntax.members, Role::MEMBERS),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_node_kind_that_is_named_is_in_its_grammar() {
        for spec in LANGUAGES {
            for (kinds, _) in spec.role_lists() {
                for kind in kinds {
                    assert_ne!(spec.grammar().id_for_node_kind(kind, true), 0, "{}: {kind}", spec.name);
                }
            }
        }
    }

    /// Each `fixtures/NAME.EXT` of a language's folder has a `fixtures/NAME.EXT.outline` beside it with its symbols
    /// and chunks as text; `UPDATE_EXPECT=1` rewrites them.
    #[test]
    fn fixtures() {
        let languages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/languages");
        let mut seen = 0;
        let mut folders: Vec<_> = std::fs::read_dir(&languages).unwrap().map(|e| e.unwrap().path()).collect();
        folders.sort();
        for folder in folders.iter().map(|folder| folder.join("fixtures")).filter(|folder| folder.is_dir()) {
            let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
            inputs.retain(|path| path.extension().is_some_and(|extension| extension != "outline"));
            inputs.sort();
            for input in inputs {
                let name = input.file_name().unwrap().to_str().unwrap().to_owned();
                let path = ast_core_model::RepoPath::new(name.as_str()).unwrap();
                let language = crate::Language::of_path(&path).unwrap();
                let bytes = std::fs::read(&input).unwrap();
                let file = crate::Parser::default().parse(&bytes, language).unwrap();
                let expected = folder.join(format!("{name}.outline"));
                expect_test::expect_file![expected].assert_eq(&crate::outline::tests::render(&bytes, &file));
                seen += 1;
            }
        }
        assert!(seen >= LANGUAGES.len(), "only {seen} fixtures found");
    }
}

//! The list of languages, and what a language's folder says about it.

use crate::annotation::{Branch, Parameters};
use crate::highlight::HighlightQuery;
use crate::mention::{Mentions, NAME_FIELDS};
use crate::syntax::Node;
use crate::visit::{Definitions, Visit};
use std::sync::OnceLock;

#[cfg(feature = "bash")]
mod bash;
#[cfg(any(feature = "c", feature = "cpp"))]
mod c;
#[cfg(feature = "cpp")]
mod cpp;
#[cfg(feature = "csharp")]
mod csharp;
#[cfg(feature = "go")]
mod go;
#[cfg(feature = "java")]
mod java;
#[cfg(any(feature = "javascript", feature = "typescript"))]
mod javascript;
#[cfg(feature = "kotlin")]
mod kotlin;
#[cfg(feature = "php")]
mod php;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "ruby")]
mod ruby;
#[cfg(feature = "rust")]
mod rust;
#[cfg(feature = "scala")]
mod scala;
#[cfg(any(feature = "kotlin", feature = "typescript"))]
mod scan;
#[cfg(feature = "swift")]
mod swift;
#[cfg(feature = "typescript")]
mod typescript;

/// Every language of this build, in order of its name.
pub(crate) static LANGUAGES: &[&Spec] = &[
    #[cfg(feature = "bash")]
    &bash::BASH,
    #[cfg(feature = "c")]
    &c::C,
    #[cfg(feature = "cpp")]
    &cpp::CPP,
    #[cfg(feature = "csharp")]
    &csharp::CSHARP,
    #[cfg(feature = "go")]
    &go::GO,
    #[cfg(feature = "java")]
    &java::JAVA,
    #[cfg(feature = "javascript")]
    &javascript::JAVASCRIPT,
    #[cfg(feature = "kotlin")]
    &kotlin::KOTLIN,
    #[cfg(feature = "php")]
    &php::PHP,
    #[cfg(feature = "python")]
    &python::PYTHON,
    #[cfg(feature = "ruby")]
    &ruby::RUBY,
    #[cfg(feature = "rust")]
    &rust::RUST,
    #[cfg(feature = "scala")]
    &scala::SCALA,
    #[cfg(feature = "swift")]
    &swift::SWIFT,
    #[cfg(feature = "typescript")]
    &typescript::TSX,
    #[cfg(feature = "typescript")]
    &typescript::TYPESCRIPT,
];

#[cfg(all(feature = "c", feature = "cpp"))]
pub(crate) use c::looks_like_cpp;

/// A language: how its files are known, its grammar, and where its definitions are.
pub(crate) struct Spec {
    /// Lower case, as in output and filters.
    pub(crate) name: &'static str,
    /// Without the dot, lower case unless case tells languages apart.
    pub(crate) extensions: &'static [&'static str],
    /// Whole file names.
    pub(crate) file_names: &'static [&'static str],
    /// Programs that run its scripts, without version.
    pub(crate) interpreters: &'static [&'static str],
    /// The grammar's crate and its version in the lock file.
    pub(crate) grammar_crate: &'static str,
    pub(crate) grammar_version: &'static str,
    pub(crate) load_grammar: fn() -> tree_sitter::Language,
    pub(crate) syntax: Syntax,
    /// Queries that say what is shown in which colour, which come with the grammar or with one that it goes on from.
    pub(crate) highlights: &'static [&'static str],
    /// What a file begins with that is code; a piece of a file does without.
    pub(crate) opening: &'static str,
    /// What stands round members: a piece that is none but a member is read behind it. Empty if members are as others.
    pub(crate) round_members: &'static str,
    pub(crate) compiled: OnceLock<Compiled>,
    highlight_query: OnceLock<Option<HighlightQuery>>,
}

/// Which nodes of the grammar matter, and how. Node kinds are named as in the grammar. [`Syntax::NONE`] has the rest.
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
    /// Whether a node of a wrapper's kind is one.
    pub(crate) is_wrapper: fn(Node<'_>) -> bool,
    /// Siblings that belong to the definition after them, such as Rust's attributes. They are looked into unless they
    /// are opaque too.
    pub(crate) attributes: &'static [&'static str],
    /// Comments.
    pub(crate) comments: &'static [&'static str],
    /// Whether a comment before a definition is its documentation.
    pub(crate) is_doc: fn(&str) -> bool,
    /// Siblings that set the visibility of what follows, such as C++'s `public:`.
    pub(crate) sections: &'static [&'static str],
    /// Whether a node of such a kind is one: in Ruby a name is, if it is a statement and the right word.
    pub(crate) is_section: fn(Node<'_>) -> bool,
    /// Nodes in which nothing is defined or mentioned: not looked into.
    pub(crate) opaque: &'static [&'static str],
    /// Lists of members, also of a type that has no name: all that is in them defines something.
    pub(crate) members: &'static [&'static str],
    /// Whether what is inside of the value of a variable or field is code, as a function's body is.
    pub(crate) values_are_code: bool,
    /// Calls, with the field that holds what is called; `""` for the first named child.
    pub(crate) calls: &'static [(&'static str, &'static str)],
    /// Leaves that are the name of a type, unless they name a definition.
    pub(crate) type_names: &'static [&'static str],
    /// Paths that end in the name of a type.
    pub(crate) type_paths: &'static [&'static str],
    /// Nodes with the field in which the definition they are inside of names what it extends or implements; `""`
    /// for all of the node.
    pub(crate) heritage: &'static [(&'static str, &'static str)],
    /// Further nodes that mention something, such as imports: `refer` is asked.
    pub(crate) references: &'static [&'static str],
    /// Adds what the visited node mentions, if anything.
    pub(crate) refer: for<'tree> fn(&Visit<'_, 'tree>, &mut Mentions<'tree>),
    /// Nodes and tokens that make a function harder to follow; where a node and a token have the same name, the node.
    pub(crate) branches: &'static [(&'static str, Branch)],
    /// Whether a function's complexity counts what is in its field `body` only, not its head with the defaults of
    /// parameters and the initialisers of members.
    pub(crate) body_alone_counts: bool,
    /// Nodes with the words that modify a definition, such as Java's `modifiers`.
    pub(crate) modifiers: &'static [&'static str],
    /// Adds the parameters that a child of a parameter list declares.
    pub(crate) parameters: Parameters,
    /// What is parsed in place of a text that the grammar cannot read as it is, if anything: as long as the text, with
    /// everything that stays in its place.
    pub(crate) stand_in: fn(&str) -> Option<Vec<u8>>,
    /// Likewise, but only if what was parsed has errors, and only if this has fewer.
    pub(crate) second_reading: fn(&str) -> Option<Vec<u8>>,
}

#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
impl Syntax {
    /// That of a language in which nothing means anything.
    pub(crate) const NONE: Syntax = Syntax {
        definitions: &[],
        define: |_, _| {},
        wrappers: &[],
        outer_wrappers: &[],
        is_wrapper: |_| true,
        attributes: &[],
        comments: &[],
        is_doc: |_| true,
        sections: &[],
        is_section: |_| true,
        opaque: &[],
        members: &[],
        values_are_code: true,
        calls: &[],
        type_names: &[],
        type_paths: &[],
        heritage: &[],
        references: &[],
        refer: |_, _| {},
        branches: &[],
        body_alone_counts: false,
        modifiers: &[],
        parameters: |_, _| {},
        stand_in: |_| None,
        second_reading: |_| None,
    };
}

/// A syntax ready for use.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) grammar: tree_sitter::Language,
    /// Indexed by node kind id.
    pub(crate) roles: Box<[Role]>,
    branches: Box<[Option<Branch>]>,
    /// The fields that hold what is called, by node kind id; 0 for the first named child.
    callees: Box<[u8]>,
    /// The fields that hold what is inherited, by node kind id; 0 for the node itself.
    heritage: Box<[u8]>,
    /// Which leaves are laid out in columns, by node kind id: not punctuation.
    pub(crate) kept: Box<[bool]>,
    kinds: Box<[Box<str>]>,
    fields: Box<[Box<str>]>,
    /// By field id, which of [`NAME_FIELDS`] it is.
    name_ranks: Box<[Option<u8>]>,
    /// The ids of fields, each at the first free place from that of its name on; 0 where there is none.
    field_places: Box<[u8; FIELD_PLACES]>,
}

/// A power of two, and more than there are fields.
const FIELD_PLACES: usize = 512;

/// Where the search for a field begins.
fn field_place(name: &str) -> usize {
    let at = |index: usize| name.as_bytes().get(index).map_or(0, |&byte| byte as usize);
    let length = name.len();
    (at(0) + 29 * at(length / 2) + 97 * at(length.wrapping_sub(1)) + 7 * length) % FIELD_PLACES
}

fn field_places(fields: &[Box<str>]) -> Box<[u8; FIELD_PLACES]> {
    let mut places = Box::new([0; FIELD_PLACES]);
    for (id, name) in fields.iter().enumerate().take(u8::MAX as usize + 1).skip(1) {
        let mut place = field_place(name);
        while places[place] != 0 {
            place = (place + 1) % FIELD_PLACES;
        }
        places[place] = id as u8;
    }
    places
}

impl Compiled {
    /// How many node kinds there are.
    pub(crate) fn kind_count(&self) -> usize {
        self.kinds.len()
    }

    /// The name of a node kind, `"ERROR"` for what is none.
    pub(crate) fn kind_name(&self, kind: u16) -> &str {
        self.kinds.get(kind as usize).map_or("ERROR", |name| name)
    }

    /// The name of a field, `""` for none.
    pub(crate) fn field_name(&self, field: u8) -> &str {
        self.fields.get(field as usize).map_or("", |name| name)
    }

    /// Which of [`NAME_FIELDS`] a field is.
    pub(crate) fn name_rank(&self, field: u8) -> Option<u8> {
        self.name_ranks.get(field as usize).copied().flatten()
    }

    /// The id of a field, 0 if the grammar has none of this name.
    pub(crate) fn field_id(&self, name: &str) -> u8 {
        let mut place = field_place(name);
        loop {
            let id = self.field_places[place];
            if id == 0 || *self.fields[id as usize] == *name {
                return id;
            }
            place = (place + 1) % FIELD_PLACES;
        }
    }

    pub(crate) fn branch(&self, kind: u16) -> Option<Branch> {
        self.branches.get(kind as usize).copied().flatten()
    }

    /// What a call calls.
    pub(crate) fn callee<'tree>(&self, call: Node<'tree>) -> Option<Node<'tree>> {
        match self.callees.get(call.kind_id() as usize).copied().unwrap_or(0) {
            0 => call.named_children().next(),
            field => call.children().find(|child| child.field_id() == field),
        }
    }

    /// Where a node names what its definition inherits.
    pub(crate) fn heritage<'tree>(&self, node: Node<'tree>) -> Option<Node<'tree>> {
        match self.heritage.get(node.kind_id() as usize).copied().unwrap_or(0) {
            0 => Some(node),
            field => node.children().find(|child| child.field_id() == field),
        }
    }
}

/// What a node kind is to a pass: a set of bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Role(u16);

impl Role {
    pub(crate) const DEFINITION: Role = Role(1);
    pub(crate) const WRAPPER: Role = Role(2);
    pub(crate) const OUTER_WRAPPER: Role = Role(4);
    pub(crate) const ATTRIBUTE: Role = Role(8);
    pub(crate) const COMMENT: Role = Role(16);
    pub(crate) const SECTION: Role = Role(32);
    pub(crate) const OPAQUE: Role = Role(64);
    pub(crate) const MEMBERS: Role = Role(128);
    pub(crate) const CALL: Role = Role(256);
    pub(crate) const TYPE_NAME: Role = Role(512);
    pub(crate) const HERITAGE: Role = Role(1024);
    pub(crate) const REFER: Role = Role(2048);
    pub(crate) const BRANCH: Role = Role(4096);
    /// Mentions something.
    pub(crate) const MENTION: Role = Role::CALL.or(Role::TYPE_NAME).or(Role::HERITAGE).or(Role::REFER);
    /// Nothing is done with wrappers but by what they hold.
    const PASSIVE: Role = Role::WRAPPER.or(Role::OUTER_WRAPPER);

    /// Whether they share a bit.
    pub(crate) const fn is(self, other: Role) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn or(self, other: Role) -> Role {
        Role(self.0 | other.0)
    }

    /// Whether a pass has nothing to do at such a node.
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & !Role::PASSIVE.0 == 0
    }
}

#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
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
            interpreters: &[],
            grammar_crate,
            grammar_version,
            load_grammar,
            syntax,
            highlights: &[],
            opening: "",
            round_members: "",
            compiled: OnceLock::new(),
            highlight_query: OnceLock::new(),
        }
    }

    pub(crate) const fn file_names(mut self, names: &'static [&'static str]) -> Self {
        self.file_names = names;
        self
    }

    pub(crate) const fn highlights(mut self, queries: &'static [&'static str]) -> Self {
        self.highlights = queries;
        self
    }

    pub(crate) const fn opening(mut self, opening: &'static str) -> Self {
        self.opening = opening;
        self
    }

    pub(crate) const fn round_members(mut self, opening: &'static str) -> Self {
        self.round_members = opening;
        self
    }

    pub(crate) const fn interpreters(mut self, names: &'static [&'static str]) -> Self {
        self.interpreters = names;
        self
    }
}

impl Spec {
    /// Loads the grammar at the first use in a process.
    pub(crate) fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let grammar = (self.load_grammar)();
            let ids = || 0..grammar.node_kind_count() as u16;
            let name = |id| grammar.node_kind_for_id(id).unwrap_or("");
            let branch = |id| self.branch(&grammar, id);
            let field_in = |list: &[(&str, &str)], id| {
                let field = list.iter().find(|(kind, _)| *kind == name(id))?.1;
                Some(grammar.field_id_for_name(field)?.get() as u8)
            };
            let field_name = |id| grammar.field_name_for_id(id).unwrap_or("").into();
            let name_rank =
                |name: &str| NAME_FIELDS.iter().position(|field| *field == name).map(|at| at as u8);
            let fields: Box<[_]> = (0..=grammar.field_count() as u16).map(field_name).collect();
            Compiled {
                field_places: field_places(&fields),
                name_ranks: fields.iter().map(|name| name_rank(name)).collect(),
                fields,
                roles: ids().map(|id| self.role(&grammar, id)).collect(),
                branches: ids().map(branch).collect(),
                callees: ids().map(|id| field_in(self.syntax.calls, id).unwrap_or(0)).collect(),
                heritage: ids().map(|id| field_in(self.syntax.heritage, id).unwrap_or(0)).collect(),
                kept: ids()
                    .map(|id| grammar.node_kind_is_named(id) || is_word_or_operator(name(id)))
                    .collect(),
                kinds: ids().map(|id| name(id).into()).collect(),
                grammar: grammar.clone(),
            }
        })
    }

    pub(crate) fn grammar(&self) -> &tree_sitter::Language {
        &self.compiled().grammar
    }

    /// Compiled at the first use in a process; `None` if there is none.
    pub(crate) fn highlight_query(&self) -> Option<&HighlightQuery> {
        self.highlight_query.get_or_init(|| HighlightQuery::of(self)).as_ref()
    }

    fn branch(&self, grammar: &tree_sitter::Language, id: u16) -> Option<Branch> {
        let kind = grammar.node_kind_for_id(id)?;
        let (_, branch) = self.syntax.branches.iter().find(|(branch, _)| *branch == kind)?;
        let is_keyword_of_node = !grammar.node_kind_is_named(id) && grammar.id_for_node_kind(kind, true) != 0;
        (!is_keyword_of_node).then_some(*branch)
    }

    fn role(&self, grammar: &tree_sitter::Language, id: u16) -> Role {
        let Some(kind) = grammar.node_kind_for_id(id) else { return Role::default() };
        let branch = self.branch(grammar, id).map_or(Role::default(), |_| Role::BRANCH);
        if !grammar.node_kind_is_named(id) {
            return branch;
        }
        let with_field = |list: &[(&str, &str)], role| match list.iter().any(|(listed, _)| *listed == kind) {
            true => role,
            false => Role::default(),
        };
        let call = with_field(self.syntax.calls, Role::CALL);
        let heritage = with_field(self.syntax.heritage, Role::HERITAGE);
        let lists = self.role_lists().into_iter().filter(|(kinds, _)| kinds.contains(&kind));
        lists.fold(branch.or(call).or(heritage), |role, (_, more)| role.or(more))
    }

    fn role_lists(&self) -> [(&'static [&'static str], Role); 10] {
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
            (syntax.type_names, Role::TYPE_NAME),
            (syntax.references, Role::REFER),
        ]
    }
}

/// Whether a token says more than where something begins or ends.
fn is_word_or_operator(token: &str) -> bool {
    !token.bytes().all(|byte| b"(){}[],;:.\"'`<>".contains(&byte))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_node_kind_that_is_named_is_in_its_grammar() {
        for spec in LANGUAGES {
            let is_known = |kind, named| spec.grammar().id_for_node_kind(kind, named) != 0;
            for (kinds, _) in spec.role_lists() {
                for kind in kinds {
                    assert!(is_known(kind, true), "{}: {kind}", spec.name);
                }
            }
            for kind in [spec.syntax.modifiers, spec.syntax.type_paths].concat() {
                assert!(is_known(kind, true), "{}: {kind}", spec.name);
            }
            for (kind, _) in spec.syntax.branches {
                assert!(is_known(kind, true) || is_known(kind, false), "{}: {kind}", spec.name);
            }
            for (kind, field) in spec.syntax.calls.iter().chain(spec.syntax.heritage) {
                assert!(is_known(kind, true), "{}: {kind}", spec.name);
                assert!(field.is_empty() || spec.compiled().field_id(field) != 0, "{}: {field}", spec.name);
            }
            assert!(spec.grammar().field_count() < 256, "fields are kept in a byte: {}", spec.name);
            for field in 0..=spec.grammar().field_count() as u8 {
                assert_eq!(
                    spec.compiled().field_id(spec.compiled().field_name(field)),
                    field,
                    "{}",
                    spec.name
                );
            }
            assert_eq!(spec.compiled().field_id("no such field"), 0);
        }
    }

    /// Calls `visit` with the language, the path and the content of each `fixtures/NAME.EXT` of a language's folder.
    pub(crate) fn for_each_fixture(mut visit: impl FnMut(crate::Language, &Path, &[u8])) {
        let languages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/languages");
        let mut folders: Vec<_> = std::fs::read_dir(&languages).unwrap().map(|e| e.unwrap().path()).collect();
        folders.sort();
        for folder in folders.iter().map(|folder| folder.join("fixtures")).filter(|folder| folder.is_dir()) {
            let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
            inputs.retain(|path| path.extension().is_none_or(|extension| extension != "outline"));
            inputs.sort();
            for input in inputs {
                let name = input.file_name().unwrap().to_str().unwrap();
                let path = ast_core_model::RepoPath::new(name).unwrap();
                let bytes = std::fs::read(&input).unwrap();
                // A build may be without the language.
                let Some(language) = crate::Language::of_path(&path) else { continue };
                visit(language, &input, &bytes);
            }
        }
    }

    /// Each fixture has a file with `.outline` after its name beside it with what is found in it as text;
    /// `UPDATE_EXPECT=1` rewrites them.
    #[test]
    fn fixtures() {
        let mut seen = 0;
        for_each_fixture(|language, input, bytes| {
            let stem = input.file_stem().unwrap().to_str().unwrap();
            let source = crate::SourceText::decode(bytes).unwrap().named(stem);
            // Beside other programs a page may take longer than a file of a repository is given.
            let limits = crate::ParseLimits {
                time_budget: std::time::Duration::from_secs(60),
                ..crate::ParseLimits::default()
            };
            let mut parser = crate::Parser::new(limits, crate::ChunkingConfig::default());
            let file = parser.parse_source(&source, language).unwrap();
            let mut expected = input.as_os_str().to_owned();
            expected.push(".outline");
            let expected = Path::new(&expected);
            expect_test::expect_file![expected].assert_eq(&crate::outline::tests::render(bytes, &file));
            seen += 1;
        });
        assert!(seen >= LANGUAGES.len(), "only {seen} fixtures found");
    }
}

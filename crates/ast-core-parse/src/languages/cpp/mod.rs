//! C++.

use super::c;
use super::{Spec, Syntax};
use crate::annotation::Branch;
use crate::mention::{self, Mention, Mentions};
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind};

pub(crate) static CPP: Spec = Spec::new(
    "cpp",
    &[
        "cpp", "C", "H", "c++", "cc", "cppm", "cxx", "h", "h++", "hh", "hpp", "hxx", "inl", "ipp", "ixx",
        "tcc", "tpp",
    ],
    "tree-sitter-cpp",
    "0.23.4",
    || tree_sitter_cpp::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "alias_declaration",
            "class_specifier",
            "concept_definition",
            "declaration",
            "enum_specifier",
            "enumerator",
            "field_declaration",
            "function_definition",
            "namespace_alias_definition",
            "namespace_definition",
            "preproc_def",
            "preproc_function_def",
            "struct_specifier",
            "type_definition",
            "union_specifier",
        ],
        define,
        wrappers: &["friend_declaration", "linkage_specification", "template_declaration"],
        sections: &["access_specifier"],
        opaque: &["char_literal", "raw_string_literal", "string_literal"],
        type_paths: &["dependent_name", "qualified_identifier", "template_type"],
        heritage: &[("base_class_clause", "")],
        references: &[
            "call_expression",
            "class_specifier",
            "enum_specifier",
            "new_expression",
            "preproc_include",
            "struct_specifier",
            "union_specifier",
            "using_declaration",
        ],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("else_clause", Branch::Else),
            ("for_statement", Branch::Loop),
            ("for_range_loop", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("do_statement", Branch::Loop),
            ("switch_statement", Branch::Switch),
            ("case_statement", Branch::Case),
            ("catch_clause", Branch::Catch),
            ("conditional_expression", Branch::Ternary),
            ("goto_statement", Branch::Jump),
            ("lambda_expression", Branch::Lambda),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("#if", Branch::Decision),
            ("#ifdef", Branch::Decision),
            ("#elif", Branch::Decision),
        ],
        modifiers: &["explicit_function_specifier", "storage_class_specifier"],
        stand_in: |source| c::blank::blank(source, true),
        ..c::BASE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_c::HIGHLIGHT_QUERY, tree_sitter_cpp::HIGHLIGHT_QUERY]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "namespace_definition" | "namespace_alias_definition" => {
            let Some(name) = visit.field("name") else { return };
            found.push(Definition::new(Kind::Namespace, name).body(visit.field("body")));
        }
        "alias_declaration" | "concept_definition" => {
            let Some(name) = visit.field("name") else { return };
            found.push(Definition::new(Kind::Type, name).visibility(c::visibility(visit)));
        }
        _ => c::define(visit, found),
    }
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        // `int(x)` calls nothing.
        "call_expression" => {
            let callee = visit.field("function").filter(|callee| callee.kind() != "primitive_type");
            mentions.extend(callee.and_then(|callee| mention::named(ReferenceKind::Call, callee)));
        }
        "new_expression" => {
            let class = visit.field("type").filter(|class| class.kind() != "primitive_type");
            mentions.extend(class.and_then(|class| mention::named(ReferenceKind::Call, class)));
        }
        "using_declaration" => {
            let Some(used) = visit.node.named_children().last() else { return };
            let is_namespace = visit.child("namespace").is_some();
            let (name, qualifier) = c::split_name(used);
            let mention = Mention::new(ReferenceKind::Import, name);
            mentions.push(match is_namespace {
                true => mention.name_text("*").qualifier(used.text()),
                false => mention.qualifier(qualifier.unwrap_or_default()),
            });
        }
        _ => c::refer(visit, mentions),
    }
}

//! What Scala code mentions besides calls and types.

use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::ReferenceKind as Kind;

pub(super) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "import_declaration" => imports(visit, mentions),
        "infix_expression" => {
            // `a max b`
            let name = visit.field("operator").filter(|name| mention::is_name(name.text()));
            mentions.extend(name.map(|name| Mention::new(Kind::Call, name).of(visit.field("left"))));
        }
        "instance_expression" => {
            // The class comes before its arguments and whatever is mixed in.
            const MAX_DEPTH: usize = 8;
            let class =
                visit.node.descendants().take(MAX_DEPTH).find(|node| node.kind() == "type_identifier");
            mentions.extend(class.map(|class| {
                let path = class.parent().filter(|path| path.kind() == "stable_type_identifier");
                let object = path.and_then(Node::first_child).filter(|object| *object != class);
                Mention::new(Kind::Call, class).of(object)
            }));
        }
        _ => {}
    }
}

/// An import lists paths, the names of which are all beside each other, and what is imported from them.
fn imports<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    let mut path: Vec<Node<'tree>> = Vec::new();
    let qualifier = |path: &[Node<'_>]| path.iter().map(|name| name.text()).collect::<Vec<_>>().join(".");
    for part in visit.node.named_children() {
        let gap = path.last().and_then(|last| visit.source.get(last.end() as usize..part.start() as usize));
        if gap.is_some_and(|gap| gap.contains(',')) {
            import_last(&mut path, qualifier, mentions);
        }
        match part.kind() {
            "identifier" | "operator_identifier" => path.push(part),
            "namespace_selectors" => {
                let module = qualifier(&path);
                for selector in part.named_children() {
                    mentions.extend(selected(selector).map(|mention| mention.qualifier(module.as_str())));
                }
                path.clear();
            }
            _ => {
                mentions.extend(selected(part).map(|mention| mention.qualifier(qualifier(&path))));
                path.clear();
            }
        }
    }
    import_last(&mut path, qualifier, mentions);
}

/// Imports the last name of a path.
fn import_last<'tree>(
    path: &mut Vec<Node<'tree>>,
    qualifier: impl Fn(&[Node<'_>]) -> String,
    mentions: &mut Mentions<'tree>,
) {
    if let Some(name) = path.pop() {
        mentions.push(Mention::new(Kind::Import, name).qualifier(qualifier(path)));
    }
    path.clear();
}

fn selected(selector: Node<'_>) -> Option<Mention<'_>> {
    match selector.kind() {
        "identifier" | "operator_identifier" => Some(Mention::new(Kind::Import, selector)),
        "namespace_wildcard" => Some(Mention::new(Kind::Import, selector).name_text("*")),
        "arrow_renamed_identifier" | "as_renamed_identifier" => {
            // Under the name `_` it is left out.
            let alias = selector.field("alias").filter(|alias| alias.kind() != "wildcard")?;
            Some(Mention::new(Kind::Import, selector.field("name")?).alias(Some(alias)))
        }
        _ => None,
    }
}

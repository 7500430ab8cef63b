//! From what a language says of a node to symbols.

use super::leads::end_of;
use super::text::{MAX_HEAD_BYTES, cut, fold_space, signature};
use super::{Defined, MAX_NAME_BYTES, Pass, Scope, is_function};
use crate::annotation;
use crate::languages::Role;
use crate::syntax::Node;
use crate::visit::{Definition, Definitions};
use crate::{Annotation, Complexity, Coverage};
use ast_core_model::{LineRange, Span, Symbol, SymbolKind};
use std::borrow::Cow;

/// What is kept of a signature when a file's texts are used up, in bytes.
const MIN_SIGNATURE_BYTES: usize = 64;

impl<'tree> Pass<'_, 'tree> {
    /// Turns what `define` found into symbols; the first of them.
    pub(super) fn push_all(&mut self, found: &mut Definitions<'tree>, node: Node<'tree>) -> Option<Defined> {
        let mut first = None;
        let is_alone = found.len() == 1;
        for definition in found.drain(..) {
            if definition.publishes {
                self.buffers.published.push(definition.name.row());
                continue;
            }
            if self.outline.symbols.len() >= self.buffers.max_symbols {
                self.outline.coverage = Coverage::SymbolLimit { limit: self.buffers.max_symbols };
                break;
            }
            let has_rest = definition.has_rest;
            if has_rest {
                self.end_rest(node);
            }
            let function = definition.function.unwrap_or(node);
            let body =
                function.field("body").filter(|_| self.spec.syntax.body_alone_counts).map_or(0, Node::row);
            let function = function.row();
            let (has_function, owner, once) =
                (definition.function.is_some(), definition.owner, definition.once);
            let mut annotation = annotation::annotate(&definition, node, &self.spec.syntax);
            let Some(mut symbol) = self.symbol(definition, node, is_alone) else { continue };
            symbol.parent = owner.or(symbol.parent);
            if once && self.buffers.names.has(&self.outline.symbols, &symbol) {
                continue;
            }
            self.spend(&mut symbol, &mut annotation);
            if is_function(symbol.kind) || symbol.kind == SymbolKind::Property && has_function {
                annotation.complexity = Some(Complexity::default());
            }
            if owner.is_none() || is_function(symbol.kind) {
                first.get_or_insert(Defined {
                    symbol: self.outline.symbols.len() as u32,
                    function,
                    body,
                    has_rest,
                });
            }
            self.outline.symbols.push(symbol);
            self.outline.annotations.push(annotation);
        }
        first
    }

    /// Takes the texts of a definition from what the file may give; if that is used up, they are left out.
    fn spend(&mut self, symbol: &mut Symbol, annotation: &mut Annotation) {
        let length = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
        let parameters: usize = annotation
            .parameters
            .iter()
            .map(|parameter| {
                let texts = length(&parameter.type_name) + length(&parameter.default);
                size_of_val(parameter) + parameter.name.len() + texts
            })
            .sum();
        let texts = symbol.signature.len()
            + length(&symbol.doc)
            + length(&annotation.type_parameters)
            + length(&annotation.return_type)
            + parameters;
        match self.buffers.text_left.checked_sub(texts) {
            Some(left) => self.buffers.text_left = left,
            None => {
                symbol.signature = cut(&symbol.signature, MIN_SIGNATURE_BYTES).into();
                symbol.doc = None;
                *annotation = Annotation { modifiers: annotation.modifiers, ..Annotation::default() };
            }
        }
    }

    /// Closes the scope of a definition beside the node that what follows was inside of.
    fn end_rest(&mut self, node: Node<'tree>) {
        let is_beside = |scope: &Scope| self.tree.node(scope.row).parent() == node.parent();
        if self.scopes.last().is_some_and(is_beside) {
            self.scopes.pop();
        }
    }

    /// The symbol of what is defined at a node, alone or with others.
    fn symbol(
        &mut self,
        definition: Definition<'tree>,
        visited: Node<'tree>,
        is_alone: bool,
    ) -> Option<Symbol> {
        let source = self.tree.source;
        let name = match &definition.name_text {
            Some(name) => name.as_str(),
            None => definition.name.text(),
        };
        let name: Box<str> = fold_space(&mut self.buffers.fold, cut(name, MAX_NAME_BYTES)).into();
        if name.is_empty() {
            return None;
        }
        let node = definition.node.unwrap_or(visited);
        let mut end = end_of(node, source);
        let mut start_node = node;
        let has_doc = definition.doc.is_some();
        let cached = self.buffers.lead.take().filter(|lead| !is_alone && lead.row == node.row());
        let mut lead = cached.unwrap_or_else(|| self.lead(node, !has_doc || !is_alone));
        let mut extent_start = lead.begin;
        let mut has_docs = lead.has_docs;
        let mut doc = definition.doc;
        if !has_doc {
            doc = if is_alone { lead.doc.take() } else { lead.doc.clone() };
        }
        let after_attributes = lead.after_attributes;
        if !is_alone {
            self.buffers.lead = Some(lead);
        }
        // The wrappers that stand for the definition, unless they did so for another one.
        if definition.node.is_none() {
            let mut outer = node;
            while let Some(wrapper) = outer.parent().filter(|parent| self.stands_for_child(*parent)) {
                let round = self.lead(wrapper, !has_doc && !has_docs);
                extent_start = extent_start.min(round.begin);
                if !has_docs && !has_doc {
                    doc = round.doc;
                    has_docs = round.has_docs;
                }
                if self.role(wrapper.kind_id()).is(Role::WRAPPER) {
                    start_node = wrapper;
                    let wrapper_end = end_of(wrapper, source);
                    let rest = source.get(end as usize..wrapper_end as usize).unwrap_or("x");
                    if rest.bytes().all(|byte| byte == b';' || byte.is_ascii_whitespace()) {
                        end = wrapper_end;
                    }
                }
                outer = wrapper;
            }
            if outer != node {
                self.wrapped = node.parent().map(Node::row);
            }
        }
        let start_node = definition.start.unwrap_or_else(|| match start_node == node {
            true => self.tree.node(after_attributes),
            false => self.after_attributes(start_node),
        });
        let start = start_node.start();
        let end = end.max(start);
        let signature_end = definition.body.map_or(end, Node::start).max(start);
        let head = self.head(start_node, signature_end);
        let start_line = self.buffers.lines.of(start);
        let end_line = self.buffers.lines.of(end.saturating_sub(1).max(start));
        Some(Symbol {
            name,
            qualifier: definition.qualifier.map(|qualifier| cut(&qualifier, MAX_NAME_BYTES).into()),
            kind: definition.kind,
            parent: self.scopes.last().and_then(|scope| scope.symbol),
            span: Span::new(start, end),
            lines: LineRange::new(start_line, end_line),
            extent: Span::new(extent_start.min(start), end),
            name_span: Span::new(definition.name.start(), definition.name.end()),
            signature: signature(&mut self.buffers.fold, &head),
            doc,
            visibility: definition.visibility,
        })
    }

    /// What stands from the first node of a definition to where its signature ends, without comments.
    fn head(&self, first: Node<'tree>, end: u32) -> Cow<'tree, str> {
        let (source, columns) = (self.tree.source, self.tree.columns);
        let start = first.start() as usize;
        let end = source.floor_char_boundary((end as usize).min(start + MAX_HEAD_BYTES));
        let text = source.get(start..end).unwrap_or("");
        // With one of these every comment begins.
        if memchr::memchr2(b'/', b'#', text.as_bytes()).is_none() {
            return Cow::Borrowed(text);
        }
        let mut head = String::new();
        let mut at = start;
        let mut row = first.row() as usize;
        while row < columns.len() && (columns.start[row] as usize) < end {
            if !self.role(columns.kind[row]).is(Role::COMMENT) {
                row += 1;
                continue;
            }
            head.push_str(source.get(at..columns.start[row] as usize).unwrap_or(""));
            head.push(' ');
            at = (columns.end[row] as usize).clamp(at, end);
            row = columns.next[row] as usize;
        }
        if at == start {
            return Cow::Borrowed(text);
        }
        head.push_str(source.get(at..end).unwrap_or(""));
        Cow::Owned(head)
    }
}

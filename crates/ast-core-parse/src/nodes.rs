//! The nodes of a syntax tree as columns, for those who want the tree itself.

use crate::languages::Compiled;
use crate::syntax::{Columns, ERROR, NONE, flags};
use crate::{Language, ParseError, Parser, SourceText};
use ast_core_model::Span;

/// Which nodes are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeFilter {
    /// Only nodes of these kinds, as the grammar names them; every kind if empty.
    pub kinds: Vec<String>,
    /// Only nodes at most this deep; the root's depth is 0. `None` for no limit.
    pub max_depth: Option<u32>,
    /// Only named nodes: no punctuation and keywords.
    pub named_only: bool,
}

/// Nodes of a syntax tree, parents before children, one row a node, in columns of the same length.
///
/// Positions are bytes of the file on disk.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    /// Kinds, as numbers for [`kind_name`](Self::kind_name).
    pub kinds: Vec<u16>,
    /// The fields that nodes are in of their parents, as numbers for [`field_name`](Self::field_name); 0 for none.
    pub fields: Vec<u8>,
    /// First bytes.
    pub starts: Vec<u32>,
    /// Ends, exclusive.
    pub ends: Vec<u32>,
    /// Depths in the tree; the root's is 0. Depths count nodes that the filter left out too.
    pub depths: Vec<u32>,
    compiled: Option<&'static Compiled>,
}

impl Nodes {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The name of a kind, `"ERROR"` for what does not follow the grammar.
    pub fn kind_name(&self, kind: u16) -> &'static str {
        self.compiled.map_or("ERROR", |compiled| compiled.kind_name(kind))
    }

    /// The name of a field, `""` for none.
    pub fn field_name(&self, field: u8) -> &'static str {
        self.compiled.map_or("", |compiled| compiled.field_name(field))
    }

    /// The place of the node in a row; `None` beyond the last.
    pub fn span(&self, row: usize) -> Option<Span> {
        Some(Span::new(*self.starts.get(row)?, *self.ends.get(row)?))
    }
}

impl Parser {
    /// Parses text and lists the nodes of its tree.
    ///
    /// ```
    /// use ast_core_parse::{NodeFilter, Parser, SourceText};
    ///
    /// let source = SourceText::decode(b"let x = f(1);")?;
    /// let filter = NodeFilter { named_only: true, ..NodeFilter::default() };
    /// let nodes = Parser::default().nodes(&source, "javascript".parse()?, &filter)?;
    /// let kinds: Vec<_> = nodes.kinds.iter().map(|&kind| nodes.kind_name(kind)).collect();
    /// assert_eq!(kinds[..4], ["program", "lexical_declaration", "variable_declarator", "identifier"]);
    /// assert_eq!((nodes.field_name(nodes.fields[3]), nodes.depths[3]), ("name", 3));
    /// # Ok::<(), ast_core_parse::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError::UnknownKind`], [`ParseError::TooLarge`], [`ParseError::TimedOut`], [`ParseError::TooComplex`].
    pub fn nodes(
        &mut self,
        source: &SourceText<'_>,
        language: Language,
        filter: &NodeFilter,
    ) -> Result<Nodes, ParseError> {
        let compiled = language.0.compiled();
        let mut wanted = vec![filter.kinds.is_empty(); compiled.kind_count()];
        for name in &filter.kinds {
            let mut known = name == "ERROR";
            for (kind, wanted) in wanted.iter_mut().enumerate() {
                let is_it = compiled.kind_name(kind as u16) == name;
                *wanted |= is_it;
                known |= is_it;
            }
            if !known {
                return Err(ParseError::UnknownKind { received: name.clone(), language: language.as_str() });
            }
        }
        let errors_wanted = filter.kinds.is_empty() || filter.kinds.iter().any(|name| name == "ERROR");
        self.check_size(source.text())?;
        let (mut columns, keep) = (Columns::default(), vec![true; compiled.kind_count()]);
        let budget = self.limits.time_budget;
        let read = self.reader.fill(&mut columns, &keep, source.text(), language, budget)?;
        read.map_err(|coverage| self.failure(coverage))?;
        let mut depths: Vec<u32> = Vec::with_capacity(columns.len());
        for &parent in &columns.parent {
            depths.push(if parent == NONE { 0 } else { depths[parent as usize] + 1 });
        }
        let keeps = |row: usize| {
            let kind = columns.kind[row];
            (!filter.named_only || columns.flags[row] & flags::NAMED != 0)
                && filter.max_depth.is_none_or(|max| depths[row] <= max)
                && if kind == ERROR { errors_wanted } else { wanted.get(kind as usize) == Some(&true) }
        };
        let mut nodes = Nodes { compiled: Some(compiled), ..Nodes::default() };
        for row in (0..columns.len()).filter(|&row| keeps(row)) {
            let span = source.in_file(Span::new(columns.start[row], columns.end[row]));
            nodes.kinds.push(columns.kind[row]);
            nodes.fields.push(columns.field[row]);
            nodes.starts.push(span.start);
            nodes.ends.push(span.end);
            nodes.depths.push(depths[row]);
        }
        Ok(nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str, filter: &NodeFilter) -> Result<Nodes, ParseError> {
        let source = SourceText::from_text(text);
        Parser::default().nodes(&source, "rust".parse().unwrap(), filter)
    }

    #[test]
    fn filters_leave_out_and_depths_stay() {
        let text = "fn f(x: u8) { g(x) }";
        let all = nodes(text, &NodeFilter::default()).unwrap();
        let named = nodes(text, &NodeFilter { named_only: true, ..NodeFilter::default() }).unwrap();
        assert!(named.len() < all.len());
        let shallow = nodes(text, &NodeFilter { max_depth: Some(1), ..NodeFilter::default() }).unwrap();
        assert_eq!(shallow.depths, [0, 1]);
        let calls = NodeFilter {
            kinds: vec!["call_expression".into(), "identifier".into()],
            ..NodeFilter::default()
        };
        let calls = nodes(text, &calls).unwrap();
        let texts: Vec<_> = (0..calls.len()).map(|row| &text[calls.span(row).unwrap().range()]).collect();
        assert_eq!(texts, ["f", "x", "g(x)", "g", "x"]);
        assert_eq!(calls.field_name(calls.fields[3]), "function");
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let filter = NodeFilter { kinds: vec!["call".into()], ..NodeFilter::default() };
        let error = nodes("", &filter).unwrap_err().to_string();
        assert!(error.contains("\"call\"") && error.contains("rust"), "{error}");
    }

    #[test]
    fn errors_are_nodes_too() {
        let filter = NodeFilter { kinds: vec!["ERROR".into()], ..NodeFilter::default() };
        let nodes = nodes("fn f( { ] }", &filter).unwrap();
        assert!(!nodes.is_empty());
        assert!(nodes.kinds.iter().all(|&kind| nodes.kind_name(kind) == "ERROR"));
    }
}

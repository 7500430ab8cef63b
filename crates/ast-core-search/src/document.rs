//! What of a chunk is searched, field by field.

use ast_core_model::ChunkTerms;
use ast_core_model::terms::TermSplitter;

/// A chunk as search sees it.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The names it defines, separated by spaces.
    pub names: &'a str,
    /// Where it is: the path of its file and the names round it, separated by spaces.
    pub place: &'a str,
    /// The documentation of what it defines, as far as that is not in `body`.
    pub doc: &'a str,
    /// Its text.
    pub body: &'a str,
}

impl Document<'_> {
    /// The terms of each field, for the lexical index.
    pub fn terms(&self, splitter: &mut TermSplitter) -> ChunkTerms {
        let mut cut = |text: &str| {
            let mut terms = String::with_capacity(text.len());
            splitter.split(text, |term| {
                if !terms.is_empty() {
                    terms.push(' ');
                }
                terms.push_str(term.text);
            });
            terms
        };
        ChunkTerms { name: cut(self.names), path: cut(self.place), doc: cut(self.doc), body: cut(self.body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_cut_into_terms() {
        let document = Document {
            names: "serveRequests",
            place: "src/http/serverLoop.rs Server",
            doc: "Serves.",
            body: "loop { accept()?; }",
        };
        let terms = document.terms(&mut TermSplitter::default());
        assert_eq!(terms.name, "serv request serverequests");
        assert_eq!(terms.path, "src http server loop serverloop rs server");
        assert_eq!(terms.doc, "serv");
        assert_eq!(terms.body, "loop accept");
    }
}

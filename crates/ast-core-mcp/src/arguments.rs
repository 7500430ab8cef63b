//! Arguments of tools, read as leniently as can be without guessing.

use crate::failure::Failure;
use ast_core_engine::{Language, ReferenceKind, RepoPath, SearchMode, SymbolKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::path::Path;

/// The arguments of a tool. What is wrong with them is said with the name of the argument.
pub(crate) fn parse<T: DeserializeOwned>(arguments: &Map<String, Value>) -> Result<T, Failure> {
    // Models give null for what they leave out.
    let given = arguments.iter().filter(|(_, value)| !value.is_null());
    let given: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    T::deserialize(Value::Object(given))
        .map_err(|error| Failure::Arguments(format!("the arguments: {error}")))
}

/// A list, or what would be the only entry of it.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) if text.is_empty() => Vec::new(),
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    })
}

fn each<T: std::str::FromStr<Err: std::fmt::Display>>(
    argument: &str,
    texts: &[String],
) -> Result<Vec<T>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|error: T::Err| Failure::Arguments(format!("{argument}: {error}")))
    };
    texts.iter().map(parse).collect()
}

pub(crate) fn kinds(texts: &[String]) -> Result<Vec<SymbolKind>, Failure> {
    each("kind", texts)
}

pub(crate) fn reference_kinds(texts: &[String]) -> Result<Vec<ReferenceKind>, Failure> {
    let kinds: Result<Vec<ReferenceKind>, Failure> = each("kind", texts);
    kinds.map_err(|failure| Failure::Arguments(format!("{failure}; expected call, type, import or inherit")))
}

pub(crate) fn languages(texts: &[String]) -> Result<Vec<Language>, Failure> {
    let lower: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
    each("language", &lower)
}

pub(crate) fn mode(text: Option<&str>) -> Result<SearchMode, Failure> {
    match text {
        None => Ok(SearchMode::default()),
        Some(text) => text.parse().map_err(|_| {
            Failure::Arguments(format!("mode is {text:?}; expected hybrid, lexical or semantic"))
        }),
    }
}

/// At least one, and at most so many.
pub(crate) fn limit(given: Option<usize>, default: usize, most: usize) -> Result<usize, Failure> {
    match given {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(Failure::Arguments(format!("limit is {limit}; it is to be from 1 to {most}"))),
    }
}

/// A path in the tree, which may be given from the root of the system on.
pub(crate) fn path(text: &str, root: &Path) -> Result<RepoPath, Failure> {
    let inside = Path::new(text).strip_prefix(root).ok().and_then(Path::to_str).unwrap_or(text);
    let inside = inside.strip_prefix("./").unwrap_or(inside);
    RepoPath::new(inside).map_err(|error| {
        Failure::Arguments(format!(
            "path: {error}; expected a path from the root of the tree on, such as src/main.rs"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[serde(default, deserialize_with = "one_or_many")]
        path: Vec<String>,
        limit: Option<usize>,
    }

    fn parsed(value: Value) -> Result<Asked, String> {
        parse(value.as_object().unwrap()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_models_write_is_understood() {
        assert_eq!(parsed(json!({"path": "src", "limit": null})).unwrap().path, ["src"]);
        assert_eq!(parsed(json!({"path": ["a", "b"]})).unwrap().path, ["a", "b"]);
        assert!(parsed(json!({"path": null})).unwrap().path.is_empty());
        assert_eq!(parsed(json!({"limit": 3})).unwrap().limit, Some(3));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, word) in [(json!({"paht": "src"}), "paht"), (json!({"limit": "many"}), "many")] {
            let error = parsed(value).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        assert!(kinds(&["gizmo".into()]).unwrap_err().to_string().contains("function"));
        assert!(languages(&["Klingon".into()]).unwrap_err().to_string().contains("rust"));
        assert!(reference_kinds(&["calls".into()]).unwrap_err().to_string().contains("inherit"));
        assert!(mode(Some("psychic")).unwrap_err().to_string().contains("hybrid"));
        assert!(limit(Some(0), 10, 50).unwrap_err().to_string().contains("1 to 50"));
    }

    #[test]
    fn paths_are_of_the_tree() {
        let root = Path::new("/projects/tree");
        for text in ["src/a.rs", "./src/a.rs", "/projects/tree/src/a.rs"] {
            assert_eq!(path(text, root).unwrap().as_str(), "src/a.rs");
        }
        for text in [
            "",
            "..",
            "../x",
            "src/../../x",
            "/etc/passwd",
            "/projects/tree/../x",
            "/projects/tree2/x",
            "a\0b",
        ] {
            assert!(path(text, root).is_err(), "{text:?}");
        }
    }
}

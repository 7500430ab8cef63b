//! Resources: what there is to read without calling a tool.

use crate::answer::{Answer, Page};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use crate::tools;
use crate::workspace::Workspace;
use rmcp::model::{JsonObject, Resource, ResourceContents, ResourceTemplate};
use std::path::PathBuf;
use std::sync::Arc;

const STATUS: &str = "ast-core://status";
const METRICS: &str = "ast-core://metrics";
const FILE: &str = "ast-core://file/";
const OUTLINE: &str = "/outline";

/// Tokens of an outline that is read as a resource: there is no asking for the rest of it.
const TOKENS: usize = 16_000;

/// Definitions that are inside of so many others are told.
const DEPTH: usize = 8;

pub(crate) fn list() -> Vec<Resource> {
    let status = Resource::new(STATUS, "status")
        .with_description("What the index holds")
        .with_mime_type("application/json");
    let metrics = Resource::new(METRICS, "metrics")
        .with_description("What the server measured of its searches, and what its process uses")
        .with_mime_type("application/json");
    vec![status, metrics]
}

pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let outline = ResourceTemplate::new(format!("{FILE}{{path}}{OUTLINE}"), "outline")
        .with_description("The definitions of a file of the index")
        .with_mime_type("text/plain");
    vec![outline]
}

/// What a URI stands for; `None` for one that stands for nothing here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Status,
    Metrics,
    Outline(String),
}

impl Wanted {
    pub(crate) fn of(uri: &str) -> Option<Self> {
        if uri == STATUS {
            return Some(Self::Status);
        }
        if uri == METRICS {
            return Some(Self::Metrics);
        }
        let path = uri.strip_prefix(FILE)?.strip_suffix(OUTLINE)?;
        Some(Self::Outline(decoded(path)?))
    }

    /// What is there.
    pub(crate) async fn read(
        self,
        uri: &str,
        workspace: &Arc<Workspace>,
    ) -> Result<ResourceContents, Failure> {
        match self {
            Self::Status => {
                let Answer { structured, .. } = tools::status(workspace).await?;
                Ok(ResourceContents::text(structured.to_string(), uri).with_mime_type("application/json"))
            }
            Self::Metrics => {
                let metrics = workspace.engine().await?.metrics();
                let text = serde_json::to_string(&metrics).map_err(|error| {
                    Failure::Internal(format!("the metrics are not to be written: {error}"))
                })?;
                Ok(ResourceContents::text(text, uri).with_mime_type("application/json"))
            }
            Self::Outline(path) => {
                let path = arguments::path(&path, &workspace.root)?;
                let (page, place) = (Page::new(Some(TOKENS))?, Place::of(FILE, &JsonObject::new(), None)?);
                let answer = tools::outline(workspace, &path, DEPTH, page, &place).await?;
                Ok(ResourceContents::text(answer.text, uri))
            }
        }
    }
}

/// A part of a URI, with what is escaped in it; once, and never twice.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The directory of a root that a client names.
pub(crate) fn directory_of(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?;
    let path = path.strip_prefix("localhost").unwrap_or(path);
    let path = decoded(path)?;
    // `/C:/project`
    let is_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    let path = PathBuf::from(if is_drive { &path[1..] } else { path.as_str() });
    Some(path).filter(|path| path.is_absolute() && path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_decoded_once() {
        let outline = |path: &str| Some(Wanted::Outline(path.to_owned()));
        assert_eq!(Wanted::of("ast-core://status"), Some(Wanted::Status));
        assert_eq!(Wanted::of("ast-core://metrics"), Some(Wanted::Metrics));
        assert_eq!(Wanted::of("ast-core://file/src/a.rs/outline"), outline("src/a.rs"));
        assert_eq!(Wanted::of("ast-core://file/src%2Fa%20b.rs/outline"), outline("src/a b.rs"));
        assert_eq!(Wanted::of("ast-core://file/%252e%252e/outline"), outline("%2e%2e"));
        for uri in ["ast-core://", "ast-core://file/a.rs", "file:///etc/passwd", "ast-core://file/%2/outline"]
        {
            assert_eq!(Wanted::of(uri), None, "{uri}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn roots_are_directories() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("a b");
        std::fs::create_dir(&named).unwrap();
        let uri = format!("file://{}/a%20b", folder.path().display());
        assert_eq!(directory_of(&uri), Some(named));
        assert_eq!(directory_of(&format!("{uri}/missing")), None);
        assert_eq!(directory_of("https://example.com/"), None);
        assert_eq!(directory_of("file://elsewhere/tmp"), None);
    }
}

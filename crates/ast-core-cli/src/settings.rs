//! The user's file of settings.
//!
//! It is the user's own, never one that a tree brings along: it says where code is sent, and which variable of the
//! environment has a key.

use crate::args::Global;
use crate::embedder::EmbedderChoice;
use crate::failure::Failed;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

/// What is in the file; whatever is not there is as by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) embedder: EmbedderSettings,
    pub(crate) rerank: RerankSettings,
    /// The folder that paths in it are relative to.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

/// `[embedder]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EmbedderSettings {
    #[serde(rename = "use")]
    pub(crate) choice: Option<EmbedderChoice>,
    pub(crate) http: HttpSettings,
    pub(crate) minilm: MiniLmSettings,
}

/// `[embedder.http]`: `HttpConfig` of the engine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpSettings {
    pub(crate) url: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) dimensions: Option<usize>,
    pub(crate) key_env: Option<String>,
    pub(crate) document_prefix: Option<String>,
    pub(crate) query_prefix: Option<String>,
    pub(crate) batch_texts: Option<NonZeroUsize>,
    pub(crate) batch_tokens: Option<NonZeroUsize>,
    pub(crate) text_tokens: Option<NonZeroUsize>,
    pub(crate) concurrency: Option<NonZeroUsize>,
    pub(crate) base64: Option<bool>,
    pub(crate) timeout_s: Option<u32>,
    pub(crate) attempts: Option<NonZeroU32>,
}

/// `[embedder.minilm]`: `MiniLmConfig` of the engine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MiniLmSettings {
    pub(crate) threads: Option<NonZeroUsize>,
}

/// `[rerank]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RerankSettings {
    #[serde(rename = "use")]
    pub(crate) choice: Option<EmbedderChoice>,
    pub(crate) share: Option<f64>,
}

impl Settings {
    /// Reads the file that is named, or the user's if there is one.
    pub(crate) fn read(global: &Global) -> Result<Self, Failed> {
        let (path, is_named) = match (&global.config, default_path()) {
            (Some(path), _) => (path.clone(), true),
            (None, Some(path)) => (path, false),
            (None, None) => return Ok(Self::default()),
        };
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| refused(&path, &error.to_string()))?,
        };
        let mut settings: Self = toml::from_str(&text).map_err(|error| refused(&path, &error.to_string()))?;
        if settings.rerank.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(refused(&path, "share under [rerank] is to be from 0 to 1"));
        }
        settings.folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(settings)
    }
}

fn refused(path: &Path, reason: &str) -> Failed {
    // A message is one line.
    let reason: Vec<&str> = reason.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Failed::Usage(format!(
        "the settings {} cannot be used: {}; docs/embedders.md says what can be in them",
        path.display(),
        reason.join(" ")
    ))
}

fn default_path() -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        PathBuf::from(std::env::var_os("APPDATA")?)
    } else {
        let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        named.filter(|path| path.is_absolute()).or_else(|| Some(std::env::home_dir()?.join(".config")))?
    };
    Some(folder.join("ast-core").join("config.toml"))
}

//! What makes vectors, by what was asked for: flags before the settings.

use crate::args::{EmbedderArguments, Global, SearchArguments};
use crate::failure::Failed;
use crate::settings::Settings;
use ast_core_engine::{Embedder, EngineConfig, FeatureHashEmbedder, RerankConfig, StaticEmbedder};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// The name of an embedder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum EmbedderChoice {
    /// The model that is compiled in.
    #[default]
    BuiltIn,
    /// Feature hashing.
    Hash,
    /// all-MiniLM-L6-v2, whose files are in this folder.
    MiniLm(PathBuf),
    /// A service.
    Http,
}

impl FromStr for EmbedderChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "builtin" => Ok(Self::BuiltIn),
            None if text == "hash" => Ok(Self::Hash),
            None if text == "http" => Ok(Self::Http),
            Some(("minilm", folder)) if !folder.is_empty() => Ok(Self::MiniLm(folder.into())),
            _ => Err("expected builtin, hash, minilm:FOLDER or http".to_owned()),
        }
    }
}

impl fmt::Display for EmbedderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("builtin"),
            Self::Hash => f.write_str("hash"),
            Self::MiniLm(folder) => write!(f, "minilm:{}", folder.display()),
            Self::Http => f.write_str("http"),
        }
    }
}

/// What is asked for on all levels.
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, clippy::allow_attributes, reason = "a build without it asks for less")
)]
struct Request<'a> {
    arguments: &'a EmbedderArguments,
    settings: &'a Settings,
    /// The index that it is for.
    database: &'a Path,
    purpose: Purpose,
}

/// What an embedder is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To embed whatever there is.
    Embed,
    /// To embed what goes with the vectors of an index, if they are its own.
    Read,
    /// To say which it is.
    Name,
}

/// The embedder that an index is to be made with.
pub(crate) fn for_writing(
    config: EngineConfig,
    arguments: &EmbedderArguments,
    global: &Global,
) -> Result<EngineConfig, Failed> {
    with_embedder(config, arguments, global, Purpose::Embed)
}

/// The embedder that an index is to be read with.
pub(crate) fn for_reading(
    config: EngineConfig,
    arguments: &EmbedderArguments,
    global: &Global,
) -> Result<EngineConfig, Failed> {
    with_embedder(config, arguments, global, Purpose::Read)
}

/// The embedder that an index is to have. Nothing is embedded by it.
pub(crate) fn for_naming(
    config: EngineConfig,
    arguments: &EmbedderArguments,
    global: &Global,
) -> Result<EngineConfig, Failed> {
    with_embedder(config, arguments, global, Purpose::Name)
}

fn with_embedder(
    config: EngineConfig,
    arguments: &EmbedderArguments,
    global: &Global,
    purpose: Purpose,
) -> Result<EngineConfig, Failed> {
    let settings = &global.settings;
    let choice = arguments.embedder.as_ref().unwrap_or(&settings.values.embedder.choice);
    let request = Request { arguments, settings, database: &config.database, purpose };
    let embedder = request.embedder(choice)?;
    Ok(EngineConfig { embedder, ..config })
}

/// What hits are to be put in order by, if they are to be.
pub(crate) fn with_reranking(
    config: EngineConfig,
    arguments: &SearchArguments,
    global: &Global,
) -> Result<EngineConfig, Failed> {
    let Some(named) = &arguments.rerank else { return Ok(config) };
    let settings = &global.settings;
    let Some(choice) = named.as_ref().or(settings.values.rerank.as_ref()) else { return Ok(config) };
    let request = Request {
        arguments: &arguments.embedder,
        settings,
        database: &config.database,
        purpose: Purpose::Embed,
    };
    let mut reranking = RerankConfig::new(request.embedder(choice)?);
    reranking.share = settings.values.rerank_share;
    Ok(EngineConfig { reranking: Some(reranking), ..config })
}

impl EmbedderChoice {
    /// The same, with a path that is relative to this folder.
    pub(crate) fn below(self, folder: &Path) -> Self {
        match self {
            Self::MiniLm(path) => Self::MiniLm(folder.join(path)),
            other => other,
        }
    }
}

impl Request<'_> {
    fn embedder(&self, choice: &EmbedderChoice) -> Result<Arc<dyn Embedder>, Failed> {
        Ok(match choice {
            EmbedderChoice::BuiltIn => Arc::new(StaticEmbedder::default()),
            EmbedderChoice::Hash => Arc::new(FeatureHashEmbedder::default()),
            EmbedderChoice::MiniLm(folder) => self.minilm(folder)?,
            EmbedderChoice::Http => self.http()?,
        })
    }

    #[cfg(feature = "minilm")]
    fn minilm(&self, folder: &Path) -> Result<Arc<dyn Embedder>, Failed> {
        use ast_core_engine::{MiniLmConfig, MiniLmEmbedder};
        use std::num::NonZeroUsize;
        let threads = self.settings.values.embedder.threads.and_then(NonZeroUsize::new);
        let config = MiniLmConfig { threads, ..MiniLmConfig::new(folder) };
        Ok(Arc::new(MiniLmEmbedder::open(&config)?))
    }

    #[cfg(not(feature = "minilm"))]
    fn minilm(&self, _: &Path) -> Result<Arc<dyn Embedder>, Failed> {
        Err(not_built("minilm"))
    }

    #[cfg(feature = "http")]
    fn http(&self) -> Result<Arc<dyn Embedder>, Failed> {
        use crate::commands::block_on;
        use ast_core_engine::{HttpEmbedder, indexed_embedder};
        let config = self.http_config()?;
        let id = config.model_id()?;
        if let Some(dimension) = config.dimensions {
            return Ok(Arc::new(HttpEmbedder::with_dimension(config, dimension)?));
        }
        // The index knows what the service would say.
        let indexed = block_on(async { Ok(indexed_embedder(self.database).await) })?;
        let dimension = match indexed {
            Some((indexed, dimension)) if indexed == id => dimension,
            // Vectors of another embedder are not searched, and no query is embedded.
            _ if self.purpose != Purpose::Embed => 1,
            _ => return Ok(Arc::new(HttpEmbedder::connect(config)?)),
        };
        Ok(Arc::new(HttpEmbedder::with_dimension(config, dimension)?))
    }

    #[cfg(feature = "http")]
    fn http_config(&self) -> Result<ast_core_engine::HttpConfig, Failed> {
        use ast_core_engine::{ApiKey, HttpConfig};
        use std::num::{NonZeroU32, NonZeroUsize};
        let (given, noted) = (self.arguments, &self.settings.values.embedder);
        let needed = |given: &Option<String>, noted: &Option<String>, flag: &str, example: &str| {
            given.clone().or_else(|| noted.clone()).ok_or_else(|| {
                Failed::Usage(format!(
                    "the embedder http needs {flag}, such as {flag} {example}; settings may have it"
                ))
            })
        };
        let url = needed(&given.embedder_url, &noted.url, "--embedder-url", "http://localhost:11434/v1")?;
        let model = needed(&given.embedder_model, &noted.model, "--embedder-model", "nomic-embed-text")?;
        let mut config = HttpConfig::new(url, model);
        config.dimensions = given.embedder_dimensions.or(noted.dimensions);
        let variable = given.embedder_key_env.as_ref().or(noted.key_env.as_ref());
        if let Some(variable) = variable.filter(|_| self.purpose != Purpose::Name) {
            let key = std::env::var(variable).map_err(|_| {
                Failed::Usage(format!(
                    "the key of the embedder http is to be in the variable {variable}, which is not set; set it, or \
                     name another with --embedder-key-env"
                ))
            })?;
            config.key = Some(ApiKey::new(&key)?);
        }
        config.document_prefix.clone_from(&noted.document_prefix);
        config.query_prefix.clone_from(&noted.query_prefix);
        // None of them can be 0.
        let count = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        config.batch_texts = count(noted.batch_texts);
        config.batch_tokens = count(noted.batch_tokens);
        config.text_tokens = count(noted.text_tokens);
        config.concurrency = count(noted.concurrency);
        config.base64 = noted.base64;
        config.timeout = std::time::Duration::from_secs(noted.timeout_s.into());
        config.attempts = NonZeroU32::new(noted.attempts).unwrap_or(NonZeroU32::MIN);
        Ok(config)
    }

    #[cfg(not(feature = "http"))]
    fn http(&self) -> Result<Arc<dyn Embedder>, Failed> {
        Err(not_built("http"))
    }
}

#[cfg(not(all(feature = "http", feature = "minilm")))]
fn not_built(feature: &str) -> Failed {
    Failed::Usage(format!(
        "this ast-core was built without the embedder {feature}; build it with `--features {feature}`"
    ))
}

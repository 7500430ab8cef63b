//! Settings: what is set once, and not by flags each time.
//!
//! Each has a [`Key`]. What is set nearer to the command wins: the environment, then the file of the tree, then the file of
//! the user, then the default. The file of the tree travels with it, and whoever wrote the tree may have written it: so it
//! may not say where code is sent, what is run, or what is opened outside of the tree.

mod given;
mod keys;

use crate::args::{Color, Format};
use crate::commands::block_on;
use crate::embedder::EmbedderChoice;
use crate::failure::Failed;
use ast_core_engine::{
    EngineConfig, EngineError, FileSelection, Language, RepoPath, SearchMode, indexed_root,
};
use given::Given;
pub(crate) use given::as_toml;
pub(crate) use keys::{KEYS, Key, Who};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The settings of a tree, in it.
const FILE_OF_TREE: &str = ".ast-core/config.toml";

/// The most that is read of it, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// All settings, with what each is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    pub(crate) color: Color,
    pub(crate) format: Format,
    pub(crate) index: IndexSettings,
    pub(crate) search: HitSettings,
    pub(crate) similar: HitSettings,
    pub(crate) context: ContextSettings,
    pub(crate) map_budget: usize,
    pub(crate) refs_limit: usize,
    pub(crate) mcp_watch: bool,
    pub(crate) embedder: EmbedderSettings,
    pub(crate) rerank: Option<EmbedderChoice>,
    pub(crate) rerank_share: f64,
}

/// `[index]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexSettings {
    languages: Vec<Language>,
    /// The same by their names.
    language_names: Vec<String>,
    exclude: Vec<String>,
    max_file_bytes: usize,
    /// In MiB.
    pub(crate) max_memory: Option<u64>,
    pub(crate) yes: bool,
}

/// `[search]` and `[similar]`, of which the latter has no mode.
#[derive(Debug, Clone, Default)]
pub(crate) struct HitSettings {
    pub(crate) limit: usize,
    pub(crate) mode: SearchMode,
    pub(crate) context: u32,
    pub(crate) threshold: f64,
}

/// `[context]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContextSettings {
    pub(crate) budget: usize,
    pub(crate) mode: SearchMode,
    pub(crate) threshold: f64,
}

/// `[embedder]`, of which `http` is `HttpConfig` of the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct EmbedderSettings {
    pub(crate) choice: EmbedderChoice,
    pub(crate) url: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) dimensions: Option<usize>,
    pub(crate) key_env: Option<String>,
    pub(crate) document_prefix: String,
    pub(crate) query_prefix: String,
    pub(crate) batch_texts: usize,
    pub(crate) batch_tokens: usize,
    pub(crate) text_tokens: usize,
    pub(crate) concurrency: usize,
    pub(crate) base64: bool,
    pub(crate) timeout_s: u32,
    pub(crate) attempts: u32,
    pub(crate) threads: Option<usize>,
}

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    /// The user's file.
    User {
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// The file of the tree.
    Tree {
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// This variable.
    Environment(&'static str),
}

/// What one file, or the environment, sets.
type Layer = Vec<(&'static Key, Given, Origin)>;

/// The settings of a command.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) values: Values,
    /// What each setting is that is not as by default, and where that is from.
    set: BTreeMap<&'static str, (serde_json::Value, Origin)>,
    /// The user's file, if there is one or could be.
    user_path: Option<PathBuf>,
    user: Arc<Layer>,
    environment: Arc<Layer>,
}

impl Settings {
    /// Those of the user: the file that is named, or that of the user's folder if there is one, and the environment.
    pub(crate) fn of_user(named: Option<&Path>) -> Result<Self, Failed> {
        let is_named = named.is_some();
        let user_path = named.map(Path::to_owned).or_else(default_path);
        let text = match &user_path {
            None => None,
            Some(path) => match std::fs::read_to_string(path) {
                Err(error) if error.kind() == ErrorKind::NotFound && !is_named => None,
                Err(error) => return Err(refused(path, None, &error.to_string())),
                Ok(text) => {
                    tracing::debug!(path = %path.display(), "read the settings of the user");
                    Some((path, text))
                }
            },
        };
        let user = match text {
            None => Layer::new(),
            Some((path, text)) => read(path, &text)?
                .into_iter()
                .map(|(key, given, line)| (key, given, Origin::User { path: path.clone(), line }))
                .collect(),
        };
        Self::of_layers(user_path, Arc::new(user), &Layer::new(), Arc::new(environment()))
    }

    /// With those of the tree that an index is of.
    pub(crate) fn of_index(&self, database: &Path) -> Result<Self, Failed> {
        let tree = database.parent().and_then(Path::parent);
        if let Some(tree) = tree.filter(|tree| EngineConfig::for_tree(tree).database == database) {
            return self.of_tree(tree);
        }
        if database.as_os_str().is_empty() {
            // It is not known yet.
            return Ok(self.clone());
        }
        match block_on(async { Ok(indexed_root(database).await) })? {
            Some(tree) => self.of_tree(&tree),
            None => Ok(self.clone()),
        }
    }

    /// With those of a tree between the user's and the environment.
    pub(crate) fn of_tree(&self, root: &Path) -> Result<Self, Failed> {
        // A tree that was not named is where the command is.
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let path = root.join(FILE_OF_TREE);
        let inside = RepoPath::new(FILE_OF_TREE).map_err(|error| refused(&path, None, &error.to_string()))?;
        let mut tree = Layer::new();
        match ast_core_engine::read_in_tree(root, &inside, MOST_BYTES) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(refused(&path, None, &error.to_string())),
            Ok(bytes) => {
                tracing::debug!(path = %path.display(), "read the settings of the tree");
                let text =
                    String::from_utf8(bytes).map_err(|error| refused(&path, None, &error.to_string()))?;
                for (key, given, line) in read(&path, &text)? {
                    if key.who == Who::User {
                        let users = self.user_path.as_deref().map(|path| format!(", {}", path.display()));
                        let reason = format!(
                            "{} is not for the settings of a tree, which anyone may have written; it belongs in those \
                             of the user{}",
                            key.name,
                            users.unwrap_or_default()
                        );
                        return Err(refused(&path, Some(line), &reason));
                    }
                    tree.push((key, given, Origin::Tree { path: path.clone(), line }));
                }
            }
        }
        if tree.is_empty() {
            return Ok(self.clone());
        }
        Self::of_layers(self.user_path.clone(), self.user.clone(), &tree, self.environment.clone())
    }

    fn of_layers(
        user_path: Option<PathBuf>,
        user: Arc<Layer>,
        tree: &Layer,
        environment: Arc<Layer>,
    ) -> Result<Self, Failed> {
        let mut values = defaults();
        let mut set = BTreeMap::new();
        for (key, given, origin) in user.iter().chain(tree).chain(environment.iter()) {
            let folder = match origin {
                Origin::User { path, .. } | Origin::Tree { path, .. } => path.parent(),
                Origin::Default | Origin::Environment(_) => None,
            };
            match (key.take)(&mut values, given, folder.unwrap_or(Path::new(""))) {
                Some(told) => set.insert(key.name, (told, origin.clone())),
                None => return Err(not_as_expected(key, given, origin)),
            };
        }
        Ok(Self { values, set, user_path, user, environment })
    }

    /// The configuration of an engine with what they say of the index.
    pub(crate) fn apply(&self, mut config: EngineConfig) -> Result<EngineConfig, EngineError> {
        let index = &self.values.index;
        config.selection = FileSelection::new(index.languages.clone(), index.exclude.clone())?;
        config.limits.max_bytes = index.max_file_bytes;
        Ok(config)
    }

    /// What a setting is, and where that is from. What is not set is null.
    pub(crate) fn told(&self, key: &Key) -> (serde_json::Value, Origin) {
        match self.set.get(key.name) {
            Some(told) => told.clone(),
            None => (default_of(key).unwrap_or_default(), Origin::Default),
        }
    }
}

impl Default for Settings {
    /// As nobody set anything.
    fn default() -> Self {
        Self {
            values: defaults(),
            set: BTreeMap::new(),
            user_path: None,
            user: Arc::default(),
            environment: Arc::default(),
        }
    }
}

fn defaults() -> Values {
    let mut values = Values::default();
    for key in KEYS {
        if let Some(given) = given_by_default(key) {
            (key.take)(&mut values, &given, Path::new(""));
        }
    }
    values
}

fn default_of(key: &Key) -> Option<serde_json::Value> {
    (key.take)(&mut Values::default(), &given_by_default(key)?, Path::new(""))
}

fn given_by_default(key: &Key) -> Option<Given> {
    let value = DeValue::parse(key.default).ok()?;
    Some(Given::of_toml(value.get_ref(), key.default))
}

/// What the variables of the environment set. An empty one sets nothing.
fn environment() -> Layer {
    let given = |key: &'static Key| {
        let text = std::env::var_os(key.variable)?.to_string_lossy().into_owned();
        (!text.is_empty()).then_some((key, Given::Variable(text), Origin::Environment(key.variable)))
    };
    KEYS.iter().filter_map(given).collect()
}

/// The settings of a file, each with its line. Every one has a key.
fn read(path: &Path, text: &str) -> Result<Vec<(&'static Key, Given, usize)>, Failed> {
    let line_of = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    let table = DeTable::parse(text)
        .map_err(|error| refused(path, error.span().map(|span| line_of(span.start)), error.message()))?;
    let mut found = Vec::new();
    let mut unknown: Option<(usize, String)> = None;
    // Tables that are still to be looked into, and their names.
    let mut tables = vec![(String::new(), table.get_ref())];
    while let Some((prefix, table)) = tables.pop() {
        for (name, value) in table {
            let full = format!("{prefix}{}", name.get_ref());
            let line = line_of(name.span().start);
            match (value.get_ref(), keys::find(&full)) {
                (DeValue::Table(inner), None) if !inner.is_empty() => {
                    tables.push((format!("{full}."), inner))
                }
                (value_found, Some(key)) => {
                    let written = text.get(value.span()).unwrap_or_default();
                    found.push((key, Given::of_toml(value_found, written), line));
                }
                (DeValue::Table(_), None)
                    if KEYS.iter().any(|key| key.name.starts_with(&format!("{full}."))) => {}
                (_, None) if unknown.as_ref().is_none_or(|(first, _)| line < *first) => {
                    unknown = Some((line, full));
                }
                (_, None) => {}
            }
        }
    }
    if let Some((line, name)) = unknown {
        let nearest = keys::nearest(&name);
        let reason =
            format!("there is no setting {name}; the nearest is {nearest}, and docs/settings.md has all");
        return Err(refused(path, Some(line), &reason));
    }
    Ok(found)
}

fn not_as_expected(key: &Key, given: &Given, origin: &Origin) -> Failed {
    let reason = format!("{} is {}; it is to be {}", key.name, given.shown(), key.expected);
    match origin {
        Origin::User { path, line } | Origin::Tree { path, line } => refused(path, Some(*line), &reason),
        Origin::Environment(variable) => {
            Failed::Usage(format!("the variable {variable} cannot be used: {reason}"))
        }
        Origin::Default => Failed::Usage(reason),
    }
}

fn refused(path: &Path, line: Option<usize>, reason: &str) -> Failed {
    // A message is one line.
    let reason: Vec<&str> = reason.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    Failed::Usage(format!("the settings {}{line} cannot be used: {}", path.display(), reason.join(" ")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use ast_core_engine::{ContextQuery, MapQuery, ParseLimits, ReferenceQuery, SearchQuery};
    use std::fmt::Write;

    fn values(text: &str) -> Result<Settings, Failed> {
        let path = PathBuf::from("config.toml");
        let layer = read(&path, text)?;
        let layer = layer.into_iter().map(|(key, given, line)| {
            let origin = Origin::User { path: path.clone(), line };
            (key, given, origin)
        });
        Settings::of_layers(None, Arc::new(layer.collect()), &Layer::new(), Arc::default())
    }

    #[track_caller]
    fn assert_refused(text: &str, words: &[&str]) {
        let message = values(text).map(|_| ()).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{word:?} is not in {message:?}");
        }
        assert_eq!(message.lines().count(), 1, "{message:?}");
    }

    #[test]
    fn defaults_are_those_of_the_engine() {
        let set = Settings::default().values;
        let query = SearchQuery::new("a");
        for hits in [&set.search, &set.similar] {
            assert_eq!(
                (hits.limit, hits.context, hits.threshold),
                (query.limit, query.context, query.threshold)
            );
        }
        assert_eq!((set.search.mode, set.context.mode), (query.mode, query.mode));
        assert_eq!(set.context.budget, ContextQuery::new("a").budget);
        assert_eq!(set.map_budget, MapQuery::default().budget);
        assert_eq!(set.refs_limit, ReferenceQuery::new("a").limit);
        assert_eq!(set.index.max_file_bytes, ParseLimits::default().max_bytes);
        assert!(set.mcp_watch);
        let embedder = Arc::new(ast_core_engine::FeatureHashEmbedder::default());
        assert_eq!(set.rerank_share, ast_core_engine::RerankConfig::new(embedder).share);
    }

    #[cfg(feature = "http")]
    #[test]
    fn defaults_of_a_service_are_those_of_the_engine() {
        let (set, config) = (Settings::default().values.embedder, ast_core_engine::HttpConfig::new("", ""));
        assert_eq!(
            (&set.document_prefix, &set.query_prefix, set.base64),
            (&config.document_prefix, &config.query_prefix, config.base64)
        );
        assert_eq!(
            [set.batch_texts, set.batch_tokens, set.text_tokens, set.concurrency],
            [config.batch_texts, config.batch_tokens, config.text_tokens, config.concurrency]
                .map(usize::from)
        );
        assert_eq!(u64::from(set.timeout_s), config.timeout.as_secs());
        assert_eq!(set.attempts, u32::from(config.attempts));
    }

    #[test]
    fn each_default_is_as_its_key_wants_it() {
        for key in KEYS {
            assert_eq!(default_of(key).is_some(), !key.default.is_empty(), "{}", key.name);
        }
    }

    #[test]
    fn a_file_may_write_its_tables_in_any_form() {
        for text in [
            "search.limit = 3\n",
            "[search]\nlimit = 3\n",
            "search = { limit = 3 }\n",
            "# first\n\n[embedder.http]\n[search]\n\nlimit = 3",
        ] {
            let settings = values(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(settings.values.search.limit, 3, "{text}");
            let (value, origin) = settings.told(keys::find("search.limit").unwrap());
            let line = text[..text.find("limit").unwrap()].matches('\n').count() + 1;
            assert_eq!((value, origin), (3.into(), Origin::User { path: "config.toml".into(), line }));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_refused("\n[search]\nlimt = 3\n", &["config.toml:3", "search.limt", "search.limit"]);
        assert_refused("[saerch]\nlimit = 3\nx = 1\n", &["config.toml:2", "saerch.limit", "search.limit"]);
        assert_refused("[nothing]\n", &["config.toml:1", "nothing"]);
        assert_refused("search.limit.most = 3\n", &["config.toml:1", "search.limit"]);
        assert_refused("\n\nsearch = 3\n", &["config.toml:3", "no setting search;"]);
        assert_refused(
            "[search]\nlimit = \"many\"",
            &["config.toml:2", "search.limit is \"many\"", "0 to 1000"],
        );
        assert_refused("search.limit = 1001", &["1001", "0 to 1000"]);
        assert_refused("search.limit = -1", &["-1"]);
        assert_refused("search.threshold = 1.5", &["1.5", "0 to 1"]);
        assert_refused("search.mode = \"psychic\"", &["psychic", "hybrid"]);
        assert_refused("index.languages = [\"klingon\"]", &["klingon", "ast-core languages"]);
        assert_refused("index.exclude = [\"src/[\"]", &["src/[", "globs"]);
        assert_refused("index.exclude = \"vendor\"", &["a list"]);
        assert_refused("index.max_file_bytes = 99999999999", &["67108864"]);
        assert_refused("embedder.http.attempts = 0", &["attempts", "from 1"]);
        assert_refused("color = 1979-05-27", &["1979-05-27", "auto"]);
        assert_refused("[search\n", &["config.toml:1"]);
        assert_refused("search.limit = 1\nsearch.limit = 2\n", &["config.toml:2"]);
    }

    /// The table of docs/settings.md is what the keys say. `UPDATE_EXPECTED=1` writes it.
    #[test]
    fn the_document_has_every_setting() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut table =
            "| setting | default | what it is for | variable | flag |\n|---|---|---|---|---|\n".to_owned();
        for key in KEYS {
            let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
            let flag = match key.flag.split_once(' ') {
                Some((flag, of)) => format!("`{flag}` {of}"),
                None => code(key.flag),
            };
            let tree = if key.who == Who::Tree { " **P**" } else { "" };
            let (name, default, about) = (key.name, code(key.default), key.about);
            let _ = writeln!(
                table,
                "| `{name}`{tree} | {default} | {about}: {} | `{}` | {flag} |",
                key.expected, key.variable
            );
        }
        let (before, rest) = text.split_once("| setting |").expect("a table");
        let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
        let expected = format!("{before}{table}\n{after}");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(path, &expected).unwrap();
        } else {
            assert!(
                text == expected,
                "docs/settings.md is out of date: run this test with UPDATE_EXPECTED=1"
            );
        }
    }
}

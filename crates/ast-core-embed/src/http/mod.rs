//! A service that embeds texts, asked over HTTP in the way of OpenAI's.

mod config;
mod patience;
mod slots;
mod wire;

pub use config::{ApiKey, HttpConfig};

use crate::text::{beginning_of, key_of, text_of};
use crate::{EmbedError, EmbedInput, Embedder, ModelInfo};
use ast_core_model::ContentHash;
use config::{Address, MAX_DIMENSION};
use patience::{asked_wait, random, wait_after};
use slots::Slots;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use wire::{Request, complaint_of, most_bytes, vectors_of};

/// Bytes of code that are taken for a token: it has more often four, but what is too long would be refused.
const BYTES_A_TOKEN: usize = 3;

/// Embeds texts by asking a service: OpenAI, or any that answers `POST /embeddings` as it does, such as Ollama, vLLM, LM
/// Studio, llama.cpp, Text Embeddings Inference.
///
/// Texts are sent in batches, several at a time. What may pass is tried again: status 429 and those from 500, time-outs, lost
/// connections; after waits that double, with a random part, and never sooner than the service asks for by `Retry-After`,
/// which all requests keep. What an answer has is checked: a vector a text, by `index`, of one dimension, finite. Redirects
/// are not followed, so that the key goes to the service that it is for and to no other. Certificates are those that the
/// system trusts.
///
/// It may be used from many threads; [`HttpConfig::concurrency`] bounds what is under way of all of them.
#[derive(Debug)]
pub struct HttpEmbedder {
    model: ModelInfo,
    service: Service,
}

/// The service, whatever the dimension of its vectors.
#[derive(Debug)]
struct Service {
    id: String,
    config: HttpConfig,
    url: ureq::http::Uri,
    agent: Agent,
    slots: Slots,
    /// Whether it has ever embedded something by these settings: then what it refuses is the text's fault.
    has_answered: AtomicBool,
}

/// Why a batch was not embedded.
enum Failure {
    /// The service will not have these texts.
    Refused(String),
    /// It cannot be asked now, or by these settings.
    Unavailable(String),
}

impl HttpEmbedder {
    /// Asks the service how many values a vector has, by embedding one word.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] and [`EmbedError::Dimension`] of the configuration, [`EmbedError::Unavailable`] if the service
    /// cannot be asked.
    pub fn connect(config: HttpConfig) -> Result<Self, EmbedError> {
        let service = Service::new(config)?;
        let vectors = service.ask(&["dimension".to_owned()], service.config.dimensions);
        let vectors = vectors.map_err(|failure| service.error(failure))?;
        let dimension = vectors.first().map_or(0, Vec::len);
        Self::of_service(service, dimension)
    }

    /// An embedder of a model whose dimension is known; the service is not asked before there is something to embed.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] and [`EmbedError::Dimension`].
    pub fn with_dimension(config: HttpConfig, dimension: usize) -> Result<Self, EmbedError> {
        Self::of_service(Service::new(config)?, dimension)
    }

    fn of_service(service: Service, dimension: usize) -> Result<Self, EmbedError> {
        if !(1..=MAX_DIMENSION).contains(&dimension) {
            return Err(EmbedError::Dimension { received: dimension, minimum: 1, maximum: MAX_DIMENSION });
        }
        let model = ModelInfo {
            id: service.id.clone(),
            dimension,
            description: format!("{} of the service {}", service.config.model, service.url),
        };
        Ok(Self { model, service })
    }
}

impl Embedder for HttpEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    /// How near each other unlike texts are is the model's affair.
    fn noise_floor(&self) -> f32 {
        0.0
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let prefix = &self.service.config.document_prefix;
        let texts: Vec<String> =
            inputs.iter().map(|input| self.service.text(prefix, &text_of(input))).collect();
        for vector in self.service.embed(&texts, self.model.dimension)? {
            vectors.extend(vector);
        }
        Ok(())
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn cache_key(&self, input: &EmbedInput<'_>) -> ContentHash {
        key_of(input)
    }

    fn parallel_calls(&self) -> usize {
        self.service.config.concurrency.get()
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        let text = self.service.text(&self.service.config.query_prefix, query);
        let mut vectors = self.service.embed(&[text], self.model.dimension)?;
        Ok(vectors.pop().unwrap_or_default())
    }
}

impl Service {
    fn new(config: HttpConfig) -> Result<Self, EmbedError> {
        let id = config.model_id()?;
        let address = Address::of(&config)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let mut agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(config.connect_timeout))
            .timeout_global(Some(config.timeout))
            .max_idle_connections_per_host(config.concurrency.get())
            .user_agent(concat!("ast-core-engine/", env!("CARGO_PKG_VERSION")));
        if address.is_loopback {
            agent = agent.proxy(None);
        }
        let agent = agent.build().new_agent();
        let slots = Slots::new(config.concurrency.get());
        Ok(Self { id, config, url: address.url, agent, slots, has_answered: AtomicBool::new(false) })
    }

    fn error(&self, failure: Failure) -> EmbedError {
        let model = self.id.clone();
        match failure {
            Failure::Refused(reason) => EmbedError::Model { model, reason },
            Failure::Unavailable(reason) => EmbedError::Unavailable { model, reason },
        }
    }

    /// What is sent of a text: some models, and some services, refuse one that is empty.
    fn text(&self, prefix: &str, text: &str) -> String {
        let most = self.config.text_tokens.get().saturating_mul(BYTES_A_TOKEN);
        let text = beginning_of(text, most);
        if text.trim().is_empty() && prefix.is_empty() { " ".to_owned() } else { format!("{prefix}{text}") }
    }

    /// The vectors of texts, in batches of which several are under way.
    fn embed(&self, texts: &[String], dimension: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
        let batches = self.batches(texts);
        let results: Vec<OnceLock<Vec<Vec<f32>>>> = batches.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<Failure>> = Mutex::default();
        let failure = || failed.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            while let Some((batch, result)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                batches.get(at).zip(results.get(at))
            } {
                if failure().is_some() {
                    return;
                }
                match self.embed_batch(&texts[batch.clone()], dimension) {
                    // Nobody else has this place.
                    Ok(vectors) => drop(result.set(vectors)),
                    Err(reason) => {
                        failure().get_or_insert(reason);
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..batches.len().min(self.config.concurrency.get()) {
                // If there is no thread to be had, this one does it all.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(self.error(failure)),
            None => Ok(results.into_iter().filter_map(OnceLock::into_inner).flatten().collect()),
        }
    }

    /// Texts that go together: as many as fit.
    fn batches(&self, texts: &[String]) -> Vec<Range<usize>> {
        let HttpConfig { batch_texts, batch_tokens, .. } = &self.config;
        let mut batches: Vec<Range<usize>> = Vec::new();
        let mut tokens = 0_usize;
        for (at, text) in texts.iter().enumerate() {
            let of_text = text.len().div_ceil(BYTES_A_TOKEN);
            match batches.last_mut() {
                Some(last) if last.len() < batch_texts.get() && tokens + of_text <= batch_tokens.get() => {
                    last.end = at + 1;
                    tokens += of_text;
                }
                _ => {
                    batches.push(at..at + 1);
                    tokens = of_text;
                }
            }
        }
        batches
    }

    /// The vectors of a batch. One that is refused is halved, as it may be too long, or one text of it is at fault.
    fn embed_batch(&self, texts: &[String], dimension: usize) -> Result<Vec<Vec<f32>>, Failure> {
        match self.ask(texts, Some(dimension)) {
            Err(Failure::Refused(_)) if texts.len() > 1 => {
                let (first, second) = texts.split_at(texts.len() / 2);
                let mut vectors = self.embed_batch(first, dimension)?;
                vectors.extend(self.embed_batch(second, dimension)?);
                Ok(vectors)
            }
            // What is refused before anything was ever embedded is refused for its settings.
            Err(Failure::Refused(reason)) if !self.has_answered.load(Ordering::Relaxed) => {
                Err(Failure::Unavailable(reason))
            }
            asked => asked,
        }
    }

    /// Asks until there is an answer, or none is to be expected.
    fn ask(&self, texts: &[String], dimension: Option<usize>) -> Result<Vec<Vec<f32>>, Failure> {
        let config = &self.config;
        let body = serde_json::to_vec(&Request {
            model: &config.model,
            input: texts,
            encoding_format: if config.base64 { "base64" } else { "float" },
            dimensions: config.dimensions,
        })
        .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let mut attempt = 1;
        loop {
            let attempted = {
                let _slot = self.slots.take();
                self.attempt(&body, texts.len(), dimension)
            };
            let Attempt::MayPass { reason, asked } = attempted else {
                let answered = attempted.into_result();
                self.has_answered.fetch_or(answered.is_ok(), Ordering::Relaxed);
                return answered;
            };
            let give_up = |why: String| Err(Failure::Unavailable(format!("{reason}; {why}")));
            if attempt == config.attempts.get() {
                return give_up(format!("given up after {attempt} attempts"));
            }
            if let Some(asked) = asked.filter(|asked| *asked > config.max_backoff) {
                return give_up(format!("it asks to be left alone for {} s", asked.as_secs()));
            }
            let wait = wait_after(config, attempt, random());
            if let Some(asked) = asked {
                // The others would be told the same.
                self.slots.rest(asked);
            }
            thread::sleep(wait.max(asked.unwrap_or_default()));
            attempt += 1;
        }
    }

    fn attempt(&self, body: &[u8], texts: usize, dimension: Option<usize>) -> Attempt {
        let mut request = self
            .agent
            .post(&self.url)
            .content_type("application/json")
            .header(header::ACCEPT, "application/json");
        if let Some(key) = &self.config.key {
            request = request.header(header::AUTHORIZATION, key.header());
        }
        let response = match request.send(body) {
            Ok(response) => response,
            Err(error) => return Attempt::of_error(&error),
        };
        let (head, mut body) = response.into_parts();
        let most = most_bytes(texts, dimension.unwrap_or(MAX_DIMENSION));
        let body = match body.with_config().limit(most).read_to_vec() {
            Ok(body) => body,
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                let reason =
                    format!("its answer is longer than {most} bytes, which is too long for {texts} vectors");
                return Attempt::Unavailable(reason);
            }
            Err(error) if head.status.is_success() => return Attempt::of_error(&error),
            // The status says enough.
            Err(_) => Vec::new(),
        };
        if head.status.is_success() {
            return match vectors_of(&body, texts, dimension) {
                Ok(vectors) => Attempt::Done(vectors),
                Err(reason) => Attempt::Unavailable(reason),
            };
        }
        self.of_status(head.status, &head.headers, &body)
    }

    fn of_status(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Attempt {
        let code = status.as_u16();
        let mut reason = format!("it answered {code}");
        if let Some(name) = status.canonical_reason() {
            reason.push_str(&format!(" ({name})"));
        }
        // Where a key is not taken, what is said may have parts of it.
        let may_name_key = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
        if let Some(complaint) = complaint_of(body).filter(|_| !may_name_key) {
            let key = self.config.key.as_ref();
            let complaint = key.map_or(complaint.clone(), |key| key.take_out_of(&complaint));
            reason.push_str(&format!(": {complaint}"));
        }
        match code {
            300..400 => {
                let to = headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| to.parse::<ureq::http::Uri>().ok());
                let host = to.as_ref().and_then(ureq::http::Uri::host).unwrap_or("another address");
                Attempt::Unavailable(format!(
                    "{reason} and sends on to {host}; name the address that answers itself"
                ))
            }
            401 | 403 => {
                let key = match &self.config.key {
                    Some(_) => "see whether the key is the right one",
                    None => "it wants a key and there is none",
                };
                Attempt::Unavailable(format!("{reason}; {key}"))
            }
            400 | 413 | 422 => Attempt::Refused(reason),
            408 | 425 | 429 | 500.. => {
                Attempt::MayPass { reason, asked: asked_wait(headers, SystemTime::now()) }
            }
            _ => Attempt::Unavailable(reason),
        }
    }
}

/// What became of one request.
enum Attempt {
    Done(Vec<Vec<f32>>),
    Refused(String),
    Unavailable(String),
    /// It may go well a little later, or when the service asked for it.
    MayPass {
        reason: String,
        asked: Option<Duration>,
    },
}

impl Attempt {
    fn of_error(error: &ureq::Error) -> Self {
        use ureq::Error;
        let may_pass = |reason: String| Self::MayPass { reason, asked: None };
        match error {
            Error::Timeout(what) => may_pass(format!("it did not answer in time ({what})")),
            // What rustls says of a certificate.
            Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Unavailable(format!("there is no secure connection: {error}"))
            }
            Error::Io(error) => may_pass(format!("the connection failed: {error}")),
            Error::ConnectionFailed | Error::HostNotFound | Error::Protocol(_) | Error::BodyStalled => {
                may_pass(error.to_string())
            }
            other => Self::Unavailable(other.to_string()),
        }
    }

    fn into_result(self) -> Result<Vec<Vec<f32>>, Failure> {
        match self {
            Self::Done(vectors) => Ok(vectors),
            Self::Refused(reason) => Err(Failure::Refused(reason)),
            Self::Unavailable(reason) | Self::MayPass { reason, .. } => Err(Failure::Unavailable(reason)),
        }
    }
}

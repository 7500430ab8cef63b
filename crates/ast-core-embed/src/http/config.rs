//! Which service, how it is asked, and how patiently.

use crate::EmbedError;
use crate::hashing::hash;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;
use ureq::http::{HeaderValue, Uri};

/// The largest dimension that is believed of a service.
pub(super) const MAX_DIMENSION: usize = 16_384;

/// A service that embeds texts as OpenAI's does: `POST BASE/embeddings`.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where it is, up to what comes before `/embeddings`: `https://api.openai.com/v1`, `http://localhost:11434/v1`.
    /// What is not on this machine has to be `https`.
    pub base_url: String,
    /// The model that is asked for.
    pub model: String,
    /// The dimension that is asked for, of a model that has more than one. Default: `None`, the model's own.
    pub dimensions: Option<usize>,
    /// What the service knows the user by, if it has to.
    pub key: Option<ApiKey>,
    /// Written before each piece of code, for models that tell what is found from what is looked for, such as
    /// `search_document: `. Default: nothing.
    pub document_prefix: String,
    /// Written before each query. Default: nothing.
    pub query_prefix: String,
    /// The most texts of one request. Default: 64.
    pub batch_texts: NonZeroUsize,
    /// The most tokens of one request, by an estimate of three bytes each. Default: 16,384.
    pub batch_tokens: NonZeroUsize,
    /// The most tokens of one text, by the same estimate: of a longer one the beginning is embedded. Default: 2,048, which
    /// is more than a chunk has.
    pub text_tokens: NonZeroUsize,
    /// The most requests under way at a time. Default: 4.
    pub concurrency: NonZeroUsize,
    /// Whether vectors are asked for in base64, which is half as long; not every service knows it. What it answers with is
    /// understood either way. Default: no.
    pub base64: bool,
    /// How long connecting may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long one attempt may take, from name look-up to the end of the answer. Default: 60 s.
    pub timeout: Duration,
    /// The most attempts at one request, the first included. Default: 6.
    pub attempts: NonZeroU32,
    /// How long is waited before the second attempt, at most; twice as long before each further one. Of each wait a random
    /// part of up to a half is left out. Default: 500 ms.
    pub backoff: Duration,
    /// The longest wait between two attempts. A service that asks for more is given up. Default: 60 s.
    pub max_backoff: Duration,
}

impl HttpConfig {
    /// The model of the service at this address, without a key.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        const fn number(number: usize) -> NonZeroUsize {
            NonZeroUsize::MIN.saturating_add(number - 1)
        }
        Self {
            base_url: base_url.into(),
            model: model.into(),
            dimensions: None,
            key: None,
            document_prefix: String::new(),
            query_prefix: String::new(),
            batch_texts: number(64),
            batch_tokens: number(16_384),
            text_tokens: number(2_048),
            concurrency: number(4),
            base64: false,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            attempts: NonZeroU32::MIN.saturating_add(5),
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(60),
        }
    }

    /// The id of the embedder that this makes: the service, the model, and what else its vectors depend on.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] if it makes none.
    pub fn model_id(&self) -> Result<String, EmbedError> {
        let address = Address::of(self)?;
        let mut id = format!("http {}{} {}", address.authority, address.path, self.model);
        if let Some(dimensions) = self.dimensions {
            id.push_str(&format!(" {dimensions}"));
        }
        let Self { document_prefix, query_prefix, text_tokens, .. } = self;
        let rest = format!("{document_prefix}\0{query_prefix}\0{text_tokens}");
        id.push_str(&format!(" {:08x}", hash(&rest) >> 32));
        Ok(id)
    }
}

/// Where requests go.
pub(super) struct Address {
    /// The whole of it.
    pub(super) url: Uri,
    /// Host and port.
    pub(super) authority: String,
    /// The path of the base, without a slash at its end.
    path: String,
    pub(super) is_loopback: bool,
}

impl Address {
    /// Checks the address and the model.
    pub(super) fn of(config: &HttpConfig) -> Result<Self, EmbedError> {
        let refuse = |received: &str, expected| EmbedError::Setting {
            setting: "base URL",
            received: received.to_owned(),
            expected,
        };
        const EXPECTED: &str = "an address such as https://api.openai.com/v1";
        let given = config.base_url.trim().trim_end_matches('/');
        // Whoever puts a password into an address does not want to read it in a message.
        if given.contains('@') {
            return Err(refuse(
                "one with a user",
                "an address without a user; a key comes by its own setting",
            ));
        }
        let base: Uri = given.parse().map_err(|_| refuse(given, EXPECTED))?;
        let (Some(scheme), Some(authority), None) = (base.scheme_str(), base.authority(), base.query())
        else {
            return Err(refuse(given, EXPECTED));
        };
        let is_loopback = is_loopback(authority.host());
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(refuse(given, "https, as code and keys would be sent in the clear")),
            _ => return Err(refuse(given, EXPECTED)),
        }
        if config.model.trim().is_empty() {
            return Err(EmbedError::Setting {
                setting: "model",
                received: config.model.clone(),
                expected: "the name of a model of the service, such as text-embedding-3-small",
            });
        }
        if config.dimensions.is_some_and(|dimensions| !(1..=MAX_DIMENSION).contains(&dimensions)) {
            return Err(EmbedError::Dimension {
                received: config.dimensions.unwrap_or_default(),
                minimum: 1,
                maximum: MAX_DIMENSION,
            });
        }
        let url = format!("{given}/embeddings").parse().map_err(|_| refuse(given, EXPECTED))?;
        let path = base.path().trim_end_matches('/').to_owned();
        Ok(Self { url, authority: authority.as_str().to_owned(), path, is_loopback })
    }
}

/// Whether what is sent there stays on this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// What a service knows its user by. It is sent to the service, and shown nowhere.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

impl ApiKey {
    /// A key, which is sent as `Authorization: Bearer KEY`. White space round it is left out.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] if it is empty or has characters that no key has. The key is not in the error.
    pub fn new(key: &str) -> Result<Self, EmbedError> {
        let key = key.trim();
        let refused = || EmbedError::Setting {
            setting: "key",
            received: format!("something of {} bytes that is no key", key.len()),
            expected: "letters, digits and signs of ASCII, without spaces",
        };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused());
        }
        let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| refused())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Takes the key out of a text that somebody else wrote.
    pub(super) fn take_out_of(&self, text: &str) -> String {
        let key = self.0.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
        key.map_or_else(|| text.to_owned(), |key| text.replace(key, "***"))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(base_url: &str) -> Result<String, String> {
        HttpConfig::new(base_url, "m").model_id().map_err(|error| error.to_string())
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for good in [
            "https://api.openai.com/v1",
            "https://api.openai.com/v1/",
            "http://localhost:11434/v1",
            "http://127.0.0.1:80",
            "http://127.8.9.1/x",
            "http://[::1]:8080/v1",
        ] {
            assert!(id(good).is_ok(), "{good}: {:?}", id(good));
        }
        for bad in [
            "http://api.openai.com/v1",
            "http://localhost.example.com/v1",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1/v1",
            "http://[::2]/",
        ] {
            assert!(id(bad).unwrap_err().contains("https"), "{bad}");
        }
        for bad in ["", "api.openai.com/v1", "ftp://localhost/", "https://", "/v1", "https://a/v1?x=1", "a b"]
        {
            assert!(id(bad).is_err(), "{bad}");
        }
        let error = id("https://me:hunter2@example.com/v1").unwrap_err();
        assert!(error.contains("without a user") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_id_is_of_all_that_vectors_depend_on() {
        let config = HttpConfig::new("https://example.com/v1", "m");
        let id = |config: HttpConfig| config.model_id().unwrap();
        let plain = id(config.clone());
        assert!(plain.starts_with("http example.com/v1 m "), "{plain}");
        assert_eq!(id(HttpConfig { base_url: "https://example.com/v1/".into(), ..config.clone() }), plain);
        assert_eq!(id(HttpConfig { concurrency: NonZeroUsize::MIN, ..config.clone() }), plain);
        for other in [
            HttpConfig { base_url: "https://example.com/v2".into(), ..config.clone() },
            HttpConfig { model: "n".into(), ..config.clone() },
            HttpConfig { dimensions: Some(256), ..config.clone() },
            HttpConfig { document_prefix: "d".into(), ..config.clone() },
            HttpConfig { query_prefix: "d".into(), ..config.clone() },
            HttpConfig { text_tokens: NonZeroUsize::MIN, ..config.clone() },
        ] {
            assert_ne!(id(other), plain);
        }
        assert!(HttpConfig { model: " ".into(), ..config.clone() }.model_id().is_err());
        assert!(HttpConfig { dimensions: Some(0), ..config }.model_id().is_err());
    }

    #[test]
    fn a_key_is_shown_nowhere() {
        let key = ApiKey::new(" sk-12345 \n").unwrap();
        let config = HttpConfig { key: Some(key.clone()), ..HttpConfig::new("https://example.com", "m") };
        assert!(!format!("{key:?} {config:?} {:?}", key.header()).contains("12345"));
        assert_eq!(key.take_out_of("no such key: sk-12345"), "no such key: ***");
        assert_eq!(key.header().to_str().unwrap(), "Bearer sk-12345");
        for bad in ["", "  ", "a b", "a\nb", "schlüssel"] {
            let error = ApiKey::new(bad).unwrap_err().to_string();
            assert!(bad.trim().is_empty() || !error.contains(bad), "{error}");
        }
    }
}

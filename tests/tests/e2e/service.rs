//! A service that embeds texts, on this machine.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Values in a vector.
pub(crate) const DIMENSION: usize = 32;

#[derive(Default)]
struct State {
    /// How often each text was asked for.
    asked: Mutex<HashMap<String, usize>>,
    keys: Mutex<Vec<Option<String>>>,
    /// So many more requests are answered; then it is down.
    answers: AtomicUsize,
    stops: AtomicBool,
}

/// Answers until it is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    state: Arc<State>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<State>::default();
        state.answers.store(usize::MAX, Ordering::SeqCst);
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stops.load(Ordering::SeqCst) {
                    return;
                }
                let state = shared.clone();
                // Whoever asked may have gone away.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &state)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers so many more requests and then no more.
    pub(crate) fn answer_only(&self, requests: usize) {
        self.state.answers.store(requests, Ordering::SeqCst);
    }

    /// How many texts it embedded, and the most often that one of them was.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let asked = self.state.asked.lock().expect("nobody panicked");
        (asked.values().sum(), asked.values().copied().max().unwrap_or(0))
    }

    /// The keys that came, one a request.
    pub(crate) fn keys(&self) -> Vec<Option<String>> {
        self.state.keys.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.state.stops.store(true, Ordering::SeqCst);
        // It looks up when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

/// Texts with the same words are near each other.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSION];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let place = word
            .bytes()
            .fold(7_usize, |hash, byte| hash.wrapping_mul(31) + usize::from(byte.to_ascii_lowercase()));
        vector[place % DIMENSION] += 1.0;
    }
    vector
}

fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut key) = (String::new(), 0, None);
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.trim_end().split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => key = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let left = |answers: usize| Some(if answers == usize::MAX { answers } else { answers.saturating_sub(1) });
    let answers = state.answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).unwrap_or_default();
    let (status, answer) = if answers == 0 {
        (503, json!({"error": {"message": "down for the night"}}))
    } else {
        let asked: Value = serde_json::from_slice(&body)?;
        let texts: Vec<&str> =
            asked["input"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut counts = state.asked.lock().expect("nobody panicked");
        texts.iter().for_each(|text| *counts.entry((*text).to_owned()).or_default() += 1);
        let items =
            texts.iter().enumerate().map(|(at, text)| json!({"index": at, "embedding": vector(text)}));
        (200, json!({"data": items.collect::<Vec<Value>>()}))
    };
    state.keys.lock().expect("nobody panicked").push(key);
    let answer = answer.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}",
        answer.len()
    )?;
    stream.flush()
}

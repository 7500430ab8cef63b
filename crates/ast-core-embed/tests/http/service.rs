//! A service on this machine that answers as a test wants it to.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = self.body["input"].as_array().expect("texts");
        texts.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    }
}

/// What it answers.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// Vectors of the texts, the last text first.
    pub(crate) fn vectors(asked: &Asked) -> Self {
        let texts = asked.texts();
        let vectors = texts.iter().enumerate().rev();
        let items: Vec<Value> = vectors
            .map(|(at, text)| json!({"object": "embedding", "index": at, "embedding": vector(text)}))
            .collect();
        Self::of(200, json!({"object": "list", "data": items, "model": "m"}).to_string())
    }
}

/// What the service makes of a text.
pub(crate) fn vector(text: &str) -> [f32; 3] {
    [text.len() as f32, text.bytes().map(f32::from).sum(), 1.0]
}

/// Answers until it is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stops: Arc<AtomicBool>,
}

impl Service {
    /// Answers the request of each number, the first of which is 0, in a thread of its own.
    pub(crate) fn start(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, stops) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let (noted, stopped, answer) = (asked.clone(), stops.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (noted, answer) = (noted.clone(), answer.clone());
                // Whoever asked may have gone away.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &noted, &*answer)));
            }
        });
        Self { address, asked, stops }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::SeqCst);
        // It looks up when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: TcpStream,
    noted: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(usize, &Asked) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked { path, authorization, body: serde_json::from_slice(&body)? };
    let number = {
        let mut noted = noted.lock().expect("nobody panicked");
        noted.push(asked.clone());
        noted.len() - 1
    };
    let reply = answer(number, &asked);
    thread::sleep(reply.after);
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&reply.body)?;
    stream.flush()
}

//! The server for agents, as a client meets it: message by message, on the binary's standard input and output.
#![cfg(unix)]

use crate::doctor::sql;
use crate::interrupted::large_tree;
use crate::repository::Repository;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client, and the server that it started.
struct Client {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    last_id: u64,
    /// What came beside answers.
    notifications: Vec<Value>,
}

impl Client {
    fn start(repository: &Repository, arguments: &[&str]) -> Self {
        let mut client = Self::spawn(repository.command([&["mcp"], arguments].concat()));
        client.initialize(json!({}));
        client
    }

    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("the binary runs");
        let output = BufReader::new(server.stdout.take().expect("its output"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let line = line.expect("messages are UTF-8");
                let message: Value =
                    serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line:?}"));
                assert_eq!(message["jsonrpc"], "2.0", "{line}");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = server.stdin.take();
        Self { server, input, messages, last_id: 0, notifications: Vec::new() }
    }

    fn initialize(&mut self, capabilities: Value) {
        let client = json!({"name": "test", "version": "1"});
        let parameters =
            json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client});
        let answer = self.request("initialize", parameters);
        assert_eq!(answer["result"]["serverInfo"]["name"], "ast-core", "{answer}");
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    fn send(&mut self, message: &Value) {
        self.write(&message.to_string());
    }

    fn write(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{line}").expect("the server reads");
    }

    fn next(&mut self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("the server answers")
    }

    /// Sends a request; its number.
    fn ask(&mut self, method: &str, parameters: Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        id
    }

    /// The answer to the request with this number. Others that come before it are for nobody.
    fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let message = self.next();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.notifications.push(message);
        }
    }

    fn request(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.ask(method, parameters);
        self.answer_to(id)
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(answer["result"].is_object(), "{tool} {arguments}: {answer}");
        answer["result"].clone()
    }

    /// The answer of a tool that has one: structured, and as text.
    #[track_caller]
    fn answer(&mut self, tool: &str, arguments: Value) -> (Value, String) {
        let result = self.call(tool, arguments.clone());
        assert_eq!(result["isError"], false, "{tool} {arguments}: {result}");
        let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
        (result["structuredContent"].clone(), text)
    }

    /// The message of a tool that has no answer.
    #[track_caller]
    fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments.clone());
        assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }

    /// Closes the input; the exit code, and what was written to standard error.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        self.exit()
    }

    fn exit(mut self) -> (Option<i32>, String) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.server.try_wait().expect("the server can be asked") {
                break status;
            }
            assert!(begin.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        self.server.stderr.take().expect("its errors").read_to_string(&mut said).expect("they are UTF-8");
        (status.code(), said)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Of a test that failed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(killed.expect("there is kill").success());
}

fn names(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().expect("rows");
    results.iter().map(|row| row["name"].as_str().unwrap_or("").to_owned()).collect()
}

#[test]
fn an_agent_begins_without_an_index_and_finds_its_way() {
    let repository = Repository::polyglot();
    let mut client = Client::start(&repository, &[]);
    let refusal = client.refusal("search_code", json!({"query": "checksum of a payload"}));
    assert!(refusal.contains("index_workspace"), "{refusal}");
    let (status, _) = client.answer("index_status", json!({}));
    assert_eq!(status["index"]["state"], "missing", "{status}");
    assert!(!repository.database().exists(), "nobody asked for an index");

    let (report, _) = client.answer("index_workspace", json!({}));
    assert!(report["indexed"].as_u64() > Some(5), "{report}");
    let (found, text) = client.answer("search_code", json!({"query": "checksum of a payload", "limit": 3}));
    assert_eq!(found["results"][0]["name"], "ferry.fletcher32", "{found}");
    assert!(text.starts_with("native/checksum.cpp:1-17 function ferry.fletcher32 "), "{text}");

    let (symbol, _) = client.answer("find_symbol", json!({"name": "ferry.fletcher32"}));
    assert_eq!(symbol["results"][0]["path"], "native/checksum.cpp", "{symbol}");
    let (like, text) = client.answer("find_symbol", json!({"name": "FLETCHER"}));
    assert_eq!(names(&like), ["ferry.fletcher32"]);
    assert!(text.starts_with("note: "), "{text}");

    let (body, text) = client.answer("read_symbol", json!({"path": "native/checksum.cpp", "line": 10}));
    let row = &body["results"][0];
    assert_eq!((&row["start_line"], &row["end_line"]), (&json!(6), &json!(15)), "{body}");
    assert!(row["body"].as_str().is_some_and(|body| body.starts_with("/// The Fletcher-32")), "{body}");
    assert!(text.contains("\n    6| /// The Fletcher-32 checksum"), "{text}");
    let (same, _) = client.answer("read_symbol", json!({"name": "fletcher32"}));
    assert_eq!(same["results"], body["results"]);

    let (outline, text) = client.answer("outline_file", json!({"path": "native/checksum.cpp"}));
    assert_eq!(names(&outline), ["ferry", "fletcher32"]);
    assert!(text.starts_with("native/checksum.cpp (cpp, "), "{text}");
    let (status, _) = client.answer("index_status", json!({}));
    assert_eq!((&status["index"]["state"], &status["stale"]), (&json!("current"), &json!([])), "{status}");
    assert_eq!(client.end(), (Some(0), String::new()));
}

#[test]
fn mentions_have_what_they_are_within() {
    let repository = Repository::fixture("mentions");
    repository.index();
    let mut client = Client::start(&repository, &["--no-watch"]);
    let (found, _) = client.answer("find_references", json!({"name": "area", "language": "cpp"}));
    let expected = repository.run(["refs", "area", "--lang", "cpp", "--json"]).json();
    let lines = |found: &Value, list: &str| -> Vec<(Value, Value)> {
        let list = found[list].as_array().expect("a list");
        list.iter().map(|row| (row["path"].clone(), row["line"].clone())).collect()
    };
    assert_eq!(lines(&found, "results"), lines(&expected, "references"));
    assert!(!lines(&found, "results").is_empty());
}

/// All pages together are the answer, in order, and each keeps its limit.
#[test]
fn a_cursor_goes_on_where_a_page_ended() {
    let repository = Repository::empty();
    for file in 0..8 {
        let code: String = (0..10)
            .map(|number| {
                format!(
                    "/// Opens valve {number}.\npub fn open_valve_{number}() -> u64 {{\n    {number}\n}}\n"
                )
            })
            .collect();
        repository.write(&format!("src/valves{file}.rs"), code);
    }
    repository.write(
        "src/main.rs",
        "fn main() {\n    open_valve_1();\n    open_valve_1();\n    open_valve_1();\n}\n",
    );
    repository.index();
    let mut client = Client::start(&repository, &["--no-watch"]);
    let asked = [
        ("search_code", json!({"query": "open valve"})),
        ("find_symbol", json!({"name": "open_valve_1", "bodies": true})),
        ("find_symbol", json!({"name": "open_valve"})),
        ("outline_file", json!({"path": "src/valves3.rs"})),
        ("find_references", json!({"name": "open_valve_1"})),
    ];
    for (tool, arguments) in asked {
        let most = |tokens: u64, cursor: Option<&Value>| {
            let mut arguments = arguments.clone();
            arguments["max_tokens"] = json!(tokens);
            if let Some(cursor) = cursor {
                arguments["cursor"] = cursor.clone();
            }
            if tool != "outline_file" {
                arguments["limit"] = json!(30);
            }
            arguments
        };
        let mut together: Vec<Value> = Vec::new();
        let (mut cursor, mut pages, mut left) = (None, 0, u64::MAX);
        loop {
            let (page, text) = client.answer(tool, most(400, cursor.as_ref()));
            pages += 1;
            let rows = page["results"].as_array().expect("rows");
            assert!(!rows.is_empty(), "{tool}: {page}");
            // Three bytes of an answer are counted as a token.
            assert!(page.to_string().len() <= 1200 && text.len() <= 1200, "{tool}: {page} {text}");
            together.extend(rows.iter().cloned());
            let more = page["more"].as_u64().expect("how many more");
            assert!(more < left, "{tool}: {more} after {left}");
            left = more;
            if more == 0 {
                assert!(page.get("next_cursor").is_none());
                break;
            }
            assert!(text.contains(page["next_cursor"].as_str().expect("a cursor")), "{text}");
            cursor = Some(page["next_cursor"].clone());
        }
        let mut at_once: Vec<Value> = Vec::new();
        let mut cursor = None;
        loop {
            let (page, _) = client.answer(tool, most(20_000, cursor.as_ref()));
            at_once.extend(page["results"].as_array().expect("rows").iter().cloned());
            cursor = page.get("next_cursor").cloned();
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(together, at_once, "{tool}");
        assert!(tool == "find_references" || pages > 1, "{tool}");
    }

    let (page, _) = client.answer("find_symbol", json!({"name": "open_valve", "limit": 2}));
    let cursor = page["next_cursor"].clone();
    let refusal = client.refusal("find_symbol", json!({"name": "other", "cursor": cursor}));
    assert!(refusal.contains("other arguments"), "{refusal}");
    repository.write("src/new.rs", "fn new_one() {}\n");
    client.answer("index_workspace", json!({}));
    let refusal = client.refusal("find_symbol", json!({"name": "open_valve", "cursor": cursor}));
    assert!(refusal.contains("without it"), "{refusal}");
}

/// A long definition is read in pieces that are the whole.
#[test]
fn a_long_definition_is_read_in_pieces() {
    let repository = Repository::empty();
    let lines: String = (0..200).map(|line| format!("    step({line});\n")).collect();
    let code = format!("/// Takes many steps.\nfn long() {{\n{lines}}}\n");
    repository.write("long.rs", &code);
    repository.index();
    let mut client = Client::start(&repository, &["--no-watch"]);
    let (mut read, mut cursor) = (String::new(), Value::Null);
    loop {
        let arguments = json!({"name": "long", "max_tokens": 400, "cursor": cursor});
        let (piece, _) = client.answer("read_symbol", arguments);
        read.push_str(piece["results"][0]["body"].as_str().expect("code"));
        cursor = piece["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(read, code);
}

#[test]
fn a_stale_index_says_so_in_every_answer() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &["--no-watch"]);
    let asked = [
        ("search_code", json!({"query": "fletcher32"})),
        ("find_symbol", json!({"name": "fletcher32"})),
        ("outline_file", json!({"path": "native/checksum.cpp"})),
        ("read_symbol", json!({"name": "fletcher32"})),
        ("find_references", json!({"name": "fletcher32"})),
        ("index_status", json!({})),
    ];
    for (tool, arguments) in &asked {
        let (answer, text) = client.answer(tool, arguments.clone());
        assert_eq!(answer["index"]["state"], "current", "{tool}: {answer}");
        assert!(!text.contains("index stale"), "{tool}: {text}");
    }
    repository.edit("native/checksum.cpp", "/// The Fletcher-32", "// Moved\n\n/// The Fletcher-32");
    // A look at the tree is believed for a second; this looks for itself.
    client.answer("index_status", json!({}));
    for (tool, arguments) in &asked {
        let (answer, text) = client.answer(tool, arguments.clone());
        assert_eq!(
            (&answer["index"]["state"], &answer["index"]["stale_files"]),
            (&json!("stale"), &json!(1)),
            "{tool}: {answer}"
        );
        assert!(text.contains("index stale: 1 file differs"), "{tool}: {text}");
    }
    // What is read is what is there, not what was.
    let (body, _) = client.answer("read_symbol", json!({"name": "fletcher32"}));
    assert_eq!(
        (&body["results"][0]["start_line"], &body["results"][0]["changed"]),
        (&json!(8), &json!(true)),
        "{body}"
    );
    let (found, _) = client.answer("search_code", json!({"query": "fletcher32"}));
    assert_eq!(found["results"][0]["changed"], true, "{found}");
    repository.remove("native/checksum.cpp");
    let refusal = client.refusal("read_symbol", json!({"path": "native/checksum.cpp", "line": 10}));
    assert!(refusal.contains("native/checksum.cpp") && refusal.contains("index_workspace"), "{refusal}");

    client.answer("index_workspace", json!({}));
    sql(&repository.database(), "UPDATE meta SET value = 'false' WHERE key = 'complete'");
    for (tool, arguments) in
        [("search_code", json!({"query": "job"})), ("find_symbol", json!({"name": "JobTable"}))]
    {
        let (answer, text) = client.answer(tool, arguments);
        assert_eq!(answer["index"]["state"], "incomplete", "{tool}: {answer}");
        assert!(text.starts_with("index incomplete: "), "{tool}: {text}");
    }
}

#[test]
fn the_index_follows_the_tree_and_others_may_write_to_it() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &[]);
    let mut other = Client::start(&repository, &[]);
    let finds = |client: &mut Client, name: &str| {
        let begin = Instant::now();
        loop {
            let (found, _) = client.answer("find_symbol", json!({"name": name}));
            if names(&found).contains(&name.to_owned()) && found["index"]["state"] == "current" {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{name} is not found: {found}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    finds(&mut client, "JobTable");
    for number in 0..3 {
        repository.write("core/src/fresh.rs", format!("pub fn fresh_{number}() {{}}\n"));
        finds(&mut client, &format!("fresh_{number}"));
        finds(&mut other, &format!("fresh_{number}"));
    }
    // Nobody holds the index while there is nothing to be done: another program gets its turn.
    let begin = Instant::now();
    while repository.run(["index"]).code != Some(0) {
        assert!(begin.elapsed() < PATIENCE, "the index is not let go of");
    }
    assert_eq!(client.end(), (Some(0), String::new()));
    // The index is deleted, and is not made again by itself.
    std::fs::remove_dir_all(repository.root().join(".ast-core")).expect("it can be removed");
    repository.write("core/src/fresh.rs", "pub fn fresh_again() {}\n");
    let refusal = other.refusal("find_symbol", json!({"name": "fresh_again"}));
    assert!(refusal.contains("index_workspace"), "{refusal}");
    other.answer("index_workspace", json!({}));
    finds(&mut other, "fresh_again");
}

#[test]
fn nothing_outside_of_the_index_is_read() {
    const SECRET: &str = "TOP-SECRET-4711";
    let repository = Repository::polyglot();
    let outside = repository.beside("outside");
    std::fs::create_dir_all(outside.join("src")).expect("folders can be made");
    std::fs::write(outside.join("secret.rs"), format!("pub fn secret() {{}} // {SECRET}\n")).expect("a file");
    std::fs::write(outside.join("src/queue.rs"), format!("pub fn secret() {{}} // {SECRET}\n"))
        .expect("a file");
    repository.write(".env", SECRET);
    repository.write(".hidden.py", format!("secret = '{SECRET}'\n"));
    repository.write("build/generated.py", format!("secret = '{SECRET}'\n"));
    repository.write("notes.unknown", SECRET);
    repository.write("core/src/plain.rs", "pub fn plain() {}\n");
    symlink(outside.join("secret.rs"), repository.root().join("core/src/linked.rs")).expect("a link");
    repository.index();
    let mut client = Client::start(&repository, &["--no-watch"]);
    client.answer("read_symbol", json!({"path": "core/src/plain.rs", "line": 1}));
    // What was a file, and a folder, when they were indexed.
    repository.remove("core/src/plain.rs");
    symlink(outside.join("secret.rs"), repository.root().join("core/src/plain.rs")).expect("a link");
    repository.rename("core/src", "core/was");
    symlink(outside.join("src"), repository.root().join("core/src")).expect("a link");
    let absolute = outside.join("secret.rs").to_str().expect("a path in UTF-8").to_owned();
    let paths = [
        ".env",
        ".hidden.py",
        "build/generated.py",
        "notes.unknown",
        "core/src/linked.rs",
        "core/src/plain.rs",
        "core/src/queue.rs",
        "../outside/secret.rs",
        "core/../../outside/secret.rs",
        "./../outside/secret.rs",
        "core/src/../../../outside/secret.rs",
        &absolute,
        "/etc/passwd",
        "core//src/queue.rs",
        "",
        ".",
        "%2e%2e/outside/secret.rs",
        "core\\src\\queue.rs",
        ".ast-core/index.db",
        ".git/config",
    ];
    for path in paths {
        for (tool, arguments) in [
            ("read_symbol", json!({"path": path, "line": 1})),
            ("read_symbol", json!({"path": path, "name": "secret"})),
            ("outline_file", json!({"path": path})),
        ] {
            let refusal = client.refusal(tool, arguments);
            assert!(!refusal.contains(SECRET), "{tool} {path:?}: {refusal}");
        }
        for uri in [
            format!("ast-core://file/{path}/outline"),
            format!("ast-core://file/{}/outline", path.replace('/', "%2F")),
        ] {
            let answer = client.request("resources/read", json!({"uri": uri}));
            assert!(answer["error"]["code"].is_i64(), "{uri}: {answer}");
            assert!(!answer.to_string().contains(SECRET), "{uri}: {answer}");
        }
    }
    client.answer("index_workspace", json!({}));
    for (tool, arguments) in [
        ("search_code", json!({"query": SECRET, "bodies": true})),
        ("search_code", json!({"query": "secret", "bodies": true})),
        ("find_symbol", json!({"name": "secret", "bodies": true})),
        ("index_status", json!({})),
    ] {
        let result = client.call(tool, arguments.clone());
        assert!(!result.to_string().contains(SECRET), "{tool} {arguments}: {result}");
    }
}

#[test]
fn resources_are_what_the_tools_say() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &[]);
    let listed = client.request("resources/list", json!({}));
    assert_eq!(listed["result"]["resources"][0]["uri"], "ast-core://status", "{listed}");
    let templates = client.request("resources/templates/list", json!({}));
    let template = &templates["result"]["resourceTemplates"][0]["uriTemplate"];
    assert_eq!(template, "ast-core://file/{path}/outline", "{templates}");
    let status = client.request("resources/read", json!({"uri": "ast-core://status"}));
    let status = status["result"]["contents"][0]["text"].as_str().expect("a text");
    let status: Value = serde_json::from_str(status).expect("JSON");
    assert!(status["files"].as_u64() > Some(5), "{status}");
    assert_eq!(listed["result"]["resources"][1]["uri"], "ast-core://metrics", "{listed}");
    client.call("search_code", json!({"query": "fletcher32"}));
    let metrics = client.request("resources/read", json!({"uri": "ast-core://metrics"}));
    let metrics = metrics["result"]["contents"][0]["text"].as_str().expect("a text");
    let metrics: Value = serde_json::from_str(metrics).expect("JSON");
    assert!(metrics["search"]["searches"]["count"].as_u64() > Some(0), "{metrics}");
    for uri in
        ["ast-core://file/native/checksum.cpp/outline", "ast-core://file/native%2Fchecksum.cpp/outline"]
    {
        let outline = client.request("resources/read", json!({"uri": uri}));
        let text = outline["result"]["contents"][0]["text"].as_str().expect("a text");
        assert!(text.contains("fletcher32"), "{outline}");
    }
}

#[test]
fn what_is_wrong_is_said_so_that_an_agent_can_go_on() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &[]);
    let refused: [(&str, Value, &str); 14] = [
        ("search_code", json!({}), "query"),
        ("search_code", json!({"query": "?!"}), "?!"),
        ("search_code", json!({"query": "job", "mode": "psychic"}), "hybrid"),
        ("search_code", json!({"query": "job", "language": "klingon"}), "rust"),
        ("search_code", json!({"query": "job", "kind": ["gizmo"]}), "function"),
        ("search_code", json!({"query": "job", "path": "src/["}), "src/**/*.rs"),
        ("search_code", json!({"query": "job", "limit": 0}), "1 to 50"),
        ("search_code", json!({"query": "job", "max_tokens": 1}), "200 to 20000"),
        ("search_code", json!({"qeury": "x"}), "qeury"),
        ("find_symbol", json!({"name": " "}), "Engine.open"),
        ("read_symbol", json!({}), "path and line"),
        ("read_symbol", json!({"path": "native/checksum.cpp", "line": 9999}), "lines 1 to"),
        ("read_symbol", json!({"name": "no_such_name_anywhere"}), "search_code"),
        ("find_references", json!({"name": "x", "kind": "mentions"}), "inherit"),
    ];
    for (tool, arguments, word) in refused {
        let refusal = client.refusal(tool, arguments.clone());
        assert!(refusal.contains(word), "{tool} {arguments}: {refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }
    let unknown = client.request("tools/call", json!({"name": "format_disk", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    client.write("this is no message");
    client.write(&"[".repeat(10_000));
    client.write("{\"jsonrpc\":\"2.0\",\"id\":\"x\"}");
    let (found, _) =
        client.answer("search_code", json!({"query": "no such words zzzyyx", "mode": "lexical"}));
    assert_eq!((&found["results"], &found["more"]), (&json!([]), &json!(0)), "{found}");
    assert_eq!(client.end().0, Some(0));
}

#[test]
fn a_focus_on_nothing_and_settings_that_cannot_be_are_told() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &[]);
    let (answer, text) = client.answer("repo_map", json!({"focus": "no/such/file"}));
    let note = "focus matches no file of the index: this is what the whole tree leans on";
    assert_eq!(answer["notes"], json!([note]), "{answer}");
    assert!(text.contains(&format!("note: {note}\n")), "{text}");
    let (answer, _) = client.answer("repo_map", json!({"focus": "core"}));
    assert_eq!(answer["notes"], Value::Null, "{answer}");
    client.end();

    repository.write(".ast-core/config.toml", "embedder.use = \"http\"\n");
    let mut client = Client::start(&repository, &[]);
    let refusal = client.refusal("search_code", json!({"query": "job"}));
    assert!(refusal.contains("config.toml:1") && refusal.contains("embedder.use"), "{refusal}");
}

#[test]
fn many_requests_at_once_get_each_its_answer() {
    let repository = Repository::polyglot();
    repository.index();
    let mut client = Client::start(&repository, &[]);
    let names = ["fletcher32", "JobTable", "Worker", "Lease"];
    let asked: Vec<(u64, &str)> = (0..40)
        .map(|number| {
            let name = names[number % names.len()];
            (client.ask("tools/call", json!({"name": "find_symbol", "arguments": {"name": name}})), name)
        })
        .collect();
    let mut answers = Vec::new();
    while answers.len() < asked.len() {
        let message = client.next();
        if message.get("id").is_some() {
            answers.push(message);
        }
    }
    for (id, name) in asked {
        let answer = answers.iter().find(|answer| answer["id"] == id).expect("an answer");
        let found = answer["result"]["structuredContent"]["results"][0]["name"].as_str().expect("a name");
        assert!(found.ends_with(name), "{name}: {answer}");
    }
}

#[test]
fn an_index_run_tells_how_far_it_is_and_can_be_cancelled() {
    let repository = large_tree();
    let mut client = Client::start(&repository, &[]);
    let parameters = json!({"name": "index_workspace", "arguments": {}, "_meta": {"progressToken": "run"}});
    let id = client.ask("tools/call", parameters.clone());
    // It is at work.
    let told = loop {
        let message = client.next();
        if message["method"] == "notifications/progress" {
            break message["params"].clone();
        }
        assert_ne!(message["id"], id, "it came to its end: {message}");
    };
    assert_eq!(told["progressToken"], "run", "{told}");
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    // It has let go of the index when the next run can begin.
    let begin = Instant::now();
    while repository.run(["index", "--plan", "--json"]).code != Some(0) {
        assert!(begin.elapsed() < PATIENCE);
    }
    let second = client.ask("tools/call", parameters);
    let mut progress = Vec::new();
    let report = loop {
        let message = client.next();
        assert_ne!(message["id"], id, "nobody waits for the first: {message}");
        if message["method"] == "notifications/progress" {
            progress.push(message["params"]["progress"].as_f64().expect("a number"));
        }
        if message["id"] == second {
            break message["result"]["structuredContent"].clone();
        }
    };
    let kept = report["unchanged"].as_u64().expect("a number");
    assert_eq!(kept + report["indexed"].as_u64().expect("a number"), 3000, "{report}");
    assert!(progress.is_sorted() && !progress.is_empty(), "{progress:?}");
}

#[test]
fn a_server_ends_with_its_input_and_when_it_is_told_to() {
    for end in ["input", "-TERM", "-INT"] {
        let repository = large_tree();
        let mut client = Client::start(&repository, &[]);
        client.ask("tools/call", json!({"name": "index_workspace", "arguments": {}}));
        let begin = Instant::now();
        while !repository.database().exists() {
            assert!(begin.elapsed() < PATIENCE);
        }
        let (code, said) = match end {
            "input" => client.end(),
            name => {
                signal(&client.server, name);
                client.exit()
            }
        };
        assert_eq!((code, &*said), (Some(0), ""), "{end}");
        // What it had is kept, and nobody holds it.
        let report = repository.run(["index", "--json"]);
        assert_eq!(report.code, Some(0), "{end}: {report:?}");
    }
    let repository = Repository::polyglot();
    let client = Client::spawn(repository.command(["mcp"]));
    assert_eq!(client.end(), (Some(0), String::new()), "nobody came");
    let mut client = Client::spawn(repository.command(["mcp"]));
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let (code, said) = client.exit();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("initialize"), "{said}");
}

#[test]
fn the_tree_is_that_of_the_client() {
    let repository = Repository::polyglot();
    repository.index();
    let home = repository.beside("home");
    let mut command = repository.command(["mcp"]);
    command.current_dir(&home);
    let mut client = Client::spawn(command);
    client.initialize(json!({"roots": {"listChanged": true}}));
    let id = client.ask("tools/call", json!({"name": "find_symbol", "arguments": {"name": "fletcher32"}}));
    let root = format!("file://{}", repository.root().display());
    let answer = loop {
        let message = client.next();
        if message["method"] == "roots/list" {
            let roots =
                json!([{"uri": "https://example.com"}, {"uri": "file:///no/such/place"}, {"uri": root}]);
            client.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": {"roots": roots}}));
        } else if message["id"] == id {
            break message;
        }
    };
    let found = &answer["result"]["structuredContent"]["results"][0]["path"];
    assert_eq!(found, "native/checksum.cpp", "{answer}");
    assert_eq!(client.end(), (Some(0), String::new()));

    // Nobody asked for an index of all that a user has.
    let mut command = repository.command(["mcp"]);
    command.current_dir(&home);
    let mut client = Client::spawn(command);
    client.initialize(json!({}));
    let refusal = client.refusal("index_workspace", json!({}));
    assert!(refusal.contains("ast-core mcp PATH"), "{refusal}");
    // From below, the tree is the one that has an index.
    let mut command = repository.command(["mcp"]);
    command.current_dir(repository.root().join("native"));
    let mut client = Client::spawn(command);
    client.initialize(json!({}));
    let (status, _) = client.answer("index_status", json!({}));
    assert_eq!(status["root"], repository.root().to_str().expect("a path in UTF-8"), "{status}");
}

/// Sends a request; the status line of the answer, and all of it.
fn post(port: u16, headers: &str, body: &Value) -> (String, String) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    let head = format!(
        "POST / HTTP/1.1\r\n{headers}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

#[test]
fn no_page_in_a_browser_is_a_client() {
    let repository = Repository::polyglot();
    repository.index();
    repository.run(["mcp", "--http", "0.0.0.0:0"]).assert_refused(2, &["0.0.0.0", "127.0.0.1"]);
    let mut command = repository.command(["mcp", "--http", "127.0.0.1:0"]);
    let mut server = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut said = String::new();
    let mut errors = BufReader::new(server.stderr.take().expect("its errors"));
    errors.read_line(&mut said).expect("it says where it listens");
    let port: u16 = said
        .trim()
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .unwrap_or_else(|| panic!("no port in {said:?}"));
    let client = json!({"name": "test", "version": "1"});
    let parameters = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters});
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    for (headers, status) in [
        (host.clone(), "200"),
        (format!("{host}Origin: http://127.0.0.1:{port}\r\n"), "200"),
        (format!("{host}Origin: https://evil.example\r\n"), "403"),
        (format!("{host}Origin: null\r\n"), "403"),
        (format!("{host}Origin: http://localhost:1\r\n"), "403"),
        ("Host: evil.example\r\n".to_owned(), "403"),
        (format!("Host: evil.example:{port}\r\n"), "403"),
    ] {
        let (first, answer) = post(port, &headers, &hello);
        assert!(first.contains(status), "{headers:?}: {answer}");
        assert_eq!(answer.contains("serverInfo"), status == "200", "{headers:?}: {answer}");
    }
    signal(&server, "-TERM");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
}

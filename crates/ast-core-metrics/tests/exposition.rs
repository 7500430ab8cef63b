//! The Prometheus text, read back by the rules of the exposition format.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ast_core_metrics::{MetricsError, ProcessFigures, PrometheusText, Registry, SystemFigures};
use proptest::prelude::*;

type Labels = Vec<(String, String)>;

/// A metric family, as a scraper sees it.
#[derive(Debug, Default, PartialEq)]
struct Family {
    help: Option<String>,
    kind: String,
    /// Sample names with their labels, and values.
    samples: BTreeMap<(String, Labels), f64>,
}

/// Reads text of version 0.0.4. Whatever the format forbids is an error, and so is what it lets pass but this crate does
/// not write, such as time stamps and families without a type.
fn parse(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut current, mut help) = (String::new(), None);
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line must end with a line feed".into());
    }
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').ok_or("HELP without a text")?;
            if families.contains_key(name) {
                return Err(format!("a second HELP of {name}, or one behind its samples"));
            }
            help = Some((name.to_owned(), unescape(text, false)?));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a type")?;
            if !["counter", "gauge", "summary", "histogram", "untyped"].contains(&kind) {
                return Err(format!("type {kind}"));
            }
            let help = match help.take() {
                Some((of, help)) if of == name => Some(help),
                None => None,
                other => return Err(format!("{other:?} before the type of {name}")),
            };
            let family = Family { help, kind: kind.to_owned(), ..Family::default() };
            if families.insert(name.to_owned(), family).is_some() {
                return Err(format!("lines of {name} are not together"));
            }
            current = name.to_owned();
        } else {
            let (name, labels, value) = sample(line)?;
            let family = families.get_mut(&current).ok_or("a sample without a type")?;
            let suffix = name.strip_prefix(&current).ok_or(format!("{name} among those of {current}"))?;
            let is_quantile = labels.iter().any(|(label, _)| label == "quantile");
            match (&*family.kind, suffix, is_quantile) {
                ("summary", "", true) | ("summary", "_sum" | "_count", false) => {}
                ("counter" | "gauge", "", false) => {}
                other => return Err(format!("{line}: {other:?}")),
            }
            if family.kind == "counter" && (value.is_nan() || value < 0.0) {
                return Err(format!("{line}: a counter"));
            }
            if family.samples.insert((name, labels), value).is_some() {
                return Err(format!("{line}: for the second time"));
            }
        }
    }
    Ok(families)
}

fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let end = line.find(['{', ' ']).ok_or(format!("{line}: no value"))?;
    let (name, mut rest) = line.split_at(end);
    let is_name = |name: &str| {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    };
    if !is_name(name) {
        return Err(format!("{line}: {name:?} is no name"));
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let mut inside = inside;
        loop {
            let (label, value) = inside.split_once("=\"").ok_or(format!("{line}: no label"))?;
            let mut end = None;
            let mut is_escaped = false;
            for (at, c) in value.char_indices() {
                match c {
                    _ if is_escaped => is_escaped = false,
                    '\\' => is_escaped = true,
                    '"' => {
                        end = Some(at);
                        break;
                    }
                    _ => {}
                }
            }
            let end = end.ok_or(format!("{line}: a quote is missing"))?;
            if !is_name(label) || label.contains(':') {
                return Err(format!("{line}: {label:?} is no label"));
            }
            labels.push((label.to_owned(), unescape(&value[..end], true)?));
            inside = &value[end + 1..];
            match inside.strip_prefix(',') {
                Some(next) => inside = next,
                None => break,
            }
        }
        rest = inside.strip_prefix('}').ok_or(format!("{line}: a brace is missing"))?;
        let names: BTreeSet<&String> = labels.iter().map(|(label, _)| label).collect();
        if names.len() < labels.len() {
            return Err(format!("{line}: a label twice"));
        }
    }
    let value = rest.strip_prefix(' ').ok_or(format!("{line}: no value"))?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number => number.parse().map_err(|_| format!("{line}: {number:?} is no number"))?,
    };
    Ok((name.to_owned(), labels, value))
}

fn unescape(text: &str, is_quoted: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, is_quoted) {
            ('\\', _) => match (rest.next(), is_quoted) {
                (Some('\\'), _) => plain.push('\\'),
                (Some('n'), _) => plain.push('\n'),
                (Some('"'), true) => plain.push('"'),
                other => return Err(format!("{text:?} escapes {other:?}")),
            },
            ('"', true) => return Err(format!("{text:?} has a bare quote")),
            _ => plain.push(c),
        }
    }
    Ok(plain)
}

/// Line feeds and returns apart: what `lines` takes for an end is not told from one.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![Just('\\'), Just('"'), Just('\n'), Just('{'), Just(','), any::<char>()],
        0..12,
    )
    .prop_map(|characters| characters.into_iter().filter(|c| *c != '\r').collect())
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        metrics in prop::collection::vec(
            (0_u8..4, "[a-z_:][a-z0-9_:]{0,6}", prop::option::of(text()), 0_u32..1_000_000),
            0..20,
        ),
        help in prop::collection::btree_map("[a-z_:][a-z0-9_:]{0,6}", text(), 0..5),
    ) {
        let registry = Registry::new();
        let mut expected: BTreeMap<(String, Option<String>), f64> = BTreeMap::new();
        for (name, help) in &help {
            registry.describe(name, help);
        }
        for (kind, name, stage, value) in metrics {
            let as_pair;
            let id = match &stage {
                Some(stage) => { as_pair = (name.as_str(), stage.as_str()); as_pair.into() }
                None => name.as_str().into(),
            };
            let id: ast_core_metrics::MetricId = id;
            let made = match kind {
                0 => registry.counter(id).map(|counter| counter.add(u64::from(value))),
                1 => registry.gauge(id).map(|gauge| gauge.add(i64::from(value))),
                2 => registry.histogram(id).map(|times| times.record(Duration::from_micros(value.into()))),
                _ => registry.rate(id).map(|rate| rate.mark(u64::from(value))),
            };
            match (made, kind) {
                (Err(MetricsError::Conflict { .. }), _) => {}
                (made, 0 | 1) => {
                    made.unwrap();
                    *expected.entry((name, stage)).or_default() += f64::from(value);
                }
                (made, 2) => {
                    made.unwrap();
                    *expected.entry((format!("{name}_count"), stage)).or_default() += 1.0;
                }
                (made, _) => made.unwrap(),
            }
        }
        let written = registry.snapshot().to_prometheus_text();
        let read = parse(&written);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error} in\n{written}")))?;
        let samples: BTreeMap<_, _> = read.values().flat_map(|family| family.samples.clone()).collect();
        for ((name, stage), value) in expected {
            let labels: Vec<_> = stage.map(|stage| ("stage".to_owned(), stage)).into_iter().collect();
            prop_assert_eq!(samples.get(&(name.clone(), labels)), Some(&value), "{}", name);
        }
        for (name, family) in &read {
            prop_assert_eq!(&family.help, &help.get(name).cloned());
        }
    }
}

#[test]
fn process_and_system_are_families_of_their_own() {
    let registry = Registry::new();
    registry.histogram("wait_seconds").unwrap().record(Duration::from_millis(1500));
    let mut text = PrometheusText::new();
    text.snapshot(&registry.snapshot());
    text.process(&ProcessFigures::read());
    text.system(&SystemFigures::read());
    let families = parse(&text.into_string()).unwrap();
    let summary = &families["wait_seconds"];
    let median = ("wait_seconds".to_owned(), vec![("quantile".to_owned(), "0.5".to_owned())]);
    assert_eq!((&*summary.kind, summary.samples[&median]), ("summary", 1.5));
    if cfg!(target_os = "linux") {
        for name in
            ["process_cpu_seconds_total", "process_resident_memory_bytes", "system_memory_total_bytes"]
        {
            let family = &families[name];
            assert!(family.help.is_some() && family.samples.len() == 1, "{name}: {family:?}");
        }
    }
}

#[test]
fn json_is_in_seconds_and_bytes() {
    let registry = Registry::new();
    registry.counter("files_total").unwrap().add(3);
    registry.histogram(("stage_seconds", "parse")).unwrap().record(Duration::from_millis(250));
    let json = serde_json::to_value(registry.snapshot()).unwrap();
    assert_eq!(json["counters"], serde_json::json!([[{ "name": "files_total", "stage": null }, 3]]));
    assert_eq!(json["histograms"][0][1]["distribution"]["p95_seconds"], 0.25);

    let figures = ProcessFigures::read();
    let json = serde_json::to_value(&figures).unwrap();
    assert_eq!(json["rss_bytes"].as_u64(), figures.rss_bytes);
    assert_eq!(json["cpu_seconds"].as_f64(), figures.cpu_time.map(|time| time.as_secs_f64()));
}

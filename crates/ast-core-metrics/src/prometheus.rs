//! Metrics as text that Prometheus reads.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use crate::{HistogramSnapshot, MetricId, ProcessFigures, Snapshot, SystemFigures};

/// Metrics in the Prometheus text exposition format, version 0.0.4, in the base units: seconds and bytes.
///
/// Histograms become summaries: the quantiles 0 (the minimum), 0.5, 0.9, 0.95, 0.99, 0.999 and 1 (the maximum), the sum
/// and the count. A histogram without values has no quantiles, and what is not known is left out.
///
/// ```
/// use ast_core_metrics::{ProcessFigures, PrometheusText};
///
/// let mut text = PrometheusText::new();
/// text.gauge("library_books", "Books on the shelves.", 1200.0);
/// text.process(&ProcessFigures::read());
/// assert!(text.into_string().starts_with(
///     "# HELP library_books Books on the shelves.\n# TYPE library_books gauge\nlibrary_books 1200\n"
/// ));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PrometheusText {
    lines: String,
    family: String,
}

// Writing to a `String` does not fail, hence the results that are passed over.
impl PrometheusText {
    /// No metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all metrics of a snapshot. One of a name that is there already makes the text invalid.
    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        let help = |id: &MetricId| snapshot.help_of(&id.name);
        for (id, value) in &snapshot.counters {
            self.family(&id.name, "counter", help(id));
            self.sample(id, "", None, value);
        }
        for (id, value) in &snapshot.gauges {
            self.family(&id.name, "gauge", help(id));
            self.sample(id, "", None, value);
        }
        for (id, value) in &snapshot.rates {
            if let Some(value) = value {
                self.family(&id.name, "gauge", help(id));
                self.sample(id, "", None, Float(*value));
            }
        }
        for (id, HistogramSnapshot { count, sum, distribution }) in &snapshot.histograms {
            self.family(&id.name, "summary", help(id));
            if let Some(of) = distribution {
                let quantiles = [
                    ("0", of.min),
                    ("0.5", of.p50),
                    ("0.9", of.p90),
                    ("0.95", of.p95),
                    ("0.99", of.p99),
                    ("0.999", of.p999),
                    ("1", of.max),
                ];
                for (quantile, duration) in quantiles {
                    self.sample(id, "", Some(quantile), Seconds(duration));
                }
            }
            self.sample(id, "_sum", None, Seconds(*sum));
            self.sample(id, "_count", None, count);
        }
    }

    /// Adds what a process uses, under the names that the clients of Prometheus give it.
    pub fn process(&mut self, figures: &ProcessFigures) {
        let ProcessFigures { rss_bytes, peak_rss_bytes, cpu_time, threads, open_files } = figures;
        if let Some(time) = cpu_time {
            let name = "process_cpu_seconds_total";
            self.family(name, "counter", Some("Processor time used by all threads, in seconds."));
            self.sample(&name.into(), "", None, Seconds(*time));
        }
        let gauges = [
            ("process_resident_memory_bytes", "Memory resident now, in bytes.", rss_bytes),
            (
                "process_resident_memory_peak_bytes",
                "The most memory ever resident, in bytes.",
                peak_rss_bytes,
            ),
            ("process_threads", "Threads now.", threads),
            ("process_open_fds", "File descriptors that are open.", open_files),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                self.family(name, "gauge", Some(help));
                self.sample(&name.into(), "", None, value);
            }
        }
    }

    /// Adds what a machine has.
    pub fn system(&mut self, figures: &SystemFigures) {
        let SystemFigures { total_memory_bytes, available_memory_bytes, cpus, load_average } = figures;
        let whole = [
            ("system_memory_total_bytes", "Physical memory, in bytes.", *total_memory_bytes),
            (
                "system_memory_available_bytes",
                "Memory that can be had without swapping, in bytes.",
                *available_memory_bytes,
            ),
            ("system_cpus", "Logical processors.", cpus.map(|cpus| cpus.get() as u64)),
        ];
        for (name, help, value) in whole {
            if let Some(value) = value {
                self.family(name, "gauge", Some(help));
                self.sample(&name.into(), "", None, value);
            }
        }
        if let Some([one, five, fifteen]) = load_average {
            let loads = [("system_load1", one, 1), ("system_load5", five, 5), ("system_load15", fifteen, 15)];
            for (name, load, minutes) in loads {
                self.gauge(name, &format!("Runnable tasks, the mean of {minutes} minutes."), *load);
            }
        }
    }

    /// Adds a gauge. What a name may not have in it becomes `_`.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let id = MetricId::from(allowed(name).as_str());
        self.family(&id.name, "gauge", Some(help));
        self.sample(&id, "", None, Float(value));
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.lines
    }

    /// Announces a family, unless it is that of the line before.
    fn family(&mut self, name: &str, kind: &str, help: Option<&str>) {
        if self.family == name {
            return;
        }
        self.family = name.to_owned();
        if let Some(help) = help {
            let _ = writeln!(self.lines, "# HELP {name} {}", Escaped { text: help, is_quoted: false });
        }
        let _ = writeln!(self.lines, "# TYPE {name} {kind}");
    }

    fn sample(&mut self, id: &MetricId, suffix: &str, quantile: Option<&str>, value: impl Display) {
        let _ = write!(self.lines, "{}{suffix}", id.name);
        let stage = id.stage.as_deref().map(|stage| ("stage", stage));
        let quantile = quantile.map(|quantile| ("quantile", quantile));
        for (position, (label, text)) in stage.into_iter().chain(quantile).enumerate() {
            let open = if position == 0 { '{' } else { ',' };
            let _ = write!(self.lines, "{open}{label}=\"{}\"", Escaped { text, is_quoted: true });
        }
        if stage.is_some() || quantile.is_some() {
            self.lines.push('}');
        }
        let _ = writeln!(self.lines, " {value}");
    }
}

/// The grammar of the Prometheus data model.
pub(crate) fn is_metric_name(name: &str) -> bool {
    name.starts_with(is_start)
        && name.chars().all(|character| is_start(character) || character.is_ascii_digit())
}

fn is_start(character: char) -> bool {
    character.is_ascii_alphabetic() || "_:".contains(character)
}

/// A name with what is not allowed in it replaced.
fn allowed(name: &str) -> String {
    let replaced = |character: char| match is_start(character) || character.is_ascii_digit() {
        true => character,
        false => '_',
    };
    let name: String = name.chars().map(replaced).collect();
    if name.starts_with(is_start) { name } else { format!("_{name}") }
}

/// A text with what the format escapes: backslash and line feed, and in the value of a label the quote.
struct Escaped<'a> {
    text: &'a str,
    is_quoted: bool,
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.text.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' if self.is_quoted => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A duration as a decimal number of seconds, to the nanosecond, without needless zeros.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{}.{:09}", self.0.as_secs(), self.0.subsec_nanos());
        f.write_str(digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// A number as the format spells it.
struct Float(f64);

impl Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number.is_nan() => f.write_str("NaN"),
            number if number.is_infinite() => f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" }),
            number => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::Registry;

    #[test]
    fn text_is_grouped_typed_sorted_and_escaped() {
        let registry = Registry::new();
        registry.describe("files_total", "Files \"read\",\nby \\stage.");
        registry.counter(("files_total", "parse")).unwrap().add(3);
        registry.counter(("files_total", "a \"b\"\\c\nd")).unwrap().increment();
        registry.counter("bytes_total").unwrap().add(u64::MAX);
        registry.gauge("queue_length").unwrap().set(-2);
        registry.rate("files_per_second").unwrap().mark(7);
        registry.histogram(("stage_seconds", "idle")).unwrap();
        let parse = registry.histogram(("stage_seconds", "parse")).unwrap();
        for micros in 1..=1000 {
            parse.record(Duration::from_micros(micros * 2048));
        }
        expect![[r##"
            # TYPE bytes_total counter
            bytes_total 18446744073709551615
            # HELP files_total Files "read",\nby \\stage.
            # TYPE files_total counter
            files_total{stage="a \"b\"\\c\nd"} 1
            files_total{stage="parse"} 3
            # TYPE queue_length gauge
            queue_length -2
            # TYPE stage_seconds summary
            stage_seconds_sum{stage="idle"} 0
            stage_seconds_count{stage="idle"} 0
            stage_seconds{stage="parse",quantile="0"} 0.002048
            stage_seconds{stage="parse",quantile="0.5"} 1.024458751
            stage_seconds{stage="parse",quantile="0.9"} 1.843396607
            stage_seconds{stage="parse",quantile="0.95"} 1.946157055
            stage_seconds{stage="parse",quantile="0.99"} 2.027945983
            stage_seconds{stage="parse",quantile="0.999"} 2.046820351
            stage_seconds{stage="parse",quantile="1"} 2.048
            stage_seconds_sum{stage="parse"} 1025.024
            stage_seconds_count{stage="parse"} 1000
        "##]]
        .assert_eq(&registry.snapshot().to_prometheus_text());
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut text = PrometheusText::new();
        text.process(&ProcessFigures { threads: Some(3), ..ProcessFigures::default() });
        text.system(&SystemFigures { load_average: Some([0.5, 1.0, 0.0]), ..SystemFigures::default() });
        expect![[r#"
            # HELP process_threads Threads now.
            # TYPE process_threads gauge
            process_threads 3
            # HELP system_load1 Runnable tasks, the mean of 1 minutes.
            # TYPE system_load1 gauge
            system_load1 0.5
            # HELP system_load5 Runnable tasks, the mean of 5 minutes.
            # TYPE system_load5 gauge
            system_load5 1
            # HELP system_load15 Runnable tasks, the mean of 15 minutes.
            # TYPE system_load15 gauge
            system_load15 0
        "#]]
        .assert_eq(&text.into_string());
    }

    #[test]
    fn numbers_are_spelt_as_the_format_has_it() {
        let text = |number| Float(number).to_string();
        assert_eq!([0.0, -1.5, 1e21].map(text), ["0", "-1.5", "1000000000000000000000"]);
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(text), ["NaN", "+Inf", "-Inf"]);
        let text = |nanos| Seconds(Duration::from_nanos(nanos)).to_string();
        assert_eq!([0, 1, 1_000_000_000, 10_000_000_000].map(text), ["0", "0.000000001", "1", "10"]);
        assert_eq!(text(1_234_567_890_123), "1234.567890123");
        assert_eq!(text(u64::MAX), "18446744073.709551615");
    }

    proptest! {
        #[test]
        fn any_name_becomes_an_allowed_one_and_allowed_ones_stay(name in any::<String>(), good in "[a-zA-Z_:][a-zA-Z0-9_:]{0,9}") {
            prop_assert!(is_metric_name(&allowed(&name)));
            prop_assert_eq!(allowed(&good), good);
        }
    }
}

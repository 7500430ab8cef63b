//! All metrics at one moment, and as text.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use crate::{HistogramSnapshot, MetricId};

/// What the metrics of a [`Registry`](crate::Registry) said at one moment, each list sorted by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Counters.
    pub counters: Vec<(MetricId, u64)>,
    /// Gauges.
    pub gauges: Vec<(MetricId, i64)>,
    /// Histograms of durations.
    pub histograms: Vec<(MetricId, HistogramSnapshot)>,
}

impl Snapshot {
    /// The snapshot in the Prometheus text exposition format, version 0.0.4.
    ///
    /// Histograms become summaries in seconds: the quantiles 0 (the minimum), 0.5, 0.9, 0.99, 0.999 and 1 (the
    /// maximum), the sum and the count. A histogram without values has no quantiles.
    pub fn to_prometheus_text(&self) -> String {
        let mut text = Exposition::default();
        for (id, value) in &self.counters {
            text.family(id, "counter");
            text.sample(id, "", None, value);
        }
        for (id, value) in &self.gauges {
            text.family(id, "gauge");
            text.sample(id, "", None, value);
        }
        for (id, HistogramSnapshot { count, sum, distribution }) in &self.histograms {
            text.family(id, "summary");
            if let Some(of) = distribution {
                let quantiles = [
                    ("0", of.min),
                    ("0.5", of.p50),
                    ("0.9", of.p90),
                    ("0.99", of.p99),
                    ("0.999", of.p999),
                    ("1", of.max),
                ];
                for (quantile, duration) in quantiles {
                    text.sample(id, "", Some(quantile), Seconds(duration));
                }
            }
            text.sample(id, "_sum", None, Seconds(*sum));
            text.sample(id, "_count", None, count);
        }
        text.lines
    }
}

/// Text under construction.
#[derive(Default)]
struct Exposition<'a> {
    lines: String,
    family: Option<&'a str>,
}

// Writing to a `String` does not fail, hence the results that are passed over.
impl<'a> Exposition<'a> {
    /// Announces the family of `id`, unless it is that of the line before.
    fn family(&mut self, id: &'a MetricId, kind: &str) {
        if self.family.replace(&id.name) != Some(&id.name) {
            let _ = writeln!(self.lines, "# TYPE {} {kind}", id.name);
        }
    }

    fn sample(&mut self, id: &MetricId, suffix: &str, quantile: Option<&str>, value: impl Display) {
        let _ = write!(self.lines, "{}{suffix}", id.name);
        let stage = id.stage.as_deref().map(|stage| ("stage", stage));
        let quantile = quantile.map(|quantile| ("quantile", quantile));
        for (position, (label, text)) in stage.into_iter().chain(quantile).enumerate() {
            let open = if position == 0 { '{' } else { ',' };
            let _ = write!(self.lines, "{open}{label}=\"{}\"", Escaped(text));
        }
        if stage.is_some() || quantile.is_some() {
            self.lines.push('}');
        }
        let _ = writeln!(self.lines, " {value}");
    }
}

/// A label value: backslash, quote and line feed are what the format escapes.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
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

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::Registry;

    #[test]
    fn text_is_grouped_typed_sorted_and_escaped() {
        let registry = Registry::new();
        registry.counter(("files_total", "parse")).unwrap().add(3);
        registry.counter(("files_total", "a \"b\"\\c\nd")).unwrap().increment();
        registry.counter("bytes_total").unwrap().add(u64::MAX);
        registry.gauge("queue_length").unwrap().set(-2);
        registry.histogram(("stage_seconds", "idle")).unwrap();
        let parse = registry.histogram(("stage_seconds", "parse")).unwrap();
        for micros in 1..=1000 {
            parse.record(Duration::from_micros(micros * 2048));
        }
        expect![[r##"
            # TYPE bytes_total counter
            bytes_total 18446744073709551615
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
            stage_seconds{stage="parse",quantile="0.99"} 2.027945983
            stage_seconds{stage="parse",quantile="0.999"} 2.046820351
            stage_seconds{stage="parse",quantile="1"} 2.048
            stage_seconds_sum{stage="parse"} 1025.024
            stage_seconds_count{stage="parse"} 1000
        "##]]
        .assert_eq(&registry.snapshot().to_prometheus_text());
    }

    #[test]
    fn seconds_are_exact_to_the_nanosecond() {
        let text = |nanos| Seconds(Duration::from_nanos(nanos)).to_string();
        assert_eq!([0, 1, 1_000_000_000, 10_000_000_000].map(text), ["0", "0.000000001", "1", "10"]);
        assert_eq!(text(1_234_567_890_123), "1234.567890123");
        assert_eq!(text(u64::MAX), "18446744073.709551615");
    }
}

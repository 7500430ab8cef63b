//! Metrics by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Counter, Gauge, Histogram, MetricsError, Snapshot};

/// The metrics of one engine. There is no global one: who measures is given a registry, or a metric of it.
///
/// Ask for a metric once and keep the [`Arc`]; asking takes a lock, using the metric takes none.
#[derive(Debug, Default)]
pub struct Registry {
    metrics: Mutex<BTreeMap<MetricId, Metric>>,
}

/// What a metric is known by: a name, and if it is one of several alike, the stage of work it is about.
///
/// Text is an id without a stage, and a pair of texts is one with it: `"files_total"`,
/// `("stage_seconds", "parse")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct MetricId {
    /// By the custom of Prometheus: lowercase words, then the unit (`_seconds` for histograms, `_bytes`), then
    /// `_total` on counters. Matches `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    pub name: String,
    /// Any text.
    pub stage: Option<String>,
}

/// The kinds of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A [`Counter`].
    Counter,
    /// A [`Gauge`].
    Gauge,
    /// A [`Histogram`].
    Histogram,
}

#[derive(Clone, Debug)]
enum Metric {
    Counter(Arc<Counter>),
    Gauge(Arc<Gauge>),
    Histogram(Arc<Histogram>),
}

impl Registry {
    /// A registry without metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of that id, made now if there is none.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn counter(&self, id: impl Into<MetricId>) -> Result<Arc<Counter>, MetricsError> {
        match self.get_or_insert(id.into(), || Metric::Counter(Arc::default()))? {
            (_, Metric::Counter(counter)) => Ok(counter),
            (id, other) => Err(id.conflict(MetricKind::Counter, other.kind())),
        }
    }

    /// The gauge of that id, made now if there is none.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn gauge(&self, id: impl Into<MetricId>) -> Result<Arc<Gauge>, MetricsError> {
        match self.get_or_insert(id.into(), || Metric::Gauge(Arc::default()))? {
            (_, Metric::Gauge(gauge)) => Ok(gauge),
            (id, other) => Err(id.conflict(MetricKind::Gauge, other.kind())),
        }
    }

    /// The histogram of that id, made now if there is none. Its name should end in `_seconds`.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn histogram(&self, id: impl Into<MetricId>) -> Result<Arc<Histogram>, MetricsError> {
        match self.get_or_insert(id.into(), || Metric::Histogram(Arc::default()))? {
            (_, Metric::Histogram(histogram)) => Ok(histogram),
            (id, other) => Err(id.conflict(MetricKind::Histogram, other.kind())),
        }
    }

    /// What all metrics say now, sorted by id. Metrics that change meanwhile are read one after the other.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        // Reading a histogram takes a while; nobody should wait for that to get at another metric.
        let metrics = self.metrics().clone();
        for (id, metric) in metrics {
            match metric {
                Metric::Counter(counter) => snapshot.counters.push((id, counter.get())),
                Metric::Gauge(gauge) => snapshot.gauges.push((id, gauge.get())),
                Metric::Histogram(histogram) => snapshot.histograms.push((id, histogram.snapshot())),
            }
        }
        snapshot
    }

    fn get_or_insert(
        &self,
        id: MetricId,
        make: impl FnOnce() -> Metric,
    ) -> Result<(MetricId, Metric), MetricsError> {
        let mut metrics = self.metrics();
        if let Some(metric) = metrics.get(&id) {
            return Ok((id, metric.clone()));
        }
        if !is_metric_name(&id.name) {
            return Err(MetricsError::Name { name: id.name });
        }
        let metric = make();
        for (other_id, other) in metrics.iter() {
            let same_family = other_id.name == id.name && other.kind() == metric.kind();
            if !same_family && samples_collide((&id.name, metric.kind()), (&other_id.name, other.kind())) {
                return Err(id.conflict(metric.kind(), other.kind()));
            }
        }
        metrics.insert(id.clone(), metric.clone());
        Ok((id, metric))
    }

    fn metrics(&self) -> MutexGuard<'_, BTreeMap<MetricId, Metric>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a histogram is exposed as beside its own name.
const SUMMARY_SUFFIXES: [&str; 2] = ["_sum", "_count"];

/// Whether two metrics of different families would expose a sample of the same name.
fn samples_collide(left: (&str, MetricKind), right: (&str, MetricKind)) -> bool {
    let exposes = |(name, kind): (&str, MetricKind), sample: &str| {
        let suffix = sample.strip_prefix(name);
        suffix == Some("")
            || kind == MetricKind::Histogram
                && suffix.is_some_and(|suffix| SUMMARY_SUFFIXES.contains(&suffix))
    };
    exposes(left, right.0) || exposes(right, left.0)
}

/// The grammar of the Prometheus data model.
fn is_metric_name(name: &str) -> bool {
    let is_start = |character: char| character.is_ascii_alphabetic() || "_:".contains(character);
    name.starts_with(is_start)
        && name.chars().all(|character| is_start(character) || character.is_ascii_digit())
}

impl Metric {
    fn kind(&self) -> MetricKind {
        match self {
            Self::Counter(_) => MetricKind::Counter,
            Self::Gauge(_) => MetricKind::Gauge,
            Self::Histogram(_) => MetricKind::Histogram,
        }
    }
}

impl MetricId {
    fn conflict(self, requested: MetricKind, existing: MetricKind) -> MetricsError {
        MetricsError::Conflict { name: self.name, requested, existing }
    }
}

impl From<&str> for MetricId {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), stage: None }
    }
}

impl From<(&str, &str)> for MetricId {
    fn from((name, stage): (&str, &str)) -> Self {
        Self { name: name.to_owned(), stage: Some(stage.to_owned()) }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn an_id_is_one_metric_for_everyone() {
        let registry = Registry::new();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let parse = registry.counter(("files_total", "parse")).unwrap();
                    let queue = registry.gauge("queue_length").unwrap();
                    for _ in 0..10_000 {
                        parse.increment();
                        queue.add(2);
                        queue.add(-1);
                    }
                    registry.counter(("files_total", "embed")).unwrap().add(3);
                });
            }
        });
        let snapshot = registry.snapshot();
        let counters = [(("files_total", "embed").into(), 24), (("files_total", "parse").into(), 80_000)];
        assert_eq!(snapshot.counters, counters);
        assert_eq!(snapshot.gauges, [("queue_length".into(), 80_000)]);
        assert_eq!(snapshot.histograms, []);
    }

    #[test]
    fn a_name_has_one_kind() {
        let registry = Registry::new();
        registry.histogram(("stage_seconds", "parse")).unwrap();
        for id in ["stage_seconds", "stage_seconds_sum", "stage_seconds_count"] {
            let error = registry.counter(id).unwrap_err().to_string();
            assert!(error.contains(id) && error.contains("histogram"), "{error}");
        }
        assert!(registry.gauge(("stage_seconds", "parse")).is_err());
        registry.histogram("stage_seconds").unwrap();
        registry.counter("stage_seconds_total").unwrap();

        registry.gauge("queue_count").unwrap();
        assert!(registry.histogram("queue").is_err());
        assert!(registry.counter("queue").is_ok());
    }

    #[test]
    fn a_name_that_prometheus_would_refuse_is_refused() {
        let registry = Registry::new();
        for name in ["", "9lives", "two words", "dash-ed", "caf\u{e9}", "a\n"] {
            let error = registry.counter(name).unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
        for name in ["a", "_", ":", "A9:_z"] {
            registry.counter(name).unwrap();
        }
    }
}

//! Metrics by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::prometheus::is_metric_name;
use crate::{Counter, Gauge, Histogram, MetricsError, Rate, Snapshot};

/// The metrics of one engine. There is no global one: who measures is given a registry, or a metric of it.
///
/// Ask for a metric once and keep the [`Arc`]; asking takes a lock, using the metric takes none.
///
/// With the feature `metrics` whatever is recorded is told to the recorder of the crate
/// [`metrics`](https://docs.rs/metrics) as well, if the program has installed one before the metric was made; but for
/// rates, which such a recorder makes itself. The label of a stage is `stage` there, too.
#[derive(Debug, Default)]
pub struct Registry {
    metrics: Mutex<BTreeMap<MetricId, Metric>>,
    help: Mutex<BTreeMap<String, String>>,
}

/// What a metric is known by: a name, and if it is one of several alike, the stage of work it is about.
///
/// Text is an id without a stage, and a pair of texts is one with it: `"files_total"`,
/// `("stage_seconds", "parse")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// A [`Rate`].
    Rate,
}

#[derive(Clone, Debug)]
enum Metric {
    Counter(Arc<Counter>),
    Gauge(Arc<Gauge>),
    Histogram(Arc<Histogram>),
    Rate(Arc<Rate>),
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
        match self.get_or_insert(id.into(), |id| Metric::Counter(Arc::new(new_counter(id))))? {
            (_, Metric::Counter(counter)) => Ok(counter),
            (id, other) => Err(id.conflict(MetricKind::Counter, other.kind())),
        }
    }

    /// The gauge of that id, made now if there is none.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn gauge(&self, id: impl Into<MetricId>) -> Result<Arc<Gauge>, MetricsError> {
        match self.get_or_insert(id.into(), |id| Metric::Gauge(Arc::new(new_gauge(id))))? {
            (_, Metric::Gauge(gauge)) => Ok(gauge),
            (id, other) => Err(id.conflict(MetricKind::Gauge, other.kind())),
        }
    }

    /// The histogram of that id, made now if there is none. Its name should end in `_seconds`.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn histogram(&self, id: impl Into<MetricId>) -> Result<Arc<Histogram>, MetricsError> {
        match self.get_or_insert(id.into(), |id| Metric::Histogram(Arc::new(new_histogram(id))))? {
            (_, Metric::Histogram(histogram)) => Ok(histogram),
            (id, other) => Err(id.conflict(MetricKind::Histogram, other.kind())),
        }
    }

    /// The rate of that id, made now if there is none. Its name should end in `_per_second`.
    ///
    /// # Errors
    /// [`MetricsError`] if the name is not allowed or belongs to a metric of another kind.
    pub fn rate(&self, id: impl Into<MetricId>) -> Result<Arc<Rate>, MetricsError> {
        match self.get_or_insert(id.into(), |_| Metric::Rate(Arc::default()))? {
            (_, Metric::Rate(rate)) => Ok(rate),
            (id, other) => Err(id.conflict(MetricKind::Rate, other.kind())),
        }
    }

    /// Says what the metrics of a name are, for those who read them. The last text counts.
    pub fn describe(&self, name: impl Into<String>, help: impl Into<String>) {
        let mut texts = self.help.lock().unwrap_or_else(PoisonError::into_inner);
        texts.insert(name.into(), help.into());
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
                Metric::Rate(rate) => snapshot.rates.push((id, rate.per_second(Rate::LONGEST_WINDOW))),
            }
        }
        let texts = self.help.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot.help = texts.iter().map(|(name, help)| (name.clone(), help.clone())).collect();
        snapshot
    }

    fn get_or_insert(
        &self,
        id: MetricId,
        make: impl FnOnce(&MetricId) -> Metric,
    ) -> Result<(MetricId, Metric), MetricsError> {
        let mut metrics = self.metrics();
        if let Some(metric) = metrics.get(&id) {
            return Ok((id, metric.clone()));
        }
        if !is_metric_name(&id.name) {
            return Err(MetricsError::Name { name: id.name });
        }
        let metric = make(&id);
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

#[cfg(not(feature = "metrics"))]
mod make {
    use crate::{Counter, Gauge, Histogram, MetricId};

    pub(super) fn new_counter(_: &MetricId) -> Counter {
        Counter::default()
    }

    pub(super) fn new_gauge(_: &MetricId) -> Gauge {
        Gauge::default()
    }

    pub(super) fn new_histogram(_: &MetricId) -> Histogram {
        Histogram::default()
    }
}

/// Metrics that tell the recorder of the program as well.
#[cfg(feature = "metrics")]
mod make {
    use metrics::{Key, Label, Level, Metadata};

    use crate::{Counter, Gauge, Histogram, MetricId};

    const ABOUT: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

    fn key(id: &MetricId) -> Key {
        let labels: Vec<Label> = id.stage.iter().map(|stage| Label::new("stage", stage.clone())).collect();
        Key::from_parts(id.name.clone(), labels)
    }

    pub(super) fn new_counter(id: &MetricId) -> Counter {
        Counter::forwarding(metrics::with_recorder(|recorder| recorder.register_counter(&key(id), &ABOUT)))
    }

    pub(super) fn new_gauge(id: &MetricId) -> Gauge {
        Gauge::forwarding(metrics::with_recorder(|recorder| recorder.register_gauge(&key(id), &ABOUT)))
    }

    pub(super) fn new_histogram(id: &MetricId) -> Histogram {
        Histogram::forwarding(metrics::with_recorder(|recorder| {
            recorder.register_histogram(&key(id), &ABOUT)
        }))
    }
}

use make::{new_counter, new_gauge, new_histogram};

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

impl Metric {
    fn kind(&self) -> MetricKind {
        match self {
            Self::Counter(_) => MetricKind::Counter,
            Self::Gauge(_) => MetricKind::Gauge,
            Self::Histogram(_) => MetricKind::Histogram,
            Self::Rate(_) => MetricKind::Rate,
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
            Self::Rate => "rate",
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

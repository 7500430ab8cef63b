//! All metrics at one moment.

use serde::Serialize;

use crate::{HistogramSnapshot, MetricId, PrometheusText};

/// What the metrics of a [`Registry`](crate::Registry) said at one moment, each list sorted by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Counters.
    pub counters: Vec<(MetricId, u64)>,
    /// Gauges.
    pub gauges: Vec<(MetricId, i64)>,
    /// Events a second over the last [minute](crate::Rate::LONGEST_WINDOW); `None` of what has not been looked at for a
    /// second yet.
    pub rates: Vec<(MetricId, Option<f64>)>,
    /// Histograms of durations.
    pub histograms: Vec<(MetricId, HistogramSnapshot)>,
    /// Names and what they are.
    pub help: Vec<(String, String)>,
}

impl Snapshot {
    /// The counter of that id, if there is one.
    pub fn counter(&self, id: impl Into<MetricId>) -> Option<u64> {
        value_of(&self.counters, &id.into()).copied()
    }

    /// The gauge of that id, if there is one.
    pub fn gauge(&self, id: impl Into<MetricId>) -> Option<i64> {
        value_of(&self.gauges, &id.into()).copied()
    }

    /// The rate of that id, if there is one and it is known.
    pub fn rate(&self, id: impl Into<MetricId>) -> Option<f64> {
        value_of(&self.rates, &id.into()).copied().flatten()
    }

    /// The histogram of that id, if there is one.
    pub fn histogram(&self, id: impl Into<MetricId>) -> Option<&HistogramSnapshot> {
        value_of(&self.histograms, &id.into())
    }

    /// What the metrics of a name are, if somebody said so.
    pub fn help_of(&self, name: &str) -> Option<&str> {
        let at = self.help.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        self.help.get(at).map(|(_, help)| help.as_str())
    }

    /// The snapshot as [`PrometheusText`].
    pub fn to_prometheus_text(&self) -> String {
        let mut text = PrometheusText::new();
        text.snapshot(self);
        text.into_string()
    }
}

fn value_of<'a, T>(values: &'a [(MetricId, T)], id: &MetricId) -> Option<&'a T> {
    let at = values.binary_search_by(|(known, _)| known.cmp(id)).ok()?;
    values.get(at).map(|(_, value)| value)
}

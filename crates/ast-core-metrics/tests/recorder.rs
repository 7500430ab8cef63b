//! What is recorded reaches the recorder of the program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ast_core_metrics::Registry;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// Keeps the sum of whatever it is told, by name and labels.
#[derive(Clone, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, f64>>>);

struct Sum {
    key: String,
    sums: Sums,
}

impl Sum {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut sums = self.sums.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.entry(self.key.clone()).or_default();
        *sum = change(*sum);
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.change(|sum| sum + value as f64);
    }
    fn absolute(&self, value: u64) {
        self.change(|_| value as f64);
    }
}

impl GaugeFn for Sum {
    fn increment(&self, value: f64) {
        self.change(|sum| sum + value);
    }
    fn decrement(&self, value: f64) {
        self.change(|sum| sum - value);
    }
    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Sum {
    fn record(&self, value: f64) {
        self.change(|sum| sum + value);
    }
}

impl Sums {
    fn of(&self, key: &Key) -> Arc<Sum> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Sum { key: format!("{}{labels:?}", key.name()), sums: self.clone() })
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[test]
fn a_recorder_is_told_what_the_registry_keeps() {
    let sums = Sums::default();
    let registry = Registry::new();
    metrics::with_local_recorder(&sums, || {
        registry.counter(("files_total", "parse")).unwrap().add(3);
        let queue = registry.gauge("queue_length").unwrap();
        queue.set(9);
        queue.add(-2);
        registry.histogram("wait_seconds").unwrap().record(Duration::from_millis(250));
    });
    // A metric that is there already goes on telling whom it told.
    registry.counter(("files_total", "parse")).unwrap().increment();

    let told = sums.0.lock().unwrap().clone();
    let expected = [("files_total[\"stage=parse\"]", 4.0), ("queue_length[]", 7.0), ("wait_seconds[]", 0.25)];
    assert_eq!(told, expected.map(|(key, sum)| (key.to_owned(), sum)).into());
    assert_eq!(registry.snapshot().counter(("files_total", "parse")), Some(4));
}

//! Counters, gauges, latency histograms and process figures.
#![deny(missing_docs)]

//! Where values lie on an axis, and which of them are written there.

/// An axis from one value to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    log: bool,
    low: f64,
    high: f64,
}

impl Scale {
    /// A scale that holds all values and ends at round numbers; one that is not logarithmic begins at 0.
    pub(super) fn holding(values: impl Iterator<Item = f64>, log: bool) -> Self {
        let usable = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let (least, most) =
            usable.fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        if most <= 0.0 {
            return Self { log, low: if log { 0.1 } else { 0.0 }, high: 1.0 };
        }
        if !log {
            return Self { log, low: 0.0, high: round_up(most) };
        }
        let (low, mut high) = (round_down(least), round_up(most));
        if high <= low {
            high = round_up(low * 1.5);
        }
        Self { log, low, high }
    }

    /// The position of a value; `f64` of no unit, which grows with it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.log { value.log10() } else { value }
    }

    /// The positions of both ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.at(self.low), self.at(self.high))
    }

    /// The value at which a bar begins that has no better place to.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// The values that are written.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if !self.log {
            let step = round_up(self.high / 6.0);
            let count = (self.high / step + 1e-9).floor() as usize;
            return (0..=count).map(|at| at as f64 * step).collect();
        }
        let decades = (self.high / self.low).log10();
        let parts: &[f64] = if decades <= 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let all = (first..=last).flat_map(|decade| parts.iter().map(move |part| part * 10_f64.powi(decade)));
        // What is round in decimal digits is not in binary ones.
        let inside = |tick: &f64| *tick >= self.low * (1.0 - 1e-9) && *tick <= self.high * (1.0 + 1e-9);
        all.filter(inside).collect()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below a value.
fn round_up(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = value / decade;
    let rounded = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| part <= step * (1.0 + 1e-9));
    rounded.unwrap_or(10.0) * decade
}

fn round_down(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = value / decade;
    let rounded = [5.0, 2.0, 1.0].into_iter().find(|step| part >= step * (1.0 - 1e-9));
    rounded.unwrap_or(1.0) * decade
}

/// A value as it is written on an axis.
pub(super) fn written(value: f64) -> String {
    // Two digits of what is below 1.
    let places = if value == 0.0 { 1 } else { (1.0 - value.abs().log10().floor()).max(1.0) as usize };
    let plain = |value: f64| {
        let text = format!("{value:.places$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value.abs() {
        size if size >= 1e6 => format!("{}M", plain(value / 1e6)),
        size if size >= 1e4 => format!("{}k", plain(value / 1e3)),
        _ => plain(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let scale = Scale::holding([3.0, 180.0].into_iter(), true);
        assert_eq!((scale.low, scale.high), (2.0, 200.0));
        assert_eq!(scale.ticks(), [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0]);
        let scale = Scale::holding([3.0, 180.0].into_iter(), false);
        assert_eq!(scale.ticks(), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(Scale::holding([1.0, 90_000.0].into_iter(), true).ticks().len(), 6);
        assert_eq!(Scale::holding([].into_iter(), false).ticks().last(), Some(&1.0));
    }

    #[test]
    fn values_are_written_short() {
        let shown = [0.0, 0.00015, 0.05, 1.5, 200.0, 9000.0, 15_000.0, 2_500_000.0].map(written);
        assert_eq!(shown, ["0", "0.00015", "0.05", "1.5", "200", "9000", "15k", "2.5M"]);
    }

    proptest! {
        #[test]
        fn a_scale_holds_its_values_and_few_ticks(
            values in prop::collection::vec(1e-3..1e7_f64, 1..20), log: bool,
        ) {
            let scale = Scale::holding(values.iter().copied(), log);
            prop_assert!(values.iter().all(|&value| scale.low <= value * 1.000001 && value <= scale.high * 1.000001));
            let ticks = scale.ticks();
            prop_assert!((2..=12).contains(&ticks.len()), "{:?} {:?}", scale, ticks);
            let (low, high) = scale.ends();
            prop_assert!(low < high);
            prop_assert!(ticks.iter().all(|&tick| (low..=high).contains(&scale.at(tick))));
        }
    }
}

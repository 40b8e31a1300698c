//! Numbers to places along an axis, and its ticks. Read first: [`Axis`].

use forethought_interface::Span;

/// Over fewer decades a logarithmic axis has the ticks of a linear one.
const LINEAR_BELOW: f64 = 0.6;

/// A span that something can be drawn along, whatever it was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// From and to; logarithms where it is logarithmic.
    ends: [f64; 2],
    log: bool,
}

impl Axis {
    /// What is no range becomes one.
    pub fn of(span: &Span) -> Self {
        let [low, high] = span.range.map(f64::from).map(|end| if end.is_finite() { end } else { 0.0 });
        let ends = if span.log {
            let high = if high > 0.0 { high } else { 1.0 };
            let low = if low > 0.0 && low < high { low } else { high * 1e-3 };
            [low.log10(), high.log10()]
        } else if high > low {
            [low, high]
        } else {
            [low - 0.5, low + 0.5]
        };
        Self { ends, log: span.log }
    }

    /// How long it is, in its own unit.
    pub fn length(self) -> f64 {
        self.ends[1] - self.ends[0]
    }

    /// Where a number lies: 0 at the beginning, 1 at the end, no number where it has no place.
    pub fn share(self, value: f32) -> f32 {
        let value = f64::from(value);
        let value = if self.log { value.log10() } else { value };
        ((value - self.ends[0]) / self.length()) as f32
    }

    /// Round numbers, about so many at most, with as many digits as tell them apart.
    pub fn ticks(self, most: usize) -> Vec<(f32, String)> {
        let most = most.clamp(2, 12) as f64;
        if !self.log {
            return linear(self.ends, most);
        }
        let [low, high] = self.ends;
        let decades = high - low;
        if decades < LINEAR_BELOW {
            return linear(self.ends.map(|end| 10_f64.powf(end)), most);
        }
        // Within a decade or so, powers of ten are too few.
        let factors: &[f64] = if decades <= 1.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        // Ends that were single precision are a little off.
        let apart = (decades / most - 1e-5).ceil().max(1.0) as i32;
        let powers = (low.floor() as i32..=high.ceil() as i32).filter(|power| power.rem_euclid(apart) == 0);
        let values = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        let inside = values.filter(|value| (low - 1e-6..=high + 1e-6).contains(&value.log10()));
        inside.map(|value| (value as f32, power_of_ten(value))).collect()
    }
}

fn linear([low, high]: [f64; 2], most: f64) -> Vec<(f32, String)> {
    let least = (high - low) / most;
    let decade = 10_f64.powf(least.log10().floor());
    let apart = [1.0, 2.0, 5.0].map(|factor| factor * decade).into_iter().find(|apart| *apart >= least * 0.999);
    let apart = apart.unwrap_or(10.0 * decade);
    let (first, last) = ((low / apart - 1e-6).ceil() as i64, (high / apart + 1e-6).floor() as i64);
    let digits = (-apart.log10() - 1e-9).ceil().clamp(0.0, 7.0) as usize;
    let plain = low.abs().max(high.abs()) < 1e5 && apart > 1e-5;
    // A range without end in both directions would have no end of ticks.
    (first..=last.min(first.saturating_add(50)))
        .map(|index| {
            let value = index as f64 * apart;
            let text = if plain { format!("{:.digits$}", value + 0.0) } else { format!("{value:.1e}") };
            (value as f32, if index == 0 { "0".into() } else { text })
        })
        .collect()
}

fn power_of_ten(value: f64) -> String {
    if (0.000_999..10_001.0).contains(&value) {
        let digits = (-value.log10() - 1e-9).ceil().max(0.0) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.0e}")
    }
}

/// A number with about three digits.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return format!("{value:.1e}");
    }
    let digits = if size >= 100.0 { 0 } else { (2 - size.max(0.01).log10().floor() as i32).max(0) as usize };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(low: f32, high: f32, log: bool) -> Span {
        Span { label: String::new(), range: [low, high], log }
    }

    fn words(low: f32, high: f32, log: bool, most: usize) -> Vec<String> {
        Axis::of(&span(low, high, log)).ticks(most).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(words(-1.0, 1.0, false, 4), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(words(0.0, 50.0, false, 5), ["0", "10", "20", "30", "40", "50"]);
        assert_eq!(words(0.0, 0.003, false, 3), ["0", "0.001", "0.002", "0.003"]);
        assert_eq!(words(0.0, 2e6, false, 2), ["0", "1.0e6", "2.0e6"]);
        assert_eq!(words(0.01, 100.0, true, 5), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(words(1e-9, 1.0, true, 3), ["1e-9", "1e-6", "0.001", "1"]);
        assert_eq!(words(2.0, 10.0, true, 5), ["2", "5", "10"]);
        assert_eq!(words(0.005, 0.0125, true, 4), ["0.006", "0.008", "0.010", "0.012"]);
    }

    #[test]
    fn what_is_no_range_becomes_one() {
        for (low, high, log) in [
            (f32::NAN, f32::INFINITY, false),
            (1.0, 1.0, false),
            (3.0, -1.0, false),
            (0.0, 5.0, true),
            (-2.0, -1.0, true),
        ] {
            let axis = Axis::of(&span(low, high, log));
            assert!(axis.length() > 0.0 && axis.length().is_finite());
            assert!((1..=12).contains(&axis.ticks(5).len()), "{low} {high} {log} {:?}", axis.ticks(5));
        }
        assert!(Axis::of(&span(0.1, 1.0, true)).share(-1.0).is_nan());
        assert!(Axis::of(&span(0.1, 1.0, true)).share(0.0) < 0.0);
    }

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.137_94, "0.138"),
            (12.345, "12.3"),
            (-0.000_000_1, "-1.0e-7"),
            (1234.5, "1234"),
            (-0.0, "0"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}

//! Success by factor of variation. Read first: [`Bins`].

use std::collections::BTreeSet;

/// A factor with no more values than these has a bin for each.
const MOST_VALUES: usize = 8;
/// A factor with more has so many bins of equal width.
const BINS: usize = 8;

/// Which values a factor has.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    low: Option<f64>,
    high: Option<f64>,
    /// The values, by their bits, until there are too many.
    values: BTreeSet<u64>,
}

impl Range {
    pub fn see(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.low = Some(self.low.map_or(value, |low| low.min(value)));
        self.high = Some(self.high.map_or(value, |high| high.max(value)));
        if self.values.len() <= MOST_VALUES {
            self.values.insert(value.to_bits());
        }
    }

    pub fn varies(&self) -> bool {
        self.values.len() > 1
    }
}

/// One bin: how many of its episodes succeeded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bin {
    pub label: String,
    /// The least value that belongs to it.
    from: f64,
    pub episodes: u64,
    pub successes: u64,
}

/// The bins of a factor, in order.
#[derive(Debug, Clone)]
pub(super) struct Bins(Vec<Bin>);

impl Bins {
    /// Empty bins for these values.
    pub fn over(range: &Range) -> Self {
        let bin = |label: String, from: f64| Bin { label, from, episodes: 0, successes: 0 };
        let mut bins: Vec<Bin> = if range.values.len() <= MOST_VALUES {
            let values = range.values.iter().map(|bits| f64::from_bits(*bits));
            values.map(|value| bin(short(value), value)).collect()
        } else {
            let (low, high) = (range.low.unwrap_or(0.0), range.high.unwrap_or(1.0));
            let edge = |index: usize| low + (high - low) * index as f64 / BINS as f64;
            (0..BINS).map(|index| bin(short((edge(index) + edge(index + 1)) / 2.0), edge(index))).collect()
        };
        bins.sort_by(|a, b| a.from.total_cmp(&b.from));
        Self(bins)
    }

    pub fn count(&mut self, value: f64, success: bool) {
        let found = self.0.iter_mut().rev().find(|bin| bin.from <= value);
        if let Some(bin) = found {
            bin.episodes += 1;
            bin.successes += u64::from(success);
        }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Bin> {
        self.0.iter()
    }
}

/// A number in a few letters.
fn short(value: f64) -> String {
    let text = if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share_some() {
        let bins = |values: &[f64]| {
            let mut range = Range::default();
            values.iter().for_each(|value| range.see(*value));
            let mut bins = Bins::over(&range);
            values.iter().for_each(|value| bins.count(*value, *value > 2.0));
            (range.varies(), bins.0)
        };
        let (varies, few) = bins(&[1.0, -3.0, 10.0, 1.0]);
        let labels: Vec<&str> = few.iter().map(|bin| bin.label.as_str()).collect();
        assert!(varies);
        assert_eq!(labels, ["-3", "1", "10"]);
        assert_eq!((few[1].episodes, few[1].successes, few[2].successes), (2, 0, 1));
        let many: Vec<f64> = (0..=80).map(|i| f64::from(i) / 20.0).collect();
        let (_, many) = bins(&many);
        assert_eq!(many.len(), 8);
        assert_eq!(many.iter().map(|bin| bin.episodes).sum::<u64>(), 81);
        assert_eq!((many[0].label.as_str(), many[0].successes, many[7].successes), ("0.25", 0, 11));
        assert!(!bins(&[5.0, 5.0, f64::NAN]).0);
    }
}

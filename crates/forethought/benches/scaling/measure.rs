//! How a time is taken, and how a power law is fitted to several. Read first: [`sweep`] and [`Law::fit`].

use indicatif::ProgressBar;
use std::time::Instant;

/// Repetitions are timed in blocks of at least so long: the clock itself takes a little.
const BLOCK_S: f64 = 2e-3;

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Seconds for each point in each pass.
    pub seconds: f64,
    /// How often all points of a sweep are gone through.
    pub passes: usize,
    /// Only the first so many points of a sweep.
    pub points: usize,
}

impl Effort {
    /// For results.
    pub const FULL: Self = Self { seconds: 0.2, passes: 5, points: usize::MAX };
    /// To see that everything runs.
    pub const TRIAL: Self = Self { seconds: 0.0, passes: 1, points: 3 };
}

/// A block of so many repetitions, or of as many as it takes to do the same in every block: gives the seconds of one.
pub type Work = Box<dyn FnMut(usize) -> f64>;

/// A block of repetitions that are all alike.
pub fn repeat(count: usize, mut unit: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..count).for_each(|_| unit());
    began.elapsed().as_secs_f64() / count as f64
}

/// The seconds that the work of each size takes: `(size, seconds)`. All sizes are gone through several times and the fastest
/// block counts, because whatever else the machine does can only make a block slower.
pub fn sweep(effort: Effort, sizes: &[usize], bar: &ProgressBar, make: impl Fn(usize) -> Work) -> Vec<(f64, f64)> {
    let sizes = &sizes[..sizes.len().min(effort.points)];
    let mut works: Vec<Work> = sizes.iter().map(|size| make(*size)).collect();
    let mut best = vec![f64::INFINITY; sizes.len()];
    for _ in 0..effort.passes {
        for (work, best) in works.iter_mut().zip(&mut best) {
            *best = best.min(fastest(work, effort.seconds));
        }
        bar.inc(1);
    }
    sizes.iter().map(|size| *size as f64).zip(best).collect()
}

/// Seconds of one repetition in the fastest block.
fn fastest(work: &mut Work, seconds: f64) -> f64 {
    // The first is to warm up and to see how many make a block.
    let began = Instant::now();
    let mut best = work(1);
    let count = ((BLOCK_S / best.max(1e-9)).ceil() as usize).clamp(1, 100_000);
    while began.elapsed().as_secs_f64() < seconds {
        best = best.min(work(count));
    }
    best
}

/// The number in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// `seconds = factor * size^exponent`, and where that was fitted.
#[derive(Clone, Copy)]
pub struct Law {
    pub factor: f64,
    pub exponent: f64,
    /// The exponent's standard error.
    pub error: f64,
    pub from: f64,
    pub to: f64,
    /// The exponent between the last two points: where it differs, the law bends.
    pub end: f64,
}

impl Law {
    /// Least squares on logarithms, through the larger half of the points, at least three: what is fixed hides the growth
    /// of the smaller ones.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let half = points.len().div_ceil(2).max(3);
        let used = &points[points.len().checked_sub(half)?..];
        let n = half as f64;
        let logs: Vec<(f64, f64)> = used.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
        let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
        let spread: f64 = logs.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        let exponent = logs.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum::<f64>() / spread;
        let left: f64 = logs.iter().map(|(x, y)| (y - y_mean - exponent * (x - x_mean)).powi(2)).sum();
        let factor = (y_mean - exponent * x_mean).exp();
        let error = (left / (n - 2.0) / spread).sqrt();
        let [before, last] = [logs[half - 2], logs[half - 1]];
        let end = (last.1 - before.1) / (last.0 - before.0);
        Some(Self { factor, exponent, error, from: used[0].0, to: used[half - 1].0, end })
    }

    /// What it says of a size.
    pub fn at(&self, size: f64) -> f64 {
        self.factor * size.powf(self.exponent)
    }

    /// The exponent with its standard error, rounded up.
    pub fn text(&self) -> String {
        format!("{:.2} ± {:.2}", self.exponent, (self.error * 100.0).ceil() / 100.0)
    }
}

/// A law must be found again in its own points.
pub fn check_fit() {
    let points: Vec<(f64, f64)> = (0..8_i32).map(|k| 2.0_f64.powi(k)).map(|x| (x, 3e-6 * x.powf(1.5))).collect();
    let law = Law::fit(&points).expect("eight points are enough");
    assert!((law.exponent - 1.5).abs() < 1e-9 && law.error < 1e-6 && (law.at(2.0) - points[1].1).abs() < 1e-12);
    assert!((law.from, law.to) == (16.0, 128.0) && Law::fit(&points[..2]).is_none());
}

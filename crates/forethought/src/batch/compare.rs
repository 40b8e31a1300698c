//! Two batches pair by pair, on equal seeds. Read first: [`compare`] and [`Comparison`].

use super::{Kept, read_folder, wilson95};
use crate::{
    episode::{Ending, EpisodeResult},
    error::Error,
};
use libm::erfc;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::{
    collections::HashMap,
    f64::consts::LN_2,
    path::{Path, PathBuf},
};

/// How often pairs are drawn anew to see how much a mean may vary.
const RESAMPLES: usize = 2000;
/// With no more differences than these, the signed-rank test counts all cases.
const MOST_EXACT: usize = 50;

/// What one episode of a pair came to.
#[derive(Debug, Clone, Copy)]
struct Short {
    success: bool,
    measures: [Option<f64>; 6],
}

/// The measures: a name, what it is, and whether only pairs count in which both succeeded.
const MEASURES: [(&str, &str, bool); 6] = [
    ("steps", "control steps where both succeeded", true),
    ("steps_all", "control steps", false),
    ("life_steps", "control steps alive", false),
    ("mean_energy", "mean energy, share of the store", false),
    ("harm", "health lost", false),
    ("think_ms_per_step", "thinking, ms a control step", false),
];

impl Short {
    fn of(result: &EpisodeResult) -> Self {
        let (steps, life) = (f64::from(result.steps), result.life.as_ref());
        // What went wrong has no measures.
        let known = result.outcome != Ending::Error;
        let measures = [
            Some(steps),
            Some(steps),
            life.map(|life| life.steps.into()),
            life.map(|life| life.mean_energy),
            life.map(|life| life.harm),
            Some(result.think_ms / steps.max(1.0)),
        ];
        Self { success: result.outcome == Ending::Success, measures: measures.map(|measure| measure.filter(|_| known)) }
    }
}

/// Two batches, A and B; all differences are B - A.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The batches.
    pub batches: [Side; 2],
    /// Episodes with the same seed in both.
    pub pairs: u64,
    /// Whether both succeeded.
    pub success: SuccessTest,
    /// What else was measured.
    pub measures: Vec<Measure>,
    /// How it was tested.
    pub methods: [&'static str; 4],
}

/// One of the batches.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Its folder.
    pub path: PathBuf,
    /// The scenario.
    pub scenario: String,
    /// The actor.
    pub actor: String,
    /// The fields set, for people.
    pub settings: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// All of its episodes, paired or not.
    pub episodes: u64,
    /// The share of its paired episodes that succeeded.
    pub success_rate: f64,
    /// The 95% Wilson interval.
    pub ci95: [f64; 2],
}

/// McNemar's test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SuccessTest {
    /// Pairs in which both succeeded.
    pub both: u64,
    /// Pairs in which A alone did.
    pub only_a: u64,
    /// Pairs in which B alone did.
    pub only_b: u64,
    /// Pairs in which neither did.
    pub neither: u64,
    /// Success rate of B less that of A.
    pub difference: f64,
    /// Its 95% interval.
    pub ci95: [f64; 2],
    /// McNemar's exact test, two-sided.
    pub p_value: f64,
}

/// A paired difference of one measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// Its name.
    pub measure: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Pairs that have it.
    pub pairs: u64,
    /// The means of A and B.
    pub means: [f64; 2],
    /// The mean of B - A.
    pub difference: f64,
    /// Its 95% bootstrap interval.
    pub ci95: [f64; 2],
    /// Wilcoxon's signed-rank test, two-sided; null where all differences are zero.
    pub p_value: Option<f64>,
}

/// Compare the batches in two folders.
///
/// # Errors
/// Where a folder holds no batch, or none of their episodes have the same seed.
pub fn compare(a: &Path, b: &Path) -> Result<Comparison, Error> {
    let (kept_a, episodes_a) = short(a)?;
    let (kept_b, episodes_b) = short(b)?;
    // In the order of A, so that the resamples are the same each time.
    let known: HashMap<u64, Short> = episodes_b.iter().copied().collect();
    let pairs: Vec<[Short; 2]> = episodes_a.iter().filter_map(|(seed, a)| known.get(seed).map(|b| [*a, *b])).collect();
    if pairs.is_empty() {
        return Err(Error::NoPairs { paths: [a.to_owned(), b.to_owned()] });
    }
    let side = |path: &Path, kept: &Kept, episodes: usize, which: usize| {
        let successes = pairs.iter().filter(|pair| pair[which].success).count() as u64;
        Side {
            path: path.to_owned(),
            scenario: kept.manifest.scenario.clone(),
            actor: kept.manifest.actor.clone(),
            settings: kept.manifest.told_settings(),
            seed: kept.manifest.seed,
            episodes: episodes as u64,
            success_rate: successes as f64 / pairs.len() as f64,
            ci95: wilson95(successes, pairs.len() as u64),
        }
    };
    Ok(Comparison {
        batches: [side(a, &kept_a, episodes_a.len(), 0), side(b, &kept_b, episodes_b.len(), 1)],
        pairs: pairs.len() as u64,
        success: SuccessTest::of(&pairs),
        measures: MEASURES.iter().enumerate().filter_map(|(index, _)| Measure::of(index, &pairs)).collect(),
        methods: [
            "success: McNemar's exact test, two-sided",
            "its difference: 95% interval of Newcombe (1998), method 10",
            "measures: Wilcoxon's signed-rank test, two-sided, without zero differences; exact up to 50, normal beyond",
            "their differences: mean and 95% percentile bootstrap over pairs, 2,000 resamples",
        ],
    })
}

fn short(folder: &Path) -> Result<(Kept, Vec<(u64, Short)>), Error> {
    let mut episodes = Vec::new();
    let kept = read_folder(folder, &mut |result| episodes.push((result.seed, Short::of(&result))))?;
    Ok((kept, episodes))
}

impl SuccessTest {
    fn of(pairs: &[[Short; 2]]) -> Self {
        let count = |a, b| pairs.iter().filter(|pair| (pair[0].success, pair[1].success) == (a, b)).count() as u64;
        Self::of_counts([count(true, true), count(true, false), count(false, true), count(false, false)])
    }

    fn of_counts([both, only_a, only_b, neither]: [u64; 4]) -> Self {
        let n = (both + only_a + only_b + neither) as f64;
        Self {
            both,
            only_a,
            only_b,
            neither,
            difference: (only_b as f64 - only_a as f64) / n,
            ci95: newcombe([both, only_b, only_a, neither]),
            p_value: mcnemar(only_a, only_b),
        }
    }
}

/// The two-sided p-value of so many pairs that differ one way and the other, from the binomial distribution.
fn mcnemar(one: u64, other: u64) -> f64 {
    let n = one + other;
    let mut term_ln = -(n as f64) * LN_2;
    let mut sum = 0.0;
    for k in 0..=one.min(other) {
        sum += term_ln.exp();
        term_ln += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    f64::min(1.0, 2.0 * sum)
}

/// The 95% interval of a difference of two proportions of the same pairs (Newcombe, 1998, method 10): both, first alone, second
/// alone, neither.
fn newcombe(counts: [u64; 4]) -> [f64; 2] {
    let [both, first, second, neither] = counts.map(|count| count as f64);
    let n = both + first + second + neither;
    let total: u64 = counts.iter().sum();
    let (p1, p2) = ((both + first) / n, (both + second) / n);
    let ([l1, u1], [l2, u2]) = (wilson95(counts[0] + counts[1], total), wilson95(counts[0] + counts[2], total));
    let product = (both + first) * (second + neither) * (both + second) * (first + neither);
    let surplus = both * neither - first * second;
    let corrected = if surplus > 0.0 { (surplus - n / 2.0).max(0.0) } else { surplus };
    let phi = if product > 0.0 { corrected / product.sqrt() } else { 0.0 };
    let reach = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let difference = p1 - p2;
    [difference - reach(p1 - l1, u2 - p2), difference + reach(u1 - p1, p2 - l2)]
}

impl Measure {
    fn of(index: usize, pairs: &[[Short; 2]]) -> Option<Self> {
        let (measure, about, both) = MEASURES[index];
        let values: Vec<[f64; 2]> = pairs
            .iter()
            .filter(|pair| !both || pair.iter().all(|side| side.success))
            .filter_map(|[a, b]| Some([a.measures[index]?, b.measures[index]?]))
            .collect();
        let differences: Vec<f64> = values.iter().map(|[a, b]| b - a).collect();
        let mean = |which: usize| values.iter().map(|pair| pair[which]).sum::<f64>() / values.len() as f64;
        // Where nobody thinks there is nothing to compare.
        let any = values.iter().flatten().any(|value| *value != 0.0);
        (!values.is_empty() && any).then(|| Self {
            measure,
            about,
            pairs: values.len() as u64,
            means: [mean(0), mean(1)],
            difference: differences.iter().sum::<f64>() / differences.len() as f64,
            ci95: bootstrap(&differences),
            p_value: signed_rank(&differences),
        })
    }
}

/// The 2.5th and the 97.5th percentile of the means of resamples.
fn bootstrap(differences: &[f64]) -> [f64; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let n = differences.len();
    let mut resample = || (0..n).map(|_| differences[rng.gen_range(0..n)]).sum::<f64>() / n as f64;
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    [means[RESAMPLES / 40], means[RESAMPLES - 1 - RESAMPLES / 40]]
}

/// Wilcoxon's signed-rank test, two-sided; none where nothing differs.
fn signed_rank(differences: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    sorted.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the ranks: those of ties, which are shared, are then whole numbers too.
    let (mut ranks, mut ties) = (Vec::new(), 0.0);
    for tied in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let before = ranks.len();
        ranks.resize(before + tied.len(), 2 * before + tied.len() + 1);
        let count = tied.len() as f64;
        ties += count * count * count - count;
    }
    let positive: usize = sorted.iter().zip(&ranks).filter(|(value, _)| **value > 0.0).map(|(_, rank)| rank).sum();
    match sorted.len() {
        0 => None,
        n if n <= MOST_EXACT => Some(exact(&ranks, positive)),
        n => Some(normal(n as f64, ties, positive as f64 / 2.0)),
    }
}

/// Over all signs that these ranks could have.
fn exact(ranks: &[usize], positive: usize) -> f64 {
    let all: usize = ranks.iter().sum();
    let mut ways = vec![0.0; all + 1];
    ways[0] = 1.0;
    for rank in ranks {
        for sum in (*rank..=all).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let least = positive.min(all - positive);
    let tail: f64 = ways[..=least].iter().sum();
    f64::min(1.0, 2.0 * tail / 2.0_f64.powi(i32::try_from(ranks.len()).unwrap_or(i32::MAX)))
}

/// By the normal distribution, corrected for ties and for continuity.
fn normal(n: f64, ties: f64, positive: f64) -> f64 {
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    let away = (positive - n * (n + 1.0) / 4.0).abs() - 0.5;
    erfc(away.max(0.0) / variance.sqrt() / std::f64::consts::SQRT_2)
}

impl Comparison {
    /// The comparison for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (name, side) in ["A", "B"].into_iter().zip(&self.batches) {
            let settings = side.settings.as_ref().map_or_else(String::new, |settings| format!(", {settings}"));
            text += &format!(
                "{name}: {}, actor {}{settings}, seed {}: {} of {} ({:.1} - {:.1})  {}\n",
                side.scenario,
                side.actor,
                side.seed,
                percent(side.success_rate),
                self.pairs,
                side.ci95[0] * 100.0,
                side.ci95[1] * 100.0,
                side.path.display(),
            );
        }
        let SuccessTest { both, only_a, only_b, neither, difference, ci95, p_value } = self.success;
        text += &format!(
            "{} pairs: both succeeded in {both}, only A in {only_a}, only B in {only_b}, neither in {neither}\n\
             success, B - A: {:+.1} points (95% interval {:+.1} to {:+.1}), p = {}\n",
            self.pairs,
            difference * 100.0,
            ci95[0] * 100.0,
            ci95[1] * 100.0,
            probability(p_value),
        );
        for Measure { about, pairs, means, difference, ci95, p_value, .. } in &self.measures {
            text += &format!(
                "{about}, {pairs} pairs: {:.4} and {:.4}, B - A: {difference:+.4} (95% interval {:+.4} to {:+.4}), p = {}\n",
                means[0],
                means[1],
                ci95[0],
                ci95[1],
                p_value.map_or_else(|| "1, for nothing differs".into(), probability),
            );
        }
        text + &self.methods.map(|method| format!("  {method}")).join("\n")
    }
}

fn percent(rate: f64) -> String {
    format!("{:.1}%", rate * 100.0)
}

fn probability(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() < tolerance, "{a} is not {b}");
    }

    #[test]
    fn mcnemar_is_the_binomial_test() {
        // Twice the binomial distribution's tail of 15 with 1/2: 2 of them or fewer, (1 + 15 + 105) / 2^15.
        near(mcnemar(13, 2), 2.0 * 121.0 / 32768.0, 1e-12);
        near(mcnemar(2, 13), mcnemar(13, 2), 1e-15);
        near(mcnemar(0, 0), 1.0, 1e-15);
        near(mcnemar(5, 5), 1.0, 1e-15);
        assert!((0.0..1e-300).contains(&mcnemar(0, 20_000)));
    }

    #[test]
    fn the_interval_is_that_of_the_literature() {
        // Newcombe (1998), Improved confidence intervals for paired data: method 10 for 36, 12, 2, 0.
        let [low, high] = newcombe([36, 12, 2, 0]);
        near(low, 0.0569, 6e-5);
        near(high, 0.3404, 6e-5);
        let flipped = newcombe([36, 2, 12, 0]);
        near(flipped[0], -high, 1e-12);
        let same = newcombe([20, 0, 0, 10]);
        assert!(same[0] < 0.0 && same[1] > 0.0, "{same:?}");
    }

    #[test]
    fn ranks_are_counted_or_approximated() {
        // All of five differences positive: 2 / 2^5.
        near(signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap(), 0.0625, 1e-12);
        assert_eq!(signed_rank(&[0.0, 0.0]), None);
        near(signed_rank(&[1.0, -1.0, 2.0, -2.0]).unwrap(), 1.0, 1e-12);
        // Both ways agree where there are many.
        let differences: Vec<f64> = (1..=50).map(|i| f64::from(i) * if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
        let positive: f64 = differences.iter().filter(|value| **value > 0.0).sum();
        near(signed_rank(&differences).unwrap(), normal(50.0, 0.0, positive), 2e-3);
        near(erfc(1.0), 0.157_299_207, 1e-7);
    }

    #[test]
    fn the_bootstrap_repeats_and_holds_the_mean() {
        let differences: Vec<f64> = (0..200).map(|i| f64::from(i % 7) - 2.0).collect();
        let mean = differences.iter().sum::<f64>() / 200.0;
        let interval = bootstrap(&differences);
        assert_eq!(interval, bootstrap(&differences));
        // The normal interval of a mean: 1.96 times 2 / sqrt(200), about 0.28.
        near(interval[0], mean - 0.277, 0.03);
        near(interval[1], mean + 0.277, 0.03);
    }
}

//! How far a level's predictions carry: open loop over the actions really taken. Read first: `horizon`.

use super::Normal;
use forethought_interface::derive_seed;
use forethought_mind::world_model::{readout::Linear, view::distance};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// No prediction is followed further than so many control steps.
const FURTHEST: usize = 64;
/// A future begins at every so many control steps.
const EVERY: usize = 4;
/// Pairs of latents whose distance is what knowing nothing would cost.
const PAIRS: usize = 20_000;

/// Errors against the horizon.
#[derive(Debug, Clone, Serialize)]
pub struct Horizon {
    /// Futures that were foretold; each point is over all of them.
    pub futures: usize,
    /// The mean distance between latents of random moments: the unit of latent errors.
    pub random_distance: f64,
    /// One for each prediction, the first first.
    pub points: Vec<Point>,
}

/// Mean errors so many control steps ahead.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Point {
    /// Control steps ahead.
    pub steps: usize,
    /// The latent's distance from what came, as a share of [`Horizon::random_distance`].
    pub latent_error: f64,
    /// The same for the prediction that nothing changes.
    pub latent_unchanged: f64,
    /// The distance of the position read from the prediction from the true one, in metres.
    pub position_error_m: f64,
    /// The same for the prediction that nothing changes.
    pub position_unchanged_m: f64,
    /// The same for the latent that really came: what the readout itself costs.
    pub position_readout_m: f64,
}

/// Measure a level on these episodes.
pub(crate) fn horizon(level: usize, episodes: &[Normal], readout: &Linear, seed: u64) -> Horizon {
    let first = &episodes[0].views[level];
    let (span, steps, width) = (first.span(), first.steps(), first.width());
    let predictions = (FURTHEST.min(steps) / span).max(1);
    let starts: Vec<usize> = (0..=steps.saturating_sub(predictions * span)).step_by(EVERY).collect();
    let mut points: Vec<Point> = (1..=predictions).map(|p| Point { steps: p * span, ..Point::default() }).collect();
    for episode in episodes {
        let (view, true_m) = (&episode.views[level], &episode.trajectory.positions_m);
        let foretold = view.foretell(&starts, predictions);
        for (point, rows) in points.iter_mut().zip(foretold.chunks_exact(starts.len() * width)) {
            for (start, foretold) in starts.iter().zip(rows.chunks_exact(width)) {
                let at = start + point.steps;
                let (then, now) = (view.latent(at), view.latent(*start));
                let off_m = |latent: &[f32]| f64::from(distance(&readout.read(latent), &true_m[at]));
                point.latent_error += f64::from(distance(foretold, then));
                point.latent_unchanged += f64::from(distance(now, then));
                point.position_error_m += off_m(foretold);
                point.position_unchanged_m += off_m(now);
                point.position_readout_m += off_m(then);
            }
        }
    }
    let futures = starts.len() * episodes.len();
    let random_distance = random_distance(level, episodes, seed);
    for point in &mut points {
        point.latent_error /= futures as f64 * random_distance;
        point.latent_unchanged /= futures as f64 * random_distance;
        for sum in [&mut point.position_error_m, &mut point.position_unchanged_m, &mut point.position_readout_m] {
            *sum /= futures as f64;
        }
    }
    Horizon { futures, random_distance, points }
}

/// The mean distance between latents of random moments of random episodes.
fn random_distance(level: usize, episodes: &[Normal], seed: u64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "pairs", level as u64));
    let mut any = || {
        let view = &episodes[rng.gen_range(0..episodes.len())].views[level];
        view.latent(rng.gen_range(0..=view.steps()))
    };
    let sum: f64 = (0..PAIRS).map(|_| f64::from(distance(any(), any()))).sum();
    (sum / PAIRS as f64).max(1e-12)
}

//! A batch in numbers. Read first: [`Summary`].

use super::{BatchOptions, Manifest};
use crate::{
    crowd::Crossing,
    episode::{Ending, EpisodeResult, hex},
    learning::LearningSummary,
    life::Lives,
    setup::Setup,
    tasks::Tasks,
};
use serde::Serialize;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// What a batch came to: `summary.json`, and what `--json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Scenario, actor, seed, and the hashes of what was run.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Worker threads.
    pub jobs: usize,
    /// Episodes that ran.
    pub episodes: u64,
    /// Episodes that were asked for: more than `episodes` where the batch was stopped.
    pub requested: u64,
    /// Of those that ran, how many an earlier call had run.
    pub resumed: u64,
    /// Episodes that succeeded.
    pub successes: u64,
    /// Episodes in which a failure condition held.
    pub failures: u64,
    /// Episodes that took too long.
    pub time_limits: u64,
    /// Episodes that went wrong.
    pub errors: u64,
    /// `successes / episodes`.
    pub success_rate: f64,
    /// The 95% Wilson interval of the success rate.
    pub ci95: [f64; 2],
    /// Control steps of an episode that succeeded, on average; null without any.
    pub mean_steps: Option<f64>,
    /// Control steps of an episode, on average; null without any.
    pub mean_steps_all: Option<f64>,
    /// Control steps of all episodes.
    pub env_steps: u64,
    /// Seconds of wall clock of this call.
    pub wall_secs: f64,
    /// Control steps a second of this call, over all workers.
    pub env_steps_per_sec: f64,
    /// Thoughts that planned anew.
    pub decisions: u64,
    /// How long such a thought took, in milliseconds: the median. Where no thought planned, the mean of all.
    pub decision_ms_p50: f64,
    /// The same, the 95th percentile.
    pub decision_ms_p95: f64,
    /// Thinking time per control step, in milliseconds, planned anew or not.
    pub decision_ms_mean_per_step: f64,
    /// Predictor calls of all thoughts.
    pub model_evaluations: u64,
    /// The same for each of `decisions`; null without any.
    pub model_evaluations_per_decision: Option<f64>,
    /// The same for each control step.
    pub model_evaluations_per_step: f64,
    /// The lives of agents with a metabolism; left out without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lives: Option<Lives>,
    /// What agents with a configurator were at; left out without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
    /// What became of the agents, where several have targets; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossings: Option<Crossings>,
    /// What the agents learnt while they lived; left out where they did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning: Option<LearningSummary>,
    /// A hash over all episodes' trajectories and endings, in hexadecimal: the same for any `jobs`.
    pub digest: String,
}

/// What this call of a batch did, apart from what an earlier one had done.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Episodes taken over from an earlier call.
    pub resumed: u64,
    /// How long this call took.
    pub wall: Duration,
    /// Control steps of this call.
    pub env_steps: u64,
}

impl Summary {
    /// The numbers of these episodes, which are in order.
    #[must_use]
    pub fn of(setup: &Setup, options: &BatchOptions, call: &Call, results: &[EpisodeResult]) -> Self {
        let count = |ending| results.iter().filter(|result| result.outcome == ending).count() as u64;
        let (episodes, successes) = (results.len() as u64, count(Ending::Success));
        let env_steps: u64 = results.iter().map(|result| u64::from(result.steps)).sum();
        let think_ms: f64 = results.iter().map(|result| result.think_ms).sum();
        let mean_per_step = think_ms / env_steps.max(1) as f64;
        let mut decisions: Vec<f32> = results.iter().flat_map(|result| result.decision_ms.iter().copied()).collect();
        decisions.sort_by(f32::total_cmp);
        let model_evaluations: u64 = results.iter().map(|result| result.model_evaluations).sum();
        let evaluations_per = |count: u64| (count > 0).then(|| model_evaluations as f64 / count as f64);
        Self {
            manifest: Manifest::of(setup),
            jobs: options.jobs,
            episodes,
            requested: options.episodes,
            resumed: call.resumed,
            successes,
            failures: count(Ending::Failure),
            time_limits: count(Ending::TimeLimit),
            errors: count(Ending::Error),
            success_rate: successes as f64 / episodes.max(1) as f64,
            ci95: wilson95(successes, episodes),
            mean_steps: mean_steps(results.iter().filter(|result| result.outcome == Ending::Success)),
            mean_steps_all: mean_steps(results.iter()),
            env_steps,
            wall_secs: call.wall.as_secs_f64(),
            env_steps_per_sec: call.env_steps as f64 / call.wall.as_secs_f64().max(1e-9),
            decisions: decisions.len() as u64,
            decision_ms_p50: percentile(&decisions, 0.50).unwrap_or(mean_per_step),
            decision_ms_p95: percentile(&decisions, 0.95).unwrap_or(mean_per_step),
            decision_ms_mean_per_step: mean_per_step,
            model_evaluations,
            model_evaluations_per_decision: evaluations_per(decisions.len() as u64),
            model_evaluations_per_step: evaluations_per(env_steps).unwrap_or(0.0),
            lives: Lives::of(results.iter().filter_map(|result| result.life.as_ref())),
            tasks: Tasks::of(results.iter().filter_map(|result| result.tasks.as_ref())),
            learning: setup.learning.as_ref().map(|learning| learning.summary()),
            crossings: Crossings::of(results.iter().filter_map(|result| result.crossing.as_ref())),
            digest: hex(digest(results)),
        }
    }
}

/// The agents of a batch, where several have targets in each episode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Crossings {
    /// Agents with a target, over all episodes.
    pub agents: u64,
    /// Those that arrived within the time.
    pub arrived: u64,
    /// `arrived / agents`.
    pub arrived_share: f64,
    /// The 95% Wilson interval of this share, as though agents were independent.
    pub arrived_ci95: [f64; 2],
    /// Control steps until an agent that arrived did, on average; null without any.
    pub mean_arrival_steps: Option<f64>,
    /// Collisions between two agents, over all episodes.
    pub collisions: u64,
    /// The same for each agent.
    pub collisions_per_agent: f64,
}

impl Crossings {
    /// The numbers of these episodes; none without any.
    #[must_use]
    pub fn of<'a>(crossings: impl Iterator<Item = &'a Crossing>) -> Option<Self> {
        let (mut agents, mut arrived, mut collisions, mut steps) = (0, 0, 0, 0.0);
        for crossing in crossings {
            agents += u64::from(crossing.agents);
            arrived += u64::from(crossing.arrived);
            collisions += u64::from(crossing.collisions);
            steps += crossing.mean_arrival_steps.unwrap_or(0.0) * f64::from(crossing.arrived);
        }
        (agents > 0).then(|| Self {
            agents,
            arrived,
            arrived_share: arrived as f64 / agents as f64,
            arrived_ci95: wilson95(arrived, agents),
            mean_arrival_steps: (arrived > 0).then(|| steps / arrived as f64),
            collisions,
            collisions_per_agent: collisions as f64 / agents as f64,
        })
    }
}

/// The 95% Wilson score interval of a proportion (Wilson, 1927).
#[must_use]
pub fn wilson95(successes: u64, episodes: u64) -> [f64; 2] {
    if episodes == 0 {
        return [0.0, 1.0];
    }
    let (n, z) = (episodes as f64, 1.959_963_984_540_054);
    let rate = successes as f64 / n;
    let middle = rate + z * z / (2.0 * n);
    let spread = z * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // The ends are 0 and 1 exactly where nothing or everything succeeded.
    let low = if successes == 0 { 0.0 } else { (middle - spread) / scale };
    let high = if successes == episodes { 1.0 } else { (middle + spread) / scale };
    [low, high]
}

fn mean_steps<'a>(results: impl Iterator<Item = &'a EpisodeResult>) -> Option<f64> {
    let (sum, count) = results.fold((0.0, 0_u64), |(sum, count), result| (sum + f64::from(result.steps), count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The nearest rank of a sorted list.
fn percentile(sorted: &[f32], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map(|ms| f64::from(*ms))
}

fn digest(results: &[EpisodeResult]) -> u64 {
    let mut hash = Xxh3::new();
    for result in results {
        hash.update(&result.episode.to_le_bytes());
        hash.update(result.digest.as_bytes());
        hash.update(&[result.outcome as u8]);
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 29 of 29.
        let published = [
            ((81, 263), [0.2553, 0.3662]),
            ((15, 148), [0.0624, 0.1605]),
            ((0, 20), [0.0, 0.1611]),
            ((29, 29), [0.8830, 1.0]),
        ];
        for ((successes, episodes), expected) in published {
            let interval = wilson95(successes, episodes);
            for end in 0..2 {
                assert!((interval[end] - expected[end]).abs() < 6e-5, "{successes}/{episodes}: {interval:?}");
            }
        }
        assert_eq!(wilson95(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn percentiles_are_members() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(percentile(&sorted, 0.5), Some(2.0));
        assert_eq!(percentile(&sorted, 0.95), Some(4.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn crossings_are_summed_over_agents() {
        let crossing = |arrived, mean_arrival_steps, collisions| Crossing {
            agents: 10,
            arrived,
            mean_arrival_steps,
            collisions,
            collisions_per_agent: f64::from(collisions) / 10.0,
        };
        let episodes = [crossing(9, Some(50.0), 3), crossing(1, Some(100.0), 0), crossing(0, None, 5)];
        let crossings = Crossings::of(episodes.iter()).unwrap();
        assert_eq!((crossings.agents, crossings.arrived, crossings.collisions), (30, 10, 8));
        assert_eq!(crossings.mean_arrival_steps, Some(55.0));
        assert_eq!(crossings.arrived_ci95, wilson95(10, 30));
        assert!((crossings.collisions_per_agent - 8.0 / 30.0).abs() < 1e-12);
        assert_eq!(Crossings::of([].into_iter()), None);
    }

    #[test]
    fn the_digest_sees_order_and_endings() {
        let episode = |index| EpisodeResult::failed(index, 0, String::new());
        let digest_of = |results: &[EpisodeResult]| digest(results);
        let first = digest_of(&[episode(0), episode(1)]);
        assert_ne!(first, digest_of(&[episode(1), episode(0)]));
        let success = EpisodeResult { outcome: Ending::Success, ..episode(1) };
        assert_ne!(first, digest_of(&[episode(0), success]));
    }
}

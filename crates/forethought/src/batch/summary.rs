//! A batch in numbers. Read first: [`Summary`], then [`Totals`].

use super::Manifest;
use crate::{
    crowd::Crossing,
    episode::{Ending, EpisodeResult, hex},
    learning::LearningSummary,
    life::{Lives, LivesTotal},
    tasks::{Tasks, TasksTotal},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
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
#[derive(Debug, Clone, Copy, Default)]
pub struct Call {
    /// Worker threads.
    pub jobs: usize,
    /// Episodes that were asked for.
    pub requested: u64,
    /// Episodes taken over from an earlier call.
    pub resumed: u64,
    /// How long this call took.
    pub wall: Duration,
    /// Control steps of this call.
    pub env_steps: u64,
}

/// A batch's numbers, counted episode by episode and in order: none of the results is kept.
#[derive(Clone, Default)]
pub struct Totals {
    /// Episodes by their ending, in the order of [`Ending`].
    endings: [u64; 4],
    /// Control steps of the episodes that succeeded, and of all.
    steps: [u64; 2],
    think_ms: f64,
    /// How often a decision took so many milliseconds, by the bits of the number, which are in the numbers' order.
    decisions: BTreeMap<u32, u64>,
    model_evaluations: u64,
    lives: LivesTotal,
    tasks: TasksTotal,
    crossings: CrossingsTotal,
    hash: Xxh3,
}

impl Totals {
    /// Count the next episode.
    pub fn count(&mut self, result: &EpisodeResult) {
        let steps = u64::from(result.steps);
        self.endings[result.outcome as usize] += 1;
        self.steps[0] += if result.outcome == Ending::Success { steps } else { 0 };
        self.steps[1] += steps;
        self.think_ms += result.think_ms;
        for ms in &result.decision_ms {
            // No time is negative, but there may be a negative zero.
            *self.decisions.entry(ms.abs().to_bits()).or_default() += 1;
        }
        self.model_evaluations += result.model_evaluations;
        result.life.iter().for_each(|life| self.lives.count(life));
        result.tasks.iter().for_each(|tasks| self.tasks.count(tasks));
        result.crossing.iter().for_each(|crossing| self.crossings.count(crossing));
        self.hash.update(&result.episode.to_le_bytes());
        self.hash.update(result.digest.as_bytes());
        self.hash.update(&[result.outcome as u8]);
    }

    /// The median of these times, as the summary counts it.
    pub(super) fn median_ms(times: &[f32]) -> Option<f64> {
        let mut counts = BTreeMap::new();
        times.iter().for_each(|ms| *counts.entry(ms.abs().to_bits()).or_default() += 1);
        percentile(&counts, 0.5)
    }

    /// What they come to.
    #[must_use]
    pub fn summary(&self, manifest: Manifest, call: &Call, learning: Option<LearningSummary>) -> Summary {
        let [successes, failures, time_limits, errors] = self.endings;
        let (episodes, env_steps) = (self.endings.iter().sum::<u64>(), self.steps[1]);
        let mean_per_step = self.think_ms / env_steps.max(1) as f64;
        let decisions: u64 = self.decisions.values().sum();
        let evaluations_per = |count: u64| (count > 0).then(|| self.model_evaluations as f64 / count as f64);
        let mean = |steps: u64, count: u64| (count > 0).then(|| steps as f64 / count as f64);
        Summary {
            manifest,
            jobs: call.jobs,
            episodes,
            requested: call.requested,
            resumed: call.resumed,
            successes,
            failures,
            time_limits,
            errors,
            success_rate: successes as f64 / episodes.max(1) as f64,
            ci95: wilson95(successes, episodes),
            mean_steps: mean(self.steps[0], successes),
            mean_steps_all: mean(env_steps, episodes),
            env_steps,
            wall_secs: call.wall.as_secs_f64(),
            env_steps_per_sec: call.env_steps as f64 / call.wall.as_secs_f64().max(1e-9),
            decisions,
            decision_ms_p50: percentile(&self.decisions, 0.50).unwrap_or(mean_per_step),
            decision_ms_p95: percentile(&self.decisions, 0.95).unwrap_or(mean_per_step),
            decision_ms_mean_per_step: mean_per_step,
            model_evaluations: self.model_evaluations,
            model_evaluations_per_decision: evaluations_per(decisions),
            model_evaluations_per_step: evaluations_per(env_steps).unwrap_or(0.0),
            lives: self.lives.lives(),
            tasks: self.tasks.tasks(),
            crossings: self.crossings.crossings(),
            learning,
            digest: hex(self.hash.digest()),
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

/// The same as the episodes end.
#[derive(Debug, Clone, Copy, Default)]
struct CrossingsTotal {
    agents: u64,
    arrived: u64,
    collisions: u64,
    /// Control steps until arrival, summed over those that arrived.
    steps: f64,
}

impl CrossingsTotal {
    fn count(&mut self, crossing: &Crossing) {
        self.agents += u64::from(crossing.agents);
        self.arrived += u64::from(crossing.arrived);
        self.collisions += u64::from(crossing.collisions);
        self.steps += crossing.mean_arrival_steps.unwrap_or(0.0) * f64::from(crossing.arrived);
    }

    /// The numbers of these episodes; none without any.
    fn crossings(&self) -> Option<Crossings> {
        let Self { agents, arrived, collisions, steps } = *self;
        (agents > 0).then(|| Crossings {
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

/// The nearest rank, of what was counted by the bits of the numbers.
fn percentile(counts: &BTreeMap<u32, u64>, share: f64) -> Option<f64> {
    let rank = (share * counts.values().sum::<u64>() as f64).ceil().max(1.0) as u64;
    let mut before = 0;
    let found = counts.iter().find(|(_, count)| {
        before += **count;
        before >= rank
    });
    found.map(|(bits, _)| f64::from(f32::from_bits(*bits)))
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
        let counted: BTreeMap<u32, u64> = [1.0_f32, 2.0, 3.0].map(|ms| (ms.to_bits(), 1)).into();
        assert_eq!((percentile(&counted, 0.5), percentile(&counted, 0.0)), (Some(2.0), Some(1.0)));
        assert_eq!(percentile(&counted, 0.95), Some(3.0));
        assert_eq!(percentile(&BTreeMap::from([(1.5_f32.to_bits(), 9), (2.0_f32.to_bits(), 1)]), 0.9), Some(1.5));
        assert_eq!(percentile(&BTreeMap::new(), 0.5), None);
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
        let mut total = CrossingsTotal::default();
        episodes.iter().for_each(|crossing| total.count(crossing));
        let crossings = total.crossings().unwrap();
        assert_eq!((crossings.agents, crossings.arrived, crossings.collisions), (30, 10, 8));
        assert_eq!(crossings.mean_arrival_steps, Some(55.0));
        assert_eq!(crossings.arrived_ci95, wilson95(10, 30));
        assert!((crossings.collisions_per_agent - 8.0 / 30.0).abs() < 1e-12);
        assert_eq!(CrossingsTotal::default().crossings(), None);
    }

    #[test]
    fn the_digest_sees_order_and_endings() {
        let episode = |index| EpisodeResult::failed(index, 0, String::new());
        let digest_of = |results: &[EpisodeResult]| {
            let mut totals = Totals::default();
            results.iter().for_each(|result| totals.count(result));
            totals.hash.digest()
        };
        let first = digest_of(&[episode(0), episode(1)]);
        assert_ne!(first, digest_of(&[episode(1), episode(0)]));
        let success = EpisodeResult { outcome: Ending::Success, ..episode(1) };
        assert_ne!(first, digest_of(&[episode(0), success]));
    }
}

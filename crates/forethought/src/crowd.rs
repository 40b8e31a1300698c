//! Several agents in one world: who has arrived, and who ran into whom. Read first: [`Crowd::count`], then [`Crossing`].

use crate::conditions::distance_m;
use forethought_world::{Sandbox, WorldSpec};
use serde::{Deserialize, Serialize};

/// Two agents that touch again within so many control steps have not parted: bodies that slide along each other lose touch for
/// a moment now and then.
const PARTED_AFTER: u32 = 5;

/// The agents of an episode under way.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    /// For each agent with a target its number and the control step after which it was first within the target's radius.
    seekers: Vec<(usize, Option<u32>)>,
    /// For each pair of agents the latest control step in which they touched.
    pairs: Vec<([usize; 2], Option<u32>)>,
    collisions: u32,
    /// The pairs whose collision began in the latest control step.
    latest: Vec<[usize; 2]>,
}

/// What became of the agents of one episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// Agents with a target.
    pub agents: u32,
    /// Those that were once within their target's radius.
    pub arrived: u32,
    /// Control steps until then, on average over them; null without any.
    pub mean_arrival_steps: Option<f64>,
    /// Collisions between two agents: contacts that begin, with none between the same two in the 5 control steps before.
    pub collisions: u32,
    /// The same for each agent.
    pub collisions_per_agent: f64,
}

impl Crowd {
    /// The agents of this world before the first step.
    #[must_use]
    pub fn new(world: &WorldSpec) -> Self {
        let count = world.agents.len();
        let seekers = (0..count).filter(|agent| world.agents[*agent].target.is_some());
        let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| ([a, b], None)));
        Self { seekers: seekers.map(|agent| (agent, None)).collect(), pairs: pairs.collect(), ..Self::default() }
    }

    /// Count the latest control step.
    pub fn count(&mut self, world: &WorldSpec, sandbox: &Sandbox) {
        let step = sandbox.record().step;
        let near = |agent: usize| {
            let body = &world.agents[agent];
            let distance = distance_m(&body.name, body.target.as_ref()?, world, sandbox);
            distance.map(|(distance_m, radius_m)| distance_m <= radius_m)
        };
        self.count_step(step, |agent| near(agent) == Some(true), |[a, b]| sandbox.agents_bumped(a, b));
    }

    fn count_step(&mut self, step: u32, near: impl Fn(usize) -> bool, touch: impl Fn([usize; 2]) -> bool) {
        for (agent, arrived) in &mut self.seekers {
            if arrived.is_none() && near(*agent) {
                *arrived = Some(step);
            }
        }
        self.latest.clear();
        for (pair, touched) in &mut self.pairs {
            if touch(*pair) {
                if touched.is_none_or(|touched| step > touched + PARTED_AFTER) {
                    self.collisions += 1;
                    self.latest.push(*pair);
                }
                *touched = Some(step);
            }
        }
    }

    /// Whether each agent with a target has been within its radius; never without any.
    #[must_use]
    pub fn all_arrived(&self) -> bool {
        !self.seekers.is_empty() && self.seekers.iter().all(|(_, arrived)| arrived.is_some())
    }

    /// The control step after which this agent was first within its target's radius; none before, or without a target.
    #[must_use]
    pub fn arrived_after(&self, agent: usize) -> Option<u32> {
        self.seekers.iter().find(|(seeker, _)| *seeker == agent)?.1
    }

    /// How many collisions of this agent began in the latest control step.
    #[must_use]
    pub fn collided(&self, agent: usize) -> u32 {
        self.latest.iter().filter(|pair| pair.contains(&agent)).count() as u32
    }

    /// What became of them so far; none unless several have targets.
    #[must_use]
    pub fn crossing(&self) -> Option<Crossing> {
        let steps: Vec<f64> = self.seekers.iter().filter_map(|(_, arrived)| arrived.map(f64::from)).collect();
        let (agents, arrived) = (self.seekers.len() as u32, steps.len() as u32);
        (agents > 1).then(|| Crossing {
            agents,
            arrived,
            mean_arrival_steps: (arrived > 0).then(|| steps.iter().sum::<f64>() / f64::from(arrived)),
            collisions: self.collisions,
            collisions_per_agent: f64::from(self.collisions) / f64::from(agents),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Crowd {
        let pairs = vec![([0, 1], None), ([0, 2], None)];
        Crowd { seekers: vec![(0, None), (2, None)], pairs, ..Crowd::default() }
    }

    #[test]
    fn who_has_arrived_may_go_again() {
        let mut crowd = crowd();
        let mut step = |step, here: &[usize]| {
            crowd.count_step(step, |agent| here.contains(&agent), |_| false);
            (crowd.all_arrived(), crowd.crossing().map_or(0, |crossing| crossing.arrived))
        };
        assert_eq!(step(1, &[1]), (false, 0), "agent 1 has no target");
        assert_eq!(step(2, &[0]), (false, 1));
        assert_eq!(step(3, &[]), (false, 1));
        assert_eq!(step(4, &[0, 2]), (true, 2));
        assert_eq!(step(5, &[]), (true, 2));
        assert_eq!([0, 1, 2].map(|agent| crowd.arrived_after(agent)), [Some(2), None, Some(4)]);
        assert_eq!(crowd.crossing().and_then(|crossing| crossing.mean_arrival_steps), Some(3.0));
        assert!(!Crowd::default().all_arrived() && Crowd::default().crossing().is_none());
    }

    #[test]
    fn a_collision_is_a_contact_that_begins() {
        let mut crowd = crowd();
        let mut collisions = |step, touching: &[[usize; 2]]| {
            crowd.count_step(step, |_| false, |pair| touching.contains(&pair));
            crowd.collisions
        };
        assert_eq!(collisions(1, &[[0, 1]]), 1);
        assert_eq!(collisions(2, &[[0, 1], [0, 2]]), 2);
        assert_eq!(collisions(3, &[]), 2);
        assert_eq!(collisions(7, &[[0, 1]]), 2, "they had hardly parted");
        assert_eq!(collisions(13, &[[0, 1]]), 3);
        assert_eq!([0, 1, 2].map(|agent| crowd.collided(agent)), [1, 1, 0], "in the latest step");
        assert_eq!(crowd.crossing().map(|crossing| crossing.collisions_per_agent), Some(1.5));
    }
}

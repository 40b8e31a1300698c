//! Random exploration, recorded: what a world model is trained on. Read first: [`collect`].

use crate::{
    error::Error, progress::Progress, recall::recall_of, scenario::Episode, setup::Setup, stop::Stop, workers::spread,
};
use forethought_interface::Observation;
use forethought_mind::{
    perception::{MAP, senses},
    recall::Recall,
    training::{Experience, Trajectory},
};
use forethought_world::{Sandbox, action_len, observation_layout};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// How much experience to collect, and how.
#[derive(Debug, Clone, Copy)]
pub struct ExperienceOptions {
    /// Training episodes.
    pub episodes: u64,
    /// Control steps of each; reaching the goal does not end it.
    pub steps: u32,
    /// Worker threads; the experience is the same for any number.
    pub jobs: usize,
}

/// Let the agents of a setup with the random actor walk about; `None` where a stop was requested first.
///
/// The agents whose senses and actions are those of the first all contribute, in scenario order.
///
/// # Errors
/// Where an episode cannot be drawn or its physics diverges.
pub fn collect(
    setup: &Arc<Setup>,
    options: &ExperienceOptions,
    stop: &Stop,
    mut progress: Progress,
) -> Result<Option<Experience>, Error> {
    let experience = nothing_yet(setup)?;
    let indices: Vec<u64> = (0..options.episodes).collect();
    let mut walks: BTreeMap<u64, Vec<Trajectory>> = BTreeMap::new();

    let work = |sandbox: &mut Option<Sandbox>, index| {
        let drawn = setup.draw_training(index)?;
        let sandbox = seated(setup, sandbox, &drawn)?;
        let walked = walk(setup, sandbox, drawn, options.steps, &mut |_, _| {});
        walked.map_err(|error| match error {
            Error::World(source) => Error::Exploration { episode: index, source },
            error => error,
        })
    };
    let take = |index, walked: Result<_, Error>| {
        walks.insert(index, walked?);
        progress.set(walks.len() as u64, "");
        Ok(())
    };
    spread(&indices, options.jobs, stop, || None, work, take)?;
    progress.end();
    let complete = walks.len() == indices.len();
    let episodes = walks.into_values().flatten().collect();
    Ok(complete.then_some(Experience { episodes, ..experience }))
}

/// What the first agent of a setup will have experienced, without any episodes yet.
pub(crate) fn nothing_yet(setup: &Setup) -> Result<Experience, Error> {
    let drawn = setup.draw_training(0)?;
    let body = &drawn.world.agents[0];
    let recall = recall_of(&setup.loaded.scenario.agents[0], body, &drawn.world.timing)?;
    Ok(Experience {
        layout: observation_layout(body),
        action_len: action_len(&body.actuator),
        recalls: recall.map_or_else(Vec::new, |recall| recall.channels()),
        arena_m: drawn.world.arena.size_m.map(|side| side.value_f32()),
        episodes: Vec::new(),
    })
}

/// The sandbox of a worker, with the minds of this setup.
pub(crate) fn seated<'a>(
    setup: &Setup,
    sandbox: &'a mut Option<Sandbox>,
    drawn: &Episode,
) -> Result<&'a mut Sandbox, Error> {
    Ok(match sandbox {
        Some(sandbox) => sandbox,
        empty => {
            let mut fresh = Sandbox::new();
            fresh.set_minds(setup.minds(drawn)?);
            empty.insert(fresh)
        }
    })
}

/// Who watches a walk.
pub(crate) trait Witness {
    /// A control step of this number begins, or with the last call would begin: what this does to the sandbox is there when the
    /// agents sense.
    fn before(&mut self, sandbox: &mut Sandbox, step: u32);
    /// It has ended.
    fn after(&mut self, sandbox: &Sandbox);
}

/// One episode of so many control steps; reaching a goal does not end it, and nobody dies.
pub(crate) fn wander(
    sandbox: &mut Sandbox,
    drawn: &mut Episode,
    steps: u32,
    witness: &mut dyn Witness,
) -> Result<(), Error> {
    for agent in &mut drawn.world.agents {
        agent.target = None;
        // The dead learn nothing.
        agent.immortal = true;
    }
    sandbox.reset(&drawn.world, drawn.seed)?;
    for step in 0..steps {
        witness.before(sandbox, step);
        sandbox.control_step()?;
        witness.after(sandbox);
    }
    witness.before(sandbox, steps);
    Ok(())
}

/// Such an episode, as recorded for each agent that is like the first. `before` is called as [`Witness::before`] is.
pub(crate) fn walk(
    setup: &Setup,
    sandbox: &mut Sandbox,
    mut drawn: Episode,
    steps: u32,
    before: &mut dyn FnMut(&mut Sandbox, u32),
) -> Result<Vec<Trajectory>, Error> {
    let mut walk = Walk { before, recorders: Recorder::for_agents(setup, &drawn)? };
    wander(sandbox, &mut drawn, steps, &mut walk)?;
    Ok(walk.recorders.into_iter().map(|recorder| recorder.end(sandbox)).collect())
}

/// A walk that is written down.
struct Walk<'a> {
    before: &'a mut dyn FnMut(&mut Sandbox, u32),
    recorders: Vec<Recorder>,
}

impl Witness for Walk<'_> {
    fn before(&mut self, sandbox: &mut Sandbox, step: u32) {
        (self.before)(sandbox, step);
        self.recorders.iter_mut().for_each(|recorder| recorder.position(sandbox));
    }

    fn after(&mut self, sandbox: &Sandbox) {
        self.recorders.iter_mut().for_each(|recorder| recorder.transition(sandbox));
    }
}

/// The agents whose senses, actions and memory are those of the first, in scenario order.
pub(crate) fn like_first(setup: &Setup, drawn: &Episode) -> Vec<usize> {
    let (bodies, agents) = (&drawn.world.agents, &setup.loaded.scenario.agents);
    let kind = |agent: usize| {
        let body = &bodies[agent];
        (observation_layout(body), action_len(&body.actuator), &agents[agent].memory)
    };
    (0..bodies.len()).filter(|agent| kind(*agent) == kind(0)).collect()
}

/// Writes down one agent's trajectory.
struct Recorder {
    agent: usize,
    /// Where what it records stands in an observation.
    senses: Vec<usize>,
    map: std::ops::Range<usize>,
    /// What completes each observation, as it will while the agent lives.
    recall: Option<Recall>,
    trajectory: Trajectory,
}

impl Recorder {
    /// One for each agent that is like the first.
    fn for_agents(setup: &Setup, drawn: &Episode) -> Result<Vec<Self>, Error> {
        let (bodies, agents) = (&drawn.world.agents, &setup.loaded.scenario.agents);
        let layout = bodies.first().map(observation_layout).unwrap_or_default();
        let (senses, map) = (senses(&layout), layout.range(MAP).unwrap_or(0..0));
        let recorder = |agent: usize| {
            let recall = recall_of(&agents[agent], &bodies[agent], &drawn.world.timing)?;
            Ok(Self { agent, senses: senses.clone(), map: map.clone(), recall, trajectory: Trajectory::default() })
        };
        like_first(setup, drawn).into_iter().map(recorder).collect()
    }

    /// Where the agent is now, and how far from what moves.
    fn position(&mut self, sandbox: &Sandbox) {
        self.trajectory.clearances_m.extend(sandbox.mover_distance_m(self.agent));
        self.trajectory.positions_m.push(sandbox.record().agents[self.agent].pose.position_m);
    }

    /// What the agent sensed at the start of the latest step, and what it did.
    fn transition(&mut self, sandbox: &Sandbox) {
        let record = &sandbox.record().agents[self.agent];
        self.observe(&record.observation);
        if let Some(thought) = &record.thought {
            self.trajectory.actions.extend(&thought.action.values);
        }
    }

    fn observe(&mut self, observation: &Observation) {
        let perceived = match &mut self.recall {
            Some(recall) => recall.complete(observation),
            None => Cow::Borrowed(observation),
        };
        self.trajectory.observations.extend(self.senses.iter().map(|index| perceived.values[*index]));
    }

    /// The last observation has no action.
    fn end(mut self, sandbox: &Sandbox) -> Trajectory {
        let observation = sandbox.observe(self.agent);
        self.observe(&observation);
        self.trajectory.map = observation.values[self.map].to_vec();
        self.trajectory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::SetupOptions;
    use forethought_mind::actor::planners::PlannerName;
    use std::path::Path;

    /// Three minutes of walking at random would kill anyone.
    #[test]
    fn nobody_dies_of_exploring() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/day_and_night.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Setup::load(file, &options).unwrap();
        let mut stores = Vec::new();
        for index in 0..4 {
            let drawn = setup.draw_training(index).unwrap();
            let layout = observation_layout(&drawn.world.agents[0]);
            let mut empty = None;
            let sandbox = seated(&setup, &mut empty, &drawn).unwrap();
            let walked = walk(&setup, sandbox, drawn, 1800, &mut |_, _| {}).unwrap().remove(0);
            let vitals = sandbox.record().agents[0].vitals.unwrap();
            assert!(vitals.alive() && vitals.energy >= 0.02 && vitals.health >= 0.02, "{vitals:?}");
            let energy = layout.range("interoception.energy").unwrap().start;
            let energies: Vec<f32> = walked.observations.chunks(layout.len()).map(|seen| seen[energy]).collect();
            assert_eq!((energies.len(), walked.positions_m.len()), (1801, 1801));
            assert!(energies.iter().all(|energy| *energy >= 0.0199) && energies.iter().any(|energy| *energy < 0.03));
            let [from, to] = [&walked.positions_m[1700], &walked.positions_m[1800]];
            assert!(from != to, "it still walks");
            stores.push(energies[0]);
        }
        assert!(stores.iter().any(|store| (store - stores[0]).abs() > 0.05), "stores vary: {stores:?}");
    }
}

//! The cost: what the agent wants. Intrinsic cost is hard-wired (the drives), the critic learns what it will be later on; both
//! are differentiable back to the actions. Read first: `Cost`.

pub mod critic;
pub mod drives;
mod feelings;
pub(crate) mod nearness;
pub(crate) mod subgoals;
pub(crate) mod visited;

use crate::world_model::{Clearance, interoception::Interoception, readout::Readout};
use critic::Critic;
use dfdx::prelude::{Cpu, HasShape, OwnedTape, PutTape, SplitTape, Tensor};
use drives::{DriveSpec, Likeness, NoveltySpec};
use feelings::Felt;
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, distance::Distance};
use forethought_interface::Num;
use nearness::Nearness;
use std::{collections::BTreeMap, sync::Arc};
use visited::Visited;

/// The weighted drives of an agent, and what it knows of their future.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cost {
    drives: Vec<DriveSpec>,
    /// What stands at the end of imagined futures for all that comes later; without it nothing does.
    critic: Option<Arc<Critic>>,
    /// How far a latent is from the goal.
    nearness: Nearness,
    /// How near what moves has come; without it nothing is known to move.
    clearance: Option<Arc<Clearance>>,
    /// What the body feels; without it nothing.
    body: Option<Arc<Interoception>>,
    /// Where the agent was lately; without it everything is new.
    visited: Option<Visited>,
}

/// Imagined futures to judge, time first.
pub(crate) struct Imagined<'a> {
    /// `[steps * batch, latent]`.
    pub(crate) latents: &'a [f32],
    /// `[steps * batch, stride * action]`.
    pub(crate) actions: &'a [f32],
    pub(crate) batch: usize,
    pub(crate) extent: Extent,
}

/// How far futures are imagined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Predictions.
    pub(crate) steps: usize,
    /// Control steps that each spans.
    pub(crate) stride: usize,
}

impl Imagined<'_> {
    /// The last state of each future, `[batch, latent]`.
    pub(crate) fn last(&self) -> &[f32] {
        &self.latents[self.latents.len() - self.latents.len() / self.extent.steps.max(1)..]
    }
}

impl Extent {
    /// What each prediction counts of a mean over all of them that counts `weight`.
    #[expect(clippy::cast_precision_loss, reason = "a horizon has far fewer than 2^24 steps")]
    pub(crate) fn share(self, weight: &Num) -> f32 {
        weight.value_f32() / self.steps.max(1) as f32
    }
}

impl Cost {
    pub(crate) fn new(drives: &[DriveSpec], clearance: Option<Arc<Clearance>>) -> Self {
        let nearness = Nearness::Latent(Distance::Smooth);
        Self { drives: drives.to_vec(), critic: None, nearness, clearance, body: None, visited: None }
    }

    /// The same with what the body feels.
    pub(crate) fn felt_by(self, body: Option<Arc<Interoception>>) -> Self {
        Self { body, ..self }
    }

    /// The same with places as they are told from latents: the goal as a place where that is asked for, and what is new.
    pub(crate) fn placed_by(mut self, readout: Option<&Readout>) -> Self {
        self.visited = readout.filter(|_| self.novelty().is_some()).map(Visited::new);
        let by_place = |drive: &DriveSpec| matches!(drive, DriveSpec::Reach(reach) if reach.by == Likeness::Place);
        if let Some(readout) = readout.filter(|_| self.drives.iter().any(by_place)) {
            self.nearness = Nearness::Place { readout: readout.clone(), distance: Distance::Smooth };
        }
        self
    }

    /// The same with what the critic foretells.
    pub(crate) fn foreseen_by(self, critic: Option<Arc<Critic>>) -> Self {
        Self { critic, ..self }
    }

    /// Weigh each drive as `own` does, times what is said for it.
    pub(crate) fn weigh(&mut self, own: &Self, factors: &BTreeMap<String, f32>) {
        let weigh = |drive: &DriveSpec| {
            let factor = factors.get(drive.name()).copied().unwrap_or(1.0);
            drive.weighing(drive.weight().value() * f64::from(factor))
        };
        self.drives = own.drives.iter().map(weigh).collect();
    }

    /// Weigh the drives of these names so, and leave the others as they are.
    pub(crate) fn set_weights(&mut self, weights: &[(String, f32)]) {
        for drive in &mut self.drives {
            if let Some((_, weight)) = weights.iter().find(|(name, _)| name == drive.name()) {
                // What was not changed keeps its digits.
                if drive.weight().value_f32().to_bits() != weight.to_bits() {
                    *drive = drive.weighing(f64::from(*weight));
                }
            }
        }
    }

    /// The same with this drive alone, counting 1, and without the critic.
    pub(crate) fn alone(&self, drive: &DriveSpec) -> Self {
        Self { drives: vec![drive.weighing(1.0)], critic: None, ..self.clone() }
    }

    /// What each drive but `Reach` costs before its weight, in this state `[latent]` under the action taken there, where the
    /// body's senses really are `felt`, by name.
    pub(crate) fn of_each(&self, latent: &[f32], action: &[f32], felt: &dyn Fn(&str) -> Option<f32>) -> Vec<f32> {
        let imagined = Imagined { latents: latent, actions: action, batch: 1, extent: Extent { steps: 1, stride: 1 } };
        let cost = |drive: &DriveSpec| match drive.channel() {
            Some(channel) => felt(channel).map_or(0.0, |value| drive.cost_and_slope(value).0),
            None => self.alone(drive).energies(&imagined, &[])[0],
        };
        self.needs().map(cost).collect()
    }

    /// As [`needs`].
    pub(crate) fn needs(&self) -> impl Iterator<Item = &DriveSpec> {
        needs(&self.drives)
    }

    /// The drive for novelty, if there is one.
    pub(crate) fn novelty(&self) -> Option<&NoveltySpec> {
        self.drives.iter().find_map(|drive| match drive {
            DriveSpec::Novelty(novelty) => Some(novelty),
            _ => None,
        })
    }

    /// The agent was at these places lately.
    pub(crate) fn recall(&mut self, places_m: impl Iterator<Item = [f32; 2]>) {
        if let Some(visited) = &mut self.visited {
            visited.places_m = places_m.collect();
        }
    }

    /// The place of a state `[latent]`; none without a drive for novelty, for which it is remembered.
    pub(crate) fn place_m(&self, latent: &[f32]) -> Option<[f32; 2]> {
        Some(self.visited.as_ref()?.readout.position_m(latent))
    }

    /// How familiar the place of a state `[latent]` is among these; none without a drive for novelty.
    pub(crate) fn familiarity(&self, latent: &[f32], places_m: impl Iterator<Item = [f32; 2]> + Clone) -> Option<f32> {
        Some(self.novelty()?.familiarity(self.place_m(latent)?, places_m).0)
    }

    /// What the critic expects a state `[latent]` to cost later on, weighed; 0 without a critic.
    pub(crate) fn expected(&self, latent: &[f32], goal: &[f32]) -> f32 {
        self.critic.as_ref().map_or(0.0, |critic| critic.expected(&self.drives, latent, goal))
    }

    /// What the critic counts a cost one prediction later.
    pub(crate) fn discount(&self) -> f32 {
        self.critic.as_ref().map_or(0.0, |critic| critic.card.discount)
    }

    /// What one future costs, the critic aside.
    pub(crate) fn of_states(&self, imagined: &Imagined, goal: &[f32]) -> f32 {
        self.intrinsic(imagined, goal).iter().sum()
    }

    /// The drives.
    pub(crate) fn drives(&self) -> &[DriveSpec] {
        &self.drives
    }

    /// What counts on a level whose actions are abstract: being at the goal, as soon as may be.
    pub(crate) fn of_arrival(&self, nearness: Nearness) -> Self {
        let reach = |drive: &&DriveSpec| matches!(drive, DriveSpec::Reach(_));
        Self {
            drives: self.drives.iter().filter(reach).cloned().collect(),
            critic: None,
            nearness,
            clearance: None,
            body: None,
            visited: None,
        }
    }

    /// What counts besides the goal, where a level above says where to go.
    pub(crate) fn besides_goal(&self) -> Self {
        Self { drives: self.needs().cloned().collect(), critic: None, ..self.clone() }
    }

    /// The drive that needs a goal, if there is one.
    pub(crate) fn needs_goal(&self) -> bool {
        self.drives.iter().any(|drive| matches!(drive, DriveSpec::Reach(_)))
    }

    /// The energy of each future: `[batch]`.
    pub(crate) fn energies(&self, imagined: &Imagined, goal: &[f32]) -> Vec<f32> {
        let mut energies = self.intrinsic(imagined, goal);
        if let Some(critic) = &self.critic {
            critic.add_energies(&self.drives, imagined, goal, &mut energies);
        }
        energies
    }

    /// The part of it that the drives make of the imagined states: `[batch]`.
    fn intrinsic(&self, imagined: &Imagined, goal: &[f32]) -> Vec<f32> {
        let mut energies = vec![0.0; imagined.batch];
        for drive in &self.drives {
            match drive {
                DriveSpec::Reach(reach) => reach.add_energies(imagined, goal, &self.nearness, &mut energies),
                DriveSpec::Effort(effort) => effort.add_energies(imagined, &mut energies),
                DriveSpec::KeepClear(keep) => {
                    if let Some(clearance) = &self.clearance {
                        keep.add_energies(imagined, clearance, &mut energies);
                    }
                }
                DriveSpec::Novelty(novelty) => {
                    if let Some(visited) = &self.visited {
                        visited.add_energies(novelty, imagined, &mut energies);
                    }
                }
                DriveSpec::Hunger(_) | DriveSpec::Pain(_) | DriveSpec::Comfort(_) | DriveSpec::Seek(_) => {}
            }
        }
        if let Some(felt) = Felt::new(self.body.as_ref(), &self.drives) {
            felt.add_energies(imagined, &mut energies);
        }
        energies
    }

    /// The sum of all futures' energies on dfdx's tape, which leads from `latents` `[steps * batch, latent]` back to
    /// `actions` `[steps * batch, stride * action]`.
    pub(crate) fn total(&self, latents: TapedMatrix, actions: &Matrix, goal: &[f32], extent: Extent) -> TapedScalar {
        let (latents, tape) = latents.split_tape();
        let zero: Tensor<(), f32, Cpu> = dfdx::prelude::TensorFromVec::tensor_from_vec(actions.device(), vec![0.0], ());
        let mut total = zero.put_tape(tape);
        for drive in &self.drives {
            match drive {
                DriveSpec::Reach(reach) => {
                    total =
                        add(total, |tape| reach.total(latents.clone().put_tape(tape), goal, &self.nearness, extent));
                }
                DriveSpec::Effort(effort) => {
                    total = add(total, |tape| effort.total(actions.clone().put_tape(tape), extent));
                }
                DriveSpec::KeepClear(keep) => {
                    if let Some(clearance) = &self.clearance {
                        total = add(total, |tape| keep.total(latents.clone().put_tape(tape), clearance, extent));
                    }
                }
                DriveSpec::Novelty(novelty) => {
                    // Nothing comes of what weighs nothing, or where nothing is remembered.
                    let weighs = |visited: &&Visited| !visited.places_m.is_empty() && novelty.weight.value() != 0.0;
                    if let Some(visited) = self.visited.as_ref().filter(weighs) {
                        total = add(total, |tape| visited.total(novelty, latents.clone().put_tape(tape), extent));
                    }
                }
                DriveSpec::Hunger(_) | DriveSpec::Pain(_) | DriveSpec::Comfort(_) | DriveSpec::Seek(_) => {}
            }
        }
        if let Some(felt) = Felt::new(self.body.as_ref(), &self.drives) {
            total = add(total, |tape| felt.total(latents.clone().put_tape(tape), extent));
        }
        if let Some(critic) = &self.critic {
            let batch = latents.shape().0 / extent.steps.max(1);
            total = add(total, |tape| critic.total(latents.clone().put_tape(tape), &self.drives, goal, batch, extent));
        }
        total
    }
}

/// The drives that judge a state by itself: all but `Reach`, which asks for a goal, and `Novelty`, which asks for a memory.
pub(crate) fn needs(drives: &[DriveSpec]) -> impl Iterator<Item = &DriveSpec> {
    drives.iter().filter(|drive| !matches!(drive, DriveSpec::Reach(_) | DriveSpec::Novelty(_)))
}

/// One more term on the tape that `sum` carries.
pub(crate) fn add(sum: TapedScalar, term: impl FnOnce(OwnedTape<f32, Cpu>) -> TapedScalar) -> TapedScalar {
    let (sum, tape) = sum.split_tape();
    let (term, tape) = term(tape).split_tape();
    sum.put_tape(tape) + term
}

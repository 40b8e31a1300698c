//! From Mode-2 to Mode-1 by the energy itself: a policy that learns to do what it is imagined to cost least. Read first:
//! [`refine_policy`].

use super::{Life, PolicySpec, TrainingSpec};
use crate::{
    actor::policy::{Policy, PolicyCard},
    cost::{Cost, Extent, drives::DriveSpec},
    network::{Regression, Trainee, apply},
    world_model::{
        Model,
        predictor::{Predictor, rollout},
    },
};
use dfdx::prelude::{Cpu, HasShape, OwnedTape, PutTape, SplitTape, Tape, TensorFromVec};
use forethought_energy::{Matrix, Scalar, numbers};
use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Parts that each batch is split into, whatever the number of threads, and states in each.
const SHARDS: u64 = 4;
const ROWS: usize = 64;

/// The same model with a policy that goes on learning from remembered states: it is imagined to act for
/// [`PolicySpec::imagines`] predictions, and the energy of that, critic included, is lowered by its gradient through the world model
/// and the policy (LeCun 2022, Sec. 4.5: Mode-2 compiled into a policy by amortised inference; the gradient is that of value
/// gradients, Heess et al., 2015, with the model's predictions as they are). A mean of plans that go different ways round is no way
/// round; the energy has no such mean. `on_update` hears of every update done.
///
/// A model without a policy, a policy that reads a goal and a predictor that reads a floor plan are left as they are. So is a
/// policy that diverges, whose card then tells of no such update.
///
/// The work is spread over the current rayon pool; the result does not depend on it.
#[must_use]
pub fn refine_policy(
    model: &Model,
    lives: &[Life],
    drives: &[DriveSpec],
    spec: &PolicySpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Model {
    let states: Vec<&[f32]> = lives.iter().flatten().map(|moment| &moment.latent[..]).collect();
    let Some(policy) = model.policy().filter(|policy| !policy.card.goals && model.card.map.is_none()) else {
        return model.clone();
    };
    if states.is_empty() {
        return model.clone();
    }
    let cost = Cost::new(drives, model.clearance().cloned())
        .felt_by(model.interoception().cloned())
        .foreseen_by(model.critic().cloned());
    let schedule = TrainingSpec {
        updates: spec.by_energy,
        learning_rate: spec.learning_rate,
        weight_decay: 1e-4,
        clip_norm: 1.0,
        ..TrainingSpec::default()
    };
    let mut fit = Regression::besides(policy.network.mlp().clone(), 0, schedule);
    let imagined = Imagined { model, cost: &cost, steps: spec.imagines.max(1) };
    for update in 0..spec.by_energy {
        let draw = |shard| {
            let seed = derive_seed(seed, "policy.energy", u64::from(update) * SHARDS + shard);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            (0..ROWS).flat_map(|_| states[rng.gen_range(0..states.len())]).copied().collect::<Vec<f32>>()
        };
        let drawn = (0..SHARDS).map(draw).collect();
        if !fit.descend(drawn, |policy, start, tape| imagined.energy(policy, start, tape)).is_finite() {
            return model.clone();
        }
        on_update(update + 1);
    }
    let card = PolicyCard { by_energy: spec.by_energy, ..policy.card.clone() };
    model.with_behaviour(model.critic().cloned(), Some(Arc::new(Policy::new(card, fit.mlp))))
}

/// How a policy is imagined to act, and what that costs.
struct Imagined<'a> {
    model: &'a Model,
    cost: &'a Cost,
    /// Predictions.
    steps: usize,
}

impl Imagined<'_> {
    /// The mean energy of what the policy is imagined to do from `start` `[rows, latent]` on.
    fn energy(&self, policy: &Trainee, start: Vec<f32>, tape: &mut OwnedTape<f32, Cpu>) -> Scalar {
        let predictor: &Arc<Predictor> = self.model.predictor();
        let (width, device) = (predictor.latent(), Cpu::default());
        let rows = start.len() / width;
        let mut state: Matrix = device.tensor_from_vec(start, (rows, width));
        let (mut states, mut actions) = (Vec::new(), Vec::new());
        for _ in 0..self.steps {
            let chosen = apply(policy, numbers(&state), Some(&state), tape);
            let action = within_bounds(&chosen, tape);
            let next = rollout(predictor, &state, action.clone().put_tape(std::mem::take(tape)), &[]);
            let (next, after) = next.split_tape();
            *tape = after;
            actions.push(action);
            states.push(next.clone());
            state = next;
        }
        let (latents, actions) = (one_after_another(&states, tape), one_after_another(&actions, tape));
        let extent = Extent { steps: self.steps, stride: self.model.stride() };
        let total = self.cost.total(latents.put_tape(std::mem::take(tape)), &actions, &[], extent);
        #[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^24 rows")]
        let (mean, after) = (total * (1.0 / rows as f32)).split_tape();
        *tape = after;
        mean
    }
}

/// Actions cut off at their bounds, -1 and 1. One beyond a bound gets the gradient that leads back, and none that leads farther off
/// (inverting gradients; Hausknecht & Stone, 2016, in its simplest form).
fn within_bounds(values: &Matrix, tape: &mut OwnedTape<f32, Cpu>) -> Matrix {
    let raw = numbers(values);
    let out = Cpu::default().tensor_from_vec(raw.iter().map(|value| value.clamp(-1.0, 1.0)).collect(), *values.shape());
    let (from, to) = (out.ghost(), values.ghost());
    tape.add_backward_op(move |gradients| {
        let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&from)?);
        let sums = gradients.get_or_alloc_mut(&to)?;
        for ((sum, slope), raw) in sums.iter_mut().zip(arriving).zip(&raw) {
            let farther = (*raw > 1.0 && slope < 0.0) || (*raw < -1.0 && slope > 0.0);
            *sum += if farther { 0.0 } else { slope };
        }
        Ok(())
    });
    out
}

/// Matrices of the same shape, the rows of one after those of another.
fn one_after_another(parts: &[Matrix], tape: &mut OwnedTape<f32, Cpu>) -> Matrix {
    let values: Vec<f32> = parts.iter().flat_map(numbers).collect();
    let (rows, columns) = parts.first().map_or((0, 0), |part| *part.shape());
    let out = Cpu::default().tensor_from_vec(values, (rows * parts.len(), columns));
    let from = out.ghost();
    let to: Vec<_> = parts.iter().map(|part| part.ghost()).collect();
    tape.add_backward_op(move |gradients| {
        let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&from)?);
        for (to, slopes) in to.iter().zip(arriving.chunks_exact((rows * columns).max(1))) {
            gradients.get_or_alloc_mut(to)?.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        Ok(())
    });
    out
}

//! What is measured: one planning iteration of a given size, through the same operations as the gradient planner's, and the
//! training of a world model of the default sizes.

#![allow(dead_code, reason = "no bench needs all of it")]

use dfdx::prelude::{Backward, Cpu, PutTape, SplitTape, SumTo, TensorFromVec, Trace};
use forethought_energy::distance::Distance;
use forethought_interface::{Channel, ObservationLayout};
use forethought_mind::{
    training::{Experience, TrainingSpec, Trajectory},
    world_model::{
        WorldModelSpec,
        predictor::{Predictor, part_of, rollout, side_by_side},
    },
};
use std::{hint::black_box, ops::Range, sync::Arc};

/// The gradient of a summed squared distance with respect to the actions `tanh(u)` of `starts` futures, and one step of
/// Adam on `u`.
pub struct Planning {
    predictor: Arc<Predictor>,
    start: Vec<f32>,
    goal: Vec<f32>,
    horizon: usize,
    starts: usize,
    initial: Vec<f32>,
    u: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Planning {
    /// Random weights, `hidden` layers, two action values.
    pub fn new(latent: usize, hidden: &[usize], horizon: usize, starts: usize) -> Self {
        let number = |i: usize| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0;
        let count = horizon * starts * 2;
        let initial: Vec<f32> = (0..count).map(|i| 0.5 * number(i)).collect();
        Self {
            predictor: Arc::new(Predictor::random(latent, hidden, 2, 1)),
            start: (0..latent).map(number).collect::<Vec<_>>().repeat(starts),
            goal: (7..7 + latent).map(number).collect(),
            horizon,
            starts,
            u: initial.clone(),
            initial,
            first: vec![0.0; count],
            second: vec![0.0; count],
            steps: 0,
        }
    }

    /// Begin anew at the first actions.
    pub fn restart(&mut self) {
        self.u.copy_from_slice(&self.initial);
        self.first.fill(0.0);
        self.second.fill(0.0);
        self.steps = 0;
    }

    /// Floating-point operations of the matrix products of one iteration, there and back.
    pub fn operations(latent: usize, hidden: &[usize], horizon: usize, starts: usize) -> usize {
        let sizes: Vec<usize> = std::iter::once(latent + 2).chain(hidden.iter().copied()).chain([latent]).collect();
        4 * sizes.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>() * horizon * starts
    }

    /// One iteration; the sum of the energies.
    pub fn iterate(&mut self) -> f32 {
        let parts = self.predictor.in_parts(self.starts, self.horizon, |futures| self.energy_and_gradient(futures));
        let (values, gradients): (Vec<f32>, Vec<_>) = parts.into_iter().unzip();
        let (value, gradient) = (values.iter().sum(), side_by_side(gradients, self.horizon));
        self.steps += 1;
        let (correct1, correct2) = (1.0 - 0.9_f32.powi(self.steps), 1.0 - 0.999_f32.powi(self.steps));
        for (i, g) in gradient.iter().enumerate() {
            self.first[i] += 0.1 * (g - self.first[i]);
            self.second[i] += 0.001 * (g * g - self.second[i]);
            self.u[i] -= 0.01 * (self.first[i] / correct1) / ((self.second[i] / correct2).sqrt() + 1e-8);
        }
        value
    }

    /// Of some of the futures: the sum of their energies, and its gradient, `[horizon, futures, 2]`.
    fn energy_and_gradient(&self, futures: Range<usize>) -> (f32, Vec<f32>) {
        let (count, latent) = (futures.len(), self.predictor.latent());
        let u = part_of(&self.u, self.starts, &futures, 2).into_owned();
        let start = self.start[futures.start * latent..futures.end * latent].to_vec();
        let start = Cpu::default().tensor_from_vec(start, (count, latent));
        let leaf = Cpu::default().tensor_from_vec(u, (self.horizon * count, 2));
        let (actions, tape) = leaf.leaky_trace().tanh().split_tape();
        let latents = rollout(&self.predictor, &start, actions.put_tape(tape), &[]);
        let energy = Distance::Squared.of_rows(latents, &self.goal).sum() * (1.0 / self.horizon as f32);
        (energy.as_vec()[0], energy.backward().get(&leaf).as_vec())
    }
}

/// Twelve chains of so many multiply-adds in registers, as fast as one core can; gives the number of operations.
pub struct Peak(pub usize);

impl pulp::WithSimd for Peak {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) -> usize {
        const CHAINS: usize = 12;
        let (factor, offset) = (simd.splat_f32s(black_box(0.999)), simd.splat_f32s(black_box(0.001)));
        let mut sums = [simd.splat_f32s(black_box(1.0)); CHAINS];
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = simd.splat_f32s(black_box(i as f32));
        }
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, offset);
            }
        }
        black_box(sums.into_iter().map(|sum| simd.reduce_sum_f32s(sum)).sum::<f32>());
        2 * CHAINS * S::F32_LANES * self.0
    }
}

/// Random numbers in place of 36 senses and two actions: how fast they are learned from does not depend on what they are.
pub fn experience() -> Experience {
    let number = |i: usize| ((i * 7919) % 10_007) as f32 / 5000.0 - 1.0;
    let trajectory = |k: usize| Trajectory {
        observations: (0..101 * 36).map(|i| number(i + 4001 * k)).collect(),
        actions: (0..100 * 2).map(|i| number(i + 3001 * k)).collect(),
        positions_m: (0..101).map(|i| [number(i + k), number(i + 7 * k)]).collect(),
        ..Trajectory::default()
    };
    Experience {
        layout: ObservationLayout { channels: vec![Channel { name: "senses".into(), shape: vec![36] }] },
        action_len: 2,
        recalls: vec![],
        arena_m: [1.0, 1.0],
        episodes: (0..64).map(trajectory).collect(),
    }
}

/// A training by the defaults, but one control step a prediction, as the peers have it.
pub fn training(updates: u32) -> TrainingSpec {
    let world_model = WorldModelSpec { stride: 1, ..WorldModelSpec::default() };
    TrainingSpec { updates, world_model, ..TrainingSpec::default() }
}

//! Two ways to imagine on dfdx's tape: the fused rollout (*after*), and the same out of dfdx's own operations (*before*).
//! Read first: [`Unrolling`].

use dfdx::prelude::{
    Axis, BroadcastTo, Cpu, HasShape, OwnedTape, PutTape, RealizeTo, SplitTape, SumTo, Tensor, TensorFromVec, Trace,
    TryConcatAlong, TryMatMul,
};
use forethought_energy::{
    Matrix, TapedMatrix, TapedScalar,
    distance::{Distance, SMOOTHING},
    numbers,
};
use forethought_mind::world_model::predictor::{Predictor, rollout};
use safetensors::SafeTensors;
use std::{path::Path, sync::Arc};

/// A way to imagine futures and to say how far they are from a goal.
pub trait Unrolling {
    /// From `start` `[batch, latent]` under `actions` `[horizon * batch, action]` to latents whose rows make
    /// `[horizon * batch, latent]`, in as many matrices as it takes.
    fn unroll(&self, start: &Matrix, actions: TapedMatrix) -> (Vec<Matrix>, OwnedTape<f32, Cpu>);

    /// The same without a gradient: `[horizon * batch, latent]`, row by row.
    fn look(&self, start: &[f32], actions: &[f32], batch: usize) -> Vec<f32>;

    /// The sum over rows of `sqrt(|s - goal|² + 1e-3)`.
    fn distance(&self, latents: TapedMatrix, goal: &[f32]) -> TapedScalar;
}

/// The fused operations.
pub struct Fused(pub Arc<Predictor>);

impl Unrolling for Fused {
    fn unroll(&self, start: &Matrix, actions: TapedMatrix) -> (Vec<Matrix>, OwnedTape<f32, Cpu>) {
        let (latents, tape) = rollout(&self.0, start, actions, &[]).split_tape();
        (vec![latents], tape)
    }

    fn look(&self, start: &[f32], actions: &[f32], _: usize) -> Vec<f32> {
        self.0.imagine(start, actions, &[])
    }

    fn distance(&self, latents: TapedMatrix, goal: &[f32]) -> TapedScalar {
        Distance::Smooth.of_rows(latents, goal).sum()
    }
}

/// dfdx's own operations, one for each product, sum and activation.
pub struct Stock(Vec<Layer>);

/// Weight `[inputs, outputs]` and bias `[outputs]`.
type Layer = (Matrix, Tensor<(usize,), f32, Cpu>);

impl Stock {
    /// The predictor's layers in a model file.
    pub fn load(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tensors = SafeTensors::deserialize(&bytes).expect("a model is a safetensors file");
        let numbers = |name: &str| {
            let view = tensors.tensor(name).ok()?;
            let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
            Some((values.collect::<Vec<f32>>(), view.shape().to_vec()))
        };
        let layer = |index: usize| {
            let (weight, shape) = numbers(&format!("predictor.{index}.weight"))?;
            let (bias, _) = numbers(&format!("predictor.{index}.bias"))?;
            let device = Cpu::default();
            Some((device.tensor_from_vec(weight, (shape[0], shape[1])), device.tensor_from_vec(bias, (shape[1],))))
        };
        let layers: Vec<_> = (0..).map_while(layer).collect();
        assert!(!layers.is_empty(), "{}: no layers of a predictor", path.display());
        Self(layers)
    }
}

impl Unrolling for Stock {
    fn unroll(&self, start: &Matrix, actions: TapedMatrix) -> (Vec<Matrix>, OwnedTape<f32, Cpu>) {
        let (actions, mut tape) = actions.split_tape();
        let (batch, rows) = (start.shape().0, actions.shape().0);
        let (mut state, mut latents) = (start.clone(), Vec::with_capacity(rows / batch));
        for step in 0..rows / batch {
            let (action, t) = actions.clone().put_tape(tape).slice((step * batch..(step + 1) * batch, ..)).split_tape();
            let action = action.realize::<(usize, usize)>();
            let (mut hidden, mut t) = (state.clone().put_tape(t), action).concat_along(Axis::<1>).split_tape();
            for (index, (weight, bias)) in self.0.iter().enumerate() {
                let shape = (batch, weight.shape().1);
                let (product, t2) = hidden.put_tape(t).matmul(weight.clone()).split_tape();
                let (bias, t2) = bias.clone().put_tape(t2).broadcast_like::<_, Axis<0>>(&shape).split_tape();
                let (sum, t2) = (product.put_tape(t2) + bias).split_tape();
                (hidden, t) = if index + 1 < self.0.len() {
                    let (gate, t2) = sum.clone().put_tape(t2).sigmoid().split_tape();
                    (sum.put_tape(t2) * gate).split_tape()
                } else {
                    (sum, t2)
                };
            }
            (state, tape) = (state.put_tape(t) + hidden).split_tape();
            latents.push(state.clone());
        }
        (latents, tape)
    }

    /// dfdx's operations are the same with a tape and without, but for a few pointers that are kept.
    fn look(&self, start: &[f32], actions: &[f32], batch: usize) -> Vec<f32> {
        let (device, latent) = (Cpu::default(), start.len() / batch);
        let action_len = self.0[0].0.shape().0 - latent;
        let actions = device.tensor_from_vec(actions.to_vec(), (actions.len() / action_len, action_len));
        let start = device.tensor_from_vec(start.to_vec(), (batch, latent));
        self.unroll(&start, actions.leaky_trace()).0.iter().flat_map(numbers).collect()
    }

    fn distance(&self, latents: TapedMatrix, goal: &[f32]) -> TapedScalar {
        let rows = latents.shape().0;
        let goals = Cpu::default().tensor_from_vec(goal.repeat(rows), (rows, goal.len()));
        ((latents - goals).square().sum::<_, Axis<1>>() + SMOOTHING).sqrt().sum()
    }
}

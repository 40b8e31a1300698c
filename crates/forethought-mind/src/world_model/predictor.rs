//! The predictor, `s_{t+1} = s_t + MLP([s_t, a_t])`, and its unrolling over a horizon with the exact adjoint, as one
//! operation of dfdx. Read first: [`Predictor::imagine`] and [`rollout`].

use crate::network::{Activation, Mlp, Packed, silu, silu_with_slope};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use std::sync::Arc;

/// The action-conditioned predictor of JEPA-1 (Dawid & LeCun 2023, Fig. 10).
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    mlp: Mlp,
    latent: usize,
    action_len: usize,
    /// The first layer's part that meets the state, and the other layers whole: there and back.
    packed: Vec<(Packed, Packed)>,
    /// The first layer's part that meets the action: there and back.
    packed_action: (Packed, Packed),
}

/// What the way back needs to know of the way there.
struct Saved {
    /// For each hidden layer the activation's slopes, `[horizon, batch, hidden]`.
    slopes: Vec<Vec<f32>>,
    horizon: usize,
    batch: usize,
}

impl Predictor {
    /// From an MLP `[latent + action_len]` to `[latent]`.
    pub(crate) fn new(mlp: Mlp, action_len: usize) -> Self {
        let latent = mlp.outputs();
        assert_eq!(mlp.inputs(), latent + action_len, "a predictor of another shape");
        let both = |weight: &[f32], inputs, outputs| {
            (Packed::new(weight, inputs, outputs), Packed::transposed(weight, inputs, outputs))
        };
        let first = &mlp.layers[0];
        let (from_state, from_action) = first.weight.split_at(latent * first.outputs);
        let mut packed = vec![both(from_state, latent, first.outputs)];
        packed.extend(mlp.layers[1..].iter().map(|layer| both(&layer.weight, layer.inputs, layer.outputs)));
        let packed_action = both(from_action, action_len, first.outputs);
        Self { mlp, latent, action_len, packed, packed_action }
    }

    /// The network.
    pub(crate) fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// Width of the latent.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// How many values an action has.
    #[must_use]
    pub fn action_len(&self) -> usize {
        self.action_len
    }

    /// Imagine: from `start` `[batch, latent]` under `actions` `[horizon, batch, action]` to the latents after each,
    /// `[horizon, batch, latent]`. All row by row.
    #[must_use]
    pub fn imagine(&self, start: &[f32], actions: &[f32]) -> Vec<f32> {
        self.unroll(start, actions, None)
    }

    fn unroll(&self, start: &[f32], actions: &[f32], mut saved: Option<&mut Saved>) -> Vec<f32> {
        let (latent, batch) = (self.latent, start.len() / self.latent);
        let horizon = actions.len() / (batch * self.action_len).max(1);
        let layers = &self.mlp.layers;
        let first = &layers[0];

        // What the actions contribute to the first layer is known for the whole horizon at once.
        let mut driven = Vec::with_capacity(horizon * batch * first.outputs);
        for _ in 0..horizon * batch {
            driven.extend_from_slice(&first.bias);
        }
        self.packed_action.0.multiply(actions, &mut driven, true);

        let mut latents = Vec::with_capacity(horizon * batch * latent);
        let mut state = start.to_vec();
        let mut hidden: Vec<Vec<f32>> = layers.iter().map(|layer| vec![0.0; batch * layer.outputs]).collect();
        for step in 0..horizon {
            for (index, layer) in layers.iter().enumerate() {
                let (before, rest) = hidden.split_at_mut(index);
                let out = &mut rest[0];
                if index == 0 {
                    out.copy_from_slice(&driven[step * batch * layer.outputs..(step + 1) * batch * layer.outputs]);
                    self.packed[0].0.multiply(&state, out, true);
                } else {
                    out.chunks_exact_mut(layer.outputs).for_each(|row| row.copy_from_slice(&layer.bias));
                    self.packed[index].0.multiply(&before[index - 1], out, true);
                }
                if self.mlp.activation(index) == Activation::Silu {
                    match saved.as_mut() {
                        None => silu(out),
                        Some(saved) => {
                            let range = step * out.len()..(step + 1) * out.len();
                            silu_with_slope(out, &mut saved.slopes[index][range]);
                        }
                    }
                }
            }
            let change = &hidden[layers.len() - 1];
            state.iter_mut().zip(change).for_each(|(state, change)| *state += change);
            latents.extend_from_slice(&state);
        }
        latents
    }

    /// The adjoint of [`Predictor::unroll`]: from the gradient with respect to the latents, `[horizon, batch, latent]`, to
    /// those with respect to the actions, `[horizon, batch, action]`, and the start, `[batch, latent]`.
    fn adjoint(&self, saved: &Saved, latents: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (latent, batch, horizon) = (self.latent, saved.batch, saved.horizon);
        let layers = &self.mlp.layers;
        let first = &layers[0];

        let mut carried = vec![0.0; batch * latent];
        let mut deltas: Vec<Vec<f32>> = layers.iter().map(|layer| vec![0.0; batch * layer.outputs]).collect();
        let mut at_first = vec![0.0; horizon * batch * first.outputs];
        for step in (0..horizon).rev() {
            let arriving = &latents[step * batch * latent..(step + 1) * batch * latent];
            carried.iter_mut().zip(arriving).for_each(|(carried, arriving)| *carried += arriving);
            deltas[layers.len() - 1].copy_from_slice(&carried);
            for index in (1..layers.len()).rev() {
                let (before, after) = deltas.split_at_mut(index);
                let delta = &mut before[index - 1];
                self.packed[index].1.multiply(&after[0], delta, false);
                let slopes = &saved.slopes[index - 1][step * delta.len()..(step + 1) * delta.len()];
                delta.iter_mut().zip(slopes).for_each(|(delta, slope)| *delta *= slope);
            }
            at_first[step * batch * first.outputs..(step + 1) * batch * first.outputs].copy_from_slice(&deltas[0]);
            self.packed[0].1.multiply(&deltas[0], &mut carried, true);
        }
        let mut actions = vec![0.0; horizon * batch * self.action_len];
        self.packed_action.1.multiply(&at_first, &mut actions, false);
        (actions, carried)
    }
}

/// [`Predictor::imagine`] as one operation on dfdx's tape: `start` `[batch, latent]` and `actions`
/// `[horizon * batch, action]` to latents `[horizon * batch, latent]`, differentiable in both. The weights get no gradient.
#[must_use]
pub fn rollout<T: Tape<f32, Cpu>>(
    predictor: &Arc<Predictor>,
    start: &Tensor<(usize, usize), f32, Cpu>,
    actions: Tensor<(usize, usize), f32, Cpu, T>,
) -> Tensor<(usize, usize), f32, Cpu, T> {
    let device = start.device().clone();
    let (actions, mut tape) = actions.split_tape();
    let (batch, rows) = (start.shape().0, actions.shape().0);
    let hidden = &predictor.mlp.layers[..predictor.mlp.layers.len() - 1];
    let slopes =
        if T::OWNS_TAPE { hidden.iter().map(|layer| vec![0.0; rows * layer.outputs]).collect() } else { vec![] };
    let mut saved = Saved { slopes, horizon: rows / batch.max(1), batch };
    let keep = T::OWNS_TAPE.then_some(&mut saved);
    let latents = predictor.unroll(&start.as_vec(), &actions.as_vec(), keep);
    let out = device.tensor_from_vec(latents, (rows, predictor.latent));

    let (start_ghost, actions_ghost, out_ghost) = (start.ghost(), actions.ghost(), out.ghost());
    let predictor = predictor.clone();
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        let (to_actions, to_start) = predictor.adjoint(&saved, &arriving);
        let add = |sums: &mut Vec<f32>, values: Vec<f32>| sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
        add(gradients.get_or_alloc_mut(&actions_ghost)?, to_actions);
        add(gradients.get_or_alloc_mut(&start_ghost)?, to_start);
        Ok(())
    });
    out.put_tape(tape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Node, Parameter, linear};
    use dfdx::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect()
    }

    /// The same unrolling out of dfdx's own operations only.
    fn stock(
        mlp: &Mlp,
        start: &Tensor<(usize, usize), f32, Cpu>,
        actions: &Tensor<(usize, usize), f32, Cpu>,
        weights_of_loss: &[f32],
    ) -> (Vec<f32>, Gradients<f32, Cpu>) {
        let device = Cpu::default();
        let (batch, rows, latent) = (start.shape().0, actions.shape().0, mlp.outputs());
        let layers: Vec<_> = mlp
            .layers
            .iter()
            .map(|layer| {
                let weight = device.tensor_from_vec(layer.weight.clone(), (layer.inputs, layer.outputs));
                (weight, device.tensor_from_vec(layer.bias.clone(), (layer.outputs,)))
            })
            .collect();
        let mut tape = OwnedTape::default();
        let mut state = start.clone();
        let (mut latents, mut loss) = (Vec::new(), device.tensor(0.0_f32));
        for step in 0..rows / batch {
            let (action, t) = actions.clone().put_tape(tape).slice((step * batch..(step + 1) * batch, ..)).split_tape();
            let action = action.realize::<(usize, usize)>();
            let (mut hidden, mut t) = (state.clone().put_tape(t), action).concat_along(Axis::<1>).split_tape();
            for (index, (weight, bias)) in layers.iter().enumerate() {
                let shape = (batch, weight.shape().1);
                let (product, t2) = hidden.put_tape(t).matmul(weight.clone()).split_tape();
                let (bias, t2) = bias.clone().put_tape(t2).broadcast_like::<_, Axis<0>>(&shape).split_tape();
                let (sum, t2) = (product.put_tape(t2) + bias).split_tape();
                (hidden, t) = if index + 1 < layers.len() {
                    let (gate, t2) = sum.clone().put_tape(t2).sigmoid().split_tape();
                    (sum.put_tape(t2) * gate).split_tape()
                } else {
                    (sum, t2)
                };
            }
            let (next, t) = (state.put_tape(t) + hidden).split_tape();
            state = next;
            latents.extend(state.as_vec());
            let range = step * batch * latent..(step + 1) * batch * latent;
            let weight = device.tensor_from_vec(weights_of_loss[range].to_vec(), (batch, latent));
            let (part, t) = (state.clone().put_tape(t) * weight).sum().split_tape();
            let (sum, t) = (loss.put_tape(t) + part).split_tape();
            (loss, tape) = (sum, t);
        }
        (latents, loss.put_tape(tape).backward())
    }

    fn close(left: &[f32], right: &[f32]) -> f32 {
        let largest = right.iter().fold(1e-6_f32, |largest, value| largest.max(value.abs()));
        left.iter().zip(right).fold(0.0_f32, |worst, (l, r)| worst.max((l - r).abs() / largest))
    }

    #[test]
    fn values_and_adjoint_agree_with_dfdx_on_random_shapes() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for case in 0..40 {
            let (latent, action_len) = (rng.gen_range(1..9), rng.gen_range(1..4));
            let (batch, horizon) = (rng.gen_range(1..8), rng.gen_range(1..12));
            let hidden: Vec<usize> = (0..rng.gen_range(0..4)).map(|_| rng.gen_range(1..20)).collect();
            let mlp = Mlp::random(latent + action_len, &hidden, latent, 0.5, &mut rng);
            let device = Cpu::default();
            let start = device.tensor_from_vec(random(&mut rng, batch * latent), (batch, latent));
            let actions =
                device.tensor_from_vec(random(&mut rng, horizon * batch * action_len), (horizon * batch, action_len));
            let weights = random(&mut rng, horizon * batch * latent);

            let predictor = Arc::new(Predictor::new(mlp.clone(), action_len));
            let latents = rollout(&predictor, &start, actions.leaky_trace());
            let values = latents.as_vec();
            let weighted = latents * device.tensor_from_vec(weights.clone(), (horizon * batch, latent));
            let gradients = weighted.sum().backward();

            let (expected, expected_gradients) = stock(&mlp, &start, &actions, &weights);
            assert!(close(&values, &expected) < 1e-5, "case {case}");
            assert!(
                close(&gradients.get(&actions).as_vec(), &expected_gradients.get(&actions).as_vec()) < 1e-4,
                "case {case}"
            );
            assert!(
                close(&gradients.get(&start).as_vec(), &expected_gradients.get(&start).as_vec()) < 1e-4,
                "case {case}"
            );
            assert_eq!(predictor.imagine(&start.as_vec(), &actions.as_vec()), values);
        }
    }

    /// The layer that training uses, against the same layer of dfdx's own operations.
    #[test]
    fn a_fused_layer_agrees_with_dfdx() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let device = Cpu::default();
        let (rows, left, right, constant, outputs) = (7, 3, 4, 2, 5);
        let a = Node::new(&device, random(&mut rng, rows * left), rows, left);
        let b = Node::new(&device, random(&mut rng, rows * right), rows, right);
        let c = random(&mut rng, rows * constant);
        let width = left + right + constant;
        let weight = Node::new(&device, random(&mut rng, width * outputs), width, outputs);
        let parameter = Parameter { weight, bias: Node::new(&device, random(&mut rng, outputs), 1, outputs) };
        let mut tape = OwnedTape::default();
        let out = linear(&device, &[&a, &b], Some(&c), &parameter, Activation::Silu, &mut tape);
        let fused = out.tensor.clone().put_tape(tape).square().sum().backward();

        let c = device.tensor_from_vec(c, (rows, constant));
        let joined = (a.tensor.leaky_trace(), b.tensor.clone()).concat_along(Axis::<1>);
        let joined = (joined, c).concat_along(Axis::<1>);
        let (product, tape) = joined.matmul(parameter.weight.tensor.clone()).split_tape();
        let bias = parameter.bias.tensor.clone().put_tape(tape).reshape_like(&(outputs,));
        let (bias, tape) = bias.broadcast_like::<_, Axis<0>>(&(rows, outputs)).split_tape();
        let (sum, tape) = (product.put_tape(tape) + bias).split_tape();
        let (gate, tape) = sum.clone().put_tape(tape).sigmoid().split_tape();
        let stock = sum.put_tape(tape) * gate;
        assert!(close(&out.data, &stock.as_vec()) < 1e-6);
        let stock = stock.square().sum().backward();
        for node in [&a, &b, &parameter.weight, &parameter.bias] {
            assert!(close(&fused.get(&node.tensor).as_vec(), &stock.get(&node.tensor).as_vec()) < 1e-5);
        }
    }
}

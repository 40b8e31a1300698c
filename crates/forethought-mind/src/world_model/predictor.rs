//! The predictor, `s_{t+1} = s_t + MLP([s_t, a_t])`, and its unrolling over a horizon with the exact adjoint, as one
//! operation of dfdx. Read first: [`Predictor::imagine`] and [`rollout`].

use crate::network::{Mlp, Packed, Path, silu, silu_with_slope};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::numbers;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Futures imagined together: their numbers stay in the nearest cache while they pass through all layers of a step.
const TILE: usize = 24;
/// Multiply-adds below which another thread does not pay.
const WORTH_A_THREAD: usize = 1 << 20;

/// The action-conditioned predictor of JEPA-1 (Dawid & LeCun 2023, Fig. 10).
#[derive(Debug, Clone)]
pub struct Predictor {
    mlp: Mlp,
    latent: usize,
    action_len: usize,
    /// The first layer's part that meets the state, and the other layers whole: there and back.
    packed: Vec<(Packed, Packed)>,
    path: Path,
    /// Multiply-adds below which another thread does not pay.
    worth_a_thread: usize,
    shelf: Shelf,
}

impl PartialEq for Predictor {
    fn eq(&self, other: &Self) -> bool {
        self.mlp == other.mlp && self.action_len == other.action_len
    }
}

/// Memory of saved slopes, kept for the next pass: fresh pages cost as much as the arithmetic.
#[derive(Debug, Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Vec<f32>>>>);

impl Shelf {
    /// `length` numbers of any value.
    fn take(&self, length: usize) -> Vec<f32> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut values = found.unwrap_or_default();
        values.resize(length, 0.0);
        values
    }

    fn give_back(&self, values: impl IntoIterator<Item = Vec<f32>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
    }
}

/// What the way back needs to know of the way there, tile by tile: for each step and hidden layer the activation's slopes,
/// `[horizon, layer, futures, hidden]`.
struct Saved {
    slopes: Vec<Vec<f32>>,
    horizon: usize,
    batch: usize,
    /// Futures in a tile, but for the last.
    tile: usize,
    shelf: Shelf,
}

impl Drop for Saved {
    fn drop(&mut self) {
        self.shelf.give_back(self.slopes.drain(..).filter(|slopes| !slopes.is_empty()));
    }
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
        let mut packed = vec![both(&first.weight[..latent * first.outputs], latent, first.outputs)];
        packed.extend(mlp.layers[1..].iter().map(|layer| both(&layer.weight, layer.inputs, layer.outputs)));
        Self {
            mlp,
            latent,
            action_len,
            packed,
            path: Path::best(),
            worth_a_thread: WORTH_A_THREAD,
            shelf: Shelf::default(),
        }
    }

    /// A predictor of random weights, to measure speed with: what it foretells is worth nothing.
    #[must_use]
    pub fn random(latent: usize, hidden: &[usize], action_len: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::new(Mlp::random(latent + action_len, hidden, latent, 0.1, &mut rng), action_len)
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
    /// `[horizon, batch, latent]`. All row by row; spread over the threads of the current rayon pool, to the same bits
    /// however many there are.
    #[must_use]
    pub fn imagine(&self, start: &[f32], actions: &[f32]) -> Vec<f32> {
        self.unroll(start, actions, false).0
    }

    /// How many futures make a tile: few enough for the cache, and for every thread to get some where that pays.
    fn tile(&self, batch: usize, horizon: usize) -> usize {
        let work = self.mlp.layers.iter().map(|layer| layer.weight.len()).sum::<usize>() * horizon;
        let worth = self.worth_a_thread.div_ceil(work.max(1));
        batch.div_ceil(rayon::current_num_threads()).max(worth).clamp(1, TILE)
    }

    fn unroll(&self, start: &[f32], actions: &[f32], save: bool) -> (Vec<f32>, Saved) {
        let batch = start.len() / self.latent;
        let horizon = actions.len() / (batch * self.action_len).max(1);
        let tile = self.tile(batch, horizon);
        let tiles: Vec<usize> = (0..batch).step_by(tile).collect();
        let unrolled = spread(&tiles, |first| self.unroll_tile(start, actions, first..batch.min(first + tile), save));
        let (mut parts, mut slopes) = (Vec::with_capacity(tiles.len()), Vec::with_capacity(tiles.len()));
        for (latents, saved) in unrolled {
            parts.push(latents);
            slopes.push(saved);
        }
        (side_by_side(parts, horizon), Saved { slopes, horizon, batch, tile, shelf: self.shelf.clone() })
    }

    /// The futures of a tile, `[horizon, futures, latent]`, and the slopes on the way where they are to be saved.
    fn unroll_tile(&self, start: &[f32], actions: &[f32], futures: Range<usize>, save: bool) -> (Vec<f32>, Vec<f32>) {
        let (latent, action_len, rows) = (self.latent, self.action_len, futures.len());
        let batch = start.len() / latent;
        let horizon = actions.len() / (batch * action_len).max(1);
        let (last, hidden_layers) =
            self.mlp.layers.split_last().unwrap_or_else(|| unreachable!("a network has a layer"));
        let first = &self.mlp.layers[0];
        let from_action = &first.weight[latent * first.outputs..];
        let mut hidden: Vec<Vec<f32>> = hidden_layers.iter().map(|layer| vec![0.0; rows * layer.outputs]).collect();
        let width: usize = hidden.iter().map(Vec::len).sum();
        let mut slopes = if save { self.shelf.take(horizon * width) } else { vec![] };
        let mut latents = vec![0.0; horizon * rows * latent];
        let mut driven = vec![0.0; if hidden.is_empty() { rows * first.outputs } else { 0 }];
        let mut rest = &mut slopes[..];
        let mut before = &start[futures.start * latent..futures.end * latent];
        for (step, after) in latents.chunks_exact_mut(rows * latent).enumerate() {
            let acted = (step * batch + futures.start) * action_len..(step * batch + futures.end) * action_len;
            // The first layer's bias and what the actions add to it.
            let to_drive = if hidden.is_empty() { &mut driven } else { &mut hidden[0] };
            self.path.run(|| {
                for (out, action) in
                    to_drive.chunks_exact_mut(first.outputs).zip(actions[acted].chunks_exact(action_len))
                {
                    out.copy_from_slice(&first.bias);
                    for (value, weights) in action.iter().zip(from_action.chunks_exact(first.outputs)) {
                        out.iter_mut().zip(weights).for_each(|(out, weight)| *out += value * weight);
                    }
                }
            });
            for (index, layer) in hidden_layers.iter().enumerate() {
                let (done, next) = hidden.split_at_mut(index);
                let out = &mut next[0];
                if index > 0 {
                    out.chunks_exact_mut(layer.outputs).for_each(|row| row.copy_from_slice(&layer.bias));
                }
                self.packed[index].0.add_product(self.path, done.last().map_or(before, |values| &values[..]), out);
                if save {
                    let (slopes, others) = rest.split_at_mut(out.len());
                    rest = others;
                    silu_with_slope(self.path, out, slopes);
                } else {
                    silu(self.path, out);
                }
            }
            // What comes after is what was before, and the change.
            let offsets = if hidden.is_empty() { &driven } else { &last.bias };
            after.copy_from_slice(before);
            for (row, offsets) in after.chunks_exact_mut(latent).zip(offsets.chunks_exact(latent).cycle()) {
                row.iter_mut().zip(offsets).for_each(|(after, offset)| *after += offset);
            }
            let values = hidden.last().map_or(before, |values| &values[..]);
            self.packed[hidden.len()].0.add_product(self.path, values, after);
            before = after;
        }
        (latents, slopes)
    }

    /// The adjoint of [`Predictor::unroll`]: from the gradient with respect to the latents, `[horizon, batch, latent]`, to
    /// those with respect to the actions, `[horizon, batch, action]`, and the start, `[batch, latent]`.
    fn adjoint(&self, saved: &Saved, latents: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let tiles: Vec<(usize, &Vec<f32>)> =
            saved.slopes.iter().enumerate().map(|(index, slopes)| (index * saved.tile, slopes)).collect();
        let parts = spread(&tiles, |(first, slopes)| {
            self.adjoint_tile(slopes, latents, first..saved.batch.min(first + saved.tile), saved)
        });
        let (mut actions, mut start) = (Vec::with_capacity(parts.len()), Vec::with_capacity(saved.batch * self.latent));
        for (to_actions, to_start) in parts {
            actions.push(to_actions);
            start.extend(to_start);
        }
        (side_by_side(actions, saved.horizon), start)
    }

    fn adjoint_tile(
        &self,
        slopes: &[f32],
        latents: &[f32],
        futures: Range<usize>,
        saved: &Saved,
    ) -> (Vec<f32>, Vec<f32>) {
        let (latent, action_len, rows) = (self.latent, self.action_len, futures.len());
        let first = &self.mlp.layers[0];
        let from_action = &first.weight[latent * first.outputs..];
        let hidden_layers = &self.mlp.layers[..self.mlp.layers.len() - 1];
        let mut deltas: Vec<Vec<f32>> = hidden_layers.iter().map(|layer| vec![0.0; rows * layer.outputs]).collect();
        let mut carried = vec![0.0; rows * latent];
        let mut actions = vec![0.0; saved.horizon * rows * action_len];
        let mut rest = slopes;
        for (step, to_actions) in actions.chunks_exact_mut(rows * action_len).enumerate().rev() {
            let arriving = (step * saved.batch + futures.start) * latent..(step * saved.batch + futures.end) * latent;
            carried.iter_mut().zip(&latents[arriving]).for_each(|(carried, arriving)| *carried += arriving);
            for index in (0..deltas.len()).rev() {
                let (before, after) = deltas.split_at_mut(index + 1);
                let (delta, after) = (&mut before[index], after.first().unwrap_or(&carried));
                self.packed[index + 1].1.product(self.path, after, delta);
                let (others, slopes) = rest.split_at(rest.len() - delta.len());
                rest = others;
                self.path.run(|| delta.iter_mut().zip(slopes).for_each(|(delta, slope)| *delta *= slope));
            }
            let at_first = deltas.first().unwrap_or(&carried);
            self.path.run(|| {
                for (out, delta) in to_actions.chunks_exact_mut(action_len).zip(at_first.chunks_exact(first.outputs)) {
                    for (out, weights) in out.iter_mut().zip(from_action.chunks_exact(first.outputs)) {
                        *out = dot(delta, weights);
                    }
                }
            });
            match deltas.first() {
                Some(delta) => self.packed[0].1.add_product(self.path, delta, &mut carried),
                None => {
                    let delta = carried.clone();
                    self.packed[0].1.add_product(self.path, &delta, &mut carried);
                }
            }
        }
        (actions, carried)
    }
}

/// `work` on each tile, side by side where the current rayon pool has more than one thread; the results in order.
fn spread<T: Copy + Sync, R: Send>(tiles: &[T], work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if tiles.len() < 2 || rayon::current_num_threads() < 2 {
        return tiles.iter().map(|tile| work(*tile)).collect();
    }
    tiles.par_iter().map(|tile| work(*tile)).collect()
}

/// Parts `[horizon, futures, width]` to a whole `[horizon, batch, width]`.
fn side_by_side(mut parts: Vec<Vec<f32>>, horizon: usize) -> Vec<f32> {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let mut whole = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for step in 0..horizon {
        for part in &parts {
            let width = part.len() / horizon;
            whole.extend_from_slice(&part[step * width..(step + 1) * width]);
        }
    }
    whole
}

/// A scalar product in 16 sums, so that the compiler vectorises it.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (lefts, left_rest) = left.as_chunks::<16>();
    let (rights, right_rest) = right.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f32>() + left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum::<f32>()
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
    let rows = actions.shape().0;
    let (latents, saved) = predictor.unroll(&numbers(start), &numbers(&actions), T::OWNS_TAPE);
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
    use crate::network::{Activation, Node, Parameter, linear};
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

    /// Latents and the gradients with respect to actions and start, on so many threads.
    fn on_threads(threads: usize, predictor: &Arc<Predictor>, start: &[f32], actions: &[f32]) -> [Vec<f32>; 3] {
        let device = Cpu::default();
        let batch = start.len() / predictor.latent;
        let start = device.tensor_from_vec(start.to_vec(), (batch, predictor.latent));
        let rows = actions.len() / predictor.action_len;
        let actions = device.tensor_from_vec(actions.to_vec(), (rows, predictor.action_len));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let latents = rollout(predictor, &start, actions.leaky_trace());
            let values = latents.as_vec();
            let gradients = latents.square().sum().backward();
            [values, gradients.get(&actions).as_vec(), gradients.get(&start).as_vec()]
        })
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads_and_nearly_for_any_instructions() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        for case in 0..12 {
            let (latent, action_len) = (rng.gen_range(1..70), rng.gen_range(1..4));
            let (batch, horizon) = (rng.gen_range(1..90), rng.gen_range(1..5));
            let hidden: Vec<usize> = (0..rng.gen_range(0..3)).map(|_| rng.gen_range(1..150)).collect();
            let mut predictor =
                Predictor::new(Mlp::random(latent + action_len, &hidden, latent, 0.5, &mut rng), action_len);
            let (start, actions) = (random(&mut rng, batch * latent), random(&mut rng, horizon * batch * action_len));
            let expected = on_threads(1, &Arc::new(predictor.clone()), &start, &actions);
            for threads in [2, 3, 7] {
                // However little there is to do.
                predictor.worth_a_thread = 1;
                let got = on_threads(threads, &Arc::new(predictor.clone()), &start, &actions);
                assert!(got == expected, "case {case}, {threads} threads");
            }
            for path in Path::available() {
                predictor.path = path;
                let got = on_threads(1, &Arc::new(predictor.clone()), &start, &actions);
                assert!(
                    got.iter().zip(&expected).all(|(got, expected)| close(got, expected) < 1e-4),
                    "{case} {path:?}"
                );
            }
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

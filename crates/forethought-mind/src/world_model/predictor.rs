//! The predictor, `s_{t+1} = s_t + MLP([s_t, a_t])`, or with a floor plan `s_t + MLP([s_t, a_t, glimpse(where(s_t))])`, and its unrolling over a horizon with the exact adjoint, as one
//! operation of dfdx. Read first: [`Predictor::imagine`] and [`rollout`].

use super::{map::MapReader, readout::Readout};
use crate::network::{Inputs, Mlp, PackedMlp, Shelf};
use dfdx::prelude::{Cpu, Gradients, HasShape, PutTape, SplitTape, Tape, Tensor, TensorFromVec};
use forethought_energy::numbers;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::{borrow::Cow, ops::Range, sync::Arc};

/// Futures imagined together: their numbers stay in the nearest cache while they pass through all layers of a step.
const TILE: usize = 24;
/// Multiply-adds, on the way there, below which another thread does not pay.
const WORTH_A_THREAD: usize = 1 << 20;

/// The action-conditioned predictor of a JEPA (Dawid & LeCun 2023, Fig. 10).
#[derive(Debug, Clone)]
pub struct Predictor {
    mlp: Mlp,
    latent: usize,
    action_len: usize,
    looking: Option<Looking>,
    packed: PackedMlp,
    /// Multiply-adds, on the way there, below which another thread does not pay.
    worth_a_thread: usize,
    shelf: Shelf,
}

/// How a predictor looks at the floor plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Looking {
    pub(crate) reader: MapReader,
    /// From a latent to where that is.
    pub(crate) readout: Readout,
}

impl PartialEq for Predictor {
    fn eq(&self, other: &Self) -> bool {
        self.mlp == other.mlp && self.action_len == other.action_len && self.looking == other.looking
    }
}

/// What the way back needs to know of the way there, tile by tile: for each step and hidden layer the activation's slopes,
/// `[horizon, layer, futures, hidden]`.
struct Saved {
    slopes: Vec<Vec<f32>>,
    horizon: usize,
    batch: usize,
    shelf: Shelf,
}

impl Drop for Saved {
    fn drop(&mut self) {
        self.shelf.give_back(self.slopes.drain(..).filter(|slopes| !slopes.is_empty()));
    }
}

impl Predictor {
    /// From an MLP `[latent + action_len + glimpse]` to `[latent]`.
    pub(crate) fn new(mlp: Mlp, action_len: usize, looking: Option<Looking>) -> Self {
        let latent = mlp.outputs();
        let beside = action_len + looking.as_ref().map_or(0, |looking| looking.reader.len());
        assert_eq!(mlp.inputs(), latent + beside, "a predictor of another shape");
        let packed = PackedMlp::new(&mlp, beside);
        Self { mlp, latent, action_len, looking, packed, worth_a_thread: WORTH_A_THREAD, shelf: Shelf::default() }
    }

    /// A predictor of random weights, to measure speed with: what it foretells is worth nothing.
    #[must_use]
    pub fn random(latent: usize, hidden: &[usize], action_len: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::new(Mlp::random(latent + action_len, hidden, latent, 0.1, &mut rng), action_len, None)
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

    /// How many values one prediction acts on: those of all the control steps that it spans.
    #[must_use]
    pub fn action_len(&self) -> usize {
        self.action_len
    }

    /// How many values of a floor plan this predictor reads; 0 where it needs none.
    #[must_use]
    pub fn map_len(&self) -> usize {
        self.looking.as_ref().map_or(0, |looking| looking.reader.map_len())
    }

    /// Imagine: from `start` `[batch, latent]` in a place with this floor plan, `[map_len]`, under `actions` `[horizon, batch, action]` to the latents after each,
    /// `[horizon, batch, latent]`. All row by row; spread over the threads of the current rayon pool, to the same bits
    /// however many there are.
    #[must_use]
    pub fn imagine(&self, start: &[f32], actions: &[f32], map: &[f32]) -> Vec<f32> {
        let batch = start.len() / self.latent;
        let horizon = actions.len() / (batch * self.action_len).max(1);
        let parts = self.in_parts(batch, horizon, |futures| {
            let actions = part_of(actions, batch, &futures, self.action_len);
            self.unroll(&start[futures.start * self.latent..futures.end * self.latent], &actions, map, false).0
        });
        side_by_side(parts, horizon)
    }

    /// `work` on ranges of `batch` futures, which are independent of each other: few enough at once for the caches, and
    /// some for every thread of the current rayon pool where that pays. The results in order.
    pub fn in_parts<R: Send>(
        &self,
        batch: usize,
        horizon: usize,
        work: impl Fn(Range<usize>) -> R + Send + Sync,
    ) -> Vec<R> {
        let threads = rayon::current_num_threads();
        let of_one = self.mlp.layers.iter().map(|layer| layer.weight.len()).sum::<usize>() * horizon;
        let paying = batch * of_one / self.worth_a_thread.max(1);
        let few = batch.div_ceil(TILE);
        let parts = few.next_multiple_of(threads).min(paying.max(few)).min(batch);
        let range = |part: usize| part * batch / parts..(part + 1) * batch / parts;
        if parts < 2 || threads < 2 {
            return (0..parts).map(|part| work(range(part))).collect();
        }
        (0..parts).into_par_iter().map(|part| work(range(part))).collect()
    }

    fn unroll(&self, start: &[f32], actions: &[f32], map: &[f32], save: bool) -> (Vec<f32>, Saved) {
        let batch = start.len() / self.latent;
        let horizon = actions.len() / (batch * self.action_len).max(1);
        let (mut parts, mut slopes) = (Vec::new(), Vec::new());
        for first in (0..batch).step_by(TILE) {
            let (latents, saved) = self.unroll_tile(start, actions, map, first..batch.min(first + TILE), save);
            parts.push(latents);
            slopes.push(saved);
        }
        (side_by_side(parts, horizon), Saved { slopes, horizon, batch, shelf: self.shelf.clone() })
    }

    /// The futures of a tile, `[horizon, futures, latent]`, and the slopes on the way where they are to be saved.
    fn unroll_tile(
        &self,
        start: &[f32],
        actions: &[f32],
        map: &[f32],
        futures: Range<usize>,
        save: bool,
    ) -> (Vec<f32>, Vec<f32>) {
        let (latent, action_len, rows) = (self.latent, self.action_len, futures.len());
        let batch = start.len() / latent;
        let horizon = actions.len() / (batch * action_len).max(1);
        let width = self.packed.hidden(rows);
        let mut hidden = vec![0.0; width];
        let mut slopes = if save { self.shelf.take(horizon * width) } else { vec![] };
        let mut latents = vec![0.0; horizon * rows * latent];
        let mut rest = &mut slopes[..];
        let mut before = &start[futures.start * latent..futures.end * latent];
        let mut with_glimpses = Vec::new();
        for (step, after) in latents.chunks_exact_mut(rows * latent).enumerate() {
            let acted = (step * batch + futures.start) * action_len..(step * batch + futures.end) * action_len;
            let beside = match &self.looking {
                None => &actions[acted],
                Some(looking) => {
                    looking.beside(map, before, &actions[acted], rows, &mut with_glimpses);
                    &with_glimpses[..]
                }
            };
            let inputs = Inputs { main: (before, latent), beside };
            // What comes after is what was before, and the change.
            after.copy_from_slice(before);
            self.packed.forward(inputs, &mut hidden, rest.split_off_mut(..width).unwrap_or_default(), after);
            before = after;
        }
        (latents, slopes)
    }

    /// The adjoint of [`Predictor::unroll`]: from the gradient with respect to the latents, `[horizon, batch, latent]`, to
    /// those with respect to the actions, `[horizon, batch, action]`, and the start, `[batch, latent]`.
    fn adjoint(&self, saved: &Saved, latents: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut actions, mut start) = (Vec::new(), Vec::with_capacity(saved.batch * self.latent));
        for (slopes, first) in saved.slopes.iter().zip((0..).step_by(TILE)) {
            let futures = first..saved.batch.min(first + TILE);
            let (to_actions, to_start) = self.adjoint_tile(slopes, latents, futures, saved);
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
        let width = self.packed.hidden(rows);
        let mut deltas = vec![0.0; width];
        let (mut carried, mut at_out) = (vec![0.0; rows * latent], vec![0.0; rows * latent]);
        let mut actions = vec![0.0; saved.horizon * rows * action_len];
        let beside = self.packed.beside();
        let mut to_beside = vec![0.0; if beside == action_len { 0 } else { rows * beside }];
        for (step, to_actions) in actions.chunks_exact_mut(rows * action_len).enumerate().rev() {
            let arriving = (step * saved.batch + futures.start) * latent..(step * saved.batch + futures.end) * latent;
            carried.iter_mut().zip(&latents[arriving]).for_each(|(carried, arriving)| *carried += arriving);
            at_out.copy_from_slice(&carried);
            let at_out = (&at_out[..], latent);
            self.packed.deltas(&slopes[step * width..(step + 1) * width], at_out, &mut deltas);
            if beside == action_len {
                self.packed.to_beside(&deltas, at_out, to_actions);
            } else {
                // What the plan shows counts as given: walls do not move with the thought.
                self.packed.to_beside(&deltas, at_out, &mut to_beside);
                for (to, from) in to_actions.chunks_exact_mut(action_len).zip(to_beside.chunks_exact(beside)) {
                    to.copy_from_slice(&from[..action_len]);
                }
            }
            self.packed.add_to_main(&deltas, at_out, (&mut carried, latent));
        }
        (actions, carried)
    }
}

impl Looking {
    /// Each row's actions and what it sees, `[rows, actions + glimpse]`.
    fn beside(&self, map: &[f32], latents: &[f32], actions: &[f32], rows: usize, out: &mut Vec<f32>) {
        let (latent, acting, seen) = (latents.len() / rows, actions.len() / rows, self.reader.len());
        out.resize(rows * (acting + seen), 0.0);
        let given = latents.chunks_exact(latent).zip(actions.chunks_exact(acting));
        for (out, (latent, actions)) in out.chunks_exact_mut(acting + seen).zip(given) {
            out[..acting].copy_from_slice(actions);
            self.reader.read(map, self.readout.position_m(latent), &mut out[acting..]);
        }
    }
}

/// Of a whole `[horizon, batch, width]` what belongs to some of the futures.
#[must_use]
pub fn part_of<'a>(whole: &'a [f32], batch: usize, futures: &Range<usize>, width: usize) -> Cow<'a, [f32]> {
    if futures.len() == batch {
        return Cow::Borrowed(whole);
    }
    let steps = whole.chunks_exact((batch * width).max(1));
    steps.flat_map(|step| &step[futures.start * width..futures.end * width]).copied().collect()
}

/// Parts `[horizon, futures, width]` to a whole `[horizon, batch, width]`.
#[must_use]
pub fn side_by_side(mut parts: Vec<Vec<f32>>, horizon: usize) -> Vec<f32> {
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

/// [`Predictor::imagine`] as one operation on dfdx's tape: `start` `[batch, latent]` and `actions`
/// `[horizon * batch, action]` to latents `[horizon * batch, latent]`, differentiable in both. The weights get no gradient.
/// On the calling thread: [`Predictor::in_parts`] spreads it, together with what goes before and comes after.
#[must_use]
pub fn rollout<T: Tape<f32, Cpu>>(
    predictor: &Arc<Predictor>,
    start: &Tensor<(usize, usize), f32, Cpu>,
    actions: Tensor<(usize, usize), f32, Cpu, T>,
    map: &[f32],
) -> Tensor<(usize, usize), f32, Cpu, T> {
    let device = start.device().clone();
    let (actions, mut tape) = actions.split_tape();
    let rows = actions.shape().0;
    let (latents, saved) = predictor.unroll(&numbers(start), &numbers(&actions), map, T::OWNS_TAPE);
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
    use crate::network::{
        Path,
        stock::{Stock, difference},
    };
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
        let stock = Stock::new(mlp);
        let mut tape = OwnedTape::default();
        let mut state = start.clone();
        let (mut latents, mut loss) = (Vec::new(), device.tensor(0.0_f32));
        for step in 0..rows / batch {
            let (action, t) = actions.clone().put_tape(tape).slice((step * batch..(step + 1) * batch, ..)).split_tape();
            let action = action.realize::<(usize, usize)>();
            let joined = (state.clone().put_tape(t), action).concat_along(Axis::<1>);
            let (change, t) = stock.forward(joined).split_tape();
            let (next, t) = (state.put_tape(t) + change).split_tape();
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

            let predictor = Arc::new(Predictor::new(mlp.clone(), action_len, None));
            let latents = rollout(&predictor, &start, actions.leaky_trace(), &[]);
            let values = latents.as_vec();
            let weighted = latents * device.tensor_from_vec(weights.clone(), (horizon * batch, latent));
            let gradients = weighted.sum().backward();

            let (expected, expected_gradients) = stock(&mlp, &start, &actions, &weights);
            assert!(difference(&values, &expected) < 1e-5, "case {case}");
            assert!(
                difference(&gradients.get(&actions).as_vec(), &expected_gradients.get(&actions).as_vec()) < 1e-4,
                "case {case}"
            );
            assert!(
                difference(&gradients.get(&start).as_vec(), &expected_gradients.get(&start).as_vec()) < 1e-4,
                "case {case}"
            );
            assert_eq!(predictor.imagine(&start.as_vec(), &actions.as_vec(), &[]), values);
        }
    }

    /// Latents and the gradients with respect to actions and start, on so many threads.
    fn on_threads(threads: usize, predictor: &Arc<Predictor>, start: &[f32], actions: &[f32]) -> [Vec<f32>; 3] {
        let device = Cpu::default();
        let (latent, width) = (predictor.latent, predictor.action_len);
        let batch = start.len() / latent;
        let horizon = actions.len() / (batch * width);
        let of_part = |futures: Range<usize>| {
            let start = start[futures.start * latent..futures.end * latent].to_vec();
            let start = device.tensor_from_vec(start, (futures.len(), latent));
            let actions = part_of(actions, batch, &futures, width).into_owned();
            let actions = device.tensor_from_vec(actions, (horizon * futures.len(), width));
            let latents = rollout(predictor, &start, actions.leaky_trace(), &[]);
            let values = latents.as_vec();
            let gradients = latents.square().sum().backward();
            [values, gradients.get(&actions).as_vec(), gradients.get(&start).as_vec()]
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let parts = predictor.in_parts(batch, horizon, of_part);
            let all = |i: usize| parts.iter().map(|part| part[i].clone()).collect();
            let latents = side_by_side(all(0), horizon);
            assert_eq!(predictor.imagine(start, actions, &[]), latents);
            [latents, side_by_side(all(1), horizon), side_by_side(all(2), 1)]
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
                Predictor::new(Mlp::random(latent + action_len, &hidden, latent, 0.5, &mut rng), action_len, None);
            let (start, actions) = (random(&mut rng, batch * latent), random(&mut rng, horizon * batch * action_len));
            let expected = on_threads(1, &Arc::new(predictor.clone()), &start, &actions);
            for threads in [2, 3, 7] {
                // However little there is to do.
                predictor.worth_a_thread = 1;
                let got = on_threads(threads, &Arc::new(predictor.clone()), &start, &actions);
                assert!(got == expected, "case {case}, {threads} threads");
            }
            for path in Path::available() {
                predictor.packed.path = path;
                let got = on_threads(1, &Arc::new(predictor.clone()), &start, &actions);
                assert!(
                    got.iter().zip(&expected).all(|(got, expected)| difference(got, expected) < 1e-4),
                    "{case} {path:?}"
                );
            }
        }
    }
}

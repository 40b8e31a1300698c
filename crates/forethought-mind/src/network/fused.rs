//! Fused operations on dfdx's tape: a whole network over many rows, or unrolled over time, where dfdx would take a product,
//! a broadcast, a sum and three element-wise passes for each layer. Read first: [`Trainee`], [`apply`] and [`unroll`].

use super::{
    Mlp, Shelf,
    packed::{Filling, row_stride},
    packed_mlp::{Inputs, PackedMlp},
};
use dfdx::prelude::{Cpu, CpuError, Gradients, HasShape, OwnedTape, Tape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, numbers};
use std::sync::Arc;

/// Rows that pass through a network together: few enough for the caches, and enough that a weight's gradient, which each
/// tile reads and writes as a whole, costs little more than the arithmetic.
const TILE: usize = 96;

/// A network in training.
#[derive(Debug, Clone)]
pub(crate) struct Trainee {
    packed: Arc<PackedMlp>,
    /// Stands for all weights and biases, by turns: their gradient gathers here. It is empty, so that dfdx allocates none.
    parameters: Tensor<(usize,), f32, Cpu>,
    shelf: Shelf,
    /// Gradients that are no longer needed.
    gradients: Shelf,
}

impl Trainee {
    /// A network whose last `beside` inputs are few and need no gradient.
    pub(crate) fn new(mlp: &Mlp, beside: usize) -> Self {
        let parameters = Cpu::default().tensor_from_vec(vec![], (0,));
        let packed = Arc::new(PackedMlp::new(mlp, beside));
        Self { packed, parameters, shelf: Shelf::default(), gradients: Shelf::default() }
    }

    /// How many inputs need no gradient.
    pub(crate) fn beside(&self) -> usize {
        self.packed.beside()
    }

    /// Take over other weights; see [`PackedMlp::refill`].
    pub(crate) fn refill<'a>(&'a mut self, mlp: &'a Mlp) -> impl Iterator<Item = Filling<'a>> {
        Arc::make_mut(&mut self.packed).refill(mlp)
    }

    /// The gradient that has gathered, weights and biases by turns.
    pub(crate) fn gradient(&self, gradients: &mut Gradients<f32, Cpu>) -> Vec<f32> {
        let gathered = gradients.get_or_alloc_mut(&self.parameters.ghost());
        std::mem::take(&mut **gathered.unwrap_or_else(|error| unreachable!("memory for numbers: {error:?}")))
    }

    /// Take back what [`Trainee::gradient`] gave, to be used again.
    pub(crate) fn recycle(&self, gradient: Vec<f32>) {
        self.gradients.give_back([gradient]);
    }

    /// Where the way back adds to the gradient.
    fn gather(&self) -> Gather {
        let (parameters, count) = (self.parameters.clone(), self.packed.parameters());
        Gather { parameters, count, shelf: self.gradients.clone() }
    }
}

/// Where the gradient by weights and biases gathers.
struct Gather {
    parameters: Tensor<(usize,), f32, Cpu>,
    count: usize,
    shelf: Shelf,
}

impl Gather {
    /// The gradient so far.
    fn take(&self, gradients: &mut Gradients<f32, Cpu>) -> Result<Vec<f32>, CpuError> {
        let gathered = std::mem::take(&mut **gradients.get_or_alloc_mut(&self.parameters.ghost())?);
        if !gathered.is_empty() {
            return Ok(gathered);
        }
        let mut fresh = self.shelf.take(self.count);
        fresh.fill(0.0);
        Ok(fresh)
    }

    fn put(&self, gradients: &mut Gradients<f32, Cpu>, gradient: Vec<f32>) -> Result<(), CpuError> {
        **gradients.get_or_alloc_mut(&self.parameters.ghost())? = gradient;
        Ok(())
    }
}

/// What the way back needs of the way there: what each tile's hidden layers gave, and the activations' slopes.
struct Saved {
    /// `[hidden, slopes]`, each tile by tile.
    numbers: Vec<f32>,
    shelf: Shelf,
}

impl Saved {
    fn new(shelf: &Shelf, length: usize) -> Self {
        Self { numbers: shelf.take(2 * length), shelf: shelf.clone() }
    }

    fn halves(&self) -> (&[f32], &[f32]) {
        self.numbers.split_at(self.numbers.len() / 2)
    }

    fn halves_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        let half = self.numbers.len() / 2;
        self.numbers.split_at_mut(half)
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        self.shelf.give_back([std::mem::take(&mut self.numbers)]);
    }
}

/// First row and number of rows of each tile.
fn tiles(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(TILE).map(move |first| (first, TILE.min(rows - first)))
}

/// A network on `input`, `[rows, inputs]` row by row. If these are the numbers of a tensor, `of`, then it gets a gradient.
pub(crate) fn apply(network: &Trainee, input: Vec<f32>, of: Option<&Matrix>, tape: &mut OwnedTape<f32, Cpu>) -> Matrix {
    let packed = network.packed.clone();
    let (width, outputs, per_row) = (packed.main(), packed.outputs(), packed.hidden(1));
    let rows = input.len() / width;
    let mut saved = Saved::new(&network.shelf, rows * per_row);
    let mut out = vec![0.0; rows * outputs];
    let (hidden, slopes) = saved.halves_mut();
    for (first, count) in tiles(rows) {
        let at = |width: usize| first * width..(first + count) * width;
        let inputs = Inputs { main: (&input[at(width)], width), beside: &[] };
        packed.forward(inputs, &mut hidden[at(per_row)], &mut slopes[at(per_row)], &mut out[at(outputs)]);
    }
    let out = Cpu::default().tensor_from_vec(out, (rows, outputs));

    let (out_ghost, gather, of) = (out.ghost(), network.gather(), of.map(Tensor::ghost));
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        let mut gradient = gather.take(gradients)?;
        let mut to_input = match &of {
            Some(of) => std::mem::take(&mut **gradients.get_or_alloc_mut(of)?),
            None => vec![],
        };
        let stride = row_stride(outputs);
        let (mut deltas, mut at_out) = (vec![0.0; TILE * per_row], vec![0.0; TILE * stride]);
        let (hidden, slopes) = saved.halves();
        for (first, count) in tiles(rows) {
            let at = |width: usize| first * width..(first + count) * width;
            for (to, from) in at_out.chunks_exact_mut(stride).zip(arriving[at(outputs)].chunks_exact(outputs)) {
                to[..outputs].copy_from_slice(from);
            }
            let (deltas, at_out) = (&mut deltas[..count * per_row], (&at_out[..count * stride], stride));
            packed.deltas(&slopes[at(per_row)], at_out, deltas);
            let inputs = Inputs { main: (&input[at(width)], width), beside: &[] };
            packed.add_to_weights(inputs, &hidden[at(per_row)], deltas, at_out, &mut gradient);
            if !to_input.is_empty() {
                packed.add_to_main(deltas, at_out, (&mut to_input[at(width)], width));
            }
        }
        if let Some(of) = &of {
            **gradients.get_or_alloc_mut(of)? = to_input;
        }
        gather.put(gradients, gradient)
    });
    out
}

/// `s_{t+1} = s_t + network([s_t, a_t])` from `start`, `[batch, latent]`, under `actions`, `[horizon * batch, action]` row
/// by row: the latents after each, `[horizon * batch, latent]`. If the first columns of `actions` are the numbers of a tensor,
/// `of`, then it gets a gradient.
pub(crate) fn unroll(
    network: &Trainee,
    start: &Matrix,
    actions: Vec<f32>,
    of: Option<&Matrix>,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Matrix {
    let packed = network.packed.clone();
    let (latent, beside, per_row) = (packed.main(), packed.beside(), packed.hidden(1));
    let (batch, rows) = (start.shape().0, actions.len() / beside);
    let mut saved = Saved::new(&network.shelf, rows * per_row);
    // The start, and what comes after each step.
    let mut states = vec![0.0; (batch + rows) * latent];
    start.copy_into(&mut states[..batch * latent]);
    let (hidden, slopes) = saved.halves_mut();
    for (first, count) in tiles(batch) {
        for row in (first..rows).step_by(batch) {
            let at = |width: usize| row * width..(row + count) * width;
            let (before, after) = states.split_at_mut((row + batch) * latent);
            let (before, after) = (&before[at(latent)], &mut after[..count * latent]);
            after.copy_from_slice(before);
            let inputs = Inputs { main: (before, latent), beside: &actions[at(beside)] };
            packed.forward(inputs, &mut hidden[at(per_row)], &mut slopes[at(per_row)], after);
        }
    }
    let out = Cpu::default().tensor_from_vec(states[batch * latent..].to_vec(), (rows, latent));

    let (out_ghost, gather, start) = (out.ghost(), network.gather(), start.ghost());
    let of = of.map(|of| (of.ghost(), of.shape().1));
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        let mut gradient = gather.take(gradients)?;
        let mut to_beside = vec![0.0; if of.is_some() { actions.len() } else { 0 }];
        let to_start = gradients.get_or_alloc_mut(&start)?;
        let stride = row_stride(latent);
        let (mut deltas, mut at_out) = (vec![0.0; TILE * per_row], vec![0.0; TILE * stride]);
        let (hidden, slopes) = saved.halves();
        for (first, count) in tiles(batch) {
            let mut carried = vec![0.0; count * stride];
            for row in (first..rows).step_by(batch).rev() {
                let at = |width: usize| row * width..(row + count) * width;
                for (carried, arriving) in
                    carried.chunks_exact_mut(stride).zip(arriving[at(latent)].chunks_exact(latent))
                {
                    carried.iter_mut().zip(arriving).for_each(|(carried, arriving)| *carried += arriving);
                }
                at_out[..carried.len()].copy_from_slice(&carried);
                let (deltas, at_out) = (&mut deltas[..count * per_row], (&at_out[..count * stride], stride));
                packed.deltas(&slopes[at(per_row)], at_out, deltas);
                let inputs = Inputs { main: (&states[at(latent)], latent), beside: &actions[at(beside)] };
                packed.add_to_weights(inputs, &hidden[at(per_row)], deltas, at_out, &mut gradient);
                packed.add_to_main(deltas, at_out, (&mut carried, stride));
                if of.is_some() {
                    packed.to_beside(deltas, at_out, &mut to_beside[at(beside)]);
                }
            }
            let to_start = to_start[first * latent..(first + count) * latent].chunks_exact_mut(latent);
            for (sums, carried) in to_start.zip(carried.chunks_exact(stride)) {
                sums.iter_mut().zip(carried).for_each(|(sum, carried)| *sum += carried);
            }
        }
        if let Some((of, columns)) = &of {
            let sums = gradients.get_or_alloc_mut(of)?.chunks_exact_mut(*columns);
            for (sums, row) in sums.zip(to_beside.chunks_exact(beside)) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        gather.put(gradients, gradient)
    });
    out
}

/// Rows `first .. first + count` of a matrix, whose numbers are at hand.
pub(crate) fn rows(of: &Matrix, numbers: &[f32], first: usize, count: usize, tape: &mut OwnedTape<f32, Cpu>) -> Matrix {
    let columns = of.shape().1;
    let range = first * columns..(first + count) * columns;
    let out = Cpu::default().tensor_from_vec(numbers[range.clone()].to_vec(), (count, columns));
    let (of, out_ghost) = (of.ghost(), out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let delta = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        let target = &mut gradients.get_or_alloc_mut(&of)?[range];
        target.iter_mut().zip(delta).for_each(|(sum, delta)| *sum += delta);
        Ok(())
    });
    out
}

/// The mean of the squared differences.
pub(crate) fn mean_square(left: &Matrix, right: &Matrix, tape: &mut OwnedTape<f32, Cpu>) -> Tensor<(), f32, Cpu> {
    let mut differences = numbers(left);
    let mut sums = [0.0_f32; 16];
    for (left, right) in differences.chunks_mut(16).zip(numbers(right).chunks(16)) {
        for ((left, right), sum) in left.iter_mut().zip(right).zip(&mut sums) {
            *left -= right;
            *sum += *left * *left;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^24 numbers")]
    let share = 1.0 / differences.len() as f32;
    let out = Cpu::default().tensor_from_vec(vec![share * sums.iter().sum::<f32>()], ());
    let (left, right, out_ghost) = (left.ghost(), right.ghost(), out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let slope = 2.0 * share * gradients.get_or_alloc_mut(&out_ghost)?[0];
        for (side, slope) in [(left, slope), (right, -slope)] {
            let sums = gradients.get_or_alloc_mut(&side)?;
            sums.iter_mut().zip(&differences).for_each(|(sum, difference)| *sum += slope * difference);
        }
        Ok(())
    });
    out
}

/// The mean of the squared differences between what was told and `targets`, of which those below what was told count `2 tau` and
/// those above it `2 (1 - tau)`. A target that is NaN counts nothing.
pub(crate) fn expectile_square(
    told: &Matrix,
    targets: &[f32],
    tau: f32,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Tensor<(), f32, Cpu> {
    let mut slopes = numbers(told);
    #[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^24 numbers")]
    let share = 1.0 / slopes.len() as f32;
    let mut sum = 0.0;
    for (value, target) in slopes.iter_mut().zip(targets) {
        // No target, no error.
        let difference = if target.is_nan() { 0.0 } else { *value - target };
        let weight = 2.0 * if difference > 0.0 { tau } else { 1.0 - tau };
        sum += weight * difference * difference;
        *value = 2.0 * share * weight * difference;
    }
    let out = Cpu::default().tensor_from_vec(vec![share * sum], ());
    let (told, out_ghost) = (told.ghost(), out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&out_ghost)?[0];
        let sums = gradients.get_or_alloc_mut(&told)?;
        sums.iter_mut().zip(&slopes).for_each(|(sum, slope)| *sum += arriving * slope);
        Ok(())
    });
    out
}

/// Two matrices of the same shape side by side.
pub(crate) fn beside(left: &Matrix, right: &Matrix, tape: &mut OwnedTape<f32, Cpu>) -> Matrix {
    let (rows, columns) = *left.shape();
    let mut joined = Vec::with_capacity(2 * rows * columns);
    for (left, right) in numbers(left).chunks_exact(columns).zip(numbers(right).chunks_exact(columns)) {
        joined.extend_from_slice(left);
        joined.extend_from_slice(right);
    }
    let out = Cpu::default().tensor_from_vec(joined, (rows, 2 * columns));
    let (sides, out_ghost) = ([left.ghost(), right.ghost()], out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let delta = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        for (index, side) in sides.iter().enumerate() {
            let sums = gradients.get_or_alloc_mut(side)?.chunks_exact_mut(columns);
            for (sums, delta) in sums.zip(delta.chunks_exact(columns).skip(index).step_by(2)) {
                sums.iter_mut().zip(delta).for_each(|(sum, delta)| *sum += delta);
            }
        }
        Ok(())
    });
    out
}

#[cfg(test)]
mod tests {
    use super::{
        super::stock::{Stock, difference},
        *,
    };
    use dfdx::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect()
    }

    fn network(rng: &mut ChaCha8Rng, inputs: usize, outputs: usize) -> Mlp {
        let hidden: Vec<usize> = (0..rng.gen_range(0..4)).map(|_| rng.gen_range(1..40)).collect();
        let mut mlp = Mlp::random(inputs, &hidden, outputs, 0.5, rng);
        mlp.layers.iter_mut().for_each(|layer| layer.bias = random(rng, layer.outputs));
        mlp
    }

    /// From what came out and its weights in the loss: the loss's gradients.
    fn backward(out: &Matrix, tape: OwnedTape<f32, Cpu>, weights: &[f32]) -> Gradients<f32, Cpu> {
        let weights = Cpu::default().tensor_from_vec(weights.to_vec(), *out.shape());
        (out.clone().put_tape(tape) * weights).sum().backward()
    }

    #[test]
    fn a_network_agrees_with_dfdx_on_random_shapes() {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        for case in 0..40 {
            let (inputs, outputs, rows) = (rng.gen_range(1..40), rng.gen_range(1..20), rng.gen_range(1..150));
            let mlp = network(&mut rng, inputs, outputs);
            let input = Cpu::default().tensor_from_vec(random(&mut rng, rows * inputs), (rows, inputs));
            let weights = random(&mut rng, rows * outputs);

            let mut trainee = Trainee::new(&network_like(&mlp), 0);
            trainee.refill(&mlp).for_each(Filling::fill);
            // Once more, in memory that has been used before.
            for _ in 0..2 {
                let mut tape = OwnedTape::default();
                let out = apply(&trainee, input.as_vec(), Some(&input), &mut tape);
                let mut gradients = backward(&out, tape, &weights);

                let stock = Stock::new(&mlp);
                let (expected, tape) = stock.forward(input.leaky_trace()).split_tape();
                let stock_gradients = backward(&expected, tape, &weights);
                assert!(difference(&out.as_vec(), &expected.as_vec()) < 1e-5, "case {case}");
                let (got, expected) = (gradients.get(&input).as_vec(), stock_gradients.get(&input).as_vec());
                assert!(difference(&got, &expected) < 1e-4, "case {case}");
                let (got, expected) = (trainee.gradient(&mut gradients), stock.gradient(&stock_gradients));
                assert!(difference(&got, &expected) < 1e-4, "case {case}");
            }
        }
    }

    /// Of the same shape, with other numbers.
    fn network_like(mlp: &Mlp) -> Mlp {
        let mut other = mlp.clone();
        for layer in &mut other.layers {
            layer.weight.fill(0.5);
            layer.bias.fill(0.5);
        }
        other
    }

    #[test]
    fn an_unrolled_network_agrees_with_dfdx_on_random_shapes() {
        let mut rng = ChaCha8Rng::seed_from_u64(22);
        let device = Cpu::default();
        for case in 0..40 {
            let (latent, action_len) = (rng.gen_range(1..20), rng.gen_range(1..4));
            let (batch, horizon) = (rng.gen_range(1..100), rng.gen_range(1..6));
            let mlp = network(&mut rng, latent + action_len, latent);
            let start = device.tensor_from_vec(random(&mut rng, batch * latent), (batch, latent));
            let actions = random(&mut rng, horizon * batch * action_len);
            let weights = random(&mut rng, horizon * batch * latent);

            let trainee = Trainee::new(&mlp, action_len);
            let mut tape = OwnedTape::default();
            // The first columns are those of a tensor.
            let columns = rng.gen_range(1..=action_len);
            let of: Vec<f32> = actions.chunks_exact(action_len).flat_map(|row| &row[..columns]).copied().collect();
            let of = device.tensor_from_vec(of, (horizon * batch, columns));
            let out = unroll(&trainee, &start, actions.clone(), Some(&of), &mut tape);
            let mut gradients = backward(&out, tape, &weights);

            let stock = Stock::new(&mlp);
            let (mut tape, mut state, mut loss) = (OwnedTape::default(), start.clone(), device.tensor(0.0_f32));
            let (mut latents, mut acted) = (vec![], vec![]);
            for (actions, weights) in actions.chunks_exact(batch * action_len).zip(weights.chunks_exact(batch * latent))
            {
                let actions = device.tensor_from_vec(actions.to_vec(), (batch, action_len));
                acted.push(actions.clone());
                let joined = (state.clone().put_tape(tape), actions).concat_along(Axis::<1>);
                let (change, t) = stock.forward(joined).split_tape();
                let (next, t) = (state.put_tape(t) + change).split_tape();
                state = next;
                latents.extend(state.as_vec());
                let weights = device.tensor_from_vec(weights.to_vec(), (batch, latent));
                let (part, t) = (state.clone().put_tape(t) * weights).sum().split_tape();
                (loss, tape) = (loss.put_tape(t) + part).split_tape();
            }
            let stock_gradients = loss.put_tape(tape).backward();
            assert!(difference(&out.as_vec(), &latents) < 1e-5, "case {case}");
            let (got, expected) = (gradients.get(&start).as_vec(), stock_gradients.get(&start).as_vec());
            assert!(difference(&got, &expected) < 1e-4, "case {case}");
            let (got, expected) = (trainee.gradient(&mut gradients), stock.gradient(&stock_gradients));
            assert!(difference(&got, &expected) < 1e-4, "case {case}");
            let of_step = |acted: &Matrix| stock_gradients.get(acted).as_vec();
            let expected: Vec<f32> = acted.iter().flat_map(of_step).collect();
            let expected: Vec<f32> =
                expected.chunks_exact(action_len).flat_map(|row| &row[..columns]).copied().collect();
            assert!(difference(&gradients.get(&of).as_vec(), &expected) < 1e-4, "case {case}");
        }
    }

    #[test]
    fn small_operations_agree_with_their_formulas() {
        let mut rng = ChaCha8Rng::seed_from_u64(23);
        let numbers = random(&mut rng, 7 * 5);
        let values = Cpu::default().tensor_from_vec(numbers.clone(), (7, 5));
        let mut tape = OwnedTape::default();
        let (first, second) = (rows(&values, &numbers, 0, 4, &mut tape), rows(&values, &numbers, 2, 4, &mut tape));
        let both = beside(&first, &second, &mut tape);
        let error = mean_square(&first, &second, &mut tape);
        let (squares, tape) = both.put_tape(tape).square().sum().split_tape();
        let gradient = (error.clone().put_tape(tape) + squares.clone()).backward().get(&values).as_vec();

        let (mut expected, mut total, mut mean) = (vec![0.0; 35], 0.0, 0.0);
        for (left, right) in (0..20).map(|index| (index, index + 10)) {
            let (l, r) = (numbers[left], numbers[right]);
            total += l * l + r * r;
            mean += (l - r) * (l - r) / 20.0;
            expected[left] += 2.0 * l + (l - r) / 10.0;
            expected[right] += 2.0 * r - (l - r) / 10.0;
        }
        assert!((squares.as_vec()[0] - total).abs() < 1e-4 && (error.as_vec()[0] - mean).abs() < 1e-6);
        assert!(difference(&gradient, &expected) < 1e-5);
    }
}

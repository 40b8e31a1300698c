//! Fused operations on dfdx's tape: a whole layer at once, where dfdx would take a product, a broadcast, a sum and three
//! element-wise passes. Read first: [`linear`].

use super::{Activation, Operand, Path, multiply, silu_with_slope};
use dfdx::prelude::{Cpu, Gradients, OwnedTape, Tape, Tensor, TensorFromVec};
use std::sync::Arc;

/// A matrix on dfdx's tape, with its numbers at hand.
#[derive(Clone)]
pub(crate) struct Node {
    /// What dfdx knows of it.
    pub(crate) tensor: Tensor<(usize, usize), f32, Cpu>,
    /// `[rows, columns]`, row by row.
    pub(crate) data: Arc<Vec<f32>>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Node {
    pub(crate) fn new(device: &Cpu, data: Vec<f32>, rows: usize, columns: usize) -> Self {
        let tensor = device.tensor_from_vec(data.clone(), (rows, columns));
        Self { tensor, data: Arc::new(data), rows, columns }
    }
}

/// A layer's weight `[inputs, outputs]` and bias `[1, outputs]`, to be trained.
pub(crate) struct Parameter {
    pub(crate) weight: Node,
    pub(crate) bias: Node,
}

/// `activation([inputs..., constant] · weight + bias)`.
///
/// The inputs stand side by side, each `[rows, columns]`; `constant`, `[rows, columns]` row by row, follows them and gets
/// no gradient.
pub(crate) fn linear(
    device: &Cpu,
    inputs: &[&Node],
    constant: Option<&[f32]>,
    parameter: &Parameter,
    activation: Activation,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Node {
    let rows = inputs[0].rows;
    let (width, outputs) = (parameter.weight.rows, parameter.weight.columns);
    let joined = match (inputs, constant) {
        ([only], None) => only.data.clone(),
        _ => Arc::new(join(inputs, constant, rows, width)),
    };
    let mut out = Vec::with_capacity(rows * outputs);
    for _ in 0..rows {
        out.extend_from_slice(&parameter.bias.data);
    }
    multiply(&mut out, Operand::new(&joined, rows, width), Operand::new(&parameter.weight.data, width, outputs), true);
    let slopes = (activation == Activation::Silu).then(|| {
        let mut slopes = vec![0.0; out.len()];
        silu_with_slope(Path::best(), &mut out, &mut slopes);
        slopes
    });
    let node = Node::new(device, out, rows, outputs);

    let out_ghost = node.tensor.ghost();
    let (weight_ghost, bias_ghost) = (parameter.weight.tensor.ghost(), parameter.bias.tensor.ghost());
    let input_ghosts: Vec<_> = inputs.iter().map(|input| (input.tensor.ghost(), input.columns)).collect();
    let weight = parameter.weight.data.clone();
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let mut delta = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        if let Some(slopes) = slopes {
            delta.iter_mut().zip(slopes).for_each(|(delta, slope)| *delta *= slope);
        }
        let bias_gradient = gradients.get_or_alloc_mut(&bias_ghost)?;
        for row in delta.chunks_exact(outputs) {
            bias_gradient.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta);
        }
        let weight_gradient = gradients.get_or_alloc_mut(&weight_ghost)?;
        let (joined, delta_rows) = (Operand::transposed(&joined, rows, width), Operand::new(&delta, rows, outputs));
        multiply(weight_gradient, joined, delta_rows, true);
        let mut first = 0;
        for (ghost, columns) in input_ghosts {
            // The rows of the weight that this input meets; their transpose leads back to it.
            let part = &weight[first * outputs..(first + columns) * outputs];
            let back = Operand::transposed(part, columns, outputs);
            multiply(gradients.get_or_alloc_mut(&ghost)?, Operand::new(&delta, rows, outputs), back, true);
            first += columns;
        }
        Ok(())
    });
    node
}

/// Inputs and constant side by side: `[rows, width]`.
fn join(inputs: &[&Node], constant: Option<&[f32]>, rows: usize, width: usize) -> Vec<f32> {
    let mut joined = Vec::with_capacity(rows * width);
    let constant_columns = constant.map_or(0, |values| values.len() / rows.max(1));
    for row in 0..rows {
        for input in inputs {
            joined.extend_from_slice(&input.data[row * input.columns..(row + 1) * input.columns]);
        }
        if let Some(values) = constant {
            joined.extend_from_slice(&values[row * constant_columns..(row + 1) * constant_columns]);
        }
    }
    joined
}

/// Rows `first .. first + count` of a matrix.
pub(crate) fn rows(device: &Cpu, of: &Node, first: usize, count: usize, tape: &mut OwnedTape<f32, Cpu>) -> Node {
    let columns = of.columns;
    let range = first * columns..(first + count) * columns;
    let node = Node::new(device, of.data[range.clone()].to_vec(), count, columns);
    let (of_ghost, out_ghost) = (of.tensor.ghost(), node.tensor.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let delta = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        let target = &mut gradients.get_or_alloc_mut(&of_ghost)?[range];
        target.iter_mut().zip(delta).for_each(|(sum, delta)| *sum += delta);
        Ok(())
    });
    node
}

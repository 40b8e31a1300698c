//! A weight matrix packed once for many small products: planning and training multiply a few rows by the same weights many
//! times, where a general kernel would spend its time packing them again. Read first: [`Packed::add_product`].
#![allow(
    unsafe_code,
    reason = "the innermost loop reads and writes registers by address; `tile` says what it needs, `Product` checks it"
)]

use super::simd::Path;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Columns of a panel: one cache line, which is one AVX-512 register or two of AVX2.
const WIDTH: usize = 16;
/// Rows worked on at once, at most.
const HEIGHT: usize = 6;
/// Lines worked on in one round of the innermost loop.
const ROUND: usize = 4;
/// Lines of 16 that together, 32 kB, stay in the nearest cache.
const NEAR: usize = 512;

/// One row of a panel.
type Line = [f32; WIDTH];
/// A matrix's rows one after the other, and from where one begins to where the next does.
pub(crate) type Rows<'a> = (&'a [f32], usize);
/// As [`Rows`], to write to.
pub(crate) type RowsMut<'a> = (&'a mut [f32], usize);

/// How far apart rows of this width are kept, in whole lines of 16: an odd number of them, for rows a power of two apart
/// would all want the same few sets of the cache.
pub(crate) fn row_stride(width: usize) -> usize {
    (width.div_ceil(WIDTH) | 1) * WIDTH
}

/// `[inputs, outputs]`, in panels of 16 columns, each stored row by row and the last filled up with zeros.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packed {
    panels: Vec<Line>,
    inputs: usize,
    outputs: usize,
}

impl Packed {
    /// Pack `[inputs, outputs]` given row by row.
    pub(crate) fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        let mut packed = Self { panels: vec![[0.0; WIDTH]; outputs.div_ceil(WIDTH) * inputs], inputs, outputs };
        packed.fillings(weight, false).for_each(Filling::fill);
        packed
    }

    /// Pack the transpose of `[rows, columns]` given row by row.
    pub(crate) fn transposed(weight: &[f32], rows: usize, columns: usize) -> Self {
        let mut packed =
            Self { panels: vec![[0.0; WIDTH]; rows.div_ceil(WIDTH) * columns], inputs: columns, outputs: rows };
        packed.fillings(weight, true).for_each(Filling::fill);
        packed
    }

    /// What has to be done to pack other weights of the same shape, or their transpose: panels, in any order.
    pub(crate) fn fillings<'a>(&'a mut self, weight: &'a [f32], transposed: bool) -> impl Iterator<Item = Filling<'a>> {
        assert_eq!(weight.len(), self.inputs * self.outputs, "a matrix of another size");
        let outputs = self.outputs;
        let panels = self.panels.chunks_exact_mut(self.inputs.max(1)).enumerate();
        panels.map(move |(index, panel)| {
            let columns = index * WIDTH..outputs.min((index + 1) * WIDTH);
            Filling { panel, weight, outputs, columns, transposed }
        })
    }

    /// `out += values · weight` for `[rows, inputs]`, `out` `[rows, outputs]`. Each number of `out` is the same bits
    /// whatever other rows there are: sums run over the inputs in order.
    pub(crate) fn add_product(&self, path: Path, values: Rows, out: RowsMut) {
        self.multiply(path, values, out, Sums::Onto);
    }

    /// As [`Packed::add_product`], on zeros.
    pub(crate) fn product(&self, path: Path, values: Rows, out: RowsMut) {
        self.multiply(path, values, out, Sums::Anew);
    }

    fn multiply(&self, path: Path, (values, row_step): Rows, (out, stride): RowsMut, sums: Sums) {
        let rows = out.len().checked_div(stride).unwrap_or(0);
        assert!(values.len() == rows * row_step && self.inputs <= row_step, "matrices that do not fit");
        let right = self.panels.as_flattened();
        let (depth, columns) = (self.inputs, self.outputs);
        let shape =
            Shape::<false> { rows, depth, columns, left_step: row_step, right_step: WIDTH * depth, stride, sums };
        shape.run(path, values, right, out);
    }
}

/// A panel that is to be filled.
pub(crate) struct Filling<'a> {
    panel: &'a mut [Line],
    /// `[inputs, outputs]` row by row, or `[outputs, inputs]` where `transposed`.
    weight: &'a [f32],
    outputs: usize,
    /// The outputs in this panel.
    columns: Range<usize>,
    transposed: bool,
}

impl Filling<'_> {
    pub(crate) fn fill(self) {
        let Self { panel, weight, outputs, columns, transposed } = self;
        if transposed {
            let inputs = panel.len();
            for (c, row) in weight.chunks_exact(inputs).skip(columns.start).take(columns.len()).enumerate() {
                panel.iter_mut().zip(row).for_each(|(line, value)| line[c] = *value);
            }
        } else {
            for (line, row) in panel.iter_mut().zip(weight.chunks_exact(outputs)) {
                line[..columns.len()].copy_from_slice(&row[columns.clone()]);
            }
        }
    }
}

/// `out += leftᵀ · right` for `left` `[rows, inputs]` and `right` `[rows, outputs]`: what the gradient of a weight `out`,
/// `[inputs, outputs]` row by row, is made of. Rows of `right` are at least as far apart as whole lines of 16 need. Sums
/// run over the rows in order.
pub(crate) fn add_transposed_product(
    path: Path,
    (left, depth_step): Rows,
    (right, line_step): Rows,
    inputs: usize,
    out: &mut [f32],
) {
    let outputs = out.len().checked_div(inputs).unwrap_or(0);
    let depth = left.len().checked_div(depth_step).unwrap_or(0);
    assert!(inputs <= depth_step && outputs.next_multiple_of(WIDTH) <= line_step, "rows too short");
    assert!(left.len() == depth * depth_step && right.len() == depth * line_step, "matrices that do not fit");
    let (left_step, right_step, sums) = (depth_step, line_step, Sums::Added);
    let shape = Shape::<true> { rows: inputs, depth, columns: outputs, left_step, right_step, stride: outputs, sums };
    shape.run(path, left, right, out);
}

/// What becomes of what the result held before.
#[derive(Clone, Copy, PartialEq)]
enum Sums {
    /// It is overwritten.
    Anew,
    /// Sums begin at it, which keeps their order.
    Onto,
    /// It is added last: nothing waits for it.
    Added,
}

/// `out[row, column] = Σ left[row, k] · right[k, column]` over `k` below `depth`, and where the numbers stand.
#[derive(Clone, Copy)]
struct Shape<const TRANSPOSED: bool> {
    rows: usize,
    depth: usize,
    columns: usize,
    /// From a row of the left side to the next; where it is transposed, from one `k` to the next.
    left_step: usize,
    /// From 16 columns of the right side to the next 16, or from one `k` to the next.
    right_step: usize,
    /// From a row of the result to the next.
    stride: usize,
    sums: Sums,
}

/// What is known when it is compiled costs the innermost loop nothing.
impl<const TRANSPOSED: bool> Shape<TRANSPOSED> {
    /// From a row of the left side to the next.
    #[inline(always)]
    fn row_step(self) -> usize {
        if TRANSPOSED { 1 } else { self.left_step }
    }

    /// From one `k` of the left side to the next.
    #[inline(always)]
    fn depth_step(self) -> usize {
        if TRANSPOSED { self.left_step } else { 1 }
    }

    /// From one `k` of the right side to the next.
    #[inline(always)]
    fn line_step(self) -> usize {
        if TRANSPOSED { self.right_step } else { WIDTH }
    }

    /// From 16 columns of the right side to the next 16.
    #[inline(always)]
    fn panel_step(self) -> usize {
        if TRANSPOSED { WIDTH } else { self.right_step }
    }

    fn run(self, path: Path, left: &[f32], right: &[f32], out: &mut [f32]) {
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        if self.depth > 0 {
            path.run(Product { shape: self, left, right, out });
        } else if self.sums == Sums::Anew {
            out.fill(0.0);
        }
    }
}

struct Product<'a, const TRANSPOSED: bool> {
    shape: Shape<TRANSPOSED>,
    left: &'a [f32],
    right: &'a [f32],
    out: &'a mut [f32],
}

impl<const TRANSPOSED: bool> WithSimd for Product<'_, TRANSPOSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match WIDTH / S::F32_LANES {
            1 => self.by_blocks::<S, 1>(simd),
            2 => self.by_blocks::<S, 2>(simd),
            4 => self.by_blocks::<S, 4>(simd),
            8 => self.by_blocks::<S, 8>(simd),
            _ => self.by_blocks::<S, WIDTH>(simd),
        }
    }
}

impl<const TRANSPOSED: bool> Product<'_, TRANSPOSED> {
    /// Panels outside, rows inside: as much of the panels as the nearest cache holds stays there while all rows pass by.
    #[inline(always)]
    fn by_blocks<S: Simd, const REGISTERS: usize>(self, simd: S) {
        let Self { shape, left, right, out } = self;
        let Shape { rows, depth, columns, stride, .. } = shape;
        let last = |rows: usize, step: usize| (rows - 1) * step;
        let panels = columns.div_ceil(WIDTH);
        assert!(last(rows, shape.row_step()) + last(depth, shape.depth_step()) < left.len(), "a short left side");
        let ends = last(panels, shape.panel_step()) + last(depth, shape.line_step()) + WIDTH;
        assert!(ends <= right.len(), "a short right side");
        assert!(columns <= stride && last(rows, stride) + columns <= out.len(), "a short result");
        let blocks = rows.div_ceil(HEIGHT);
        // The sums of a tile: enough to hide the latency of the multiply-add, few enough to leave room for the weights.
        let sums = if S::REGISTER_COUNT >= 32 { 24 } else { 12 };
        let most = sums / (rows.div_ceil(blocks) * REGISTERS);
        let mut edge = [0.0_f32; WIDTH * HEIGHT];
        let mut column = 0;
        while column < columns {
            let whole = (columns - column) / WIDTH;
            let panels = match whole.min(most) {
                0 | 1 => 1,
                2 | 3 => 2,
                4..8 => 4,
                _ => 8,
            };
            for first in (0..depth).step_by(NEAR / panels) {
                // Sums that were begun go on.
                let sums = if first > 0 && shape.sums == Sums::Anew { Sums::Onto } else { shape.sums };
                let part = Shape { depth: (depth - first).min(NEAR / panels), sums, ..shape };
                let right = &right[column / WIDTH * shape.panel_step() + first * shape.line_step()..];
                for block in 0..blocks {
                    // As even as can be: few rows at a time leave the multiply-add waiting for itself.
                    let row = block * rows / blocks;
                    let tall = (block + 1) * rows / blocks - row;
                    let at = row * stride + column;
                    let left = &left[row * shape.row_step() + first * shape.depth_step()..];
                    let (left, right) = (left.as_ptr(), right.as_ptr());
                    if whole == 0 {
                        // The last columns do not fill a panel: by way of a tile of their own.
                        let width = columns - column;
                        for r in 0..tall {
                            let at = at + r * stride;
                            edge[r * WIDTH..r * WIDTH + width].copy_from_slice(&out[at..at + width]);
                        }
                        // SAFETY: as below, and `edge` has room for `tall <= HEIGHT` rows of one panel.
                        unsafe { part.tall::<S, REGISTERS>(simd, tall, 1, left, right, edge.as_mut_ptr(), WIDTH) };
                        for r in 0..tall {
                            let at = at + r * stride;
                            out[at..at + width].copy_from_slice(&edge[r * WIDTH..r * WIDTH + width]);
                        }
                    } else {
                        let out = out[at..].as_mut_ptr();
                        // SAFETY: rows `row..row + tall` exist and so do `panels` whole panels from `column` on, and the
                        // assertions above tie every address of either side to its slice's length.
                        unsafe { part.tall::<S, REGISTERS>(simd, tall, panels, left, right, out, stride) };
                    }
                }
            }
            column += panels * WIDTH;
        }
    }
}

impl<const TRANSPOSED: bool> Shape<TRANSPOSED> {
    /// # Safety
    /// As [`tile`], for `tall` rows and `panels` panels.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "three matrices by address")]
    unsafe fn tall<S: Simd, const REGISTERS: usize>(
        self,
        simd: S,
        tall: usize,
        panels: usize,
        left: *const f32,
        right: *const f32,
        out: *mut f32,
        stride: usize,
    ) {
        // SAFETY: passed on.
        unsafe {
            match tall {
                1 => self.wide::<S, REGISTERS, 1>(simd, panels, left, right, out, stride),
                2 => self.wide::<S, REGISTERS, 2>(simd, panels, left, right, out, stride),
                3 => self.wide::<S, REGISTERS, 3>(simd, panels, left, right, out, stride),
                4 => self.wide::<S, REGISTERS, 4>(simd, panels, left, right, out, stride),
                5 => self.wide::<S, REGISTERS, 5>(simd, panels, left, right, out, stride),
                _ => self.wide::<S, REGISTERS, HEIGHT>(simd, panels, left, right, out, stride),
            }
        }
    }

    /// # Safety
    /// As [`tile`], for `panels` panels.
    #[inline(always)]
    unsafe fn wide<S: Simd, const REGISTERS: usize, const ROWS: usize>(
        self,
        simd: S,
        panels: usize,
        left: *const f32,
        right: *const f32,
        out: *mut f32,
        stride: usize,
    ) {
        // SAFETY: passed on.
        unsafe {
            match panels {
                1 => tile::<S, TRANSPOSED, REGISTERS, ROWS, 1>(simd, self, left, right, out, stride),
                2 => tile::<S, TRANSPOSED, REGISTERS, ROWS, 2>(simd, self, left, right, out, stride),
                4 => tile::<S, TRANSPOSED, REGISTERS, ROWS, 4>(simd, self, left, right, out, stride),
                _ => tile::<S, TRANSPOSED, REGISTERS, ROWS, 8>(simd, self, left, right, out, stride),
            }
        }
    }

    /// Add what one `k` gives to all sums.
    ///
    /// # Safety
    /// As [`tile`], for this `k`.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "row, panel and register address memory as well as sums")]
    unsafe fn add_line<S: Simd, const REGISTERS: usize, const ROWS: usize, const PANELS: usize>(
        self,
        simd: S,
        k: usize,
        left: *const f32,
        right: *const f32,
        sums: &mut [[[S::f32s; REGISTERS]; PANELS]; ROWS],
    ) {
        // SAFETY: passed on.
        unsafe {
            let value = |r: usize| simd.splat_f32s(*left.add(r * self.row_step() + k * self.depth_step()));
            let weight = |p: usize, i: usize| {
                let at = p * self.panel_step() + k * self.line_step() + i * S::F32_LANES;
                right.add(at).cast::<S::f32s>().read_unaligned()
            };
            // What is fewer stays in registers while the other passes by: together with the sums they have to fit.
            if ROWS <= PANELS * REGISTERS {
                let x: [S::f32s; ROWS] = std::array::from_fn(value);
                for p in 0..PANELS {
                    for i in 0..REGISTERS {
                        let weight = weight(p, i);
                        for r in 0..ROWS {
                            sums[r][p][i] = simd.mul_add_e_f32s(x[r], weight, sums[r][p][i]);
                        }
                    }
                }
            } else {
                let w: [[S::f32s; REGISTERS]; PANELS] = std::array::from_fn(|p| std::array::from_fn(|i| weight(p, i)));
                for r in 0..ROWS {
                    let x = value(r);
                    for p in 0..PANELS {
                        for i in 0..REGISTERS {
                            sums[r][p][i] = simd.mul_add_e_f32s(x, w[p][i], sums[r][p][i]);
                        }
                    }
                }
            }
        }
    }
}

/// `ROWS` rows times `PANELS` panels, all sums in registers.
///
/// # Safety
/// From `left`, `ROWS` rows of `shape.depth` numbers can be read; from `right`, `PANELS` panels of `shape.depth` lines of
/// 16; each as `shape` says that they stand. From `out`, as many rows, `stride` apart, of `PANELS * WIDTH` numbers can be
/// read and written. `REGISTERS` registers of `S` make a line.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "row, panel and register address memory as well as sums")]
unsafe fn tile<S: Simd, const TRANSPOSED: bool, const REGISTERS: usize, const ROWS: usize, const PANELS: usize>(
    simd: S,
    shape: Shape<TRANSPOSED>,
    left: *const f32,
    right: *const f32,
    out: *mut f32,
    stride: usize,
) {
    let Shape { depth, sums: mode, .. } = shape;
    let lanes = S::F32_LANES;
    // SAFETY: every address below is in the ranges that the caller vouches for.
    unsafe {
        let mut sums = [[[simd.splat_f32s(0.0); REGISTERS]; PANELS]; ROWS];
        for r in 0..if mode == Sums::Onto { ROWS } else { 0 } {
            for p in 0..PANELS {
                for i in 0..REGISTERS {
                    sums[r][p][i] = out.add(r * stride + p * WIDTH + i * lanes).cast::<S::f32s>().read_unaligned();
                }
            }
        }
        // Several lines a round: fewer addresses to compute, and an end that the processor foresees.
        let mut k = 0;
        while k + ROUND <= depth {
            let (left, right) = (left.add(k * shape.depth_step()), right.add(k * shape.line_step()));
            for line in 0..ROUND {
                shape.add_line::<S, REGISTERS, ROWS, PANELS>(simd, line, left, right, &mut sums);
            }
            k += ROUND;
        }
        while k < depth {
            shape.add_line::<S, REGISTERS, ROWS, PANELS>(simd, k, left, right, &mut sums);
            k += 1;
        }
        for r in 0..ROWS {
            for p in 0..PANELS {
                for i in 0..REGISTERS {
                    let at = out.add(r * stride + p * WIDTH + i * lanes);
                    let at = at.cast::<S::f32s>();
                    let sum = sums[r][p][i];
                    let added = mode == Sums::Added;
                    at.write_unaligned(if added { simd.add_f32s(at.read_unaligned(), sum) } else { sum });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_on_every_path() {
        let value = |seed: usize, index: usize| ((index * 7 + seed * 13) % 11) as f32 - 5.0;
        let shapes = (1..=14).map(|rows| (rows, 9, 1 + rows * 23 % 150));
        // The last two are deeper than the nearest cache.
        let more = [(1, 1, 1), (1, 64, 256), (2, 34, 128), (3, 5, 17), (25, 2, 130), (7, 600, 70), (3, 1100, 9)];
        for (rows, inputs, outputs) in shapes.chain(more) {
            let values: Vec<f32> = (0..rows * inputs).map(|i| value(1, i)).collect();
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| value(2, i)).collect();
            let expected: Vec<f32> = (0..rows * outputs)
                .map(|i| {
                    (0..inputs).map(|k| values[i / outputs * inputs + k] * weight[k * outputs + i % outputs]).sum()
                })
                .collect();
            let turned: Vec<f32> = (0..inputs * outputs).map(|i| weight[(i % inputs) * outputs + i / inputs]).collect();
            for packed in [Packed::new(&weight, inputs, outputs), Packed::transposed(&turned, outputs, inputs)] {
                for path in Path::available() {
                    let mut out = vec![1.0; rows * outputs];
                    packed.add_product(path, (&values, inputs), (&mut out, outputs));
                    let mut anew = vec![f32::NAN; rows * outputs];
                    packed.product(path, (&values, inputs), (&mut anew, outputs));
                    assert_eq!(anew, expected);
                    let shape = (path, rows, inputs, outputs);
                    assert!(out.iter().zip(&expected).all(|(got, once)| *got == 1.0 + once), "{shape:?}");
                }
            }
        }
    }

    /// `[rows, width]` with rows further apart, and no numbers in between.
    fn apart(values: &[f32], width: usize, stride: usize) -> Vec<f32> {
        let mut rows = vec![f32::NAN; values.len() / width * stride];
        for (to, from) in rows.chunks_exact_mut(stride).zip(values.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        rows
    }

    #[test]
    fn a_transposed_product_agrees_with_the_definition_wherever_rows_begin() {
        let value = |seed: usize, index: usize| ((index * 7 + seed * 13) % 11) as f32 - 5.0;
        for (rows, inputs, outputs) in [(1, 1, 1), (3, 7, 17), (64, 36, 32), (5, 13, 2), (9, 6, 50), (600, 13, 70)] {
            let left: Vec<f32> = (0..rows * inputs).map(|i| value(1, i)).collect();
            let right: Vec<f32> = (0..rows * outputs).map(|i| value(2, i)).collect();
            let at = |i: usize, k: usize| left[k * inputs + i / outputs] * right[k * outputs + i % outputs];
            let expected: Vec<f32> = (0..inputs * outputs).map(|i| (0..rows).map(|k| at(i, k)).sum()).collect();
            let stride = row_stride(outputs);
            let right = apart(&right, outputs, stride);
            for path in Path::available() {
                for step in [inputs, inputs + 3] {
                    let mut out = vec![1.0; inputs * outputs];
                    let left = apart(&left, inputs, step);
                    add_transposed_product(path, (&left, step), (&right, stride), inputs, &mut out);
                    assert!(out.iter().zip(&expected).all(|(got, once)| *got == 1.0 + once));
                }
            }
        }
    }

    #[test]
    fn rows_may_stand_apart() {
        let weight: Vec<f32> = (0..5 * 18).map(|i| (i % 7) as f32).collect();
        let values: Vec<f32> = (0..8 * 5).map(|i| (i % 5) as f32).collect();
        let packed = Packed::new(&weight, 5, 18);
        let (mut close, mut wide) = (vec![0.0; 8 * 18], vec![0.0; 8 * 48]);
        packed.product(Path::best(), (&values, 5), (&mut close, 18));
        packed.product(Path::best(), (&apart(&values, 5, 9), 9), (&mut wide, 48));
        assert!(wide.chunks_exact(48).zip(close.chunks_exact(18)).all(|(wide, close)| wide[..18] == *close));
    }
}

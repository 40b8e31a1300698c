//! A weight matrix packed once for many small products: planning multiplies a few rows by the same weights thousands of
//! times, where a general kernel would spend its time packing them again. Read first: [`Packed::add_product`].
#![allow(
    unsafe_code,
    reason = "the innermost loop reads and writes registers by address; `tile` says what it needs, `Product` checks it"
)]

use super::simd::Path;
use pulp::{Simd, WithSimd};

/// Columns of a panel: one cache line, which is one AVX-512 register or two of AVX2.
const WIDTH: usize = 16;
/// Rows worked on at once, at most.
const HEIGHT: usize = 6;

/// One row of a panel, on a cache line of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
struct Line([f32; WIDTH]);

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
        Self::pack(inputs, outputs, |row, column| weight[row * outputs + column])
    }

    /// Pack the transpose of `[rows, columns]` given row by row.
    pub(crate) fn transposed(weight: &[f32], rows: usize, columns: usize) -> Self {
        Self::pack(columns, rows, |row, column| weight[column * columns + row])
    }

    fn pack(inputs: usize, outputs: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut panels = Vec::with_capacity(outputs.div_ceil(WIDTH) * inputs);
        for first in (0..outputs).step_by(WIDTH) {
            let column = |row, c| if c < outputs { at(row, c) } else { 0.0 };
            panels.extend((0..inputs).map(|row| Line(std::array::from_fn(|c| column(row, first + c)))));
        }
        Self { panels, inputs, outputs }
    }

    /// `out += values · weight` for `[rows, inputs]` row by row. Each number of `out` is the same bits whatever other rows
    /// there are: sums run over the inputs in order.
    pub(crate) fn add_product(&self, path: Path, values: &[f32], out: &mut [f32]) {
        self.multiply(path, values, out, false);
    }

    /// As [`Packed::add_product`], on zeros.
    pub(crate) fn product(&self, path: Path, values: &[f32], out: &mut [f32]) {
        self.multiply(path, values, out, true);
    }

    fn multiply(&self, path: Path, values: &[f32], out: &mut [f32], anew: bool) {
        assert_eq!(values.len() * self.outputs, out.len() * self.inputs, "matrices that do not fit");
        if self.inputs > 0 && self.outputs > 0 {
            path.run(Product { weight: self, values, out, anew });
        } else if anew {
            out.fill(0.0);
        }
    }
}

struct Product<'a> {
    weight: &'a Packed,
    /// `[rows, inputs]`.
    values: &'a [f32],
    /// `[rows, outputs]`.
    out: &'a mut [f32],
    /// Whether sums begin at zero; else at what `out` holds.
    anew: bool,
}

impl WithSimd for Product<'_> {
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

impl Product<'_> {
    /// Panels outside, rows inside: the panels stay in the nearest cache while all rows pass by.
    #[inline(always)]
    fn by_blocks<S: Simd, const REGISTERS: usize>(self, simd: S) {
        let Self { weight, values, out, anew } = self;
        let (inputs, outputs) = (weight.inputs, weight.outputs);
        let rows = out.len() / outputs;
        let height = rows.div_ceil(rows.div_ceil(HEIGHT));
        // The sums of a tile: enough to hide the latency of the multiply-add, few enough to leave room for the weights.
        let sums = if S::REGISTER_COUNT >= 32 { 24 } else { 12 };
        let most = match sums / (height * REGISTERS) {
            0 | 1 => 1,
            2 | 3 => 2,
            4..8 => 4,
            _ => 8,
        };
        let (whole, mut column) = (outputs / WIDTH, 0);
        while column < outputs {
            let left = whole.saturating_sub(column / WIDTH);
            let panels = if left >= most { most } else { 1 };
            let mut row = 0;
            while row < rows {
                let tall = height.min(rows - row);
                let spot = Spot { inputs, outputs, row, column, anew };
                if left == 0 {
                    ragged::<S, REGISTERS>(simd, spot, tall, values, &weight.panels, out);
                } else {
                    let (values, lines) = (values.as_ptr(), weight.panels.as_ptr());
                    // SAFETY: `add_product` has checked `values` and `out` against the weight's shape, rows
                    // `row..row + tall` exist, and so do `panels` whole panels from `column` on.
                    unsafe { spot.tall::<S, REGISTERS>(simd, tall, panels, values, lines, out.as_mut_ptr()) };
                }
                row += tall;
            }
            column += panels * WIDTH;
        }
    }
}

/// The last columns, where they do not fill a panel: by way of a tile of its own.
#[inline(always)]
fn ragged<S: Simd, const REGISTERS: usize>(
    simd: S,
    spot: Spot,
    tall: usize,
    values: &[f32],
    panels: &[Line],
    out: &mut [f32],
) {
    let Spot { inputs, outputs, row, column, anew } = spot;
    let mut sums = [0.0_f32; WIDTH * HEIGHT];
    let width = outputs - column;
    let at = |r: usize| (row + r) * outputs + column;
    for r in 0..tall {
        sums[r * WIDTH..r * WIDTH + width].copy_from_slice(&out[at(r)..at(r) + width]);
    }
    let values = &values[row * inputs..(row + tall) * inputs];
    let lines = &panels[column / WIDTH * inputs..];
    let spot = Spot { inputs, outputs: WIDTH, row: 0, column: 0, anew };
    // SAFETY: `values` has `tall` rows, `lines` is the last panel, and `sums` has room for `tall <= HEIGHT` rows of one.
    unsafe {
        spot.tall::<S, REGISTERS>(simd, tall, 1, values.as_ptr(), lines.as_ptr(), sums.as_mut_ptr());
    }
    for r in 0..tall {
        out[at(r)..at(r) + width].copy_from_slice(&sums[r * WIDTH..r * WIDTH + width]);
    }
}

/// Where a tile begins, in matrices of what shape.
#[derive(Clone, Copy)]
struct Spot {
    inputs: usize,
    outputs: usize,
    row: usize,
    column: usize,
    anew: bool,
}

impl Spot {
    /// # Safety
    /// As [`tile`], for `tall` rows and `panels` panels.
    #[inline(always)]
    unsafe fn tall<S: Simd, const REGISTERS: usize>(
        self,
        simd: S,
        tall: usize,
        panels: usize,
        values: *const f32,
        lines: *const Line,
        out: *mut f32,
    ) {
        // SAFETY: passed on.
        unsafe {
            match tall {
                1 => self.wide::<S, REGISTERS, 1>(simd, panels, values, lines, out),
                2 => self.wide::<S, REGISTERS, 2>(simd, panels, values, lines, out),
                3 => self.wide::<S, REGISTERS, 3>(simd, panels, values, lines, out),
                4 => self.wide::<S, REGISTERS, 4>(simd, panels, values, lines, out),
                5 => self.wide::<S, REGISTERS, 5>(simd, panels, values, lines, out),
                _ => self.wide::<S, REGISTERS, HEIGHT>(simd, panels, values, lines, out),
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
        values: *const f32,
        lines: *const Line,
        out: *mut f32,
    ) {
        // SAFETY: passed on.
        unsafe {
            match panels {
                1 => tile::<S, REGISTERS, ROWS, 1>(simd, self, values, lines, out),
                2 => tile::<S, REGISTERS, ROWS, 2>(simd, self, values, lines, out),
                4 => tile::<S, REGISTERS, ROWS, 4>(simd, self, values, lines, out),
                _ => tile::<S, REGISTERS, ROWS, 8>(simd, self, values, lines, out),
            }
        }
    }
}

/// `ROWS` rows times `PANELS` panels, all sums in registers.
///
/// # Safety
/// From `values`, `spot.row + ROWS` rows of `spot.inputs` numbers can be read; from `lines`, `PANELS` panels of
/// `spot.inputs` lines from that of `spot.column` on; from `out`, as many rows of `spot.outputs` numbers can be read and
/// written, of which `PANELS * WIDTH` follow `spot.column`. `REGISTERS` registers of `S` make a line.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "row, panel and register address memory as well as sums")]
unsafe fn tile<S: Simd, const REGISTERS: usize, const ROWS: usize, const PANELS: usize>(
    simd: S,
    spot: Spot,
    values: *const f32,
    lines: *const Line,
    out: *mut f32,
) {
    let Spot { inputs, outputs, row, column, anew } = spot;
    let lanes = S::F32_LANES;
    // SAFETY: every address below is in the ranges that the caller vouches for.
    unsafe {
        let out = out.add(row * outputs + column);
        let values = values.add(row * inputs);
        let weights = lines.add(column / WIDTH * inputs).cast::<f32>();
        let mut sums = [[[simd.splat_f32s(0.0); REGISTERS]; PANELS]; ROWS];
        for r in 0..if anew { 0 } else { ROWS } {
            for p in 0..PANELS {
                for i in 0..REGISTERS {
                    sums[r][p][i] = out.add(r * outputs + p * WIDTH + i * lanes).cast::<S::f32s>().read_unaligned();
                }
            }
        }
        for k in 0..inputs {
            let value = |r: usize| simd.splat_f32s(*values.add(r * inputs + k));
            let weight = |p: usize, i: usize| {
                weights.add((p * inputs + k) * WIDTH + i * lanes).cast::<S::f32s>().read_unaligned()
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
        for r in 0..ROWS {
            for p in 0..PANELS {
                for i in 0..REGISTERS {
                    let at = out.add(r * outputs + p * WIDTH + i * lanes);
                    at.cast::<S::f32s>().write_unaligned(sums[r][p][i]);
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
        for (rows, inputs, outputs) in shapes.chain([(1, 1, 1), (1, 64, 256), (2, 34, 128), (3, 5, 17), (25, 2, 130)]) {
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
                    packed.add_product(path, &values, &mut out);
                    let mut anew = vec![f32::NAN; rows * outputs];
                    packed.product(path, &values, &mut anew);
                    assert_eq!(anew, expected);
                    let shape = (path, rows, inputs, outputs);
                    assert!(out.iter().zip(&expected).all(|(got, once)| *got == 1.0 + once), "{shape:?}");
                }
            }
        }
    }
}

//! Distances between latents, used as energies. Read first: [`smooth_distance`].

use crate::{Matrix, TapedMatrix};
use dfdx::prelude::{Axis, Cpu, OwnedTape, SumTo, Tensor};

/// What keeps the root's slope finite where two latents coincide; also the energy's floor, `sqrt(1e-3)`.
pub const SMOOTHING: f32 = 1e-3;

/// `sqrt(|x_i - y_i|² + 1e-3)` for each row: `[rows, latent]`, `[rows, latent]` to `[rows]`.
///
/// Near the goal it is a bowl, far from it a cone: its slope does not vanish with the distance's size, so that every
/// step of a long rollout pulls equally hard.
#[must_use]
pub fn smooth_distance(x: TapedMatrix, y: &Matrix) -> Tensor<(usize,), f32, Cpu, OwnedTape<f32, Cpu>> {
    ((x - y.clone()).square().sum::<_, Axis<1>>() + SMOOTHING).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfdx::prelude::*;

    #[test]
    fn value_and_gradient_agree_with_the_formula() {
        let dev = Cpu::default();
        let x = dev.tensor_from_vec(vec![3.0, 4.0, 1.0, 1.0], (2, 2));
        let y = dev.tensor_from_vec(vec![0.0, 0.0, 1.0, 1.0], (2, 2));
        let energy = smooth_distance(x.leaky_trace(), &y);
        let values = energy.as_vec();
        assert!((values[0] - 25.001_f32.sqrt()).abs() < 1e-5);
        assert!((values[1] - SMOOTHING.sqrt()).abs() < 1e-6);
        let gradient = energy.sum().backward().get(&x).as_vec();
        assert!((gradient[0] - 0.6).abs() < 1e-3 && (gradient[1] - 0.8).abs() < 1e-3);
        assert_eq!(&gradient[2..], [0.0, 0.0]);
    }
}

//! The latent variable z of a predictor: a small discrete code for what the past does not determine (Dawid & LeCun 2023, Sec. 3
//! and Sec. 6). Read first: [`LatentVariableSpec`] and `Variants`.

use super::predictor::{Looking, Predictor};
use crate::network::Mlp;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A latent variable z with values `1..=codes`, one for each sequence of predictions, which goes into the predictor one-hot
/// beside the actions: `s_{t+1} = s_t + MLP([s_t, a_t, z])`.
///
/// Training minimises the free energy at zero temperature, `F = min_z sum_t |s_t - s~_t(z)|²` (Dawid & LeCun 2023, Sec. 3.2),
/// over the open-loop predictions `s~` of a sequence: each code predicts, the best is trained (hard expectation
/// maximisation, winner takes all). A code tells at most `log2(codes)` bits of a sequence, which is what keeps z from telling
/// the predictor all (Sec. 3.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LatentVariableSpec {
    /// How many values it has.
    pub codes: usize,
    /// The share of the training sequences whose code is drawn at random instead, so that no code is forgotten, and all agree
    /// where nothing is uncertain.
    pub random_share: f32,
}

impl Default for LatentVariableSpec {
    fn default() -> Self {
        Self { codes: 2, random_share: 0.1 }
    }
}

impl LatentVariableSpec {
    /// No latent variable has more values.
    pub const MOST_CODES: usize = 64;

    /// True where the settings make sense.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (2..=Self::MOST_CODES).contains(&self.codes) && (0.0..=1.0).contains(&self.random_share)
    }

    /// Draw a share of the codes anew.
    pub(crate) fn disturb(&self, codes: &mut [usize], rng: &mut impl Rng) {
        for code in codes {
            // Both are drawn for each, so that a change to one leaves the others as they were.
            let (chance, other) = (rng.gen_range(0.0..1.0_f32), rng.gen_range(0..self.codes));
            if chance < self.random_share {
                *code = other;
            }
        }
    }
}

/// One-hot codes, `[steps * batch, codes]`, the same at each step.
pub(crate) fn one_hot(codes: &[usize], count: usize, steps: usize) -> Vec<f32> {
    let of_step: Vec<f32> =
        codes.iter().flat_map(|code| (0..count).map(move |k| if k == *code { 1.0 } else { 0.0 })).collect();
    of_step.repeat(steps)
}

/// For each sequence the code of least error, where `errors` are `[codes][batch]`; of equal ones the first.
pub(crate) fn best(errors: &[Vec<f32>]) -> Vec<usize> {
    let batch = errors.first().map_or(0, Vec::len);
    let code = |sequence: usize| {
        (1..errors.len())
            .fold(0, |best, code| if errors[code][sequence] < errors[best][sequence] { code } else { best })
    };
    (0..batch).map(code).collect()
}

/// How often each code is in there, `[codes]`; the sum is 1.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 sequences")]
pub(crate) fn shares(codes: &[usize], count: usize) -> Vec<f32> {
    let of = |code: usize| codes.iter().filter(|own| **own == code).count() as f32 / codes.len().max(1) as f32;
    (0..count).map(of).collect()
}

/// What the codes tell of a sequence on average, in bits: the entropy of their shares, at most `log2(codes)`.
pub(crate) fn bits(shares: &[f32]) -> f32 {
    shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.log2()).sum()
}

/// A trained predictor under each value of its latent variable. Without one there is one variant, the predictor itself, and
/// nothing costs more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variants {
    /// The network as it was trained, where it has a latent variable.
    whole: Option<Mlp>,
    under: Vec<Arc<Predictor>>,
}

impl Variants {
    /// From an MLP `[latent + acting + codes + glimpse]` to `[latent]`.
    pub(crate) fn new(mlp: Mlp, acting: usize, codes: usize, looking: Option<&Looking>) -> Self {
        let predictor = |mlp| Arc::new(Predictor::new(mlp, acting, looking.cloned()));
        if codes == 0 {
            return Self { whole: None, under: vec![predictor(mlp)] };
        }
        let first = mlp.outputs() + acting;
        let under = (0..codes).map(|code| predictor(given(&mlp, first, codes, code))).collect();
        Self { whole: Some(mlp), under }
    }

    /// One for each code, or just one.
    pub(crate) fn under(&self) -> &[Arc<Predictor>] {
        &self.under
    }

    /// The network as it was trained.
    pub(crate) fn whole(&self) -> &Mlp {
        self.whole.as_ref().unwrap_or_else(|| self.under[0].mlp())
    }
}

/// The network where inputs `first .. first + codes` are one-hot and `code` is set: that input's weights are but a bias.
fn given(mlp: &Mlp, first: usize, codes: usize, code: usize) -> Mlp {
    let mut mlp = mlp.clone();
    if let Some(layer) = mlp.layers.first_mut() {
        let row = |index: usize| index * layer.outputs..(index + 1) * layer.outputs;
        let chosen = layer.weight[row(first + code)].to_vec();
        layer.bias.iter_mut().zip(chosen).for_each(|(bias, weight)| *bias += weight);
        layer.weight.drain(row(first).start..row(first + codes).start);
        layer.inputs -= codes;
    }
    mlp
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_variant_is_the_network_with_its_code_put_in() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut mlp = Mlp::random(4 + 2 + 3, &[8, 5], 4, 1.0, &mut rng);
        mlp.layers[0].bias.iter_mut().for_each(|bias| *bias = rng.gen_range(-1.0..1.0));
        let variants = Variants::new(mlp.clone(), 2, 3, None);
        let input: Vec<f32> = (0..6).map(|_| rng.gen_range(-1.0..1.0)).collect();
        for (code, predictor) in variants.under().iter().enumerate() {
            let with_code: Vec<f32> = input.iter().copied().chain(one_hot(&[code], 3, 1)).collect();
            let change = mlp.forward(&with_code);
            let imagined = predictor.imagine(&input[..4], &input[4..], &[]);
            for ((imagined, before), change) in imagined.iter().zip(&input).zip(change) {
                assert!((imagined - before - change).abs() < 1e-5);
            }
        }
        assert_eq!(*variants.whole(), mlp);
        let plain = Variants::new(Mlp::random(6, &[8], 4, 1.0, &mut rng), 2, 0, None);
        assert_eq!((plain.under().len(), plain.whole()), (1, plain.under()[0].mlp()));
    }

    #[test]
    fn the_best_code_wins_and_some_are_drawn_anew() {
        let won = best(&[vec![1.0, 2.0, 3.0], vec![2.0, 1.0, 3.0]]);
        assert_eq!(won, [0, 1, 0]);
        assert_eq!(one_hot(&won, 2, 2), [[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]; 2].concat());
        assert!((shares(&won, 2)[0] - 2.0 / 3.0).abs() < 1e-6);
        assert!((bits(&[0.5, 0.5]) - 1.0).abs() < 1e-6 && bits(&[1.0, 0.0]) == 0.0);
        let spec = LatentVariableSpec { codes: 4, random_share: 0.2 };
        let mut codes = vec![0; 10_000];
        spec.disturb(&mut codes, &mut ChaCha8Rng::seed_from_u64(1));
        let changed = 1.0 - shares(&codes, 4)[0];
        assert!((changed - 0.15).abs() < 0.02, "{changed}");
    }
}

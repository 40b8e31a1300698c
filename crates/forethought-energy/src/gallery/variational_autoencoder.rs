//! A variational autoencoder as an energy-based model with a noisy latent (Dawid & LeCun 2023, Sec. 4.2; Kingma & Welling, 2014). Read
//! first: [`Variational`].

use super::{
    Entry, GalleryError, Knob, Measure,
    picture::{line, points},
    plane::{Plan, Plane, PlaneModel, PlaneStudy, inside_out, rows, shown},
};
use crate::{
    Matrix, PassTape, TapedColumn, TapedMatrix,
    energy::{Energy, matrix, nothing},
    models::{GaussianMixture, ModelError, Samples},
    network::{Activation, Adam, Network},
    numbers,
    ops::columns,
    random,
};
use dfdx::prelude::{AsArray, Axis, Backward, HasShape, MeanTo, PutTape, SplitTape, SumTo};
use forethought_interface::{Hue, Layer};
use nalgebra::{DMatrix, DVector};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

const NOISE: Knob = Knob {
    name: "noise",
    about: "the standard deviation of what is decoded; the larger, the dearer is what the latent says, until it says nothing",
    range: [0.03, 1.0],
    default: 0.1,
    whole: false,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "variational_autoencoder",
    title: "Variational autoencoder: a noisy latent",
    source: "Sec. 4.2",
    about: "The code of an autoencoder is a Gaussian instead of a point, and the less it looks like the standard Gaussian, the more it \
            costs: F(y) = <|y - Dec(z)|²>/(2 noise²) + KL(q(z|y), N(0, 1)) + a constant. Noise limits what z can say, so that its one \
            number orders the spiral, and codes drawn at random decode to data. F is above -log p(y), which for one number of code \
            can be integrated; how far, is what the bound loses. With too much noise the latent falls silent: posterior collapse.",
    knobs: &[NOISE],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let model = Variational::new(settings.value(&NOISE) as f32, &data, settings.seed);
        let plan = Plan {
            title: "A variational autoencoder on a spiral",
            updates: [UPDATES, 2],
            label: "nats",
            watched: &["mean F(y), the bound", "mean -log p(y), exact"],
            log: false,
            theory: None,
        };
        Ok(Box::new(PlaneStudy::new(model, data, plan)))
    },
};

const UPDATES: usize = 5000;
const BATCH: usize = 100;
const HIDDEN: usize = 64;
/// The encoder sees the plane this much larger, so that its first layer bends within it.
const ZOOM: f32 = 3.0;
const RATE: f32 = 4e-3;
/// Updates from one look at the exact likelihood to the next.
const LOOK: usize = 50;
/// Gauss-Hermite nodes for a standard Gaussian, and their weights: exact for polynomials up to degree 9.
const HERMITE: [[f32; 2]; 5] = [
    [-2.856_97, 0.011_257_41],
    [-1.355_626, 0.222_075_92],
    [0.0, 0.533_333_3],
    [1.355_626, 0.222_075_92],
    [2.856_97, 0.011_257_41],
];

/// Two networks and the noise between and after them.
struct Variational {
    bound: Bound,
    adam: Adam,
    /// All data, to draw from, from the inside out.
    data: Vec<f32>,
    updates: usize,
    watched: Vec<f64>,
    rng: ChaCha8Rng,
}

/// The variational free energy of [`ENTRY`]'s `about`.
struct Bound {
    /// To the mean of `z` and the logarithm of its variance.
    encoder: Network,
    decoder: Network,
    noise: f32,
}

impl Bound {
    /// The mean of `z` and the logarithm of its variance, `[rows, 1]` each.
    fn posterior(&self, y: &Matrix, tape: PassTape) -> (Matrix, TapedMatrix) {
        let (both, tape) = self.encoder.forward(y.clone().put_tape(tape) * ZOOM).split_tape();
        let (mean, tape) = columns(both.clone().put_tape(tape), 0..1).split_tape();
        // Nothing is as sure or as unsure as to overflow.
        (mean, columns(both.put_tape(tape), 1..2).clamp(-12.0, 6.0))
    }

    /// `F(y)`, the mean over standard normal `draws`, each `[rows, 1]` with its weight.
    fn of(&self, y: &Matrix, draws: &[(Matrix, f32)], tape: PassTape) -> TapedColumn {
        let (mean, log_variance) = self.posterior(y, tape);
        let (log_variance, tape) = log_variance.split_tape();
        let (variance, tape) = log_variance.clone().put_tape(tape).exp().split_tape();
        let (square, tape) = mean.clone().put_tape(tape).square().split_tape();
        // KL(N(m, s²), N(0, 1)) = (m² + s² - 1 - log s²) / 2, and what the decoder's Gaussian is divided by.
        let constant = -0.5 + (TAU * self.noise * self.noise).ln();
        let (half, tape) = (log_variance.clone().put_tape(tape) * -0.5).split_tape();
        let mut sum = ((variance.put_tape(tape) + square) * 0.5 + half + constant).sum::<_, Axis<1>>();
        for (draw, weight) in draws {
            let (before, tape) = sum.split_tape();
            let (deviation, tape) = (log_variance.clone().put_tape(tape) * 0.5).exp().split_tape();
            let z = deviation.put_tape(tape) * draw.clone() + mean.clone();
            // The mean's own way back is on the tape: what is added to it counts.
            let (again, tape) = self.decoder.forward(z).split_tape();
            let error = (y.clone().put_tape(tape) - again).square().sum::<_, Axis<1>>();
            let (error, tape) = (error * (0.5 * weight / (self.noise * self.noise))).split_tape();
            sum = before.put_tape(tape) + error;
        }
        sum
    }

    /// The density of the decoder over its whole latent: a Gaussian for each cell of a fine grid over `z`.
    fn exact(&self) -> Result<GaussianMixture, ModelError> {
        const CELLS: i16 = 240;
        let cell = |index: i16| 10.0 * (f32::from(index) + 0.5) / f32::from(CELLS) - 5.0;
        let z: Vec<f32> = (0..CELLS).map(cell).collect();
        let weights = DVector::from_iterator(z.len(), z.iter().map(|z| (-0.5 * f64::from(*z).powi(2)).exp()));
        let means = numbers(&self.decoder.apply(&matrix(z, 1)));
        let means = DMatrix::from_iterator(2, weights.len(), means.iter().map(|value| f64::from(*value)));
        let covariance = DMatrix::identity(2, 2) * f64::from(self.noise).powi(2);
        GaussianMixture::new(&weights / weights.sum(), means, vec![covariance; weights.len()])
    }
}

impl Energy for Bound {
    fn energies(&self, _: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let rows = y.shape().0;
        let draws = HERMITE.map(|[node, weight]| (matrix(vec![node; rows], 1), weight));
        self.of(y, &draws, tape)
    }
}

impl Variational {
    fn new(noise: f32, data: &Plane, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let encoder = Network::random(&[2, HIDDEN, HIDDEN, 2], Activation::Tanh, &mut rng);
        let decoder = Network::random(&[1, HIDDEN, HIDDEN, 2], Activation::Tanh, &mut rng);
        let bound = Bound { encoder, decoder, noise };
        let data = inside_out(&data.train);
        Self { bound, adam: Adam::new(RATE), data, updates: 0, watched: Vec::new(), rng }
    }

    /// Mean `F` and mean exact `-log p` of samples.
    fn judge(&self, samples: &Samples) -> Result<[f64; 2], ModelError> {
        let bounds = self.bound.values(&nothing(samples.ncols()), &rows(samples));
        let exact = self.bound.exact()?;
        let exact = samples.column_iter().map(|y| exact.energy(&y.into_owned(), 1.0)).sum::<f64>();
        let bound = bounds.iter().map(|bound| f64::from(*bound)).sum::<f64>();
        Ok([bound, exact].map(|sum| sum / samples.ncols() as f64))
    }

    /// What codes drawn from the standard Gaussian decode to.
    fn dreams(&self) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let codes = matrix(random::normals(150, &mut rng), 1);
        let noise = random::normals(300, &mut rng);
        let decoded = numbers(&self.bound.decoder.apply(&codes));
        decoded.iter().zip(noise).map(|(value, noise)| value + self.bound.noise * noise).collect()
    }
}

impl PlaneModel for Variational {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(|x: &Matrix, y: &Matrix, tape: PassTape| self.bound.energies(x, y, tape))
    }

    fn update(&mut self, data: &Plane) -> Result<Vec<f64>, GalleryError> {
        let points = shown(self.data.len() / 2, self.updates as f32 / UPDATES as f32);
        let mut pick = |_| 2 * self.rng.gen_range(0..points);
        let batch = (0..BATCH).map(&mut pick).flat_map(|at| [self.data[at], self.data[at + 1]]).collect();
        let draws = [(matrix(random::normals(BATCH, &mut self.rng), 1), 1.0)];
        let loss = self.bound.of(&matrix(batch, 2), &draws, PassTape::default()).mean();
        let finite = loss.array().is_finite();
        self.adam.rate = RATE * (1.0 - self.updates as f32 / UPDATES as f32).max(0.01);
        let Bound { encoder, decoder, .. } = &mut self.bound;
        let parameters = encoder.parameters_mut().chain(decoder.parameters_mut());
        if !self.adam.step(parameters, &mut loss.backward()) || !finite {
            return Err(GalleryError::Diverged { what: "the variational autoencoder", updates: self.updates });
        }
        if self.updates.is_multiple_of(LOOK) || self.updates + 1 == UPDATES {
            self.watched = self.judge(&data.train)?.to_vec();
        }
        self.updates += 1;
        Ok(self.watched.clone())
    }

    fn layers(&self, _data: &Plane) -> Vec<Layer> {
        let sweep = (0..=400).map(|step| -2.5 + step as f32 / 80.0).collect();
        let said = numbers(&self.bound.decoder.apply(&matrix(sweep, 1)));
        let said = said.chunks_exact(2).map(|place| [place[0], place[1]]).collect();
        vec![
            line("decoded, z from -2.5 to 2.5", said, Hue::Second, false),
            points("decoded, z drawn", &self.dreams(), Hue::Third, 2.0),
        ]
    }

    fn measures(&self, data: &Plane) -> Vec<Measure> {
        let [bound, exact] = self.judge(&data.held_out).unwrap_or([f64::NAN; 2]);
        let (mean, log_variance) = self.bound.posterior(&rows(&data.held_out), PassTape::default());
        let (means, log_variances) = (numbers(&mean), numbers(&log_variance));
        let divergence = means.iter().zip(log_variances).map(|(m, log)| 0.5 * f64::from(m * m + log.exp() - 1.0 - log));
        let divergence = divergence.sum::<f64>() / means.len() as f64;
        vec![
            Measure {
                name: "bound",
                about: "mean F(y) of held-out data, nats; expected: the exact -log p(y), which no bound is below"
                    .to_owned(),
                value: bound,
                expected: Some(exact),
            },
            Measure::plain(
                "divergence",
                "what the latent tells of y, KL(q(z|y), N(0, 1)), nats; 0: it has fallen silent",
                divergence,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::plane::tests::run_until, *};
    use crate::energy::tests::check;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let data = Plane::new(1);
        let model = Variational::new(0.5, &data, 2);
        check(model.energy().as_ref(), &nothing(4), &rows(&data.train.columns(0, 4).into_owned()), 0.02);
    }

    /// By the decoder's own parameters, and by the encoder's through mean and variance.
    #[test]
    fn slopes_by_parameters_agree_with_finite_differences() {
        let data = Plane::new(1);
        let mut model = Variational::new(0.5, &data, 2);
        let y = rows(&data.train.columns(0, 8).into_owned());
        let draws = [(matrix(random::normals(8, &mut model.rng), 1), 1.0)];
        let slopes = model.bound.of(&y, &draws, PassTape::default()).mean().backward();
        for decoder in [true, false] {
            let parameter = if decoder { &model.bound.decoder } else { &model.bound.encoder }.layers[1][0].clone();
            let (values, slopes) = (numbers(&parameter), numbers(&slopes.get(&parameter)));
            for index in [0, 77, 1500] {
                let mut at = |offset: f32| {
                    let mut moved = values.clone();
                    moved[index] += offset;
                    let network = if decoder { &mut model.bound.decoder } else { &mut model.bound.encoder };
                    network.layers[1][0] = matrix(moved, HIDDEN);
                    model.bound.of(&y, &draws, PassTape::default()).mean().array()
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                at(0.0);
                assert!((slope - slopes[index]).abs() < 2e-3, "{decoder}, {index}: {slope} against {}", slopes[index]);
            }
        }
    }

    #[test]
    fn is_a_bound_and_falls_silent_under_noise() {
        let study = run_until(0.7, &ENTRY, &[("noise", 0.15)]);
        let all = |study: &dyn super::super::Study, name: &str| {
            study.measures().into_iter().find(|measure| measure.name == name).unwrap()
        };
        let bound = all(study.as_ref(), "bound");
        let gap = bound.value - bound.expected.unwrap();
        assert!((-0.01..1.2).contains(&gap), "{bound:?}");
        assert!(all(study.as_ref(), "divergence").value > 0.8);
        let silent = run_until(0.3, &ENTRY, &[("noise", 1.0)]);
        assert!(all(silent.as_ref(), "divergence").value < 0.1);
    }
}

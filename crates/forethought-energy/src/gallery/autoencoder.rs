//! An autoencoder with a bottleneck as an energy-based model (Dawid & LeCun 2023, Sec. 4.2). Read first: [`Autoencoder`].

use super::{
    Entry, GalleryError, Knob, Measure,
    picture::line,
    plane::{Plan, Plane, PlaneModel, PlaneStudy, inside_out, shown},
};
use crate::{
    Matrix, PassTape, TapedColumn,
    energy::{Energy, matrix, nothing},
    models::Pca,
    network::{Activation, Adam, Network},
    numbers,
};
use dfdx::prelude::{AsArray, Axis, Backward, HasShape, MeanTo, PutTape, SplitTape, SumTo};
use forethought_interface::{Hue, Layer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BOTTLENECK: Knob = Knob {
    name: "bottleneck",
    about: "how many numbers the code has; with 2 every point can be copied, and the energy goes flat",
    range: [1.0, 2.0],
    default: 1.0,
    whole: true,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "autoencoder",
    title: "Autoencoder: a bottleneck",
    source: "Sec. 4.2",
    about: "F(y) = |y - Dec(Enc(y))|², with a code of one number between the two networks: PCA whose line may bend. Shown the \
            spiral from the inside out, it comes to follow it, but for a jump where pieces meet, and the energy is low there. With a \
            code of two numbers it copies every point, and the energy goes flat: collapse. What PCA leaves over is the dashed line. In \
            the mind, the size of the latent is a bottleneck too.",
    knobs: &[BOTTLENECK],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let bottleneck = settings.value(&BOTTLENECK) as usize;
        let pca = Pca::fit(&data.train, 1)?;
        let energies = data.train.column_iter().map(|y| pca.energy(&y.into_owned()));
        let theory = energies.sum::<f64>() / data.train.ncols() as f64;
        let model = Autoencoder::new(bottleneck, &data, settings.seed);
        let plan = Plan {
            title: "An autoencoder with a bottleneck on a spiral",
            updates: [UPDATES, 3],
            label: "mean |y - Dec(Enc(y))|²",
            watched: &["a batch"],
            log: true,
            theory: Some(("PCA", theory)),
        };
        Ok(Box::new(PlaneStudy::new(model, data, plan)))
    },
};

const UPDATES: usize = 6000;
const BATCH: usize = 100;
const HIDDEN: usize = 64;
/// The encoder sees the plane this much larger, so that its first layer bends within it.
const ZOOM: f32 = 3.0;
const RATE: f32 = 4e-3;

/// Two networks, and the code between them.
struct Autoencoder {
    energy: Reconstruction,
    adam: Adam,
    /// All data, to draw from, from the inside out.
    data: Vec<f32>,
    updates: usize,
    rng: ChaCha8Rng,
}

/// `|y - Dec(Enc(y))|²`.
struct Reconstruction {
    encoder: Network,
    decoder: Network,
}

impl Reconstruction {
    fn codes(&self, y: &Matrix) -> Matrix {
        self.encoder.apply(&(y.clone() * ZOOM))
    }
}

impl Energy for Reconstruction {
    fn energies(&self, _: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let code = self.encoder.forward(y.clone().put_tape(tape) * ZOOM).tanh();
        let (again, tape) = self.decoder.forward(code).split_tape();
        (y.clone().put_tape(tape) - again).square().sum::<_, Axis<1>>()
    }
}

impl Autoencoder {
    fn new(bottleneck: usize, data: &Plane, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let encoder = Network::random(&[2, HIDDEN, HIDDEN, bottleneck], Activation::Tanh, &mut rng);
        let decoder = Network::random(&[bottleneck, HIDDEN, HIDDEN, 2], Activation::Tanh, &mut rng);
        let data = inside_out(&data.train);
        Self { energy: Reconstruction { encoder, decoder }, adam: Adam::new(RATE), data, updates: 0, rng }
    }
}

impl PlaneModel for Autoencoder {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(|x: &Matrix, y: &Matrix, tape: PassTape| self.energy.energies(x, y, tape))
    }

    fn update(&mut self, _data: &Plane) -> Result<Vec<f64>, GalleryError> {
        let points = shown(self.data.len() / 2, self.updates as f32 / UPDATES as f32);
        let mut pick = |_| 2 * self.rng.gen_range(0..points);
        let batch = (0..BATCH).map(&mut pick).flat_map(|at| [self.data[at], self.data[at + 1]]).collect();
        let loss = self.energy.energies(&nothing(BATCH), &matrix(batch, 2), PassTape::default()).mean();
        let value = f64::from(loss.array());
        self.adam.rate = RATE * (1.0 - self.updates as f32 / UPDATES as f32).max(0.01);
        let Reconstruction { encoder, decoder } = &mut self.energy;
        let parameters = encoder.parameters_mut().chain(decoder.parameters_mut());
        if !self.adam.step(parameters, &mut loss.backward()) {
            return Err(GalleryError::Diverged { what: "the autoencoder", updates: self.updates });
        }
        self.updates += 1;
        Ok(vec![value])
    }

    /// All that a code of one number can say.
    fn layers(&self, _data: &Plane) -> Vec<Layer> {
        if self.energy.decoder.layers[0][0].shape().0 > 1 {
            return Vec::new();
        }
        let codes = self.energy.codes(&matrix(self.data.clone(), 2)).tanh();
        let (low, high) =
            numbers(&codes).iter().fold((1.0_f32, -1.0_f32), |(low, high), z| (low.min(*z), high.max(*z)));
        let sweep = (0..=400).map(|step| low + (high - low) * step as f32 / 400.0).collect();
        let said = numbers(&self.energy.decoder.apply(&matrix(sweep, 1)));
        let said = said.chunks_exact(2).map(|place| [place[0], place[1]]).collect();
        vec![line("what a code can say", said, Hue::Second, false)]
    }

    fn measures(&self, data: &Plane) -> Vec<Measure> {
        let spread = data.train.column_iter().map(|y| y.norm_squared()).sum::<f64>() / data.train.ncols() as f64;
        vec![Measure::plain("spread", "mean |y|² of the data: what is left over by a code that says nothing", spread)]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::{
            rows,
            tests::{measure, run_until},
        },
        *,
    };
    use crate::energy::tests::check;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let data = Plane::new(1);
        let model = Autoencoder::new(1, &data, 2);
        check(model.energy().as_ref(), &nothing(4), &rows(&data.train.columns(0, 4).into_owned()), 0.02);
    }

    #[test]
    fn bends_along_the_spiral_and_two_numbers_make_it_flat() {
        let bent = run_until(0.7, &ENTRY, &[]);
        let objective = bent.measures().into_iter().find(|measure| measure.name == "objective").unwrap();
        assert!(objective.value < 0.2 * objective.expected.unwrap(), "{objective:?}");
        assert!(measure(bent.as_ref(), "told_apart") > 0.9);
        let flat = run_until(0.7, &ENTRY, &[("bottleneck", 2.0)]);
        assert!(measure(flat.as_ref(), "energy_elsewhere") < 0.5 * measure(bent.as_ref(), "energy_elsewhere"));
    }
}

//! Sparse coding as an energy-based model (Dawid & LeCun 2023, Sec. 4.2). Read first: [`Sparse`].

use super::{
    Entry, GalleryError, Knob, Measure,
    plane::{Plan, Plane, PlaneModel, PlaneStudy},
};
use crate::{
    energy::Energy,
    models::{ModelError, Samples, SparseCoding, in_use},
};
use forethought_interface::{Hue, Layer, Panel};
use nalgebra::DMatrix;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LAMBDA: Knob = Knob {
    name: "lambda",
    about: "what a unit of code costs; at nearly nothing every point can be said for nothing, and the energy goes flat",
    range: [0.001, 2.0],
    default: 0.4,
    whole: false,
    log: true,
};
const ATOMS: Knob = Knob {
    name: "atoms",
    about: "how many atoms the plane's dictionary has",
    range: [2.0, 40.0],
    default: 12.0,
    whole: true,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "sparse_coding",
    title: "Sparse coding: a latent that costs",
    source: "Sec. 4.2",
    about: "F(y) = min_z |y - Wz|² + lambda |z|_1 with more atoms, the columns of W, than y has numbers: they could say every point, but \
            using them costs. In the plane that leaves low energy along few directions, the sharper the higher lambda is; what sparse \
            coding is good for shows in more dimensions: from pictures that are sums of a few bars, it finds the bars. The mind's \
            latent variables are kept from telling too much by a price as well.",
    knobs: &[LAMBDA, ATOMS],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let lambda = settings.value(&LAMBDA);
        let plane = Dictionary::new(data.train.clone(), settings.value(&ATOMS) as usize, lambda, &mut rng)?;
        let bars = Dictionary::new(pictures(&mut rng), 2 * SIDE, 0.3, &mut rng)?;
        let plan = Plan {
            title: "Sparse coding on a spiral, and on bars",
            updates: [150, 1],
            label: "mean |y - Wz|² + lambda |z|",
            watched: &["spiral", "bars"],
            log: true,
            theory: None,
        };
        Ok(Box::new(PlaneStudy::new(Sparse { plane, bars }, data, plan)))
    },
};

/// Pixels along the edge of a picture of bars.
const SIDE: usize = 6;
/// How many pictures there are, and how probable each of the 12 bars is in one.
const PICTURES: usize = 400;
const BAR: f64 = 0.15;

/// The bar of that number: a row of the picture, or from `SIDE` on a column.
fn bar(number: usize, pixel: usize) -> bool {
    if number < SIDE { pixel / SIDE == number } else { pixel % SIDE == number - SIDE }
}

/// Sums of a few bars, each as strong as it happens to be (after Földiák, 1990).
fn pictures(rng: &mut ChaCha8Rng) -> Samples {
    let mut samples = Samples::zeros(SIDE * SIDE, PICTURES);
    for mut picture in samples.column_iter_mut() {
        for number in 0..2 * SIDE {
            if rng.gen_bool(BAR) {
                let strength = rng.gen_range(0.5..1.5);
                picture
                    .iter_mut()
                    .enumerate()
                    .for_each(|(pixel, value)| *value += strength * f64::from(u8::from(bar(number, pixel))));
            }
        }
    }
    samples
}

/// A dictionary with what it learns from.
struct Dictionary {
    model: SparseCoding,
    samples: Samples,
    codes: DMatrix<f64>,
}

impl Dictionary {
    fn new(samples: Samples, atoms: usize, lambda: f64, rng: &mut ChaCha8Rng) -> Result<Self, ModelError> {
        let model = SparseCoding::random(samples.nrows(), atoms, lambda, rng)?;
        Ok(Self { codes: DMatrix::zeros(atoms, samples.ncols()), model, samples })
    }

    fn update(&mut self) -> Result<f64, ModelError> {
        self.model.step(&self.samples, &mut self.codes)
    }
}

/// Two dictionaries: of points in the plane, and of pictures.
struct Sparse {
    plane: Dictionary,
    bars: Dictionary,
}

impl Sparse {
    /// How many bars are an atom.
    fn found(&self) -> usize {
        let alike = |number: usize, atom: nalgebra::DVectorView<f64>| {
            let along: f64 = (0..SIDE * SIDE).filter(|pixel| bar(number, *pixel)).map(|pixel| atom[pixel]).sum();
            along.abs() / (SIDE as f64).sqrt() > 0.95 * atom.norm().max(1e-9)
        };
        let atoms = self.bars.model.atoms();
        (0..2 * SIDE).filter(|number| atoms.column_iter().any(|atom| alike(*number, atom))).count()
    }
}

impl PlaneModel for Sparse {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(self.plane.model.clone())
    }

    fn update(&mut self, _data: &Plane) -> Result<Vec<f64>, GalleryError> {
        Ok(vec![self.plane.update()?, self.bars.update()?])
    }

    fn layers(&self, _data: &Plane) -> Vec<Layer> {
        let atom = |atom: nalgebra::DVectorView<f64>| [[0.0; 2], [atom[0] as f32, atom[1] as f32]];
        let places = self.plane.model.atoms().column_iter().map(atom).collect();
        vec![Layer::Segments { name: "atoms".to_owned(), places, hue: Hue::Second, arrows: true }]
    }

    /// Some pictures, and the atoms that were found: grey is nothing.
    fn panels(&self) -> Vec<Panel> {
        let grey = |samples: nalgebra::DVectorView<f64>| {
            let largest = samples
                .iter()
                .fold(1e-9_f64, |largest, value| if value.abs() > largest.abs() { *value } else { largest });
            samples.iter().map(|value| (0.5 + 0.5 * value / largest) as f32).collect()
        };
        let tiles = |title: &str, samples: &Samples| Panel {
            title: title.to_owned(),
            layers: vec![Layer::Tiles {
                images: samples.column_iter().take(2 * SIDE).map(grey).collect(),
                width: SIDE,
                across: SIDE,
                captions: Vec::new(),
            }],
            ..Panel::default()
        };
        let found = format!("The atoms found: {} of {} bars", self.found(), 2 * SIDE);
        vec![tiles("Pictures: sums of bars", &self.bars.samples), tiles(&found, self.bars.model.atoms())]
    }

    fn measures(&self, _data: &Plane) -> Vec<Measure> {
        let used = |codes: &DMatrix<f64>| {
            codes.column_iter().map(|code| in_use(code) as f64).sum::<f64>() / codes.ncols() as f64
        };
        vec![
            Measure {
                name: "bars_found",
                about: "how many of the bars are an atom (cosine above 0.95)".to_owned(),
                value: self.found() as f64,
                expected: Some(2.0 * SIDE as f64),
            },
            Measure::plain("atoms_in_use", "atoms that say a point of the spiral, on average", used(&self.plane.codes)),
            Measure {
                name: "bars_in_use",
                about: "atoms that say a picture, on average; expected: bars that it was made of".to_owned(),
                value: used(&self.bars.codes),
                expected: Some(2.0 * SIDE as f64 * BAR),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::tests::{measure, run},
        *,
    };

    #[test]
    fn finds_the_bars_and_goes_flat_where_codes_cost_nothing() {
        let study = run(&ENTRY, &[]);
        assert!(measure(study.as_ref(), "bars_found") >= 10.0, "{:?}", study.measures());
        let free = run(&ENTRY, &[("lambda", 0.001)]);
        assert!(measure(free.as_ref(), "energy_elsewhere") < 0.02 * measure(study.as_ref(), "energy_elsewhere"));
    }
}

//! Principal components as an energy-based model (Dawid & LeCun 2023, Sec. 4.2). Read first: [`Line`].

use super::{
    Entry, GalleryError, Knob,
    picture::line,
    plane::{Plan, Plane, PlaneModel, PlaneStudy},
};
use crate::{energy::Energy, models::Pca};
use forethought_interface::{Hue, Layer};
use nalgebra::{DMatrix, DVector};

const COMPONENTS: Knob = Knob {
    name: "components",
    about: "how many dimensions the latent has; with 2 it can say every point of the plane, and the energy goes flat",
    range: [1.0, 2.0],
    default: 1.0,
    whole: true,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "pca",
    title: "PCA: a latent of few dimensions",
    source: "Sec. 4.2",
    about: "F(y) is the squared distance from y to the nearest point of a line. Its latent has one dimension, so that only a line can \
            have low energy, and the energy cannot go flat; but no line fits a spiral. Gradient descent on the mean energy comes to what \
            the singular value decomposition says. The mind keeps the information of a latent variable as low, for the same reason.",
    knobs: &[COMPONENTS],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let components = settings.value(&COMPONENTS) as usize;
        // Across the direction in which it will end, but for a little.
        let exact = Pca::fit(&data.train, 2)?;
        let start = DMatrix::from_columns(&[exact.components().column(1) + exact.components().column(0) * 0.02]);
        let start = if components == 1 { start } else { DMatrix::identity(2, 2) };
        let model = Line { pca: Pca::begin(&data.train, start)? };
        let plan = Plan {
            title: "PCA on a spiral",
            updates: [200, 2],
            label: "mean |y - m - Wz|²",
            watched: &["gradient descent"],
            log: false,
            theory: Some(("by singular values", mean_energy(&Pca::fit(&data.train, components)?, &data))),
        };
        Ok(Box::new(PlaneStudy::new(model, data, plan)))
    },
};

/// How far a step goes, times the slope.
const RATE: f64 = 0.4;

/// The best line, as it is found.
struct Line {
    pca: Pca,
}

fn mean_energy(pca: &Pca, data: &Plane) -> f64 {
    let energies = data.train.column_iter().map(|y| pca.energy(&y.into_owned()));
    energies.sum::<f64>() / data.train.ncols() as f64
}

impl PlaneModel for Line {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(self.pca.clone())
    }

    fn update(&mut self, data: &Plane) -> Result<Vec<f64>, GalleryError> {
        let energy = mean_energy(&self.pca, data);
        self.pca.step(&data.train, RATE);
        Ok(vec![energy])
    }

    fn layers(&self, data: &Plane) -> Vec<Layer> {
        let place = |y: DVector<f64>| [y[0] as f32, y[1] as f32];
        let mut ends = Vec::new();
        for index in 0..self.pca.components().ncols() {
            let along = |z: f64| {
                let mut latent = DVector::zeros(self.pca.components().ncols());
                latent[index] = z;
                place(self.pca.decode(&latent))
            };
            ends.extend([along(-1.3), along(1.3), [f32::NAN; 2]]);
        }
        let feet = data.train.column_iter().step_by(8).map(|y| {
            let y = y.into_owned();
            [place(y.clone()), place(self.pca.decode(&self.pca.encode(&y)))]
        });
        vec![
            Layer::Segments { name: "to its code".to_owned(), places: feet.collect(), hue: Hue::Faint, arrows: false },
            line("what a latent can say", ends, Hue::Model, false),
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
    fn descent_comes_to_the_singular_values() {
        let study = run(&ENTRY, &[]);
        let objective = study.measures().into_iter().find(|measure| measure.name == "objective").unwrap();
        assert!((objective.value / objective.expected.unwrap() - 1.0).abs() < 1e-3, "{objective:?}");
    }

    #[test]
    fn two_components_make_it_flat() {
        let study = run(&ENTRY, &[("components", 2.0)]);
        assert!(measure(study.as_ref(), "energy_elsewhere") < 1e-9);
    }
}

//! A Gaussian mixture as an energy-based model with a latent that is marginalised (Dawid & LeCun 2023, Sec. 4.2 and Eq. A5). Read
//! first: [`Mixture`].

use super::{
    Entry, GalleryError, Knob,
    picture::line,
    plane::{Plan, Plane, PlaneModel, PlaneStudy},
};
use crate::{
    energy::Energy,
    models::{GaussianMixture, KMeans, Tempered},
};
use forethought_interface::{Hue, Layer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

const PARTS: Knob = Knob {
    name: "parts",
    about: "how many Gaussians there are",
    range: [1.0, 60.0],
    default: 14.0,
    whole: true,
    log: true,
};
const BETA: Knob = Knob {
    name: "beta",
    about: "the inverse temperature at which the latent is marginalised in the picture; 1 is the density that was learned",
    range: [0.1, 100.0],
    default: 1.0,
    whole: false,
    log: true,
};

/// Added to each variance, so that no Gaussian shrinks to a point.
const FLOOR: f64 = 1e-4;

pub(super) const ENTRY: Entry = Entry {
    name: "gaussian_mixture",
    title: "Gaussian mixture: a latent that is marginalised",
    source: "Sec. 4.2, Eq. A5",
    about: "F(y) = -1/beta log sum_k exp(-beta E(y, k)), with a stretched bowl for each k. At a beta of 1 it is the negative \
            log-likelihood, and expectation-maximisation never raises it; at a high beta the least counts alone, as in k-means. It \
            cannot go flat, for each Gaussian has the volume 1. A latent that is sampled instead of minimised plans for all that may happen.",
    knobs: &[PARTS, BETA],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let start = KMeans::spread(&data.train, settings.value(&PARTS) as usize, &mut rng)?;
        let mixture = GaussianMixture::around(&data.train, start.centres(), 0.05)?;
        let model = Mixture { tempered: Tempered { mixture, beta: settings.value(&BETA) } };
        let plan = Plan {
            title: "A Gaussian mixture on a spiral",
            updates: [150, 1],
            label: "mean -log p(y), nats",
            watched: &["data it learns from", "held-out data"],
            log: false,
            theory: None,
        };
        Ok(Box::new(PlaneStudy::new(model, data, plan)))
    },
};

/// A mixture that is learned at a beta of 1 and shown at another.
struct Mixture {
    tempered: Tempered,
}

impl Mixture {
    fn negative_log_likelihood(&self, samples: &crate::models::Samples) -> f64 {
        let energies = samples.column_iter().map(|y| self.tempered.mixture.energy(&y.into_owned(), 1.0));
        energies.sum::<f64>() / samples.ncols() as f64
    }
}

impl PlaneModel for Mixture {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(self.tempered.clone())
    }

    fn update(&mut self, data: &Plane) -> Result<Vec<f64>, GalleryError> {
        let held_out = self.negative_log_likelihood(&data.held_out);
        Ok(vec![-self.tempered.mixture.step(&data.train, FLOOR)?, held_out])
    }

    /// Each Gaussian as the ellipse of two standard deviations.
    fn layers(&self, _data: &Plane) -> Vec<Layer> {
        let mixture = &self.tempered.mixture;
        let mut outlines = Vec::new();
        for (mean, covariance) in mixture.means().column_iter().zip(mixture.covariances()) {
            let eigen = covariance.clone().symmetric_eigen();
            for step in 0..=32 {
                let angle = TAU * f64::from(step) / 32.0;
                let [a, b] = [0, 1].map(|axis: usize| 2.0 * eigen.eigenvalues[axis].max(0.0).sqrt());
                let on =
                    eigen.eigenvectors.column(0) * (a * angle.cos()) + eigen.eigenvectors.column(1) * (b * angle.sin());
                outlines.push([(mean[0] + on[0]) as f32, (mean[1] + on[1]) as f32]);
            }
            outlines.push([f32::NAN; 2]);
        }
        vec![line("two standard deviations", outlines, Hue::Second, false)]
    }

    fn turn(&mut self, knob: &str, value: f64) -> bool {
        let ours = knob == BETA.name;
        if ours {
            self.tempered.beta = value;
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::tests::{measure, run},
        *,
    };

    #[test]
    fn learns_the_spiral_and_beta_can_be_turned() {
        let mut study = run(&ENTRY, &[]);
        assert!(measure(study.as_ref(), "told_apart") > 0.97, "{:?}", study.measures());
        let before = measure(study.as_ref(), "energy_of_data");
        assert!(study.turn("beta", 50.0) && !study.turn("parts", 3.0));
        // Less is left out of the sum, and the free energy rises to the minimum.
        assert!(measure(study.as_ref(), "energy_of_data") > before);
    }
}

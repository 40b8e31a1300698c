//! k-means as an energy-based model (Dawid & LeCun 2023, Sec. 4.2). Read first: [`Centres`].

use super::{
    Entry, GalleryError, Knob,
    picture::points,
    plane::{Plan, Plane, PlaneModel, PlaneStudy},
};
use crate::{energy::Energy, models::KMeans};
use forethought_interface::{Hue, Layer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const CENTRES: Knob = Knob {
    name: "centres",
    about: "how many values the latent can take: its capacity",
    range: [1.0, 100.0],
    default: 20.0,
    whole: true,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "kmeans",
    title: "k-means: a latent of few values",
    source: "Sec. 4.2",
    about: "F(y) is the squared distance to the nearest of a few centres: the latent says which. Each centre digs a well, and \
            where there is none the energy stays high. Lloyd's steps lower the mean energy until nothing moves. In the mind, the \
            predictor's latent variable for what cannot be foretold has few values too (scenario `fork`).",
    knobs: &[CENTRES],
    begin: |settings| {
        let data = Plane::new(settings.seed);
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let count = settings.value(&CENTRES) as usize;
        let best = KMeans::fit(&data.train, count, (30, 100, 0.0), &mut rng)?;
        let best = best.assign(&data.train).1.iter().sum::<f64>() / data.train.ncols() as f64;
        let model = KMeans::spread(&data.train, count, &mut rng)?;
        let plan = Plan {
            title: "k-means on a spiral",
            updates: [30, 1],
            label: "mean min |y - w|²",
            watched: &["Lloyd's steps"],
            log: true,
            theory: Some(("the best of 30 beginnings", best)),
        };
        Ok(Box::new(PlaneStudy::new(Centres { model }, data, plan)))
    },
};

/// Centres on their way.
struct Centres {
    model: KMeans,
}

impl PlaneModel for Centres {
    fn energy(&self) -> Box<dyn Energy + '_> {
        Box::new(self.model.clone())
    }

    fn update(&mut self, data: &Plane) -> Result<Vec<f64>, GalleryError> {
        Ok(vec![self.model.step(&data.train)])
    }

    fn layers(&self, _data: &Plane) -> Vec<Layer> {
        let centres: Vec<f32> = self.model.centres().iter().map(|value| *value as f32).collect();
        vec![points("centres", &centres, Hue::Second, 4.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::tests::{measure, run},
        *,
    };

    #[test]
    fn more_centres_dig_more_wells_and_tell_data_from_elsewhere() {
        let [few, many] = [3.0, 20.0].map(|centres| run(&ENTRY, &[("centres", centres)]));
        let objective = many.measures().into_iter().find(|measure| measure.name == "objective").unwrap();
        assert!(objective.value < 1.5 * objective.expected.unwrap(), "{objective:?}");
        assert!(measure(few.as_ref(), "told_apart") < 0.95, "{:?}", few.measures());
        assert!(measure(many.as_ref(), "told_apart") > 0.98, "{}", measure(many.as_ref(), "told_apart"));
    }
}

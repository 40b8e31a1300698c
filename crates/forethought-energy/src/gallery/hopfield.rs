//! The Hopfield network: pictures stored as minima of an energy, and how many go in (Dawid & LeCun 2023, Sec. 5.1, Eq. 6-7). Read first:
//! [`Memory`] and [`Memory::load`].

use super::{Entry, GalleryError, Knob, Measure, Settings, Study, picture::line};
use crate::models::{Hopfield, ModelError, Recall, Samples, overlap, retrieval};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use nalgebra::DVector;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FLIPPED: Knob = Knob {
    name: "flipped",
    about: "the share of pixels that are flipped before recall",
    range: [0.0, 0.5],
    default: 0.25,
    whole: false,
    log: false,
};
const UNITS: Knob = Knob {
    name: "units",
    about: "how many units the network has in which capacity is measured",
    range: [100.0, 1000.0],
    default: 500.0,
    whole: true,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "hopfield",
    title: "Hopfield network: memories as minima",
    source: "Sec. 5.1, Eq. 6-7",
    about: "Hebb's rule digs a minimum of E(s) = -1/2 sum w s s at each stored picture; from a corrupted one, units take the sign of \
            the field that they feel, the energy falls, and the picture comes back. There are minima that nobody stored: negatives and \
            mixtures. Beyond a load of 0.138 patterns a unit, recall breaks down, as theory says. Inference as descent on an energy \
            is what the mind's planner does with actions.",
    knobs: &[FLIPPED, UNITS],
    begin: |settings| Ok(Box::new(Memory::new(settings)?)),
};

/// Pixels along the edge of a picture.
const SIDE: usize = 16;
/// How many pictures are stored.
const PICTURES: usize = 6;
/// Units of the network whose minima are counted.
const SMALL: usize = 100;
/// Random beginnings from which minima are looked for, at each number of patterns.
const BEGINNINGS: usize = 200;
/// Numbers of patterns at which minima are counted.
const COUNTED: [usize; 6] = [1, 3, 5, 7, 10, 14];
/// Loads at which capacity is measured, in hundredths of patterns a unit.
const LOADS: [usize; 19] = [1, 2, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 25];
/// Networks at each load, and patterns that each is asked for.
const NETWORKS: usize = 10;
const ASKED: usize = 20;

/// The overlap that is left at a load of 0.138: one unit in sixty is wrong (Amit, Gutfreund & Sompolinsky, 1987).
const EDGE: f32 = 0.967;

/// A network that holds pictures, and the numbers of others that hold noise.
struct Memory {
    network: Hopfield,
    pictures: Samples,
    corrupted: Samples,
    recalls: Vec<Recall>,
    minima: Vec<Minima>,
    /// Load, mean overlap of what was recalled with what was asked for, and the share that was nearly right.
    overlaps: Vec<[f32; 3]>,
    units: usize,
    /// What is done, in slices.
    done: usize,
    rng: ChaCha8Rng,
}

/// What random beginnings came to in a network of so many patterns.
#[derive(Debug, Clone, Copy, Default)]
struct Minima {
    patterns: usize,
    /// How many of the beginnings came to a pattern or its negative.
    stored: usize,
    /// How many other minima were found.
    spurious: usize,
    /// How many of the beginnings came to one of those.
    beginnings: usize,
}

impl Memory {
    fn new(settings: &Settings) -> Result<Self, ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let pictures =
            Samples::from_fn(SIDE * SIDE, PICTURES, |pixel, picture| drawn(picture, pixel % SIDE, pixel / SIDE));
        let flipped = settings.value(&FLIPPED);
        let corrupted = pictures.map(|unit| if rng.gen_bool(flipped) { -unit } else { unit });
        Ok(Self {
            network: Hopfield::store(&pictures)?,
            pictures,
            corrupted,
            recalls: Vec::new(),
            minima: Vec::new(),
            overlaps: Vec::new(),
            units: settings.value(&UNITS) as usize,
            done: 0,
            rng,
        })
    }

    /// Which part of the work comes next.
    fn slices() -> usize {
        PICTURES + COUNTED.len() + LOADS.len() * NETWORKS
    }

    /// Count the minima that random beginnings come to.
    fn count(&mut self, patterns: usize) -> Result<Minima, ModelError> {
        let stored = noise(SMALL, patterns, &mut self.rng);
        let network = Hopfield::store(&stored)?;
        let mut minima = Minima { patterns, ..Minima::default() };
        let mut found: Vec<DVector<f64>> = Vec::new();
        for _ in 0..BEGINNINGS {
            let begun = noise(SMALL, 1, &mut self.rng).column(0).into_owned();
            let state = network.recall(&begun, 100, &mut self.rng).state;
            let same = |other: &DVector<f64>| overlap(&state, other).abs() > 0.999;
            if stored.column_iter().any(|pattern| overlap(&state, &pattern.into_owned()).abs() > 0.9) {
                minima.stored += 1;
            } else {
                minima.beginnings += 1;
                if !found.iter().any(same) {
                    found.push(state);
                }
            }
        }
        minima.spurious = found.len();
        Ok(minima)
    }

    /// How well a network of that load recalls what it stores: the mean overlap of where descent leads from patterns themselves, and
    /// the share of them with an overlap of more than 0.9.
    fn load(&mut self, hundredths: usize) -> Result<[f32; 2], ModelError> {
        let patterns = (self.units * hundredths / 100).max(1);
        let stored = noise(self.units, patterns, &mut self.rng);
        let network = Hopfield::store(&stored)?;
        let asked = patterns.min(ASKED);
        let (mut sum, mut right) = (0.0, 0.0);
        for pattern in stored.column_iter().take(asked) {
            let pattern = pattern.into_owned();
            let overlap = overlap(&network.recall(&pattern, 200, &mut self.rng).state, &pattern);
            sum += overlap;
            right += f64::from(u8::from(overlap > 0.9));
        }
        Ok([sum, right].map(|sum| (sum / asked as f64) as f32))
    }

    /// The mean at each load of the overlap (1) or of the share that was nearly right (2).
    fn curve(&self, which: usize) -> Vec<[f32; 2]> {
        let means = self.overlaps.chunk_by(|a, b| a[0] == b[0]);
        means.map(|all| [all[0][0], all.iter().map(|numbers| numbers[which]).sum::<f32>() / all.len() as f32]).collect()
    }

    /// The load at which the mean overlap falls below what theory says remains of it where recall breaks down.
    fn capacity(&self) -> Option<f64> {
        let curve = self.curve(1);
        let pair = curve.windows(2).find(|pair| pair[0][1] >= EDGE && pair[1][1] < EDGE)?;
        let share = (pair[0][1] - EDGE) / (pair[0][1] - pair[1][1]);
        Some(f64::from(pair[0][0] + share * (pair[1][0] - pair[0][0])))
    }

    fn tiles(&self) -> Panel {
        let grey = |state: &DVector<f64>| state.iter().map(|unit| (0.5 - 0.5 * unit) as f32).collect::<Vec<f32>>();
        let blank = vec![0.5; SIDE * SIDE];
        let mut images: Vec<Vec<f32>> = self.pictures.column_iter().map(|state| grey(&state.into_owned())).collect();
        images.extend(self.corrupted.column_iter().map(|state| grey(&state.into_owned())));
        images.extend(
            (0..PICTURES).map(|index| self.recalls.get(index).map_or(blank.clone(), |recall| grey(&recall.state))),
        );
        let overlaps = self.recalls.iter().zip(self.pictures.column_iter());
        let overlaps: Vec<String> =
            overlaps.map(|(recall, picture)| format!("{:.2}", overlap(&recall.state, &picture.into_owned()))).collect();
        let named = |name: &str| vec![name.to_owned(); PICTURES];
        let mut captions = [named("stored"), named("corrupted"), overlaps].concat();
        captions.resize(3 * PICTURES, String::new());
        Panel {
            title: "Stored, corrupted, recalled (with overlap)".to_owned(),
            layers: vec![Layer::Tiles { images, width: SIDE, across: PICTURES, captions }],
            ..Panel::default()
        }
    }

    fn descents(&self) -> Panel {
        let longest = self.recalls.iter().map(|recall| recall.energies.len()).max().unwrap_or(2);
        let scale = 1.0 / (SIDE * SIDE) as f64;
        let way = |recall: &Recall| {
            let energies = recall.energies.iter().enumerate();
            energies.map(|(sweep, energy)| [sweep as f32, (energy * scale) as f32]).collect::<Vec<_>>()
        };
        let mut layers: Vec<Layer> =
            self.recalls.iter().map(|recall| line("", way(recall), Hue::Model, false)).collect();
        let low = self.recalls.iter().flat_map(&way).fold(-0.1_f32, |low, [_, energy]| low.min(energy));
        let stored =
            self.pictures.column_iter().map(|picture| (self.network.energy(&picture.into_owned()) * scale) as f32);
        let stored = stored.map(|energy| line("", vec![[0.0, energy], [longest as f32, energy]], Hue::Theory, true));
        layers.extend(stored);
        if let [Layer::Line { name, .. }, ..] = layers.as_mut_slice() {
            "recall".clone_into(name);
        }
        if let Some(Layer::Line { name, .. }) = layers.last_mut() {
            "as stored".clone_into(name);
        }
        Panel {
            title: "The energy falls".to_owned(),
            x: Span::new("sweeps over all units", [0.0, (longest - 1) as f32]),
            y: Span::new("energy a unit", [1.1 * low, 0.0]),
            equal: false,
            layers,
        }
    }

    fn counts(&self) -> Panel {
        let of = |part: fn(&Minima) -> usize| {
            self.minima.iter().map(|minima| [minima.patterns as f32, part(minima) as f32]).collect()
        };
        let layers = vec![
            line("came to a pattern or its negative", of(|minima| minima.stored), Hue::Model, false),
            line("came to what nobody stored", of(|minima| minima.beginnings), Hue::Wrong, false),
            line("different minima that nobody stored", of(|minima| minima.spurious), Hue::Wrong, true),
        ];
        Panel {
            title: format!("Spurious minima: {BEGINNINGS} random beginnings, {SMALL} units"),
            x: Span::new("patterns stored", [0.0, 15.0]),
            y: Span::new("beginnings, minima", [0.0, 1.05 * BEGINNINGS as f32]),
            equal: false,
            layers,
        }
    }

    fn capacities(&self) -> Panel {
        let theory = (0..=250).map(|step| [step as f32 / 1000.0, retrieval(f64::from(step) / 1000.0) as f32]).collect();
        let layers = vec![
            line("theory of many units", theory, Hue::Theory, true),
            line(&format!("measured, {} units", self.units), self.curve(1), Hue::Model, false),
            Layer::Points { name: String::new(), places: self.curve(1), hue: Hue::Model, radius: 2.5 },
            line("share recalled nearly right", self.curve(2), Hue::Second, false),
            line("0.138", vec![[0.138, 0.0], [0.138, 1.05]], Hue::Faint, true),
        ];
        Panel {
            title: "Capacity".to_owned(),
            x: Span::new("load, patterns a unit", [0.0, 0.25]),
            y: Span::new("overlap with the pattern", [0.0, 1.05]),
            equal: false,
            layers,
        }
    }
}

/// Patterns of chance, `[units, patterns]`.
fn noise(units: usize, patterns: usize, rng: &mut ChaCha8Rng) -> Samples {
    Samples::from_fn(units, patterns, |_, _| if rng.gen_bool(0.5) { 1.0 } else { -1.0 })
}

/// A pixel of a picture, 1 (dark) or -1: a disc, a cross, stripes, a chessboard, a triangle, a tree.
fn drawn(picture: usize, x: usize, y: usize) -> f64 {
    let middle = (SIDE as f64 - 1.0) / 2.0;
    let (across, down) = (x as f64 - middle, y as f64 - middle);
    let dark = match picture {
        0 => across.hypot(down) < 6.4,
        1 => across.abs() < 2.1 || down.abs() < 2.1,
        2 => (x + y) % 8 < 4,
        3 => (x / 4 + y / 4).is_multiple_of(2),
        4 => across.abs() < 0.55 * y as f64,
        _ => x / 2 % 2 == usize::from(y >= SIDE / 2),
    };
    if dark { 1.0 } else { -1.0 }
}

impl Study for Memory {
    fn advance(&mut self) -> Result<(), GalleryError> {
        let counted = self.done.wrapping_sub(PICTURES);
        if self.done < PICTURES {
            let begun = self.corrupted.column(self.done).into_owned();
            self.recalls.push(self.network.recall(&begun, 50, &mut self.rng));
        } else if let Some(patterns) = COUNTED.get(counted) {
            let minima = self.count(*patterns)?;
            self.minima.push(minima);
        } else if self.done < Self::slices() {
            let hundredths = LOADS[(counted - COUNTED.len()) / NETWORKS];
            let [overlap, right] = self.load(hundredths)?;
            self.overlaps.push([hundredths as f32 / 100.0, overlap, right]);
        }
        self.done = (self.done + 1).min(Self::slices());
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.done as f32 / Self::slices() as f32
    }

    fn chart(&self) -> Chart {
        let panels = vec![self.tiles(), self.descents(), self.counts(), self.capacities()];
        Chart { title: "A Hopfield network: storage, recall, spurious minima, capacity".to_owned(), columns: 2, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let recalled = self.recalls.iter().zip(self.pictures.column_iter());
        let recalled: f64 = recalled.map(|(recall, picture)| overlap(&recall.state, &picture.into_owned())).sum();
        let off = |[load, overlap]: [f32; 2]| (f64::from(overlap) - retrieval(f64::from(load))).abs();
        let below = self.curve(1).into_iter().filter(|[load, _]| *load < 0.11).map(off);
        vec![
            Measure {
                name: "capacity",
                about: "the load (patterns a unit) at which one unit in sixty is recalled wrong, where theory has the breakdown".to_owned(),
                value: self.capacity().unwrap_or(f64::NAN),
                expected: Some(0.138),
            },
            Measure {
                name: "off_theory",
                about: "how far the overlap is from the theory of many units, at most, at loads below 0.11".to_owned(),
                value: below.fold(0.0, f64::max),
                expected: Some(0.0),
            },
            Measure {
                name: "recalled",
                about: "mean overlap of the pictures recalled with those stored".to_owned(),
                value: recalled / self.recalls.len().max(1) as f64,
                expected: Some(1.0),
            },
            Measure::plain(
                "spurious",
                "different minima that nobody stored, found from 200 random beginnings with 7 patterns in 100 units",
                self.minima
                    .iter()
                    .find(|minima| minima.patterns == 7)
                    .map_or(f64::NAN, |minima| minima.spurious as f64),
            ),
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
    fn recalls_pictures_and_breaks_down_at_the_load_that_theory_says() {
        let study = run(&ENTRY, &[("units", 500.0)]);
        assert!(measure(study.as_ref(), "recalled") > 0.95, "{:?}", study.measures());
        assert!((measure(study.as_ref(), "capacity") - 0.138).abs() < 0.02, "{:?}", study.measures());
        assert!(measure(study.as_ref(), "off_theory") < 0.02);
        assert!(measure(study.as_ref(), "spurious") > 5.0);
    }
}

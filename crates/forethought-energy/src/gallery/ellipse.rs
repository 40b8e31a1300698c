//! An ellipse with a latent angle: its energy with the best angle, and with all of them by their share (Dawid & LeCun 2023, Sec. 3,
//! Fig. 4b). Read first: [`EllipseEnergy`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, line, over_updates, points},
};
use crate::{
    Matrix, PassTape, TapedColumn,
    energy::{Energy, matrix, nothing},
    latent::{FreeEnergy, LatentEnergy, Minimum},
    network::Adam,
    nodes::Nodes,
    numbers,
    ops::beside,
    random,
};
use dfdx::prelude::{Axis, Backward, BroadcastTo, HasShape, MeanTo, PutTape, ReshapeTo, SplitTape, SumTo};
use forethought_interface::{Chart, Hue, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BETA: Knob = Knob {
    name: "beta",
    about: "the inverse temperature of the free energy: how much better angles count more",
    range: [0.3, 100.0],
    default: 5.0,
    whole: false,
    log: true,
};
const MARGINAL: Knob = Knob {
    name: "marginal",
    about: "0: trained with the best angle; 1: with the free energy at `beta`",
    range: [0.0, 1.0],
    default: 0.0,
    whole: true,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "ellipse",
    title: "An ellipse with a latent angle",
    source: "Sec. 3, Fig. 4b, Eq. A5",
    about: "E(y, z) = (y1 - r1 sin z)² + (y2 - r2 cos z)²: which point of the ellipse y belongs to is not given. With the best z the \
            energy is the squared distance from the ellipse; with all of them by their share it is smooth, and comes to the former as \
            beta grows. Its radii are learned; it does not collapse, since z has one dimension and y two. The mind's world model has a \
            latent variable too, for what cannot be known of the future.",
    knobs: &[BETA, MARGINAL],
    begin: |settings| Ok(Box::new(Ellipse::new(settings))),
};

const UPDATES: usize = 300;
const BATCH: usize = 64;
const RADII: [f32; 2] = [2.0, 1.0];
const NOISE: f32 = 0.05;
const WINDOW: Window = Window { ranges: [[-3.0, 3.0], [-3.0, 3.0]], cells: 48 };

/// `(y1 - r1 sin z)² + (y2 - r2 cos z)²`.
#[derive(Debug, Clone)]
struct EllipseEnergy {
    /// `[1, 2]`.
    radii: Matrix,
}

impl LatentEnergy for EllipseEnergy {
    fn energies(&self, _: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        let shape = *y.shape();
        let (sine, tape) = z.clone().put_tape(tape).sin().split_tape();
        let (cosine, tape) = z.clone().put_tape(tape).cos().split_tape();
        let (direction, tape) = beside(&sine, &cosine, tape).split_tape();
        let radii = self.radii.clone().put_tape(tape).reshape_like(&(2,)).broadcast_like::<_, Axis<0>>(&shape);
        let (place, tape) = (radii * direction).split_tape();
        (y.clone().put_tape(tape) - place).square().sum::<_, Axis<1>>()
    }
}

impl EllipseEnergy {
    fn minimum(&self) -> Minimum<Self> {
        Minimum { energy: self.clone(), nodes: Nodes::circle(48), steps: 12, rate: 0.05 }
    }

    /// Averaged over the circle, so that its level does not depend on the angle's unit.
    fn free(&self, beta: f32) -> FreeEnergy<Self> {
        // As many angles as it takes to see the width of exp(-beta E).
        let count = (24.0 * (1.0 + beta.sqrt())).min(256.0) as usize;
        FreeEnergy { energy: self.clone(), nodes: Nodes::circle(count).normalised(), beta }
    }
}

/// The radii, learned from points near an ellipse.
struct Ellipse {
    beta: f32,
    marginal: bool,
    energy: EllipseEnergy,
    adam: Adam,
    radii: [History; 2],
    losses: History,
    updates: usize,
    rng: ChaCha8Rng,
}

impl Ellipse {
    fn new(settings: &Settings) -> Self {
        Self {
            beta: settings.value(&BETA) as f32,
            marginal: settings.value(&MARGINAL) == 1.0,
            energy: EllipseEnergy { radii: matrix(vec![0.6, 1.8], 2) },
            adam: Adam::new(0.03),
            radii: Default::default(),
            losses: History::default(),
            updates: 0,
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
        }
    }

    fn update(&mut self) -> Result<(), GalleryError> {
        let y = data(BATCH, &mut self.rng);
        let energies = if self.marginal {
            self.energy.free(self.beta).energies(&nothing(BATCH), &y, PassTape::default())
        } else {
            self.energy.minimum().energies(&nothing(BATCH), &y, PassTape::default())
        };
        let loss = energies.mean::<(), _>();
        self.losses.note(self.updates, loss.as_vec()[0]);
        if !self.adam.step([&mut self.energy.radii], &mut loss.backward()) {
            return Err(GalleryError::Diverged { what: "a radius", updates: self.updates });
        }
        self.updates += 1;
        for (history, radius) in self.radii.iter_mut().zip(numbers(&self.energy.radii)) {
            history.note(self.updates, radius);
        }
        Ok(())
    }
}

impl Study for Ellipse {
    fn advance(&mut self) -> Result<(), GalleryError> {
        if self.updates < UPDATES { self.update() } else { Ok(()) }
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let data = points("data", &numbers(&data(120, &mut ChaCha8Rng::seed_from_u64(1))), Hue::Data, 2.0);
        let radii = numbers(&self.energy.radii);
        let curve = (0..=120).map(|index| index as f32 * std::f32::consts::TAU / 120.0);
        let curve = line(
            "the model's ellipse",
            curve.map(|z| [radii[0] * z.sin(), radii[1] * z.cos()]).collect(),
            Hue::Model,
            false,
        );
        let map = |title: String, values: Vec<f32>| {
            let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
            let values = values.iter().map(|value| value - lowest).collect();
            let layers = vec![WINDOW.heat("F less its least", values, [0.0, 3.0]), data.clone(), curve.clone()];
            WINDOW.panel(title, ["y1", "y2"], layers)
        };
        let mut panels = vec![map("min over z".into(), WINDOW.energies(&self.energy.minimum()))];
        for beta in [self.beta, 0.2 * self.beta] {
            panels.push(map(format!("Free energy, beta = {beta:.2}"), WINDOW.energies(&self.energy.free(beta))));
        }
        panels.push(self.profile());
        panels.push(self.angles());
        let radii = self.radii.iter().zip([("r1", Hue::Model), ("r2", Hue::Second)]);
        let mut lines: Vec<_> = radii.map(|(radius, (name, hue))| radius.line(name, hue)).collect();
        lines.extend(RADII.map(|radius| line("", vec![[0.0, radius], [UPDATES as f32, radius]], Hue::Theory, true)));
        panels.push(over_updates("Radii learned", "radius", UPDATES, false, lines));
        Chart { title: ENTRY.title.into(), columns: 3, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let radii = numbers(&self.energy.radii);
        let measure = |name, about: &str, value: f32, expected| Measure {
            name,
            about: about.into(),
            value: f64::from(value),
            expected,
        };
        let nodes = Window { cells: 16, ..WINDOW }.nodes();
        let (x, y) = (nothing(nodes.count()), nodes.matrix());
        let least = self.energy.minimum().values(&x, &y);
        let exact = y_values(&nodes, |y| distance([radii[0], radii[1]], y).powi(2));
        let gap = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let free = FreeEnergy { nodes: Nodes::circle(4000).normalised(), ..self.energy.free(1000.0) }.values(&x, &y);
        vec![
            measure("radius_1", "the first radius learned", radii[0], Some(f64::from(RADII[0]))),
            measure("radius_2", "the second radius learned", radii[1], Some(f64::from(RADII[1]))),
            measure(
                "min_against_distance",
                "how far min E is from the squared distance to the ellipse, at most",
                gap(&least, &exact),
                Some(0.0),
            ),
            measure(
                "free_against_min",
                "how far the free energy is from min E at beta = 1000, at most",
                gap(&free, &least),
                Some(0.0),
            ),
        ]
    }

    fn turn(&mut self, knob: &str, value: f64) -> bool {
        if knob == BETA.name {
            self.beta = value as f32;
        }
        knob == BETA.name
    }
}

impl Ellipse {
    /// Energies along the axis y1: the minimum has a kink in the middle where the best angle changes, the free energy has none.
    fn profile(&self) -> Panel {
        let places: Vec<f32> = (-60..=60).map(|index| 0.05 * index as f32).collect();
        let y = matrix(places.iter().flat_map(|place| [0.0, *place]).collect(), 2);
        let x = nothing(places.len());
        let with = |values: Vec<f32>| places.iter().zip(values).map(|(place, value)| [*place, value]).collect();
        let radii = numbers(&self.energy.radii);
        let exact =
            places.iter().map(|place| [*place, distance([radii[0], radii[1]], [0.0, *place]).powi(2)]).collect();
        let mut layers = vec![line("min over z", with(self.energy.minimum().values(&x, &y)), Hue::Model, false)];
        let hues = [Hue::Second, Hue::Third, Hue::Fourth];
        for (beta, hue) in [5.0 * self.beta, self.beta, 0.2 * self.beta].into_iter().zip(hues) {
            layers.push(line(&format!("beta = {beta:.2}"), with(self.energy.free(beta).values(&x, &y)), hue, false));
        }
        layers.push(line("squared distance", exact, Hue::Theory, true));
        Panel {
            title: "Along y2, where y1 = 0".into(),
            x: Span::new("y2", [-3.0, 3.0]),
            y: Span::new("F", [-0.2, 6.0]),
            equal: false,
            layers,
        }
    }

    /// How probable each angle is, for three answers.
    fn angles(&self) -> Panel {
        let y = [[1.5, 0.3], [0.0, 0.0], [0.0, 2.0]];
        let free = self.energy.free(self.beta);
        let count = free.nodes.count();
        let posterior = free.posterior(&nothing(3), &matrix(y.concat(), 2));
        let density = count as f32 / std::f32::consts::TAU;
        let layer = |(row, hue): (usize, Hue)| {
            let masses = &posterior[row * count..(row + 1) * count];
            let places = free.nodes.points.iter().zip(masses).map(|(z, mass)| [*z, density * *mass as f32]);
            line(&format!("y = ({}, {})", y[row][0], y[row][1]), places.collect(), hue, false)
        };
        let layers: Vec<_> = [(0, Hue::Model), (1, Hue::Second), (2, Hue::Third)].map(layer).into();
        let top = posterior.iter().fold(0.0_f64, |top, mass| top.max(*mass)) as f32 * density;
        let (x, y) = (Span::new("z", [0.0, std::f32::consts::TAU]), Span::new("P(z | y)", [0.0, 1.1 * top.max(0.1)]));
        Panel { title: format!("Angles, beta = {:.2}", self.beta), x, y, equal: false, layers }
    }
}

/// Points near the ellipse.
fn data(count: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut all = Vec::with_capacity(2 * count);
    for _ in 0..count {
        let (sine, cosine) = rng.gen_range(0.0..std::f32::consts::TAU).sin_cos();
        all.extend([RADII[0] * sine, RADII[1] * cosine].map(|value| value + NOISE * random::normal(rng)));
    }
    matrix(all, 2)
}

/// A function of each node's place.
fn y_values(nodes: &Nodes, of: impl Fn([f32; 2]) -> f32) -> Vec<f32> {
    nodes.points.chunks_exact(2).map(|place| of([place[0], place[1]])).collect()
}

/// How far a place is from an ellipse with these half-axes, by bisection for the foot of the perpendicular (Eberly, 2013), in double
/// precision: nothing of it is shared with the energy.
fn distance(radii: [f32; 2], place: [f32; 2]) -> f32 {
    // The first quadrant does, the longer half-axis first.
    let swap = radii[0].abs() < radii[1].abs();
    let of = |pair: [f32; 2]| {
        let [a, b] = pair.map(|value| f64::from(value.abs()));
        if swap { [b, a] } else { [a, b] }
    };
    let ([long, short], [u, v]) = (of(radii), of(place));
    if v < 1e-12 {
        let foot = long * long * u / (long * long - short * short).max(1e-12);
        let near =
            if foot < long { (u - foot).hypot(short * (1.0 - (foot / long).powi(2)).sqrt()) } else { (u - long).abs() };
        return near as f32;
    }
    // The foot is (a² u / (t + a²), b² v / (t + b²)) for the t that puts it on the ellipse.
    let outside = |t: f64| (long * u / (t + long * long)).powi(2) + (short * v / (t + short * short)).powi(2) - 1.0;
    let (mut low, mut high) = (-short * short + short * v, -short * short + (long * u).hypot(short * v));
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if outside(middle) > 0.0 { low = middle } else { high = middle }
    }
    let t = 0.5 * (low + high);
    let foot = [long * long * u / (t + long * long), short * short * v / (t + short * short)];
    (u - foot[0]).hypot(v - foot[1]) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{energy::tests::check, gallery::tests::finish};

    fn energy() -> EllipseEnergy {
        EllipseEnergy { radii: matrix(vec![2.0, 1.0], 2) }
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let y = matrix(vec![0.5, 0.3, -2.0, 1.5, 0.1, -1.2], 2);
        check(&energy().minimum(), &nothing(3), &y, 0.02);
        check(&energy().free(2.0), &nothing(3), &y, 0.02);
    }

    #[test]
    fn the_least_energy_is_the_squared_distance() {
        // Where it is plain.
        assert!(
            (distance([2.0, 1.0], [3.0, 0.0]) - 1.0).abs() < 1e-6
                && (distance([2.0, 1.0], [0.0, 0.0]) - 1.0).abs() < 1e-6
        );
        assert!((distance([1.0, 2.0], [0.0, 2.5]) - 0.5).abs() < 1e-6 && distance([2.0, 1.0], [1.2, 0.8]).abs() < 1e-6);
        let nodes = Window { cells: 40, ..WINDOW }.nodes();
        let least = energy().minimum().values(&nothing(nodes.count()), &nodes.matrix());
        let exact = y_values(&nodes, |y| distance([2.0, 1.0], y).powi(2));
        let worst = least.iter().zip(exact).map(|(got, exact)| (got - exact).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }

    /// At least the minimum, falling to it as beta grows, and to the mean as beta goes to 0.
    #[test]
    fn the_free_energy_lies_between_mean_and_minimum() {
        let y = matrix(vec![0.5, 0.3, -2.0, 1.5, 0.1, -1.2], 2);
        let least = energy().minimum().values(&nothing(3), &y);
        let at = |beta: f32| {
            FreeEnergy { energy: energy(), nodes: Nodes::circle(4000).normalised(), beta }.values(&nothing(3), &y)
        };
        let all: Vec<Vec<f32>> = [1e-3, 1.0, 10.0, 100.0, 3000.0].map(at).into();
        for (row, least) in least.into_iter().enumerate() {
            assert!(all.windows(2).all(|pair| pair[0][row] > pair[1][row]) && all[4][row] > least);
            assert!(all[4][row] - least < 3e-3, "{} {least}", all[4][row]);
            let [a, b] = [numbers(&y)[2 * row], numbers(&y)[2 * row + 1]];
            assert!((all[0][row] - (a * a + b * b + 2.0 + 0.5)).abs() < 0.04, "{}", all[0][row]);
        }
    }

    #[test]
    fn learns_the_radii() {
        for marginal in [0.0, 1.0] {
            let measures = finish(&ENTRY, &[("marginal", marginal), ("beta", 30.0)]).measures();
            assert!((measures[0].value - 2.0).abs() < 0.08 && (measures[1].value - 1.0).abs() < 0.08, "{measures:?}");
            assert!(measures[2].value < 1e-3 && measures[3].value < 0.01, "{measures:?}");
        }
    }
}

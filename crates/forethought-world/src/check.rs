//! Whether a world can be built: every impossible value at once, with its place and the remedy.
//! Read first: [`check_world`].

use crate::food::has_room;
use crate::geometry::{Part, Surface, edges, parts, twice_area, vector};
use crate::physics::solid_shape;
use crate::surroundings::boundary;
use crate::{
    ActuatorSpec, AgentBodySpec, BodyKind, BodySpec, ClimateSpec, FoodSpec, MaterialSpec, Maze, MetabolismSpec,
    SensorSpec, ShapeSpec, TimingSpec, WorldProblem, WorldSpec,
};
use bevy_rapier2d::parry::query;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::Num;
use std::collections::HashMap;
use std::fmt::{self, Display};

/// The largest magnitude of any number, in its unit: beyond it single precision has no room left for the rest.
const LARGEST: f64 = 1e6;
/// The smallest length of a shape in metres.
const SMALLEST_M: f64 = 1e-4;
/// Rapier holds every body below this speed.
const FASTEST_M_S: f64 = 400.0;
/// Shapes that overlap less than this only touch.
const TOUCHING_M: f32 = 1e-3;
/// The most obstacles of one scatter, their smallest radius in metres, and the most discs that it leaves free.
const MOST_OBSTACLES: f64 = 256.0;
const SMALLEST_OBSTACLE_M: f64 = 0.01;
const MOST_CLEAR: usize = 256;
/// The most later phases of one body.
const MOST_PHASES: usize = 64;
/// The most items of one patch of food.
const MOST_FOOD: f64 = 256.0;
/// How deep compounds may stand inside compounds.
const DEEPEST: usize = 4;

/// Every impossible value of a resolved specification; none where the world can be built.
///
/// Paths are those that [`forethought_interface::Numbers`] gives.
#[must_use]
pub fn check_world(spec: &WorldSpec) -> Vec<WorldProblem> {
    let mut check = Check { problems: Vec::new() };
    let arena_fits = check.arena(spec);
    check.timing(&spec.timing);
    check.names(spec);
    let bodies = check.bodies(spec);
    let agents: Vec<_> = spec.agents.iter().enumerate().map(|(index, agent)| check.agent(index, agent, spec)).collect();
    check.targets_and_zones(spec);
    let fixed: Vec<Surface> =
        spec.bodies.iter().zip(&bodies).filter_map(|(body, placed)| fixed(body, placed.as_ref())).flatten().collect();
    for (index, food) in spec.foods.iter().enumerate() {
        check.food(index, food, arena_fits.then(|| (vector(&spec.arena.size_m), fixed.as_slice())));
    }
    check.climate(spec.climate.as_ref());
    if arena_fits {
        check.overlaps(spec, &bodies, &agents);
    }
    check.problems
}

/// Where a value stands. Text is made only when there is something to report.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'static str),
    Field(&'a Path<'a>, &'static str),
    Index(&'a Path<'a>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

struct Check {
    problems: Vec<WorldProblem>,
}

/// A shape and where it is at the start.
struct Placed {
    parts: Vec<Part>,
    frame: Frame,
}

impl Check {
    fn report(&mut self, path: &Path, expected: impl Into<String>, found: impl Display, remedy: impl Into<String>) {
        self.problems.push(WorldProblem {
            path: path.to_string(),
            expected: expected.into(),
            found: found.to_string(),
            remedy: remedy.into(),
        });
    }

    /// The number, if it lies within the bounds.
    fn within(&mut self, path: &Path, num: &Num, low: f64, high: f64, remedy: &str) -> Option<f64> {
        let value = num.value();
        if let Num::Expression(text) = num {
            self.report(path, "a number", format!("the expression `{text}`"), "resolve it before building the world");
        } else if !(low..=high).contains(&value) {
            self.report(path, format!("a number from {low} to {high}"), value, remedy);
        } else {
            return Some(value);
        }
        None
    }

    fn any(&mut self, path: &Path, num: &Num) -> Option<f64> {
        self.within(path, num, -LARGEST, LARGEST, "write a finite number of that size")
    }

    fn length(&mut self, path: &Path, num: &Num) -> Option<f64> {
        self.within(path, num, SMALLEST_M, LARGEST, "give it a positive length in metres")
    }

    fn pair(&mut self, path: &Path, nums: &[Num; 2]) -> Option<Vector> {
        let x = self.any(&Path::Index(path, 0), &nums[0]);
        let y = self.any(&Path::Index(path, 1), &nums[1]);
        Some(Vector::new(x? as f32, y? as f32))
    }

    fn color(&mut self, parent: &Path, color: &[Num; 3]) {
        let path = Path::Field(parent, "color");
        for (index, channel) in color.iter().enumerate() {
            self.within(&Path::Index(&path, index), channel, 0.0, 1.0, "write red, green and blue between 0 and 1");
        }
    }

    /// Whether the arena has a size.
    fn arena(&mut self, spec: &WorldSpec) -> bool {
        let root = Path::Root("arena");
        let size = Path::Field(&root, "size_m");
        let lengths = [0, 1].map(|axis| self.length(&Path::Index(&size, axis), &spec.arena.size_m[axis]).is_some());
        self.pair(&Path::Field(&root, "gravity_m_s2"), &spec.arena.gravity_m_s2);
        lengths == [true, true]
    }

    fn timing(&mut self, timing: &TimingSpec) {
        let root = Path::Root("timing");
        let (step, period) = (timing.physics_step_s, timing.control_period_s);
        if !(step > 0.0 && step <= 0.1) {
            let expected = "a step above 0 and up to 0.1 seconds";
            self.report(&Path::Field(&root, "physics_step_s"), expected, step, "write 0.025, or less for fast bodies");
            return;
        }
        let steps = period / step;
        let whole = steps.round();
        if !((1.0..=1e4).contains(&whole) && (steps - whole).abs() < 1e-6 * whole) {
            let nearest = step * whole.clamp(1.0, 1e4);
            let remedy = format!("write {nearest}, or a `physics_step_s` that divides it");
            let expected = format!("a whole multiple of physics_step_s, which is {step}");
            self.report(&Path::Field(&root, "control_period_s"), expected, period, remedy);
        }
    }

    /// Names are unique; bodies and agents share theirs, because conditions may name either.
    fn names(&mut self, spec: &WorldSpec) {
        let bodies = spec.bodies.iter().map(|body| ("bodies", body.name.as_str()));
        let agents = spec.agents.iter().map(|agent| ("agents", agent.name.as_str()));
        self.unique(bodies.chain(agents));
        self.unique(spec.targets.iter().map(|target| ("targets", target.name.as_str())));
        self.unique(spec.zones.iter().map(|zone| ("zones", zone.name.as_str())));
        self.unique(spec.foods.iter().map(|food| ("foods", food.name.as_str())));
    }

    fn unique<'a>(&mut self, names: impl Iterator<Item = (&'static str, &'a str)>) {
        let mut first: HashMap<&str, (&str, usize)> = HashMap::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (list, name) in names {
            let index = *counts.entry(list).and_modify(|count| *count += 1).or_insert(0);
            if let Some((other, at)) = first.get(name) {
                let found = format!("`{name}`, the name of {other}[{at}] too");
                let path = Path::Root(list);
                let path = Path::Index(&path, index);
                self.report(&Path::Field(&path, "name"), "a name of its own", found, "rename one of them");
            } else {
                first.insert(name, (list, index));
            }
        }
    }

    fn bodies(&mut self, spec: &WorldSpec) -> Vec<Option<Placed>> {
        let root = Path::Root("bodies");
        let mut placed = Vec::with_capacity(spec.bodies.len());
        for (index, body) in spec.bodies.iter().enumerate() {
            let path = Path::Index(&root, index);
            placed.push(self.placed(&path, &body.shape, &body.position_m, &body.angle_rad));
            if body.shape.grown() > 0 && body.kind != BodyKind::Static {
                let found = format!("{:?}", body.kind);
                let path = Path::Field(&path, "kind");
                self.report(&path, "Static, because of the shape", found, "write Static, or use another shape");
            }
            self.pair(&Path::Field(&path, "velocity_m_s"), &body.velocity_m_s);
            self.any(&Path::Field(&path, "angular_velocity_rad_s"), &body.angular_velocity_rad_s);
            self.phases(&path, body);
            self.pursuit(&path, body);
            self.material(&path, &body.material);
            self.color(&path, &body.color);
        }
        placed
    }

    /// Phases are a kinematic body's, and one begins after the other.
    fn phases(&mut self, body_path: &Path, body: &BodySpec) {
        let path = Path::Field(body_path, "then");
        if body.then.len() > MOST_PHASES {
            self.report(&path, format!("at most {MOST_PHASES} phases"), body.then.len(), "write fewer");
            return;
        }
        if !body.then.is_empty() && body.kind != BodyKind::Kinematic {
            let found = format!("phases of a body that is {:?}", body.kind);
            self.report(&path, "a body of kind Kinematic", found, "write `kind: Kinematic`, or remove `then`");
        }
        let mut before = None;
        for (index, phase) in body.then.iter().enumerate() {
            let path = Path::Index(&path, index);
            let from = Path::Field(&path, "from_s");
            let from_s = self.within(&from, &phase.from_s, 0.0, LARGEST, "write seconds from the episode's start");
            if let (Some(before), Some(from_s)) = (before, from_s)
                && from_s <= before
            {
                let remedy = "let it begin later, or put the phases in order";
                self.report(&from, format!("a time after the phase before, {before}"), from_s, remedy);
            }
            before = from_s.or(before);
            self.pair(&Path::Field(&path, "velocity_m_s"), &phase.velocity_m_s);
            self.any(&Path::Field(&path, "angular_velocity_rad_s"), &phase.angular_velocity_rad_s);
        }
    }

    /// A pursuer is a body that forces move.
    fn pursuit(&mut self, body_path: &Path, body: &BodySpec) {
        let Some(pursuit) = &body.pursues else { return };
        let path = Path::Field(body_path, "pursues");
        if body.kind != BodyKind::Dynamic {
            let found = format!("a pursuer that is {:?}", body.kind);
            self.report(&path, "a body of kind Dynamic", found, "write `kind: Dynamic`, or remove `pursues`");
        }
        let (speed, seconds, none) = ("write a speed in m/s", "give it a positive time in seconds", "write 0 for none");
        self.within(&Path::Field(&path, "speed_m_s"), &pursuit.speed_m_s, 0.0, FASTEST_M_S, speed);
        self.within(&Path::Field(&path, "wander_speed_m_s"), &pursuit.wander_speed_m_s, 0.0, FASTEST_M_S, speed);
        self.within(&Path::Field(&path, "time_constant_s"), &pursuit.time_constant_s, 1e-6, LARGEST, seconds);
        self.within(&Path::Field(&path, "sight_m"), &pursuit.sight_m, 0.0, LARGEST, "write a distance in metres");
        self.within(&Path::Field(&path, "harm_per_s"), &pursuit.harm_per_s, 0.0, LARGEST, none);
        self.within(&Path::Field(&path, "rests_s"), &pursuit.rests_s, 0.0, LARGEST, none);
    }

    fn agent(&mut self, index: usize, agent: &AgentBodySpec, spec: &WorldSpec) -> Option<Placed> {
        let root = Path::Root("agents");
        let path = Path::Index(&root, index);
        let placed = self.placed(&path, &agent.shape, &agent.position_m, &agent.angle_rad);
        if agent.shape.grown() > 0 {
            let remedy = "use a disc, a cuboid or a polygon";
            self.report(
                &Path::Field(&path, "shape"),
                "a shape that can move",
                "a place, which only bodies can be",
                remedy,
            );
        }
        self.inside_arena(&path, &agent.position_m, spec);
        self.material(&path, &agent.material);
        self.color(&path, &agent.color);
        self.actuator(&Path::Field(&path, "actuator"), &agent.actuator);
        let sensors = Path::Field(&path, "sensors");
        for (at, sensor) in agent.sensors.iter().enumerate() {
            self.sensor(&Path::Index(&sensors, at), sensor);
            if agent.sensors[..at].iter().any(|other| other.doubles(sensor)) {
                let expected = "at most one sensor of each kind";
                self.report(&Path::Index(&sensors, at), expected, "a second one", "remove it");
            }
            if matches!(sensor, SensorSpec::Interoception(_)) && agent.metabolism.is_none() {
                let (expected, found) =
                    ("an agent with a metabolism", "an agent without one, which has nothing to tell");
                let remedy = "write `metabolism: ()` beside its sensors, or remove this one";
                self.report(&Path::Index(&sensors, at), expected, found, remedy);
            }
        }
        if let Some(metabolism) = &agent.metabolism {
            self.metabolism(&Path::Field(&path, "metabolism"), metabolism);
        }
        if let Some(name) = &agent.target
            && !spec.targets.iter().any(|target| target.name == *name)
        {
            let known: Vec<String> = spec.targets.iter().map(|target| format!("`{}`", target.name)).collect();
            let (expected, remedy) = if known.is_empty() {
                ("a target's name".to_owned(), "add a target of that name")
            } else {
                (format!("one of {}", known.join(", ")), "correct the name or add the target")
            };
            self.report(&Path::Field(&path, "target"), expected, format!("`{name}`"), remedy);
        }
        placed
    }

    fn metabolism(&mut self, path: &Path, metabolism: &MetabolismSpec) {
        let (store, power) = ("write an energy above 0, in joules", "write 0 for none");
        let capacity = self.within(&Path::Field(path, "capacity_j"), &metabolism.capacity_j, 1e-3, LARGEST, store);
        let start_path = Path::Field(path, "start_j");
        let start = self.within(&start_path, &metabolism.start_j, 1e-3, LARGEST, store);
        if let (Some(capacity), Some(start)) = (capacity, start)
            && start > capacity
        {
            let expected = format!("at most `capacity_j`, {capacity}");
            self.report(&start_path, expected, start, "begin with less, or let it store more");
        }
        self.within(&Path::Field(path, "resting_w"), &metabolism.resting_w, 0.0, LARGEST, power);
        self.within(&Path::Field(path, "acting_w"), &metabolism.acting_w, 0.0, LARGEST, power);
        self.within(&Path::Field(path, "heals_per_s"), &metabolism.heals_per_s, 0.0, LARGEST, power);
    }

    /// `ground` is the arena's size and its static bodies, where they are possible.
    fn food(&mut self, index: usize, food: &FoodSpec, ground: Option<(Vector, &[Surface])>) {
        let before = self.problems.len();
        let root = Path::Root("foods");
        let path = Path::Index(&root, index);
        let count_path = Path::Field(&path, "count");
        let many = self.within(&count_path, &food.count, 0.0, MOST_FOOD, "write how many items there are");
        if let Some(count) = many.filter(|count| count.fract() != 0.0) {
            self.report(&count_path, "a whole number", count, "round it");
        }
        if let Some(size) = &food.size_m {
            let path = Path::Field(&path, "size_m");
            for (axis, length) in size.iter().enumerate() {
                self.length(&Path::Index(&path, axis), length);
            }
        }
        if let Some(position) = &food.position_m {
            self.pair(&Path::Field(&path, "position_m"), position);
        }
        let places_path = Path::Field(&path, "places_m");
        let mut places = Vec::with_capacity(food.places_m.len());
        for (index, place) in food.places_m.iter().enumerate() {
            places.extend(self.pair(&Path::Index(&places_path, index), place));
        }
        if many.is_some_and(|many| places.len() as f64 > many) {
            let expected = "at most as many places as there are items";
            self.report(&places_path, expected, places.len(), "leave some out, or raise `count`");
        }
        if let Some((size, _)) = ground
            && places.iter().any(|place| place.cmplt(Vector::ZERO).any() || place.cmpgt(size).any())
        {
            let expected = format!("places inside the arena, from (0, 0) to ({}, {})", size.x, size.y);
            self.report(&places_path, expected, "one outside", "move it inside or enlarge the arena");
        }
        self.length(&Path::Field(&path, "radius_m"), &food.radius_m);
        self.within(&Path::Field(&path, "energy_j"), &food.energy_j, 0.0, LARGEST, "write an energy in joules");
        self.within(&Path::Field(&path, "regrows_s"), &food.regrows_s, 0.0, LARGEST, "write a time in seconds");
        let clear_path = Path::Field(&path, "clear_m");
        self.within(&clear_path, &food.clear_m, 0.0, LARGEST, "write 0 where items may touch walls");
        self.within(&Path::Field(&path, "seed"), &food.seed, -9e15, 9e15, "write any number of that size");
        self.color(&path, &food.color);
        if let Some((size, obstacles)) = ground
            && self.problems.len() == before
            && !has_room(food, size, obstacles)
        {
            let (expected, found) = ("a free place for an item to lie at", "no such place in 2000 random ones");
            let remedy = "make `clear_m` smaller or the patch's rectangle larger, or move it";
            self.report(&path, expected, found, remedy);
        }
    }

    fn climate(&mut self, climate: Option<&ClimateSpec>) {
        let Some(climate) = climate else { return };
        let path = Path::Root("climate");
        let seconds = "give it a positive time in seconds";
        let day = self.within(&Path::Field(&path, "day_s"), &climate.day_s, 1e-3, LARGEST, seconds);
        self.within(&Path::Field(&path, "night_s"), &climate.night_s, 0.0, LARGEST, "write 0 for no night");
        let dusk_path = Path::Field(&path, "dusk_s");
        let dusk = self.within(&dusk_path, &climate.dusk_s, 0.0, LARGEST, "write 0 for sudden nights");
        if let (Some(day), Some(dusk)) = (day, dusk)
            && dusk > day / 2.0
        {
            let expected = format!("at most half the day, {}", day / 2.0);
            self.report(&dusk_path, expected, dusk, "make dusk shorter or the day longer");
        }
        self.any(&Path::Field(&path, "phase_s"), &climate.phase_s);
        let cold = Path::Field(&path, "cold_harm_per_s");
        self.within(&cold, &climate.cold_harm_per_s, 0.0, LARGEST, "write 0 for mild nights");
    }

    fn targets_and_zones(&mut self, spec: &WorldSpec) {
        let root = Path::Root("targets");
        for (index, target) in spec.targets.iter().enumerate() {
            let path = Path::Index(&root, index);
            if self.pair(&Path::Field(&path, "position_m"), &target.position_m).is_some() {
                self.inside_arena(&path, &target.position_m, spec);
            }
            self.length(&Path::Field(&path, "radius_m"), &target.radius_m);
        }
        let root = Path::Root("zones");
        for (index, zone) in spec.zones.iter().enumerate() {
            let path = Path::Index(&root, index);
            self.placed(&path, &zone.shape, &zone.position_m, &zone.angle_rad);
            let harm = "write 0 for none";
            self.within(&Path::Field(&path, "harm_per_s"), &zone.harm_per_s, 0.0, LARGEST, harm);
            let shelter = "write 0 for none, 1 for all";
            self.within(&Path::Field(&path, "shelter"), &zone.shelter, 0.0, 1.0, shelter);
            self.color(&path, &zone.color);
        }
    }

    /// What has a shape and a place, if both are possible.
    fn placed(&mut self, path: &Path, shape: &ShapeSpec, position: &[Num; 2], angle: &Num) -> Option<Placed> {
        let shape_fits = self.shape(&Path::Field(path, "shape"), shape, 0);
        let position = self.pair(&Path::Field(path, "position_m"), position);
        let angle = self.any(&Path::Field(path, "angle_rad"), angle);
        let frame = Frame::new(position?, angle? as f32);
        shape_fits.then(|| Placed { parts: parts(shape), frame })
    }

    /// Whether the shape can be built.
    fn shape(&mut self, path: &Path, shape: &ShapeSpec, depth: usize) -> bool {
        let before = self.problems.len();
        match shape {
            ShapeSpec::Cuboid { size_m } => {
                let path = Path::Field(path, "size_m");
                for (axis, length) in size_m.iter().enumerate() {
                    self.length(&Path::Index(&path, axis), length);
                }
            }
            ShapeSpec::Disc { radius_m } => {
                self.length(&Path::Field(path, "radius_m"), radius_m);
            }
            ShapeSpec::Polygon { vertices_m } => self.polygon(&Path::Field(path, "vertices_m"), vertices_m),
            ShapeSpec::Wall { .. } => self.wall(path, shape),
            ShapeSpec::Maze { of, cell_m, wall_m } => self.maze(path, of, cell_m, wall_m),
            ShapeSpec::Scatter { .. } => self.scatter(path, shape),
            ShapeSpec::Compound { parts } => {
                let path = Path::Field(path, "parts");
                if parts.is_empty() {
                    self.report(&path, "at least one part", "none", "add a part or use another shape");
                }
                if depth >= DEEPEST {
                    let expected = format!("compounds at most {DEEPEST} deep");
                    self.report(&path, expected, "one more inside", "move its parts into the compound around it");
                    return false;
                }
                for (index, part) in parts.iter().enumerate() {
                    let path = Path::Index(&path, index);
                    self.shape(&Path::Field(&path, "shape"), &part.shape, depth + 1);
                    self.pair(&Path::Field(&path, "position_m"), &part.position_m);
                    self.any(&Path::Field(&path, "angle_rad"), &part.angle_rad);
                }
            }
        }
        self.problems.len() == before
    }

    fn polygon(&mut self, path: &Path, vertices_m: &[[Num; 2]]) {
        if vertices_m.len() < 3 {
            self.report(path, "at least 3 corners", vertices_m.len(), "add corners, or use a cuboid or a disc");
            return;
        }
        let mut vertices = Vec::with_capacity(vertices_m.len());
        for (index, vertex) in vertices_m.iter().enumerate() {
            vertices.extend(self.pair(&Path::Index(path, index), vertex));
        }
        if vertices.len() < vertices_m.len() {
            return;
        }
        let area = twice_area(&vertices) / 2.0;
        let sides: Vec<Vector> = edges(&vertices).map(|(from, to)| to - from).collect();
        let shortest = sides.iter().map(|side| side.length()).fold(f32::INFINITY, f32::min);
        let longest = sides.iter().map(|side| side.length()).fold(0.0, f32::max);
        if shortest < SMALLEST_M as f32 || area.abs() < SMALLEST_M as f32 * longest {
            let remedy = "move its corners apart; corners in one line or twice the same corner enclose nothing";
            self.report(path, "a polygon with an area", format!("corners around {} m²", area.abs()), remedy);
            return;
        }
        // Convex: every corner turns the same way, and once around in all.
        let mut turned = 0.0;
        for (index, (before, after)) in sides.iter().zip(sides.iter().cycle().skip(1)).enumerate() {
            let turn = before.perp_dot(*after).atan2(before.dot(*after)) * area.signum();
            turned += turn;
            if turn < -1e-4 {
                let corner = (index + 1) % vertices.len();
                let found = "a corner that turns inwards";
                let remedy = "move it out, or split the shape into a compound of convex parts";
                self.report(&Path::Index(path, corner), "a convex polygon", found, remedy);
                return;
            }
        }
        let degenerate = solid_shape(&Part::Polygon { vertices }).is_none();
        if (turned - std::f32::consts::TAU).abs() > 0.01 || degenerate {
            let found = "corners that go around it more than once";
            self.report(path, "a convex polygon", found, "write its corners in order around its edge");
        }
    }

    fn wall(&mut self, path: &Path, shape: &ShapeSpec) {
        let ShapeSpec::Wall { length_m, thickness_m, doors } = shape else { return };
        let length = self.length(&Path::Field(path, "length_m"), length_m);
        self.length(&Path::Field(path, "thickness_m"), thickness_m);
        let doors_path = Path::Field(path, "doors");
        let mut gaps = Vec::new();
        for (index, door) in doors.iter().enumerate() {
            let path = Path::Index(&doors_path, index);
            let width_path = Path::Field(&path, "width_m");
            let at_path = Path::Field(&path, "at_m");
            let width = self.length(&width_path, &door.width_m);
            let at = self.any(&at_path, &door.at_m);
            let (Some(length), Some(width), Some(at)) = (length, width, at) else { continue };
            let slack = 1e-6 * length;
            if width > length + slack {
                let expected = format!("at most the wall's length, {length}");
                self.report(&width_path, expected, width, "make the door narrower or the wall longer");
            } else if at - width / 2.0 < -slack || at + width / 2.0 > length + slack {
                let expected = format!("a middle from {} to {}", width / 2.0, length - width / 2.0);
                let remedy = "move the door so that all of it is in the wall; at_m counts from the wall's beginning";
                self.report(&at_path, expected, at, remedy);
            } else {
                gaps.push((index, at - width / 2.0, at + width / 2.0));
            }
        }
        gaps.sort_by(|a, b| a.1.total_cmp(&b.1));
        for pair in gaps.windows(2) {
            let ((first, _, end), (second, begin, _)) = (pair[0], pair[1]);
            if begin < end - 1e-6 {
                let path = Path::Index(&doors_path, first.max(second));
                let other = first.min(second);
                let found = format!("a door that overlaps doors[{other}]");
                self.report(&Path::Field(&path, "at_m"), "doors apart from each other", found, "move or narrow one");
            }
        }
        if let Some(length) = length
            && gaps.len() == doors.len()
            && !gaps.is_empty()
            && parts(shape).is_empty()
        {
            let expected = format!("doors narrower together than the wall's {length} m");
            self.report(&doors_path, expected, "no wall left between them", "remove the wall or narrow its doors");
        }
    }

    fn maze(&mut self, path: &Path, of: &Num, cell_m: &Num, wall_m: &Num) {
        let of_path = Path::Field(path, "of");
        if matches!(of, Num::Literal(number) if Maze::of_number(*number).is_none()) {
            let remedy = "write that factor's name alone, for example \"maze\"";
            self.report(&of_path, "a factor that is drawn with `Maze(...)`", of.value(), remedy);
        } else if matches!(of, Num::Expression(_)) {
            self.any(&of_path, of);
        }
        let cell = self.length(&Path::Field(path, "cell_m"), cell_m);
        let wall_path = Path::Field(path, "wall_m");
        let wall = self.length(&wall_path, wall_m);
        if let (Some(cell), Some(wall)) = (cell, wall)
            && wall >= cell
        {
            let expected = format!("less than `cell_m`, {cell}");
            self.report(&wall_path, expected, wall, "make walls thinner or cells larger, so that ways are left");
        }
    }

    fn scatter(&mut self, path: &Path, shape: &ShapeSpec) {
        let ShapeSpec::Scatter { count, size_m, radius_m, gap_m, clear, seed } = shape else { return };
        let count_path = Path::Field(path, "count");
        let many = self.within(&count_path, count, 1.0, MOST_OBSTACLES, "write how many obstacles to scatter");
        if let Some(count) = many.filter(|count| count.fract() != 0.0) {
            self.report(&count_path, "a whole number", count, "round it");
        }
        let size_path = Path::Field(path, "size_m");
        let [width, height] = [0, 1].map(|axis| self.length(&Path::Index(&size_path, axis), &size_m[axis]));
        let radius_path = Path::Field(path, "radius_m");
        let [low_path, high_path] = [0, 1].map(|end| Path::Index(&radius_path, end));
        let too_small = "give obstacles a radius that can be seen";
        let low = self.within(&low_path, &radius_m[0], SMALLEST_OBSTACLE_M, LARGEST, too_small);
        let high = self.within(&high_path, &radius_m[1], SMALLEST_OBSTACLE_M, LARGEST, too_small);
        let gap = self.within(&Path::Field(path, "gap_m"), gap_m, 0.0, LARGEST, "write 0 where obstacles may touch");
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            self.report(&high_path, format!("at least the smallest radius, {low}"), high, "swap the two");
        }
        if let (Some(width), Some(height), Some(low), Some(gap)) = (width, height, low, gap)
            && width.min(height) < 2.0 * (low + gap)
        {
            let most = width.min(height) / 2.0 - gap;
            let expected = format!("at most {most}: half the field's shorter side, less `gap_m`");
            self.report(&low_path, expected, low, "make obstacles or the gap smaller, or the field larger");
        }
        let clear_path = Path::Field(path, "clear");
        for (index, disc) in clear.iter().enumerate() {
            let path = Path::Index(&clear_path, index);
            self.pair(&Path::Field(&path, "position_m"), &disc.position_m);
            self.length(&Path::Field(&path, "radius_m"), &disc.radius_m);
        }
        if clear.len() > MOST_CLEAR {
            self.report(&clear_path, format!("at most {MOST_CLEAR} discs"), clear.len(), "write fewer, larger ones");
        }
        self.within(&Path::Field(path, "seed"), seed, -9e15, 9e15, "write any number of that size");
    }

    fn material(&mut self, path: &Path, material: &MaterialSpec) {
        let path = Path::Field(path, "material");
        let coefficient = "write 0 or more";
        self.within(&Path::Field(&path, "density_kg_m2"), &material.density_kg_m2, 1e-6, LARGEST, "give it a mass");
        self.within(&Path::Field(&path, "friction"), &material.friction, 0.0, LARGEST, coefficient);
        let bounce = "write 0 for no bounce, 1 for a perfect one";
        self.within(&Path::Field(&path, "restitution"), &material.restitution, 0.0, 1.0, bounce);
        let linear = Path::Field(&path, "linear_damping_per_s");
        self.within(&linear, &material.linear_damping_per_s, 0.0, LARGEST, coefficient);
        let angular = Path::Field(&path, "angular_damping_per_s");
        self.within(&angular, &material.angular_damping_per_s, 0.0, LARGEST, coefficient);
    }

    fn actuator(&mut self, path: &Path, actuator: &ActuatorSpec) {
        let (speed, seconds) = ("give it a positive speed", "give it a positive time in seconds");
        match actuator {
            ActuatorSpec::VelocityCommand(spec) => {
                self.within(&Path::Field(path, "max_speed_m_s"), &spec.max_speed_m_s, 1e-6, FASTEST_M_S, speed);
                self.within(&Path::Field(path, "time_constant_s"), &spec.time_constant_s, 1e-6, LARGEST, seconds);
            }
            ActuatorSpec::Force(spec) => {
                let force = "give it a positive force in newtons";
                self.within(&Path::Field(path, "max_force_n"), &spec.max_force_n, 1e-6, LARGEST, force);
            }
            ActuatorSpec::DifferentialDrive(spec) => {
                let wheel = Path::Field(path, "max_wheel_speed_m_s");
                self.within(&wheel, &spec.max_wheel_speed_m_s, 1e-6, FASTEST_M_S, speed);
                self.length(&Path::Field(path, "wheel_base_m"), &spec.wheel_base_m);
                self.within(&Path::Field(path, "time_constant_s"), &spec.time_constant_s, 1e-6, LARGEST, seconds);
            }
        }
    }

    fn sensor(&mut self, path: &Path, sensor: &SensorSpec) {
        match sensor {
            SensorSpec::Proprioception(_) | SensorSpec::Interoception(_) => {}
            SensorSpec::Lidar(spec) => {
                self.count(&Path::Field(path, "rays"), spec.rays, 4096);
                self.length(&Path::Field(path, "range_m"), &spec.range_m);
                let whole = std::f64::consts::TAU + 1e-6;
                let field = Path::Field(path, "field_of_view_rad");
                self.within(
                    &field,
                    &spec.field_of_view_rad,
                    1e-6,
                    whole,
                    "write an angle up to 2 PI, which is all around",
                );
            }
            SensorSpec::Touch(spec) => self.count(&Path::Field(path, "sectors"), spec.sectors, 4096),
            SensorSpec::Raster(spec) => {
                self.count(&Path::Field(path, "width_px"), spec.width_px, 1024);
                self.count(&Path::Field(path, "height_px"), spec.height_px, 1024);
            }
            SensorSpec::Radar(spec) => {
                self.count(&Path::Field(path, "beams"), spec.beams, 4096);
                self.length(&Path::Field(path, "range_m"), &spec.range_m);
            }
            SensorSpec::Scent(spec) => {
                self.count(&Path::Field(path, "beams"), spec.beams, 4096);
                self.length(&Path::Field(path, "range_m"), &spec.range_m);
                self.length(&Path::Field(path, "reach_m"), &spec.reach_m);
                let sharpness = Path::Field(path, "sharpness");
                self.within(&sharpness, &spec.sharpness, 0.1, 1000.0, "write 1 for a cosine, more for narrower beams");
            }
            SensorSpec::Map(spec) => {
                let path = Path::Field(path, "cells");
                for (axis, count) in spec.cells.into_iter().enumerate() {
                    self.count(&Path::Index(&path, axis), count, 64);
                }
            }
        }
    }

    fn count(&mut self, path: &Path, count: u32, most: u32) {
        if !(1..=most).contains(&count) {
            self.report(path, format!("a whole number from 1 to {most}"), count, "choose one in that range");
        }
    }

    fn inside_arena(&mut self, path: &Path, position: &[Num; 2], spec: &WorldSpec) {
        let (at, size) = (vector(position), vector(&spec.arena.size_m));
        if at.is_finite() && size.is_finite() && (at.cmplt(Vector::ZERO).any() || at.cmpgt(size).any()) {
            let expected = format!("a place inside the arena, from (0, 0) to ({}, {})", size.x, size.y);
            let found = format!("({}, {})", at.x, at.y);
            self.report(&Path::Field(path, "position_m"), expected, found, "move it inside or enlarge the arena");
        }
    }

    /// No agent starts inside the arena's walls, a body that does not give way, or an agent before it.
    fn overlaps(&mut self, spec: &WorldSpec, bodies: &[Option<Placed>], agents: &[Option<Placed>]) {
        let root = Path::Root("agents");
        let walls = boundary(&spec.arena).map(|walls| Placed { parts: walls.to_vec(), frame: Frame::IDENTITY });
        let size = vector(&spec.arena.size_m);
        let firm = spec.bodies.iter().zip(bodies).filter(|(body, _)| body.kind != BodyKind::Dynamic);
        for (index, agent) in agents.iter().enumerate() {
            let Some(agent) = agent else { continue };
            let solids = firm.clone().map(|(body, placed)| (body.name.as_str(), placed.as_ref()));
            let others = spec.agents.iter().zip(&agents[..index]).map(|(other, at)| (other.name.as_str(), at.as_ref()));
            // Outside the arena is a problem of its own, already reported.
            let at = agent.frame.translation;
            let walls = walls.as_ref().filter(|_| at.clamp(Vector::ZERO, size) == at);
            let in_its_way = std::iter::once(("the arena's wall", walls)).chain(solids).chain(others);
            for (name, other) in in_its_way {
                if other.is_some_and(|other| overlap(agent, other)) {
                    let found = format!("({}, {}), which overlaps `{name}`", at.x, at.y);
                    let path = Path::Index(&root, index);
                    let remedy = "move one of them, or narrow the factors that place them";
                    self.report(&Path::Field(&path, "position_m"), "a free place to start from", found, remedy);
                }
            }
        }
    }
}

/// A static body's surfaces.
fn fixed(body: &BodySpec, placed: Option<&Placed>) -> Option<Vec<Surface>> {
    let placed = placed.filter(|_| body.kind == BodyKind::Static)?;
    Some(placed.parts.iter().map(|part| part.at(&placed.frame)).collect())
}

/// Whether two solids share more than their edges.
fn overlap(a: &Placed, b: &Placed) -> bool {
    let near = |one: &Surface, other: &Surface| {
        let ((c1, r1), (c2, r2)) = (one.bounds(), other.bounds());
        c1.distance(c2) <= r1 + r2
    };
    a.parts.iter().any(|own| {
        let own_surface = own.at(&a.frame);
        b.parts.iter().filter(|part| near(&own_surface, &part.at(&b.frame))).any(|part| {
            let (Some((shape, at)), Some((other, other_at))) = (solid_shape(own), solid_shape(part)) else {
                return false;
            };
            query::contact(&(a.frame * at), &*shape, &(b.frame * other_at), &*other, 0.0)
                .is_ok_and(|contact| contact.is_some_and(|contact| contact.dist < -TOUCHING_M))
        })
    })
}

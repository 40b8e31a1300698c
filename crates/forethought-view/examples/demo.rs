//! A drawing demo: a made-up episode of two rooms, told to the window through its channels. No physics and no mind:
//! the path is drawn beforehand, and the imagined futures are that path with waves. Read first: [`main`].
//!
//! ```sh
//! cargo run -p forethought-view --example demo -- [--size 900x600] [--shot FILE.png STEP] [--end fails|leaves]
//! ```

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use forethought_interface::{
    ActedBy, Action, FoodItem, Marker, Outcome, Outline, Pose, Ray, Rollout, Scene, SceneBody, SceneFood, SceneZone,
    Snapshot, Thought, ViewCommand, ViewMessage, Vitals,
};
use forethought_view::{ViewOptions, open};
use std::{
    f32::consts::{PI, TAU},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

const SIZE_M: f32 = 10.0;
const PERIOD_S: f32 = 0.1;
const HORIZON: usize = 40;
const REPLAN_EVERY: u32 = 5;

fn main() -> ExitCode {
    let mut options = ViewOptions { title: "Forethought: drawing demo".into(), ..ViewOptions::default() };
    let mut end = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            "--size" => {
                if let Some((width, height)) = value().split_once('x') {
                    options.size_px = (width.parse().unwrap_or(1280), height.parse().unwrap_or(800));
                }
            }
            "--shot" => {
                let path = value().into();
                options.screenshot = Some((path, value().parse().unwrap_or(0)));
                options.close_after_screenshot = true;
            }
            "--end" => end = value(),
            _ => {}
        }
    }
    let (sender, messages) = bounded(64);
    let (command_sender, commands) = unbounded();
    let teller = thread::spawn(move || tell(&sender, &commands, &end));
    let shown = open(messages, command_sender, options);
    let _ = teller.join();
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One made-up episode after another, until the window is closed.
fn tell(messages: &Sender<ViewMessage>, commands: &Receiver<ViewCommand>, end: &str) {
    let (mut episode, mut tally) = (0, (0, 0));
    let mut clock = Clock { paused: false, speed: 1.0 };
    loop {
        let rooms = Rooms::of(episode);
        let _ = messages.send(ViewMessage::Scene(Box::new(rooms.scene(episode))));
        let mut go = Go::On;
        for step in 0..=rooms.last_step() {
            let mut snapshot = rooms.snapshot(step);
            if step == rooms.last_step() {
                snapshot.outcome = Some(if rooms.reaches { Outcome::Success } else { Outcome::TimeLimit });
                tally = (tally.0 + 1, tally.1 + u32::from(rooms.reaches));
            }
            snapshot.tally = tally;
            let _ = messages.send(ViewMessage::Snapshot(Box::new(snapshot)));
            if step == 20 && end == "fails" {
                let text = "the world model's prediction is not finite: the model has diverged; train it again, with a \
                            lower learning rate if it recurs";
                let _ = messages.send(ViewMessage::Failed(text.into()));
                clock.paused = true;
            }
            if step == 20 && end == "leaves" {
                return;
            }
            let wait = if step == rooms.last_step() { 1.5 } else { PERIOD_S / clock.speed };
            go = clock.wait(commands, wait);
            if !matches!(go, Go::On) {
                break;
            }
        }
        match go {
            Go::Quit => return,
            Go::Again => {}
            Go::On | Go::Next => episode += 1,
        }
    }
}

enum Go {
    On,
    Again,
    Next,
    Quit,
}

struct Clock {
    paused: bool,
    speed: f32,
}

impl Clock {
    fn wait(&mut self, commands: &Receiver<ViewCommand>, seconds: f32) -> Go {
        let until = Instant::now() + Duration::try_from_secs_f32(seconds).unwrap_or_default();
        loop {
            let limit =
                if self.paused { Duration::from_secs(3600) } else { until.duration_since(Instant::now().min(until)) };
            match commands.recv_timeout(limit) {
                Err(error) if error.is_timeout() => return Go::On,
                Err(_) | Ok(ViewCommand::Quit) => return Go::Quit,
                Ok(ViewCommand::Pause(paused)) => self.paused = paused,
                Ok(ViewCommand::Step) if self.paused => return Go::On,
                Ok(ViewCommand::Step) => {}
                Ok(ViewCommand::Speed(speed)) => self.speed = speed,
                Ok(ViewCommand::Reset) => return Go::Again,
                Ok(ViewCommand::NextEpisode) => return Go::Next,
                // There is nothing behind the picture to be changed.
                Ok(_) => {}
            }
        }
    }
}

/// One episode's rooms and the path through them.
struct Rooms {
    wall_x: f32,
    door_y: f32,
    goal: [f32; 2],
    path: Vec<[f32; 2]>,
    reaches: bool,
}

impl Rooms {
    fn of(episode: u64) -> Self {
        let vary = |salt: f32| ((episode as f32 + 1.3) * salt).sin();
        let (wall_x, door_y) = (5.0 + 1.4 * vary(2.1), 5.0 + 2.2 * vary(3.7));
        let (start, goal) = ([1.2, 5.0 + 3.6 * vary(1.7)], [8.7, 5.0 + 3.6 * vary(5.3)]);
        let corners = [start, [wall_x - 0.9, door_y], [wall_x + 0.9, door_y], goal];
        // Rounded corners: the mean over a window of the straight path.
        let straight: Vec<[f32; 2]> = corners.windows(2).flat_map(|ends| steps(ends[0], ends[1], 0.05)).collect();
        let smooth = (0..straight.len()).step_by(4).map(|middle| {
            let around = &straight[middle.saturating_sub(16)..(middle + 17).min(straight.len())];
            [0, 1].map(|axis| around.iter().map(|point| point[axis]).sum::<f32>() / around.len() as f32)
        });
        let reaches = episode % 3 != 2;
        let path: Vec<[f32; 2]> = smooth.collect();
        Self { wall_x, door_y, goal, path, reaches }
    }

    fn last_step(&self) -> u32 {
        let steps = self.path.len() as u32 - 1;
        if self.reaches { steps } else { steps * 2 / 3 }
    }

    fn scene(&self, episode: u64) -> Scene {
        let rect = |half_x: f32, half_y: f32| Outline::Polygon {
            vertices_m: vec![[-half_x, -half_y], [half_x, -half_y], [half_x, half_y], [-half_x, half_y]],
        };
        let body = |name: &str, outlines, color| SceneBody { name: name.into(), outlines, color };
        let grey = [0.42, 0.46, 0.5];
        Scene {
            title: "two_rooms".into(),
            episode,
            seed: 42,
            actor: "gradient".into(),
            size_m: [SIZE_M; 2],
            control_period_s: PERIOD_S,
            max_steps: 200,
            bodies: vec![
                body("wall below", vec![rect(0.2, (self.door_y - 0.9) / 2.0)], grey),
                body("wall above", vec![rect(0.2, (SIZE_M - self.door_y - 0.9) / 2.0)], grey),
                body("box", vec![rect(0.45, 0.45)], [0.8, 0.47, 0.65]),
            ],
            agents: vec![body(
                "agent",
                vec![Outline::Disc { center_m: [0.0, 0.0], radius_m: 0.3 }],
                [0.0, 0.447, 0.698],
            )],
            targets: vec![Marker { name: "goal".into(), position_m: self.goal, radius_m: 0.5 }],
            zones: vec![SceneZone {
                name: "mud".into(),
                pose: Pose { position_m: [self.wall_x + 1.9, 1.4], angle_rad: 0.2 },
                outlines: vec![rect(1.0, 0.7)],
                color: [0.65, 0.45, 0.2],
            }],
            foods: vec![SceneFood { name: "berries".into(), radius_m: 0.3, color: [0.35, 0.65, 0.2] }; 3],
            factors: vec![
                ("wall_x".into(), f64::from(self.wall_x)),
                ("door_y".into(), f64::from(self.door_y)),
                ("left_x".into(), f64::from(self.path[0][0])),
                ("right_x".into(), f64::from(self.goal[0])),
                ("start_y".into(), f64::from(self.path[0][1])),
                ("goal_y".into(), f64::from(self.goal[1])),
                ("starts_right".into(), 0.0),
            ],
            settings: vec![None],
        }
    }

    /// Three berries, one of which the agent eats where it passes the door.
    fn foods(&self, at: [f32; 2], step: u32) -> Vec<FoodItem> {
        let eaten = step > 3 && at[0] > self.wall_x;
        let places = [([self.wall_x, self.door_y], !eaten), ([1.2, 8.4], true), ([8.6, 1.1], true)];
        places.map(|(position_m, present)| FoodItem { position_m, present }).to_vec()
    }

    /// The store runs low.
    fn vitals(&self, step: u32) -> Vitals {
        let energy = (0.8 - 0.004 * step as f32).max(0.1);
        let died_of = None;
        Vitals { energy_j: 100.0 * energy, energy, health: 0.9, harm_per_s: 0.0, effort: 0.5, meals: 2, died_of }
    }

    fn snapshot(&self, step: u32) -> Snapshot {
        let at = self.path[step as usize];
        let next = self.path[(step as usize + 1).min(self.path.len() - 1)];
        let heading = (next[1] - at[1]).atan2(next[0] - at[0]);
        let turn = step as f32 * 0.02;
        Snapshot {
            step,
            time_s: f64::from(step as f32 * PERIOD_S),
            bodies: vec![
                Pose { position_m: [self.wall_x, (self.door_y - 0.9) / 2.0], angle_rad: 0.0 },
                Pose { position_m: [self.wall_x, (SIZE_M + self.door_y + 0.9) / 2.0], angle_rad: 0.0 },
                Pose { position_m: [2.4 + 0.3 * turn.sin(), 1.6], angle_rad: turn },
            ],
            agents: vec![Pose { position_m: at, angle_rad: heading }],
            foods: self.foods(at, step),
            vitals: vec![Some(self.vitals(step))],
            light: Some((2.0 * (step as f32 * 0.02).cos() + 1.0).clamp(0.0, 1.0)),
            rays: vec![self.rays(at)],
            thoughts: vec![(step > 0).then(|| self.thought(step))],
            think_ms: vec![if step % REPLAN_EVERY == 1 { 18.0 + (step as f32).sin() } else { 0.3 }],
            ..Snapshot::default()
        }
    }

    fn thought(&self, step: u32) -> Thought {
        let planned = step % REPLAN_EVERY == 1;
        let start = ((step - 1) / REPLAN_EVERY * REPLAN_EVERY) as usize;
        let left = (self.path.len() - start) as f32;
        let rollouts: Vec<Rollout> = (0..16).map(|index| self.rollout(start, index as f32, left)).collect();
        let energy = rollouts[0].energy + 0.02 * (step as f32 * 1.3).sin();
        let by_iteration = (0..=20).map(|iteration| energy * (1.0 + 0.9 * (-0.22 * iteration as f32).exp()));
        Thought {
            action: Action { values: vec![0.3, 0.1] },
            planned,
            energy_by_iteration: by_iteration.collect(),
            rollouts,
            energy,
            model_evaluations: if planned { 16 * 2 * 20 * HORIZON as u64 } else { 0 },
            subgoals: vec![],
            acted_by: ActedBy::Mode2,
            ..Thought::default()
        }
    }

    fn rollout(&self, start: usize, index: f32, left: f32) -> Rollout {
        let (sway, bend) = (0.9 * (index * 2.4).sin(), 0.03 * (index * 1.1).cos());
        let positions_m = (0..=HORIZON).map(|ahead| {
            let ahead = ahead.min(self.path.len() - 1 - start);
            let at = self.path[start + ahead];
            let far = ahead as f32 / HORIZON as f32;
            let away =
                if index == 0.0 { 0.08 * far * (far * 9.0).sin() } else { sway * far + bend * ahead as f32 * far };
            let shorter = 1.0 - if index == 0.0 { 0.0 } else { 0.3 * far * (index * 0.7).sin().abs() };
            let from = self.path[start];
            [from[0] + (at[0] - from[0]) * shorter - away * 0.4, from[1] + (at[1] - from[1]) * shorter + away]
        });
        Rollout { positions_m: positions_m.collect(), stride: 1, energy: 0.15 + 0.012 * left + 0.05 * index, z: 0 }
    }

    fn rays(&self, at: [f32; 2]) -> Vec<Ray> {
        (0..32)
            .map(|index| {
                let angle = TAU * index as f32 / 32.0 - PI;
                let (y, x) = angle.sin_cos();
                let mut length = [(at[0], x), (at[1], y)].into_iter().fold(f32::MAX, |length, (place, along)| {
                    let wall = if along > 0.0 { SIZE_M - place } else { place };
                    if along.abs() > 1e-6 { length.min(wall / along.abs()) } else { length }
                });
                for face in [self.wall_x - 0.2, self.wall_x + 0.2] {
                    let reach = (face - at[0]) / x;
                    let hit_y = at[1] + reach * y;
                    if reach > 0.0 && (hit_y - self.door_y).abs() > 0.9 {
                        length = length.min(reach);
                    }
                }
                Ray { from_m: at, to_m: [at[0] + x * length, at[1] + y * length] }
            })
            .collect()
    }
}

/// Points from one end to the other, so far apart.
fn steps(from: [f32; 2], to: [f32; 2], apart: f32) -> impl Iterator<Item = [f32; 2]> {
    let count = ((to[0] - from[0]).hypot(to[1] - from[1]) / apart).max(1.0) as usize;
    (0..count).map(move |index| [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * index as f32 / count as f32))
}

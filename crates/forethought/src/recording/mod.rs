//! An episode as a film or a picture, drawn on the CPU: no window, no display, no GPU. Read first: [`record`].
//!
//! The episode is played by the code that [`crate::batch`] uses, and looked at from outside: it has the same digest.

pub(crate) mod canvas;
mod caption;
mod film;
mod layout;
pub(crate) mod letters;
mod palette;
mod portrait;
mod still;
mod story;
mod thoughts;
mod world;

use crate::{
    episode::{Current, Ending, EpisodeResult, Runner},
    error::Error,
    files::{Unfinished, make_folder},
    picture,
    progress::Progress,
    setup::Setup,
    stop::Stop,
};
use canvas::Canvas;
use caption::{Caption, End};
use film::Film;
use forethought_interface::{Detail, Scene};
use forethought_world::StepRecord;
use layout::Layout;
use palette::Table;
use serde::Serialize;
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};
use story::Story;

pub use portrait::Portrait;

/// How wide pictures may be, in pixels.
pub const WIDTHS_PX: RangeInclusive<u16> = 64..=1920;
/// As wide as they are without being told.
pub const WIDTH_PX: u16 = 480;
/// Where nobody says how many control steps lie between two frames, there are at most so many frames.
const FRAMES: u32 = 300;
/// Films and thumbnails have room for less: what moves takes its share of a film's file in each frame. So many futures that were
/// not chosen are drawn, those of all agents together, and no sensor rays, only what they hit, unless a film is to show all.
const SPARSE_FUTURES: usize = 8;
/// Of more agents than these the rays would hide what they show.
const CROWD: usize = 3;
/// The end stays in sight for so many hundredths of a second.
const LINGER_CS: u16 = 250;
/// No browser shows a frame for less.
const SHORTEST_CS: u16 = 2;

/// What to record.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// The episode's number.
    pub episode: u64,
    /// Where the film (`.gif`) or the picture (`.png`) goes.
    pub file: PathBuf,
    /// The control step of a picture; without it, or in an episode that ends before, the end.
    pub at_step: Option<u32>,
    /// Control steps from frame to frame of a film; without it as few as give 300 frames at most.
    pub every: Option<u32>,
    /// Simulated seconds for a second of the film; without it, each frame lasts a control period.
    pub speed: Option<f64>,
    /// How wide the picture is, in pixels.
    pub width_px: u16,
    /// Whether a film shows all futures and sensor rays, as a picture does: its file is then several times as large.
    pub full: bool,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recording {
    /// Where it is.
    pub file: PathBuf,
    /// How many frames it has.
    pub frames: u64,
    /// Control steps from frame to frame; left out for a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// Simulated seconds for a second of the film; left out for a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// The control step that a picture shows; left out for a film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_step: Option<u32>,
    /// Its width in pixels.
    pub width_px: u16,
    /// Its height in pixels.
    pub height_px: u16,
    /// The file's size.
    pub bytes: u64,
    /// Control steps that were played.
    pub steps: u32,
    /// The episode's digest, as in a batch; none where the recording was cut short.
    pub digest: Option<String>,
}

/// What a recorded episode is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A film: `.gif`.
    Film,
    /// One picture: `.png`.
    Picture,
}

impl Format {
    /// What a file of this name is to be.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn of(file: &Path) -> Result<Self, Error> {
        let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("gif") => Ok(Self::Film),
            Some("png") => Ok(Self::Picture),
            _ => Err(Error::RecordWhere { path: file.to_owned() }),
        }
    }
}

/// Play an episode and keep it as a film or a picture. Without a result it was stopped; what there is until then is kept, as
/// it is where the episode goes wrong.
///
/// # Errors
/// Where the episode cannot be drawn, or the file not be written.
pub fn record(
    setup: &Arc<Setup>,
    options: &RecordOptions,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<(Recording, Option<EpisodeResult>), Error> {
    let format = Format::of(&options.file)?;
    let mut runner = Runner::new(setup.clone(), Detail::Full);
    let current = runner.begin(options.episode)?;
    let scene = picture::scene(setup, &current.drawn, options.episode);
    let mut camera = Camera::new(scene, format, options)?;
    let mut reel = Reel::begin(format, options, &camera, runner.sandbox().record())?;
    let result = play(&mut runner, current, stop, |record| {
        progress.set(record.step.into(), "");
        camera.watch(record);
        reel.show(&mut camera, record)
    })?;
    if let Some(learning) = &setup.learning {
        if result.as_ref().is_some_and(|result| result.error.is_some()) {
            learning.ended(false);
        }
        learning.finish()?;
    }
    let record = runner.sandbox().record();
    camera.end = Some(End::of(result.as_ref()));
    let (frames, bytes) = reel.end(&mut camera, record)?;
    let film = format == Format::Film;
    let [width_px, height_px] = camera.layout.size;
    let recording = Recording {
        file: options.file.clone(),
        frames,
        every: film.then_some(camera.every),
        speed: film.then_some(camera.speed),
        at_step: (!film).then_some(options.at_step.map_or(record.step, |step| step.min(record.step))),
        width_px,
        height_px,
        bytes,
        steps: record.step,
        digest: result.as_ref().filter(|result| result.error.is_none()).map(|result| result.digest.clone()),
    };
    Ok((recording, result))
}

/// Play an episode to its end, as [`Runner::run`] does, and show the world before each control step. None where it was stopped;
/// what goes wrong in it is its result, as in a batch.
fn play(
    runner: &mut Runner,
    mut current: Current,
    stop: &Stop,
    mut show: impl FnMut(&StepRecord) -> Result<(), Error>,
) -> Result<Option<EpisodeResult>, Error> {
    let (index, seed) = (current.number(), current.drawn.seed);
    loop {
        show(runner.sandbox().record())?;
        if stop.requested() {
            return Ok(None);
        }
        match runner.step(&mut current) {
            Ok(None) => {}
            Ok(Some(outcome)) => return Ok(Some(runner.end(current, outcome))),
            Err(problem) => return Ok(Some(EpisodeResult::failed(index, seed, problem.to_string()))),
        }
    }
}

/// Looks at the world and draws what it sees.
struct Camera {
    scene: Scene,
    /// Whether it draws less.
    sparse: bool,
    layout: Layout,
    canvas: Canvas,
    caption: Caption,
    story: Story,
    /// Control steps from frame to frame.
    every: u32,
    /// Simulated seconds for a second of the film.
    speed: f64,
    end: Option<End>,
}

impl Camera {
    fn new(scene: Scene, format: Format, options: &RecordOptions) -> Result<Self, Error> {
        let width = options.width_px.clamp(*WIDTHS_PX.start(), *WIDTHS_PX.end());
        let layout = Layout::new(&scene, width, caption::LINES);
        let too_large = || Error::Worker(format!("there is no memory for a picture of {:?} pixels", layout.size));
        let canvas = Canvas::new(layout.size[0], layout.size[1]).ok_or_else(too_large)?;
        let every = options.every.unwrap_or_else(|| scene.max_steps.div_ceil(FRAMES)).max(1);
        let speed = options.speed.unwrap_or(every.into());
        let caption = Caption::new(&scene, speed);
        let sparse = (format == Format::Film && !options.full) || layout.words.is_none();
        Ok(Self { scene, sparse, layout, canvas, caption, story: Story::default(), every, speed, end: None })
    }

    /// Take in a control step, drawn or not.
    fn watch(&mut self, record: &StepRecord) {
        self.story.hear(record);
    }

    /// Draw the world and the thoughts as they are now, in the order of the window.
    fn draw(&mut self, record: &StepRecord) -> &Canvas {
        let Self { scene, layout, canvas, story, sparse, .. } = self;
        canvas.clear(palette::SURROUND);
        world::ground(canvas, scene, record, layout);
        world::bodies(canvas, scene, record, layout);
        let agents = record.agents.len().max(1);
        match (*sparse, agents <= CROWD) {
            (false, true) => record.agents.iter().for_each(|agent| thoughts::rays(canvas, &agent.rays, layout)),
            (true, true) => record.agents.iter().for_each(|agent| thoughts::hits(canvas, &agent.rays, layout)),
            (_, false) => {}
        }
        let others = if *sparse { SPARSE_FUTURES.div_ceil(agents) } else { usize::MAX };
        for agent in &story.agents {
            thoughts::trail(canvas, agent, layout);
            thoughts::thought(canvas, agent, others, layout);
        }
        world::agents(canvas, scene, record, layout);
        self.caption.write(canvas, scene, record, story, self.end, layout);
        canvas
    }

    /// How long the frame of a control step stays in sight, in hundredths of a second. Lengths are counted from the film's
    /// start, so that rounding does not add up.
    fn delay_cs(&self, step: u32) -> u16 {
        let at = |step: u32| (100.0 * f64::from(step) * f64::from(self.scene.control_period_s) / self.speed).round();
        let long = at(step.saturating_add(self.every)) - at(step);
        long.clamp(f64::from(SHORTEST_CS), f64::from(u16::MAX)) as u16
    }
}

/// What the camera's pictures go to.
enum Reel {
    Film { film: Film<Unfinished>, path: PathBuf },
    Picture { file: Unfinished, path: PathBuf, table: Table, at_step: Option<u32>, taken: bool },
}

impl Reel {
    fn begin(format: Format, options: &RecordOptions, camera: &Camera, record: &StepRecord) -> Result<Self, Error> {
        let path = options.file.clone();
        match path.parent() {
            Some(folder) if folder != Path::new("") => make_folder(folder)?,
            _ => {}
        }
        let file = Unfinished::begin(&path)?;
        let table = Table::of(&camera.scene, record.light.is_some());
        Ok(match format {
            Format::Film => {
                let film = Film::begin(file, camera.layout.size, table).map_err(Error::io("write", &path))?;
                Self::Film { film, path }
            }
            Format::Picture => Self::Picture { file, path, table, at_step: options.at_step, taken: false },
        })
    }

    /// Keep this control step, if it is one that is wanted.
    fn show(&mut self, camera: &mut Camera, record: &StepRecord) -> Result<(), Error> {
        match self {
            Self::Film { film, path } if record.step.is_multiple_of(camera.every) => {
                let delay = camera.delay_cs(record.step);
                film.add(camera.draw(record), delay).map_err(Error::io("write", path))?;
            }
            Self::Picture { at_step, taken, .. } if *at_step == Some(record.step) => {
                camera.draw(record);
                *taken = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// The end, which is kept whichever control step it is. Says how many frames there are and how large the file is.
    fn end(self, camera: &mut Camera, record: &StepRecord) -> Result<(u64, u64), Error> {
        let (file, path, frames) = match self {
            Self::Film { mut film, path } => {
                film.add(camera.draw(record), LINGER_CS).map_err(Error::io("write", &path))?;
                let frames = film.frames();
                (film.end().map_err(Error::io("write", &path))?, path, frames)
            }
            Self::Picture { mut file, path, table, taken, .. } => {
                if !taken {
                    camera.draw(record);
                }
                still::write(&mut file, &camera.canvas, table).map_err(Error::io("write", &path))?;
                (file, path, 1)
            }
        };
        file.keep()?;
        let bytes = path.metadata().map_err(Error::io("read", &path))?.len();
        Ok((frames, bytes))
    }
}

impl End {
    fn of(result: Option<&EpisodeResult>) -> Self {
        match result.map(|result| result.outcome) {
            Some(Ending::Success) => Self::Success,
            Some(Ending::Failure) => Self::Failure,
            Some(Ending::TimeLimit) => Self::TimeLimit,
            Some(Ending::Error) | None => Self::Cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{
        ActedBy, FoodItem, Marker, Outline, Pose, Ray, Remembered, Rollout, SceneBody, SceneFood, SceneZone, Task,
        Thought, Vitals,
    };
    use forethought_world::AgentRecord;
    use palette::Color;

    fn options(file: &str, width_px: u16) -> RecordOptions {
        RecordOptions { episode: 0, file: file.into(), at_step: None, every: None, speed: None, width_px, full: false }
    }

    /// A world with one of everything, at this light.
    fn world(light: f32) -> (Scene, StepRecord) {
        let disc = || vec![Outline::Disc { center_m: [0.0, 0.0], radius_m: 0.5 }];
        let corners = vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        let body = |outlines, color| SceneBody { name: "body".into(), outlines, color };
        let pose = |x, y| Pose { position_m: [x, y], angle_rad: 0.5 };
        let scene = Scene {
            title: "one_of_everything".into(),
            size_m: [10.0, 10.0],
            control_period_s: 0.1,
            max_steps: 900,
            bodies: vec![body(vec![Outline::Polygon { vertices_m: corners }], [0.4, 0.4, 0.4])],
            agents: vec![body(disc(), [0.9, 0.4, 0.0])],
            targets: vec![Marker { name: "goal".into(), position_m: [8.0, 8.0], radius_m: 0.5 }],
            zones: vec![SceneZone {
                name: "zone".into(),
                pose: pose(2.0, 8.0),
                outlines: disc(),
                color: [1.0, 0.0, 0.0],
            }],
            foods: vec![SceneFood { name: "food".into(), radius_m: 0.4, color: [0.0, 0.6, 0.0] }],
            ..Scene::default()
        };
        let future = |y| Rollout { positions_m: vec![[5.0, 5.0], [6.0, y], [7.0, y]], stride: 4, energy: 1.0, z: 0 };
        let thought = Thought {
            planned: true,
            rollouts: vec![future(5.0), future(6.0)],
            subgoals: vec![vec![[5.0, 5.0], [8.0, 8.0]]],
            acted_by: ActedBy::Mode2,
            task: Some(Task { name: "forage".into(), reason: "it is hungry".into(), began: true }),
            drives: vec![("hunger".into(), 0.5)],
            remembered: vec![Remembered { name: "food".into(), position_m: [9.0, 1.0], age_s: 3.0 }],
            ..Thought::default()
        };
        let vitals =
            Vitals { energy_j: 1.0, energy: 0.5, health: 1.0, harm_per_s: 0.0, effort: 0.0, meals: 1, died_of: None };
        let agent = AgentRecord {
            pose: pose(5.0, 5.0),
            thought: Some(thought),
            rays: vec![Ray { from_m: [5.0, 5.0], to_m: [0.0, 5.0] }],
            vitals: Some(vitals),
            ..AgentRecord::default()
        };
        let record = StepRecord {
            step: 7,
            bodies: vec![pose(2.0, 2.0)],
            agents: vec![agent],
            foods: vec![FoodItem { position_m: [5.0, 8.0], present: true }],
            light: Some(light),
            ..StepRecord::default()
        };
        (scene, record)
    }

    /// The colour where something is, in metres.
    fn color_at(camera: &Camera, place_m: [f32; 2]) -> Color {
        let [x, y] = camera.layout.px(place_m).map(|number| number as usize);
        camera.canvas.colors().nth(y * usize::from(camera.layout.size[0]) + x).unwrap()
    }

    #[test]
    fn everything_is_drawn_where_it_is() {
        for width in [160, 480, 1000] {
            let (scene, record) = world(1.0);
            let mut camera = Camera::new(scene, Format::Picture, &options("a.png", width)).unwrap();
            camera.watch(&record);
            camera.draw(&record);
            let zone = palette::mix(palette::FLOOR, [255, 0, 0], palette::ZONE[0]);
            for (what, place_m, expected) in [
                ("the body", [2.0, 2.0], [102, 102, 102]),
                ("food", [5.0, 8.0], [0, 153, 0]),
                ("the chosen future", [6.5, 5.0], palette::CHOSEN),
                ("the zone", [2.2, 8.3], zone),
                ("the floor", [9.5, 3.5], palette::FLOOR),
            ] {
                let drawn = color_at(&camera, place_m);
                // In a small picture all is edges.
                let off = drawn.iter().zip(expected).map(|(drawn, expected)| drawn.abs_diff(expected)).max();
                assert!(off < Some(if width < 480 { 110 } else { 8 }), "{what} at {width}: {drawn:?}");
            }
            assert_eq!(camera.canvas.colors().next(), Some(palette::SURROUND));
        }
    }

    #[test]
    fn it_is_dark_at_night_and_films_show_less() {
        let (scene, record) = world(0.0);
        let mut camera = Camera::new(scene.clone(), Format::Film, &options("a.gif", 480)).unwrap();
        camera.watch(&record);
        camera.draw(&record);
        assert_eq!(color_at(&camera, [9.5, 3.5]), palette::mix(palette::FLOOR, palette::NIGHT, palette::DARKEST));
        let film: Vec<Color> = camera.canvas.colors().collect();
        let mut camera = Camera::new(scene, Format::Picture, &options("a.png", 480)).unwrap();
        camera.watch(&record);
        assert_ne!(camera.draw(&record).colors().collect::<Vec<_>>(), film, "a picture has the rays too");
        for end in [End::Success, End::Failure, End::TimeLimit, End::Cut] {
            camera.end = Some(end);
            camera.draw(&record);
        }
    }

    #[test]
    fn a_world_that_is_no_number_is_drawn_all_the_same() {
        let (scene, mut record) = world(f32::NAN);
        record.bodies[0].position_m = [f32::NAN, f32::INFINITY];
        record.agents[0].pose.angle_rad = f32::NAN;
        if let Some(thought) = &mut record.agents[0].thought {
            thought.rollouts[0].positions_m[1] = [f32::NAN, 1e30];
            thought.energy = f32::NAN;
        }
        let mut camera = Camera::new(scene, Format::Picture, &options("a.png", 480)).unwrap();
        camera.watch(&record);
        camera.draw(&record);
    }

    #[test]
    fn films_keep_time_and_are_not_too_long() {
        let (scene, _) = world(1.0);
        let camera = Camera::new(scene.clone(), Format::Film, &options("a.gif", 480)).unwrap();
        assert_eq!((camera.every, camera.speed), (3, 3.0), "900 steps in 300 frames");
        assert_eq!(camera.delay_cs(0), 10);
        let slow = RecordOptions { every: Some(1), speed: Some(3.0), ..options("a.gif", 480) };
        let camera = Camera::new(scene, Format::Film, &slow).unwrap();
        let delays: Vec<u16> = (0..30).map(|step| camera.delay_cs(step)).collect();
        assert_eq!(delays[..4], [3, 4, 3, 3]);
        assert_eq!(delays.iter().sum::<u16>(), 100, "rounding does not add up");
    }

    #[test]
    fn files_say_what_they_are() {
        assert_eq!(Format::of(Path::new("a/b.GIF")).unwrap(), Format::Film);
        assert_eq!(Format::of(Path::new("b.png")).unwrap(), Format::Picture);
        for wrong in ["b.mp4", "b", "", ".gif"] {
            let error = Format::of(Path::new(wrong)).unwrap_err();
            assert!(error.is_bad_input() && error.to_string().contains(".png"), "{error}");
        }
    }
}

//! Episodes in a window: the runner on a thread of its own, the window on the main one. Read first: [`open`].

mod hands;
mod landscape;
mod pace;
mod save;
mod shelf;
mod stage;
mod watch;

use crate::{
    error::Error,
    gallery,
    setup::{Setup, SetupOptions},
};
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use forethought_interface::{Outcome, ViewCommand, ViewMessage};
pub use forethought_view::Showing;
use forethought_view::ViewOptions;
use landscape::Surveyor;
use pace::{Pace, Turn};
use stage::Stage;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use watch::Watch;

/// How long the end of an episode stays in sight.
const LINGER: Duration = Duration::from_millis(1500);

/// Messages that may wait for the window: a slow window slows the runner, not the machine.
const WAITING: usize = 64;

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct WindowOptions {
    /// The first episode's number.
    pub first: u64,
    /// Save a picture here at this control step, or at the end of an episode that ends before it, and close the window.
    pub screenshot: Option<(PathBuf, u32)>,
    /// What is shown besides, in a picture.
    pub showing: Showing,
    /// Write here how long each picture took when the window is closed.
    pub frame_times: Option<PathBuf>,
    /// What was chosen about the run: for scenarios that are opened later on, and for those that are read again.
    pub choices: SetupOptions,
}

/// Show one episode after another until the window is closed; without a setup, the scenarios to choose from. Says how many have
/// ended untouched, and how many of those succeeded. Blocks; the system wants windows on the main thread.
///
/// # Errors
/// Where the window cannot be opened.
pub fn open(setup: Option<&Arc<Setup>>, options: &WindowOptions) -> Result<(u32, u32), Error> {
    let (director, messages, commands) = Director::new(setup, options);
    let runner = std::thread::spawn(move || in_one_thread(|| director.direct()));
    let view_options = ViewOptions {
        title: setup.map_or_else(|| "Forethought".to_owned(), |setup| format!("Forethought: {}", setup.name())),
        screenshot: options.screenshot.clone(),
        close_after_screenshot: options.screenshot.is_some(),
        showing: options.showing.clone(),
        frame_times: options.frame_times.clone(),
        ..ViewOptions::default()
    };
    forethought_view::open(messages, commands, view_options)?;
    // The window is gone, so are its channels, and with them the runner's work.
    runner.join().unwrap_or_else(|_| Err(Error::Worker("the runner panicked".into())))
}

/// The matrix library spreads over the current pool; the window needs the other cores.
fn in_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    Ok(pool.map_err(|error| Error::Worker(error.to_string()))?.install(work))
}

/// Runs episodes, shows them and obeys the window.
struct Director {
    /// What is played; none while the scenarios are to choose from.
    stage: Option<Stage>,
    choices: SetupOptions,
    messages: Sender<ViewMessage>,
    commands: Receiver<ViewCommand>,
    /// For those who watch files.
    commander: Sender<ViewCommand>,
    watch: Option<Watch>,
    surveyor: Surveyor,
    pace: Pace,
    /// The control step to wait at, for a picture.
    hold_at: Option<u32>,
    /// The episode to play.
    index: u64,
    tally: (u32, u32),
}

/// What to do next.
enum Then {
    /// This episode from its start.
    Begin,
    /// The scenarios to choose from.
    Shelf,
    /// Nothing more.
    End,
}

impl Director {
    /// A director, what it shows and how to command it.
    fn new(setup: Option<&Arc<Setup>>, options: &WindowOptions) -> (Self, Receiver<ViewMessage>, Sender<ViewCommand>) {
        let (message_sender, messages) = bounded(WAITING);
        let (commander, commands) = unbounded();
        let mut director = Self {
            stage: None,
            choices: options.choices.clone(),
            messages: message_sender,
            commands,
            commander: commander.clone(),
            watch: None,
            surveyor: Surveyor::default(),
            pace: Pace::new(0.1),
            hold_at: options.screenshot.as_ref().map(|(_, step)| *step),
            index: options.first,
            tally: (0, 0),
        };
        if let Some(setup) = setup {
            director.take_stage(setup.clone());
        }
        (director, messages, commander)
    }

    /// Play this from now on.
    fn take_stage(&mut self, setup: Arc<Setup>) {
        self.pace.set_period(setup.loaded.scenario.timing.control_period_s);
        self.watch = Some(Watch::on(&setup.loaded.path, setup.loaded.hash, self.commander.clone()));
        self.surveyor.begin_anew();
        self.stage = Some(Stage::new(setup));
    }

    /// One episode after another.
    fn direct(mut self) -> (u32, u32) {
        let mut then = if self.stage.is_some() { Then::Begin } else { Then::Shelf };
        loop {
            then = match then {
                Then::Begin => self.episode().unwrap_or_else(|error| {
                    self.show(ViewMessage::Failed(error.to_string()));
                    self.choose()
                }),
                Then::Shelf => {
                    (self.stage, self.watch) = (None, None);
                    self.show(ViewMessage::Shelf(shelf::cards(&self.choices)));
                    self.choose()
                }
                Then::End => return self.tally,
            }
        }
    }

    /// Nothing goes on by itself: wait for what leads elsewhere.
    fn choose(&mut self) -> Then {
        loop {
            let turn = self.pace.wait_for_choice(&self.commands);
            // On the shelf there is no episode to go on with.
            let plays = self.stage.is_some();
            if let Some(then) =
                self.lead_on(turn).filter(|then| plays || self.stage.is_some() || !matches!(then, Then::Begin))
            {
                return then;
            }
        }
    }

    /// One episode, from its scene to its end and a moment longer.
    fn episode(&mut self) -> Result<Then, Error> {
        let Some(stage) = &mut self.stage else { return Ok(Then::Shelf) };
        stage.begin(self.index)?;
        self.surveyor.begin_anew();
        self.show_scene(false);
        self.show_world(None);
        loop {
            if let Some(then) = self.play()? {
                return Ok(then);
            }
            if !self.stage.as_ref().is_some_and(|stage| stage.touched().world) {
                return Ok(self.linger());
            }
            if let Some(then) = self.stay() {
                return Ok(then);
            }
        }
    }

    /// Play the episode to its end, unless something leads elsewhere before.
    fn play(&mut self) -> Result<Option<Then>, Error> {
        loop {
            match self.wait() {
                Turn::Step => {}
                Turn::Do(command) => match self.obey(command) {
                    None => continue,
                    elsewhere => return Ok(elsewhere),
                },
                turn => return Ok(self.lead_on(turn)),
            }
            let Some(stage) = &mut self.stage else { return Ok(Some(Then::Shelf)) };
            let outcome = stage.step()?;
            if let Some(outcome) = outcome.filter(|_| !stage.touched().any()) {
                self.tally.0 += 1;
                self.tally.1 += u32::from(outcome == Outcome::Success);
            }
            self.show_world(outcome);
            // Where there is never time, as at full speed, some is taken.
            self.survey();
            if outcome.is_some() {
                return Ok(None);
            }
        }
    }

    /// A world that a hand has made is not thrown away at its end: it stays until something is asked for, and goes on where it is
    /// changed again.
    fn stay(&mut self) -> Option<Then> {
        loop {
            match self.pace.wait_for_choice(&self.commands) {
                Turn::Step => return None,
                Turn::Do(command) => {
                    let changes = matches!(command, ViewCommand::Edit(_));
                    let then = self.obey(command);
                    if then.is_some() || changes {
                        return then;
                    }
                }
                turn => return self.lead_on(turn),
            }
        }
    }

    /// Wait for the next control step, and make use of the time.
    fn wait(&mut self) -> Turn {
        let Self { pace, commands, stage, surveyor, messages, .. } = self;
        pace.wait(commands, || stage.as_mut().is_some_and(|stage| survey(stage, surveyor, messages)))
    }

    fn survey(&mut self) {
        if let Some(stage) = &mut self.stage {
            survey(stage, &mut self.surveyor, &self.messages);
        }
    }

    /// Stay at an episode's end for a while.
    fn linger(&mut self) -> Then {
        let until = Instant::now() + LINGER;
        loop {
            let turn = self.pace.linger(&self.commands, until);
            let then = match turn {
                Turn::Do(command) => self.obey(command),
                turn => self.lead_on(turn),
            };
            if let Some(then) = then {
                return then;
            }
        }
    }

    /// What a turn leads to; none where it leads nowhere.
    fn lead_on(&mut self, turn: Turn) -> Option<Then> {
        match turn {
            Turn::Again => Some(Then::Begin),
            Turn::Next | Turn::Step => {
                self.index += 1;
                Some(Then::Begin)
            }
            Turn::Quit => Some(Then::End),
            Turn::Do(command) => self.go(command),
        }
    }

    /// Do what was asked for in an episode under way. Says where it leads, if elsewhere.
    fn obey(&mut self, command: ViewCommand) -> Option<Then> {
        let stage = self.stage.as_mut()?;
        // While time stands, what a hand does is thought over at once; of several things at once, the last.
        let ponders = self.pace.is_paused() && self.commands.is_empty();
        let changes = matches!(command, ViewCommand::Edit(_) | ViewCommand::Adjust { .. });
        let told = match command {
            ViewCommand::Edit(edit) => stage.edit(edit),
            ViewCommand::Lead { agent, action } => {
                stage.lead(agent, action);
                Ok(None)
            }
            ViewCommand::Adjust { agent, settings } => stage.adjust(agent, settings.as_deref()),
            ViewCommand::Save => return self.save(),
            command => return self.go(command),
        };
        if changes && ponders && told.is_ok() {
            stage.preview();
        }
        match told {
            Ok(Some(hands::Changed::Things)) => self.show_scene(true),
            Ok(_) => {}
            Err(reason) => self.show(ViewMessage::Note(reason)),
        }
        self.show_world(None);
        None
    }

    /// Go elsewhere, if that is what was asked for.
    fn go(&mut self, command: ViewCommand) -> Option<Then> {
        match command {
            ViewCommand::Landscape(agent) => {
                self.surveyor.survey(agent);
                None
            }
            ViewCommand::Goto { seed, episode } => {
                let setup = self.stage.as_ref()?.setup().clone();
                self.index = episode;
                self.choices.seed = seed;
                if setup.seed != seed {
                    self.tally = (0, 0);
                    self.take_stage(Arc::new(setup.seeded(seed)));
                }
                Some(Then::Begin)
            }
            ViewCommand::Reload => {
                let setup = self.stage.as_ref()?.setup().clone();
                if setup.learning.is_some() {
                    self.show(ViewMessage::Note(
                        "a run that learns goes on with the scenario that it began with".into(),
                    ));
                    return None;
                }
                let choices = SetupOptions { seed: setup.seed, ..self.choices.clone() };
                self.load(&setup.loaded.path, &choices, "Read again: ")
            }
            ViewCommand::Open(path) => {
                // A model of another scenario hardly fits this one, nor do its tasks.
                let choices = SetupOptions { seed: self.choices.seed, ..SetupOptions::default() };
                let then = self.load(&path, &choices, "");
                if then.is_some() {
                    (self.index, self.choices) = (0, choices);
                }
                then
            }
            ViewCommand::Shelf => Some(Then::Shelf),
            ViewCommand::Gallery => {
                if let Err(reason) = gallery::open_beside() {
                    self.show(ViewMessage::Note(reason));
                }
                None
            }
            _ => None,
        }
    }

    /// Play what this file says; where it has problems, tell them, and all stays as it is.
    fn load(&mut self, path: &Path, choices: &SetupOptions, said: &str) -> Option<Then> {
        match Setup::load(path, choices) {
            Ok(setup) => {
                self.show(ViewMessage::Problems(String::new()));
                if !said.is_empty() {
                    self.show(ViewMessage::Note(format!("{said}{}", path.display())));
                }
                self.tally = (0, 0);
                self.take_stage(Arc::new(setup));
                Some(Then::Begin)
            }
            Err(error) => {
                self.show(ViewMessage::Problems(error.to_string()));
                None
            }
        }
    }

    fn save(&mut self) -> Option<Then> {
        let said = self.stage.as_ref()?.save(Path::new("."));
        self.show(match said {
            Ok(file) => ViewMessage::Saved(file),
            Err(problems) => ViewMessage::Problems(problems),
        });
        None
    }

    fn show_scene(&mut self, changed: bool) {
        let Some(scene) = self.stage.as_mut().and_then(Stage::scene) else { return };
        let scene = Box::new(scene);
        self.show(if changed { ViewMessage::Changed(scene) } else { ViewMessage::Scene(scene) });
    }

    fn show_world(&mut self, outcome: Option<Outcome>) {
        let Some(stage) = &self.stage else { return };
        let snapshot = stage.snapshot(outcome, self.tally);
        if self.hold_at.is_some_and(|step| snapshot.step >= step) {
            self.pace.pause();
        }
        self.show(ViewMessage::Snapshot(Box::new(snapshot)));
    }

    fn show(&self, message: ViewMessage) {
        // A window that is gone has closed the command channel too: the next turn is to quit.
        let _ = self.messages.send(message);
    }
}

/// Work on the energy landscape for a little; says whether there is more to do.
fn survey(stage: &mut Stage, surveyor: &mut Surveyor, messages: &Sender<ViewMessage>) -> bool {
    if !surveyor.wanted() {
        return false;
    }
    let Some((runner, size_m, moment)) = stage.ground() else { return false };
    let (landscape, more) = surveyor.work(runner, size_m, moment);
    if let Some(landscape) = landscape {
        // One that nobody takes is not worth waiting for.
        let _ = messages.try_send(ViewMessage::Landscape(Box::new(landscape)));
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::SetupOptions;
    use forethought_interface::{Scene, Snapshot};
    use forethought_mind::actor::planners::PlannerName;
    use std::path::Path;

    /// The next message, no later than this. What is there already is received whatever the time: snapshots without end must not hide
    /// that nothing else comes.
    fn next(messages: &Receiver<ViewMessage>, latest: Instant) -> ViewMessage {
        assert!(Instant::now() < latest, "what is waited for did not come within a minute");
        messages.recv_deadline(latest).unwrap()
    }

    /// The next scene, and the snapshots before it.
    fn until_scene(messages: &Receiver<ViewMessage>) -> (Vec<Snapshot>, Scene) {
        let (mut snapshots, latest) = (Vec::new(), Instant::now() + Duration::from_secs(60));
        loop {
            match next(messages, latest) {
                ViewMessage::Snapshot(snapshot) => snapshots.push(*snapshot),
                ViewMessage::Scene(scene) => return (snapshots, *scene),
                ViewMessage::Failed(reason) => panic!("{reason}"),
                _ => {}
            }
        }
    }

    #[test]
    fn directs_episode_after_episode_and_obeys() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(file, &options).unwrap());
        let options = WindowOptions { first: 3, ..WindowOptions::default() };
        let (director, messages, commands) = Director::new(Some(&setup), &options);
        commands.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        let directing = std::thread::spawn(move || director.direct());

        let (before, scene) = until_scene(&messages);
        assert!(before.is_empty());
        assert_eq!((scene.episode, scene.actor.as_str(), scene.bodies.len(), scene.agents.len()), (3, "random", 1, 1));
        assert!(!scene.bodies[0].outlines.is_empty() && scene.targets.len() == 1);

        let (snapshots, next) = until_scene(&messages);
        assert_eq!(next.episode, 4);
        assert!(snapshots.iter().map(|snapshot| snapshot.step).eq(0..snapshots.len() as u32));
        assert_eq!(snapshots[0].thoughts, [None]);
        assert!(snapshots[1].thoughts[0].is_some() && !snapshots[1].rays[0].is_empty());
        let last = snapshots.last().unwrap();
        assert!(last.outcome.is_some() && last.tally.0 == 1);
        assert!(snapshots[..snapshots.len() - 1].iter().all(|snapshot| snapshot.outcome.is_none()));

        // Whichever episode is under way: that one again, then the one after it.
        for command in [ViewCommand::Pause(true), ViewCommand::Reset, ViewCommand::NextEpisode] {
            commands.send(command).unwrap();
        }
        let mut episodes = vec![next.episode];
        while episodes.len() < 2 || episodes[episodes.len() - 1] != episodes[episodes.len() - 2] {
            episodes.push(until_scene(&messages).1.episode);
        }
        assert_eq!(until_scene(&messages).1.episode, episodes[episodes.len() - 1] + 1);
        commands.send(ViewCommand::Quit).unwrap();
        while messages.recv().is_ok() {}
        assert!(directing.join().unwrap().0 >= 1);
    }

    /// The next message that `is` one that is waited for.
    fn until(messages: &Receiver<ViewMessage>, is: impl Fn(&ViewMessage) -> bool) -> ViewMessage {
        let latest = Instant::now() + Duration::from_secs(60);
        loop {
            let message = next(messages, latest);
            if is(&message) {
                return message;
            }
        }
    }

    #[test]
    fn a_file_that_is_saved_is_read_again_and_a_bad_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.ron");
        let text = include_str!("../../../../scenarios/two_rooms.ron");
        std::fs::write(&file, text).unwrap();
        let choices = SetupOptions { actor: Some(PlannerName::Random), seed: 5, ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(&file, &choices).unwrap());
        let (director, messages, commands) =
            Director::new(Some(&setup), &WindowOptions { choices, ..WindowOptions::default() });
        let directing = std::thread::spawn(move || director.direct());
        assert_eq!(until_scene(&messages).1.targets[0].radius_m, 0.5);

        std::fs::write(&file, text.replace("radius_m: 0.5", "radius_m: -1")).unwrap();
        let ViewMessage::Problems(told) = until(&messages, |message| matches!(message, ViewMessage::Problems(_)))
        else {
            panic!("asked for")
        };
        assert!(told.contains("targets[0].radius_m") && told.contains("mine.ron:"), "{told}");
        // The old world goes on.
        until(&messages, |message| matches!(message, ViewMessage::Snapshot(_)));

        std::fs::write(&file, text.replace("radius_m: 0.5", "radius_m: 0.7")).unwrap();
        let told = until(&messages, |message| matches!(message, ViewMessage::Problems(_)));
        assert_eq!(told, ViewMessage::Problems(String::new()), "none any more");
        let scene = until_scene(&messages).1;
        assert_eq!((scene.targets[0].radius_m, scene.seed), (0.7, 5));
        commands.send(ViewCommand::Quit).unwrap();
        while messages.recv().is_ok() {}
        directing.join().unwrap();
    }

    #[test]
    fn from_the_shelf_to_a_world_and_to_another_seed() {
        let (director, messages, commands) = Director::new(None, &WindowOptions::default());
        let directing = std::thread::spawn(move || director.direct());
        let shelf = |message: &ViewMessage| matches!(message, ViewMessage::Shelf(_));
        let ViewMessage::Shelf(cards) = until(&messages, shelf) else { panic!("asked for") };
        // Nothing is played: what is asked of it leads nowhere.
        for command in [ViewCommand::Reset, ViewCommand::Save, ViewCommand::Reload, ViewCommand::Step] {
            commands.send(command).unwrap();
        }
        commands.send(ViewCommand::Open("no/such/file.ron".into())).unwrap();
        let told = until(&messages, |message| matches!(message, ViewMessage::Problems(_)));
        assert!(matches!(told, ViewMessage::Problems(text) if text.contains("no such file")));
        let card = cards.iter().find(|card| card.name == "clutter").unwrap();
        commands.send(ViewCommand::Open(card.path.clone())).unwrap();
        let scene = until_scene(&messages).1;
        assert_eq!((scene.title.as_str(), scene.seed, scene.episode), ("clutter", 0, 0));
        commands.send(ViewCommand::Goto { seed: 77, episode: 4 }).unwrap();
        let scene = until_scene(&messages).1;
        assert_eq!((scene.seed, scene.episode), (77, 4));
        commands.send(ViewCommand::Shelf).unwrap();
        until(&messages, shelf);
        commands.send(ViewCommand::Quit).unwrap();
        while messages.recv().is_ok() {}
        directing.join().unwrap();
    }

    #[test]
    fn a_touched_episode_is_not_counted() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let setup = Arc::new(Setup::load(file, &SetupOptions::default()).unwrap());
        let (director, messages, commands) = Director::new(Some(&setup), &WindowOptions::default());
        commands.send(ViewCommand::Pause(true)).unwrap();
        let target = forethought_interface::Thing::Target(0);
        let to = |x, y| ViewCommand::Edit(forethought_interface::Edit::Move { what: target, to_m: [x, y] });
        commands.send(to(5.0, 9.0)).unwrap();
        commands.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        commands.send(ViewCommand::Pause(false)).unwrap();
        let directing = std::thread::spawn(move || director.direct());
        let changed = until(&messages, |message| matches!(message, ViewMessage::Changed(_)));
        assert!(matches!(changed, ViewMessage::Changed(scene) if scene.targets[0].position_m == [5.0, 9.0]));
        let ended = |message: &ViewMessage| matches!(message, ViewMessage::Snapshot(now) if now.outcome.is_some());
        let mut steps = vec![];
        // It stays, and goes on where it is changed again.
        for place in [to(1.0, 1.0), ViewCommand::NextEpisode] {
            let ViewMessage::Snapshot(last) = until(&messages, ended) else { panic!("asked for") };
            assert!(last.touched.world && last.tally == (0, 0));
            steps.push(last.step);
            commands.send(place).unwrap();
        }
        assert!(steps[1] > steps[0], "{steps:?}");
        assert_eq!(until_scene(&messages).1.episode, 1);
        commands.send(ViewCommand::Quit).unwrap();
        while messages.recv().is_ok() {}
        directing.join().unwrap();
    }

    #[test]
    fn waits_for_a_picture() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(file, &options).unwrap());
        let options = WindowOptions { screenshot: Some(("a.png".into(), 2)), ..WindowOptions::default() };
        let (director, messages, commands) = Director::new(Some(&setup), &options);
        commands.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        let directing = std::thread::spawn(move || director.direct());
        let shown = std::iter::from_fn(|| messages.recv_timeout(Duration::from_secs(2)).ok()).count();
        assert_eq!(shown, 4, "the scene and steps 0, 1 and 2");
        commands.send(ViewCommand::Quit).unwrap();
        assert_eq!(directing.join().unwrap(), (0, 0));
    }
}

//! Episodes in a window: the runner on a thread of its own, the window on the main one. Read first: [`open`].

mod pace;

use crate::{episode::Runner, error::Error, picture, setup::Setup};
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use forethought_interface::{Detail, Outcome, ViewCommand, ViewMessage};
use forethought_view::ViewOptions;
use pace::{Pace, Turn};
use std::{path::PathBuf, sync::Arc, time::Duration};

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
}

/// Show one episode after another until the window is closed. Says how many have ended, and how many of those
/// succeeded. Blocks; the system wants windows on the main thread.
///
/// # Errors
/// Where the window cannot be opened.
pub fn open(setup: &Arc<Setup>, options: &WindowOptions) -> Result<(u32, u32), Error> {
    let hold_at = options.screenshot.as_ref().map(|(_, step)| *step);
    let (director, messages, commands) = Director::new(setup, hold_at);
    let first = options.first;
    let runner = std::thread::spawn(move || in_one_thread(|| director.direct(first)));
    let view_options = ViewOptions {
        title: format!("Forethought: {}", setup.name()),
        screenshot: options.screenshot.clone(),
        close_after_screenshot: options.screenshot.is_some(),
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
    setup: Arc<Setup>,
    runner: Runner,
    messages: Sender<ViewMessage>,
    commands: Receiver<ViewCommand>,
    pace: Pace,
    /// The control step to wait at, for a picture.
    hold_at: Option<u32>,
    tally: (u32, u32),
}

impl Director {
    /// A director, what it shows and how to command it.
    fn new(setup: &Arc<Setup>, hold_at: Option<u32>) -> (Self, Receiver<ViewMessage>, Sender<ViewCommand>) {
        let (message_sender, messages) = bounded(WAITING);
        let (command_sender, commands) = unbounded();
        let director = Self {
            setup: setup.clone(),
            runner: Runner::new(setup.clone(), Detail::Full),
            messages: message_sender,
            commands,
            pace: Pace::new(setup.loaded.scenario.timing.control_period_s),
            hold_at,
            tally: (0, 0),
        };
        (director, messages, command_sender)
    }

    /// One episode after another.
    fn direct(mut self, first: u64) -> (u32, u32) {
        let mut index = first;
        loop {
            let turn = self.episode(index).unwrap_or_else(|error| {
                self.show(ViewMessage::Failed(error.to_string()));
                self.pace.wait_for_choice(&self.commands)
            });
            match turn {
                Turn::Again => {}
                Turn::Next | Turn::Step => index += 1,
                Turn::Quit => return self.tally,
            }
        }
    }

    /// One episode, from its scene to its end and a moment longer.
    fn episode(&mut self, index: u64) -> Result<Turn, Error> {
        let mut current = self.runner.begin(index)?;
        self.show(ViewMessage::Scene(Box::new(picture::scene(&self.setup, &current.drawn, index))));
        self.show_world(None);
        loop {
            match self.pace.wait(&self.commands) {
                Turn::Step => {}
                turn => return Ok(turn),
            }
            let outcome = self.runner.step(&mut current)?;
            if let Some(outcome) = outcome {
                self.tally.0 += 1;
                self.tally.1 += u32::from(outcome == Outcome::Success);
            }
            self.show_world(outcome);
            if outcome.is_some() {
                return Ok(self.pace.linger(&self.commands, LINGER));
            }
        }
    }

    fn show_world(&mut self, outcome: Option<Outcome>) {
        let record = self.runner.sandbox().record();
        if self.hold_at.is_some_and(|step| record.step >= step) {
            self.pace.pause();
        }
        let snapshot = picture::snapshot(record, outcome, self.tally);
        self.show(ViewMessage::Snapshot(Box::new(snapshot)));
    }

    fn show(&self, message: ViewMessage) {
        // A window that is gone has closed the command channel too: the next turn is to quit.
        let _ = self.messages.send(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::SetupOptions;
    use forethought_interface::{Scene, Snapshot};
    use forethought_mind::actor::planners::PlannerName;
    use std::path::Path;

    /// The next scene, and the snapshots before it.
    fn until_scene(messages: &Receiver<ViewMessage>) -> (Vec<Snapshot>, Scene) {
        let mut snapshots = Vec::new();
        loop {
            match messages.recv_timeout(Duration::from_secs(60)).unwrap() {
                ViewMessage::Snapshot(snapshot) => snapshots.push(*snapshot),
                ViewMessage::Scene(scene) => return (snapshots, *scene),
                ViewMessage::Failed(reason) => panic!("{reason}"),
            }
        }
    }

    #[test]
    fn directs_episode_after_episode_and_obeys() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(file, &options).unwrap());
        let (director, messages, commands) = Director::new(&setup, None);
        commands.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        let directing = std::thread::spawn(move || director.direct(3));

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
        drop(commands);
        while messages.recv().is_ok() {}
        assert!(directing.join().unwrap().0 >= 1);
    }

    #[test]
    fn waits_for_a_picture() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(file, &options).unwrap());
        let (director, messages, commands) = Director::new(&setup, Some(2));
        commands.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        let directing = std::thread::spawn(move || director.direct(0));
        let shown = std::iter::from_fn(|| messages.recv_timeout(Duration::from_secs(2)).ok()).count();
        assert_eq!(shown, 4, "the scene and steps 0, 1 and 2");
        drop(commands);
        assert_eq!(directing.join().unwrap(), (0, 0));
    }
}

//! The gallery in a window: what trains has a thread of its own, the window the main one. Read first: [`open`].

use super::begin;
use crate::{
    chart::{Room, draw},
    error::Error,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded, unbounded};
use forethought_energy::gallery::{Entry, Knob, Settings, Study, entries, entry};
use forethought_interface::{EntryCard, Exhibit, GalleryCommand, GalleryMessage, KnobCard};
use forethought_view::GalleryOptions;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// From picture to picture.
const PICTURE: Duration = Duration::from_millis(50);
/// While there is nothing to do, what could not be shown is tried again so often.
const WAIT: Duration = Duration::from_millis(20);
/// The picture's size before the window has told it.
const ROOM: Room = Room { width: 840.0, height: Some(820.0) };

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct LiveOptions {
    /// The entry to begin with; without it the first.
    pub entry: Option<Entry>,
    /// Its seed, and what is set.
    pub settings: Settings,
    /// Save a picture of the window here after so many slices of work, or at their end, and close it.
    pub screenshot: Option<(PathBuf, u32)>,
}

/// Show the gallery until the window is closed. Blocks; the system wants windows on the main thread.
///
/// # Errors
/// A setting that the entry does not have, or a window that cannot be opened.
pub fn open(options: &LiveOptions) -> Result<(), Error> {
    let all = entries();
    let chosen = options.entry.or_else(|| all.first().copied());
    let chosen = chosen.ok_or_else(|| Error::NoEntry { wanted: "entry".into(), hint: String::new() })?;
    let mut settings = options.settings.clone();
    let study = begin(&chosen, &mut settings)?;
    // One picture may wait: what is older than the window's last look is not worth drawing.
    let (message_sender, messages) = bounded(1);
    let (commander, commands) = unbounded();
    let hold_at = options.screenshot.as_ref().map(|(_, slices)| *slices);
    let worker = Worker::new(chosen, settings, study, hold_at, message_sender);
    let thread = std::thread::spawn(move || worker.work(&commands));
    let view = GalleryOptions { screenshot: options.screenshot.clone(), ..GalleryOptions::default() };
    let shown = forethought_view::open_gallery(messages, commander, view);
    // The window is gone, so are its channels, and with them the worker's work.
    let worked = thread.join();
    shown?;
    worked.map_err(|_| Error::Worker("what trained panicked".into()))
}

/// The gallery in a process of its own, for one process has one window; an error says why not.
///
/// # Errors
/// Where this is not the program, but another that has it built in, or the system refuses.
pub fn open_beside() -> Result<(), String> {
    let by_hand = "open the gallery with `forethought gallery --window`";
    let program = std::env::current_exe().map_err(|error| format!("{error}: {by_hand}"))?;
    if program.file_stem().is_none_or(|name| name != "forethought") {
        return Err(by_hand.into());
    }
    let mut words = Command::new(program);
    let mut gallery = words
        .args(["gallery", "--window"])
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("{error}: {by_hand}"))?;
    // Somebody has to take notice of its end.
    std::thread::spawn(move || gallery.wait());
    Ok(())
}

/// Trains what is looked at, shows it and obeys the window.
struct Worker {
    entry: Entry,
    settings: Settings,
    /// None where it could not begin.
    study: Option<Box<dyn Study>>,
    problem: Option<String>,
    slices: u32,
    paused: bool,
    /// The slice to wait at, for a picture.
    hold_at: Option<u32>,
    room: Room,
    messages: Sender<GalleryMessage>,
    /// Whether there is something that was not shown yet, and when something was.
    news: bool,
    shown: Option<Instant>,
}

impl Worker {
    fn new(
        entry: Entry,
        settings: Settings,
        study: Box<dyn Study>,
        hold_at: Option<u32>,
        messages: Sender<GalleryMessage>,
    ) -> Self {
        Self {
            entry,
            settings,
            study: Some(study),
            problem: None,
            slices: 0,
            paused: false,
            hold_at,
            room: ROOM,
            messages,
            news: true,
            shown: None,
        }
    }

    /// Until the window is closed.
    fn work(mut self, commands: &Receiver<GalleryCommand>) {
        if self.messages.send(GalleryMessage::Entries(entries().iter().map(card).collect())).is_err() {
            return;
        }
        loop {
            let heard = if self.busy() {
                commands.recv_timeout(Duration::ZERO)
            } else if self.news {
                commands.recv_timeout(WAIT)
            } else {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match heard {
                Ok(GalleryCommand::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => self.advance(),
            }
            self.show();
        }
    }

    /// Whether there is work to do.
    fn busy(&self) -> bool {
        let holds = self.hold_at.is_some_and(|slices| self.slices >= slices);
        !self.paused && !holds && self.study.as_ref().is_some_and(|study| study.progress() < 1.0)
    }

    fn advance(&mut self) {
        if !self.busy() {
            return;
        }
        let Some(study) = &mut self.study else { return };
        if let Err(error) = study.advance() {
            (self.study, self.problem) = (None, Some(error.to_string()));
        }
        self.slices = self.slices.saturating_add(1);
        self.news = true;
    }

    fn obey(&mut self, command: GalleryCommand) {
        match command {
            GalleryCommand::Choose(name) => {
                let Some(chosen) = entry(&name) else { return };
                self.entry = chosen;
                self.settings = Settings { seed: self.settings.seed, ..Settings::default() };
                self.again();
            }
            GalleryCommand::Turn { knob, value } => {
                self.settings.values.insert(knob.clone(), value);
                if !self.study.as_mut().is_some_and(|study| study.turn(&knob, value)) {
                    self.again();
                }
            }
            GalleryCommand::Seed(seed) => {
                (self.settings.seed, self.settings.frames) = (seed, None);
                self.again();
            }
            GalleryCommand::Again => self.again(),
            GalleryCommand::Defaults => {
                self.settings.values.clear();
                self.again();
            }
            GalleryCommand::Pause(paused) => self.paused = paused,
            GalleryCommand::Room([width, height]) => self.room = Room { width, height: Some(height) },
            GalleryCommand::Quit => {}
        }
        self.news = true;
    }

    /// From the start, with what is set.
    fn again(&mut self) {
        self.slices = 0;
        (self.study, self.problem) = match begin(&self.entry, &mut self.settings) {
            Ok(study) => (Some(study), None),
            Err(error) => (None, Some(error.to_string())),
        };
    }

    /// Show what is new, unless something was shown just now.
    fn show(&mut self) {
        let just_now = self.shown.is_some_and(|shown| shown.elapsed() < PICTURE);
        if !self.news || (just_now && self.busy()) || self.messages.is_full() {
            return;
        }
        self.news = match self.messages.try_send(GalleryMessage::Exhibit(Box::new(self.exhibit()))) {
            Err(TrySendError::Full(_)) => true,
            Ok(()) | Err(TrySendError::Disconnected(_)) => false,
        };
        self.shown = Some(Instant::now());
    }

    fn exhibit(&self) -> Exhibit {
        let exhibit = Exhibit {
            entry: self.entry.name.to_owned(),
            seed: self.settings.seed,
            values: self.entry.knobs.iter().map(|knob| self.settings.value(knob)).collect(),
            slices: self.slices,
            paused: self.paused,
            problem: self.problem.clone(),
            ..Exhibit::default()
        };
        let Some(study) = &self.study else { return exhibit };
        let measures = study.measures();
        Exhibit {
            progress: study.progress(),
            drawing: draw(&study.chart(), self.room),
            measures: measures.into_iter().map(|measure| (measure.about, measure.value, measure.expected)).collect(),
            ..exhibit
        }
    }
}

/// What the window is told of an entry.
fn card(entry: &Entry) -> EntryCard {
    let knob = |knob: &Knob| KnobCard {
        name: knob.name.to_owned(),
        about: knob.about.to_owned(),
        range: knob.range,
        whole: knob.whole,
        log: knob.log,
    };
    EntryCard {
        name: entry.name.to_owned(),
        title: entry.title.to_owned(),
        source: entry.source.to_owned(),
        about: entry.about.to_owned(),
        knobs: entry.knobs.iter().map(knob).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next exhibit that is as it should be.
    fn wait_for(messages: &Receiver<GalleryMessage>, is: impl Fn(&Exhibit) -> bool) -> Exhibit {
        loop {
            match messages.recv_timeout(Duration::from_secs(60)).unwrap() {
                GalleryMessage::Exhibit(exhibit) if is(&exhibit) => return *exhibit,
                _ => {}
            }
        }
    }

    #[test]
    fn shows_what_it_does_and_obeys() {
        let (all, mut settings) = (entries(), Settings::default());
        let (sender, messages) = bounded(1);
        let (commander, commands) = unbounded();
        let study = begin(&all[0], &mut settings).unwrap();
        let worker = Worker::new(all[0], settings, study, Some(2), sender);
        let thread = std::thread::spawn(move || worker.work(&commands));
        let Ok(GalleryMessage::Entries(cards)) = messages.recv() else { panic!("the entries come first") };
        assert!(cards.iter().map(|card| &card.name[..]).eq(all.iter().map(|entry| entry.name)));
        let exhibit = wait_for(&messages, |exhibit| exhibit.slices == 2);
        assert!(exhibit.entry == all[0].name && exhibit.progress > 0.0 && !exhibit.drawing.marks.is_empty());
        assert_eq!(exhibit.values.len(), all[0].knobs.len());

        commander.send(GalleryCommand::Room([500.0, 400.0])).unwrap();
        assert_eq!(wait_for(&messages, |exhibit| exhibit.drawing.size == [500.0, 400.0]).slices, 2, "it waits there");

        let other = all.iter().find(|entry| entry.name == "pca").unwrap();
        commander.send(GalleryCommand::Choose(other.name.into())).unwrap();
        wait_for(&messages, |exhibit| exhibit.entry == other.name && exhibit.slices == 2);
        let knob = other.knobs[0].name.to_owned();
        commander.send(GalleryCommand::Turn { knob, value: 1e9 }).unwrap();
        assert!(
            wait_for(&messages, |exhibit| exhibit.problem.is_some()).problem.unwrap().contains(other.knobs[0].name)
        );
        commander.send(GalleryCommand::Defaults).unwrap();
        wait_for(&messages, |exhibit| exhibit.problem.is_none() && exhibit.slices > 0);
        commander.send(GalleryCommand::Seed(7)).unwrap();
        assert_eq!(wait_for(&messages, |exhibit| exhibit.seed == 7).entry, other.name);
        commander.send(GalleryCommand::Quit).unwrap();
        thread.join().unwrap();
    }
}

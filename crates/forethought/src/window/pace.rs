//! When the next control step is due, and what the window asks for meanwhile. Read first: [`Pace::wait`].

use crossbeam::channel::{Receiver, RecvTimeoutError};
use forethought_interface::ViewCommand;
use std::time::{Duration, Instant};

/// What is next.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A control step.
    Step,
    /// The same episode from its start.
    Again,
    /// The next episode.
    Next,
    /// What is none of the clock's business.
    Do(ViewCommand),
    /// The end.
    Quit,
}

/// Keeps simulated time in step with the wall clock.
pub struct Pace {
    period_s: f64,
    speed: f64,
    paused: bool,
    due: Instant,
}

impl Pace {
    /// Real time, for this control period.
    pub fn new(period_s: f64) -> Self {
        Self { period_s, speed: 1.0, paused: false, due: Instant::now() }
    }

    /// From now on control steps take so long.
    pub fn set_period(&mut self, period_s: f64) {
        self.period_s = period_s;
        self.due = Instant::now();
    }

    /// Whether the clock stands.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Stop the clock.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Wait until the next control step is due, or something else is asked for. Meanwhile do what there is to do, a little at a
    /// time: `idle` says whether there is more of it.
    pub fn wait(&mut self, commands: &Receiver<ViewCommand>, mut idle: impl FnMut() -> bool) -> Turn {
        while commands.is_empty() && (self.paused || Instant::now() < self.due) && idle() {}
        let Some(command) = self.receive(commands, self.due) else {
            // Time that was lost, by thinking long or by a pause, is not made up for.
            let period = Duration::try_from_secs_f64(self.period_s / self.speed).unwrap_or(Duration::ZERO);
            self.due = self.due.max(Instant::now().checked_sub(period).unwrap_or(self.due)) + period;
            return Turn::Step;
        };
        self.obey(command).unwrap_or_else(|| self.wait(commands, idle))
    }

    /// Stay with what is in sight for a while, or until something is asked for.
    pub fn linger(&mut self, commands: &Receiver<ViewCommand>, until: Instant) -> Turn {
        let end = if self.speed.is_finite() { until } else { Instant::now() };
        match self.receive(commands, end) {
            None => Turn::Next,
            Some(command) => match self.obey(command) {
                None => self.linger(commands, until),
                Some(Turn::Step) => Turn::Next,
                Some(turn) => turn,
            },
        }
    }

    /// Nothing goes on by itself: wait for a choice.
    pub fn wait_for_choice(&mut self, commands: &Receiver<ViewCommand>) -> Turn {
        loop {
            match commands.recv().map(|command| self.obey(command)) {
                Err(_) => return Turn::Quit,
                Ok(Some(turn)) => return turn,
                Ok(None) => {}
            }
        }
    }

    /// The next command; none where `until` has come and the clock is running.
    fn receive(&self, commands: &Receiver<ViewCommand>, until: Instant) -> Option<ViewCommand> {
        if self.paused {
            return Some(commands.recv().unwrap_or(ViewCommand::Quit));
        }
        match commands.recv_deadline(until) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(ViewCommand::Quit),
        }
    }

    fn obey(&mut self, command: ViewCommand) -> Option<Turn> {
        match command {
            ViewCommand::Pause(paused) => {
                self.paused = paused;
                self.due = Instant::now();
                None
            }
            ViewCommand::Speed(speed) => {
                self.speed = f64::from(speed).max(1e-3);
                self.due = Instant::now();
                None
            }
            ViewCommand::Step => self.paused.then_some(Turn::Step),
            ViewCommand::Reset => Some(Turn::Again),
            ViewCommand::NextEpisode => Some(Turn::Next),
            ViewCommand::Quit => Some(Turn::Quit),
            other => Some(Turn::Do(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam::channel::unbounded;

    #[test]
    fn keeps_time_and_obeys() {
        let (sender, commands) = unbounded();
        let mut pace = Pace::new(0.02);
        let started = Instant::now();
        for _ in 0..5 {
            assert_eq!(pace.wait(&commands, || false), Turn::Step);
        }
        assert!(started.elapsed() >= Duration::from_millis(80), "the first step is due at once, the others each 20 ms");

        for command in [ViewCommand::Pause(true), ViewCommand::Step, ViewCommand::Reset, ViewCommand::NextEpisode] {
            sender.send(command).unwrap();
        }
        assert_eq!(pace.wait(&commands, || false), Turn::Step);
        assert_eq!(pace.wait(&commands, || false), Turn::Again);
        assert_eq!(pace.wait(&commands, || false), Turn::Next);
        sender.send(ViewCommand::Pause(false)).unwrap();
        assert_eq!(pace.linger(&commands, Instant::now() + Duration::from_millis(1)), Turn::Next);
        drop(sender);
        assert_eq!(pace.wait(&commands, || false), Turn::Quit);
    }

    #[test]
    fn does_what_there_is_to_do_meanwhile_and_hands_on_what_is_not_its_own() {
        let (sender, commands) = unbounded();
        let mut pace = Pace::new(0.05);
        assert_eq!(pace.wait(&commands, || false), Turn::Step);
        let mut left = 3;
        let turn = pace.wait(&commands, || {
            left -= 1;
            left > 0
        });
        assert_eq!((turn, left), (Turn::Step, 0));
        pace.pause();
        sender.send(ViewCommand::Save).unwrap();
        assert_eq!(pace.wait(&commands, || true), Turn::Do(ViewCommand::Save));
    }

    #[test]
    fn infinite_speed_does_not_wait() {
        let (sender, commands) = unbounded();
        let mut pace = Pace::new(10.0);
        sender.send(ViewCommand::Speed(f32::INFINITY)).unwrap();
        let started = Instant::now();
        for _ in 0..100 {
            assert_eq!(pace.wait(&commands, || false), Turn::Step);
        }
        assert_eq!(pace.linger(&commands, Instant::now() + Duration::from_secs(10)), Turn::Next);
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

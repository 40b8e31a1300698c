//! What the user may ask for, by key or button. Read first: [`Ask`] and [`Controls::obey`].

use bevy::{input::keyboard::Key, prelude::Resource};
use forethought_interface::ViewCommand;

/// The keys - and + go through these, in simulated seconds a second.
const SPEEDS: [f32; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, f32::INFINITY];

/// One wish.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ask {
    /// Stop the clock or let it go on.
    Pause,
    /// One control step.
    Step,
    /// The next lower speed.
    Slower,
    /// The next higher speed.
    Faster,
    /// This speed.
    Speed(f32),
    /// The same episode from its start.
    Reset,
    /// The next episode.
    Next,
    /// Show or hide sensor rays.
    Rays,
    /// Show or hide imagined futures.
    Futures,
    /// Show or hide where agents have been.
    Trail,
    /// Show or hide the keys.
    Help,
    /// Another agent's thoughts.
    Agent,
    /// Save a picture.
    Picture,
    /// The end.
    Quit,
}

/// The keys as the help shows them.
pub const KEYS: [(&str, &str); 12] = [
    ("Space", "pause or go on"),
    (".  or  Right", "one control step"),
    ("-  and  +", "slower, faster"),
    ("R", "reset: this episode from its start"),
    ("N", "next episode"),
    ("L", "sensor rays"),
    ("T", "imagined futures"),
    ("P", "path so far"),
    ("F12", "save a picture"),
    ("?  or  F1", "these keys"),
    ("Q  or  Esc", "quit"),
    ("Tab", "the next agent's thoughts"),
];

/// What a key asks for; `again` is true while it is held down.
pub fn ask_of(key: &Key, again: bool) -> Option<Ask> {
    let ask = match key {
        Key::Space => Ask::Pause,
        Key::ArrowRight => Ask::Step,
        Key::Escape => Ask::Quit,
        Key::F1 => Ask::Help,
        Key::F12 => Ask::Picture,
        Key::Tab => Ask::Agent,
        Key::Character(text) => match text.to_lowercase().as_str() {
            " " => Ask::Pause,
            "." => Ask::Step,
            "-" | "_" => Ask::Slower,
            "+" | "=" => Ask::Faster,
            "r" => Ask::Reset,
            "n" => Ask::Next,
            "l" => Ask::Rays,
            "t" => Ask::Futures,
            "p" => Ask::Trail,
            "?" => Ask::Help,
            "q" => Ask::Quit,
            _ => return None,
        },
        _ => return None,
    };
    // Held down, a key steps on and changes the speed, but does not flicker.
    (!again || matches!(ask, Ask::Step | Ask::Slower | Ask::Faster)).then_some(ask)
}

/// What the user has set.
#[derive(Resource, Debug, Clone, PartialEq)]
pub struct Controls {
    /// True while the clock stands.
    pub paused: bool,
    /// Simulated seconds a second; infinite for as fast as it can.
    pub speed: f32,
    /// Sensor rays are shown.
    pub rays: bool,
    /// Imagined futures are shown.
    pub futures: bool,
    /// The path so far is shown.
    pub trail: bool,
    /// The keys are shown.
    pub help: bool,
    /// Whose thoughts the panel shows.
    pub agent: usize,
}

impl Default for Controls {
    fn default() -> Self {
        Self { paused: false, speed: 1.0, rays: true, futures: true, trail: true, help: false, agent: 0 }
    }
}

impl Controls {
    /// Change what is set, and say what the runner must know.
    pub fn obey(&mut self, ask: Ask) -> Vec<ViewCommand> {
        match ask {
            Ask::Pause => {
                self.paused = !self.paused;
                vec![ViewCommand::Pause(self.paused)]
            }
            Ask::Step if self.paused => vec![ViewCommand::Step],
            Ask::Step => {
                self.paused = true;
                vec![ViewCommand::Pause(true), ViewCommand::Step]
            }
            Ask::Slower => self.set_speed(SPEEDS.iter().rev().find(|speed| **speed < self.speed * 0.999)),
            Ask::Faster => self.set_speed(SPEEDS.iter().find(|speed| **speed > self.speed * 1.001)),
            Ask::Speed(speed) => self.set_speed(Some(&speed)),
            Ask::Reset => vec![ViewCommand::Reset],
            Ask::Next => vec![ViewCommand::NextEpisode],
            Ask::Rays => toggle(&mut self.rays),
            Ask::Futures => toggle(&mut self.futures),
            Ask::Trail => toggle(&mut self.trail),
            Ask::Help => toggle(&mut self.help),
            Ask::Agent => {
                self.agent = self.agent.wrapping_add(1);
                vec![]
            }
            Ask::Picture | Ask::Quit => vec![],
        }
    }

    fn set_speed(&mut self, speed: Option<&f32>) -> Vec<ViewCommand> {
        let Some(&speed) = speed else { return vec![] };
        self.speed = speed;
        vec![ViewCommand::Speed(speed)]
    }

    /// When the next snapshot is due, in seconds of the wall clock; none while paused.
    pub fn expected_s(&self, control_period_s: f32) -> Option<f64> {
        (!self.paused).then(|| f64::from(control_period_s / self.speed).max(0.0))
    }
}

fn toggle(shown: &mut bool) -> Vec<ViewCommand> {
    *shown = !*shown;
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask() {
        let character = |text: &str| ask_of(&Key::Character(text.into()), false);
        assert_eq!(character("+"), Some(Ask::Faster));
        assert_eq!(character("R"), Some(Ask::Reset));
        assert_eq!(character("x"), None);
        assert_eq!(ask_of(&Key::Space, true), None, "held down");
        assert_eq!(ask_of(&Key::ArrowRight, true), Some(Ask::Step));
    }

    #[test]
    fn a_step_pauses_first() {
        let mut controls = Controls::default();
        assert_eq!(controls.obey(Ask::Step), [ViewCommand::Pause(true), ViewCommand::Step]);
        assert_eq!(controls.obey(Ask::Step), [ViewCommand::Step]);
        assert_eq!(controls.expected_s(0.1), None);
        assert_eq!(controls.obey(Ask::Pause), [ViewCommand::Pause(false)]);
    }

    #[test]
    fn speeds_go_up_to_as_fast_as_it_can_and_back() {
        let mut controls = Controls::default();
        for _ in 0..9 {
            controls.obey(Ask::Faster);
        }
        assert!(controls.speed.is_infinite());
        assert_eq!(controls.expected_s(0.1), Some(0.0));
        assert_eq!(controls.obey(Ask::Faster), []);
        assert_eq!(controls.obey(Ask::Slower), [ViewCommand::Speed(16.0)]);
        controls.obey(Ask::Speed(0.3));
        assert_eq!(controls.obey(Ask::Slower), [ViewCommand::Speed(0.25)]);
        assert_eq!(controls.obey(Ask::Slower), [ViewCommand::Speed(0.1)]);
        assert_eq!(controls.obey(Ask::Slower), []);
    }
}

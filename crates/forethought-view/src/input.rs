//! What the user may ask for, by key or button. Read first: [`Ask`] and [`Controls::obey`].

use crate::dock::Panel;
use bevy::{input::keyboard::Key, prelude::Resource};
use forethought_interface::{Edit, MindSettings, ViewCommand};
use std::path::PathBuf;

/// The keys - and + go through these, in simulated seconds a second.
const SPEEDS: [f32; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, f32::INFINITY];

/// One wish.
#[derive(Debug, Clone, PartialEq)]
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
    /// This episode of the run with this seed.
    Goto(u64, u64),
    /// Show or hide something in the world.
    Show(Shown),
    /// Show or hide the keys.
    Help,
    /// Another agent's thoughts.
    Agent,
    /// This agent's thoughts.
    LookInto(usize),
    /// What the mouse does.
    Tool(Tool),
    /// Change the world.
    Edit(Edit),
    /// Save the world as a scenario.
    Save,
    /// Lead the agent by hand, or let go of it.
    Lead,
    /// What the hand wants the led agent to do.
    Steer([f32; 2]),
    /// Change how the agent acts; none for as its scenario says.
    Adjust(Option<Box<MindSettings>>),
    /// Look at so many control steps earlier or later.
    LookBy(i64),
    /// Look at this control step, or at the latest one.
    LookAt(Option<u32>),
    /// Replay what is past, or stop doing so.
    Replay,
    /// Show or hide a panel.
    Panel(Panel),
    /// The panels as they were at first.
    PanelsAnew,
    /// Read the scenario's file again.
    Reload,
    /// Open a scenario.
    Open(PathBuf),
    /// The scenarios to choose from.
    Shelf,
    /// The gallery of energy-based models, in a window of its own.
    Gallery,
    /// Save a picture.
    Picture,
    /// What was told is read.
    Dismiss,
    /// The end.
    Quit,
}

/// What may be shown in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Sensor rays and touched contacts.
    Rays,
    /// Imagined futures and subgoals.
    Futures,
    /// Where agents have been.
    Trail,
    /// The energy of being at each point.
    Landscape,
}

impl Shown {
    /// All of it, with its key and its name.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Rays, "L", "Sensor rays and contacts"),
        (Self::Futures, "T", "Imagined futures and subgoals"),
        (Self::Trail, "P", "Path so far"),
        (Self::Landscape, "E", "Energy landscape"),
    ];
}

/// What the mouse does in the world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tool {
    /// Drag things.
    #[default]
    Move,
    /// Push things: drag, and let go.
    Push,
    /// Draw a wall from one end to the other.
    Wall,
    /// Put a box.
    Box,
    /// Put food.
    Food,
    /// Take things away.
    Erase,
}

impl Tool {
    /// All tools, by their keys from 1 up.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Move, "Move", "drag an agent, a body, a target, food or a zone"),
        (Self::Push, "Push", "drag from an agent or a box, and let go"),
        (Self::Wall, "Wall", "drag from one end to the other"),
        (Self::Box, "Box", "click where it is to be"),
        (Self::Food, "Food", "click where it is to be"),
        (Self::Erase, "Erase", "click on a body or food"),
    ];

    /// Its name, and what to do with it.
    pub fn words(self) -> (&'static str, &'static str) {
        Self::ALL.iter().find(|(tool, ..)| *tool == self).map_or(("", ""), |(_, name, hint)| (name, hint))
    }
}

/// The keys as the help shows them, under headings.
pub const KEYS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Time",
        &[
            ("Space", "pause or go on"),
            (".  or  Right", "one control step"),
            ("-  and  +", "slower, faster"),
            ("R", "reset: this episode from its start"),
            ("N", "next episode"),
            ("[  and  ]", "look one step back, or forward again"),
            ("Y", "replay from here"),
            ("Backspace", "back to now"),
        ],
    ),
    (
        "Seen in the world",
        &[
            ("L", "sensor rays and contacts"),
            ("T", "imagined futures"),
            ("P", "path so far"),
            ("E", "energy landscape"),
            ("Tab", "the next agent; or click on one"),
        ],
    ),
    (
        "Hands on",
        &[
            ("1", "move: drag anything"),
            ("2", "push"),
            ("3  4  5", "add a wall, a box, food"),
            ("6", "take away"),
            ("G", "lead the agent with the arrow keys"),
            ("S", "save the world as a scenario"),
            ("F5", "read the scenario's file again"),
        ],
    ),
    (
        "Window",
        &[
            ("F2  F3  F4", "panels: mind, episode, energy"),
            ("F6  F7", "panels: agent, timeline"),
            ("B", "the scenarios to choose from"),
            ("F12", "save a picture"),
            ("?  or  F1", "these keys"),
            ("Q  or  Esc", "quit"),
        ],
    ),
];

/// What a key asks for; `again` is true while it is held down, `leads` while arrows lead an agent.
pub fn ask_of(key: &Key, again: bool, leads: bool) -> Option<Ask> {
    let ask = match key {
        Key::Space => Ask::Pause,
        Key::ArrowRight if !leads => Ask::Step,
        Key::Escape => Ask::Quit,
        Key::Backspace => Ask::LookAt(None),
        Key::F1 => Ask::Help,
        Key::F2 => Ask::Panel(Panel::Mind),
        Key::F3 => Ask::Panel(Panel::Episode),
        Key::F4 => Ask::Panel(Panel::Energy),
        Key::F5 => Ask::Reload,
        Key::F6 => Ask::Panel(Panel::Agent),
        Key::F7 => Ask::Panel(Panel::Timeline),
        Key::F12 => Ask::Picture,
        Key::Tab => Ask::Agent,
        Key::Character(text) => letter(text)?,
        _ => return None,
    };
    // Held down, a key steps on and changes the speed, but does not flicker.
    let goes_on = matches!(ask, Ask::Step | Ask::Slower | Ask::Faster | Ask::LookBy(_));
    (!again || goes_on).then_some(ask)
}

fn letter(text: &str) -> Option<Ask> {
    Some(match text.to_lowercase().as_str() {
        " " => Ask::Pause,
        "." => Ask::Step,
        "-" | "_" => Ask::Slower,
        "+" | "=" => Ask::Faster,
        "r" => Ask::Reset,
        "n" => Ask::Next,
        "l" => Ask::Show(Shown::Rays),
        "t" => Ask::Show(Shown::Futures),
        "p" => Ask::Show(Shown::Trail),
        "e" => Ask::Show(Shown::Landscape),
        "g" => Ask::Lead,
        "s" => Ask::Save,
        "b" => Ask::Shelf,
        "y" => Ask::Replay,
        "[" => Ask::LookBy(-1),
        "]" => Ask::LookBy(1),
        "?" => Ask::Help,
        "q" => Ask::Quit,
        digit => {
            let number: usize = digit.parse().ok()?;
            Ask::Tool(Tool::ALL.get(number.checked_sub(1)?)?.0)
        }
    })
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
    /// The energy landscape is shown.
    pub landscape: bool,
    /// The keys are shown.
    pub help: bool,
    /// Whose thoughts the panels show.
    pub agent: usize,
    /// What the mouse does.
    pub tool: Tool,
    /// Whether the agent is led by hand.
    pub leads: bool,
    /// When what is past was last moved on, while it is replayed, in seconds of the wall clock.
    pub replayed_s: Option<f64>,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            paused: false,
            speed: 1.0,
            rays: true,
            futures: true,
            trail: true,
            landscape: false,
            help: false,
            agent: 0,
            tool: Tool::default(),
            leads: false,
            replayed_s: None,
        }
    }
}

impl Controls {
    /// Change what is set, and say what the runner must know. What is the window's alone is `app.rs`'s.
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
            Ask::Goto(seed, episode) => vec![ViewCommand::Goto { seed, episode }],
            Ask::Show(shown) => self.show(shown),
            Ask::Help => {
                self.help = !self.help;
                vec![]
            }
            Ask::LookInto(agent) => self.look_into(agent),
            Ask::Tool(tool) => {
                self.tool = tool;
                vec![]
            }
            Ask::Edit(edit) => vec![ViewCommand::Edit(edit)],
            Ask::Save => vec![ViewCommand::Save],
            Ask::Lead => {
                self.leads = !self.leads;
                let action = self.leads.then_some([0.0; 2]);
                vec![ViewCommand::Lead { agent: self.agent, action }]
            }
            Ask::Steer(action) => vec![ViewCommand::Lead { agent: self.agent, action: Some(action) }],
            Ask::Adjust(settings) => vec![ViewCommand::Adjust { agent: self.agent, settings }],
            Ask::Reload => vec![ViewCommand::Reload],
            Ask::Open(path) => vec![ViewCommand::Open(path)],
            Ask::Shelf => vec![ViewCommand::Shelf],
            Ask::Gallery => vec![ViewCommand::Gallery],
            Ask::LookBy(_) | Ask::LookAt(_) if !self.paused => {
                // What is looked at stands still, and so does the rest.
                self.paused = true;
                vec![ViewCommand::Pause(true)]
            }
            Ask::LookBy(_) | Ask::LookAt(_) | Ask::Replay | Ask::Panel(_) | Ask::PanelsAnew => vec![],
            Ask::Agent | Ask::Picture | Ask::Dismiss | Ask::Quit => vec![],
        }
    }

    /// Look into this agent, and let go of the other.
    fn look_into(&mut self, agent: usize) -> Vec<ViewCommand> {
        let let_go = self.leads.then_some(ViewCommand::Lead { agent: self.agent, action: None });
        (self.agent, self.leads) = (agent, false);
        let_go.into_iter().chain(self.landscape.then_some(ViewCommand::Landscape(Some(agent)))).collect()
    }

    /// Whether this is shown.
    pub fn shows(&self, shown: Shown) -> bool {
        match shown {
            Shown::Rays => self.rays,
            Shown::Futures => self.futures,
            Shown::Trail => self.trail,
            Shown::Landscape => self.landscape,
        }
    }

    fn show(&mut self, shown: Shown) -> Vec<ViewCommand> {
        let switch = match shown {
            Shown::Rays => &mut self.rays,
            Shown::Futures => &mut self.futures,
            Shown::Trail => &mut self.trail,
            Shown::Landscape => &mut self.landscape,
        };
        *switch = !*switch;
        match shown {
            Shown::Landscape => vec![ViewCommand::Landscape(self.landscape.then_some(self.agent))],
            _ => vec![],
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask() {
        let character = |text: &str| ask_of(&Key::Character(text.into()), false, false);
        assert_eq!(character("+"), Some(Ask::Faster));
        assert_eq!(character("R"), Some(Ask::Reset));
        assert_eq!(character("3"), Some(Ask::Tool(Tool::Wall)));
        assert_eq!((character("x"), character("0"), character("7")), (None, None, None));
        assert_eq!(ask_of(&Key::Space, true, false), None, "held down");
        assert_eq!(ask_of(&Key::ArrowRight, true, false), Some(Ask::Step));
        assert_eq!(ask_of(&Key::ArrowRight, false, true), None, "it leads");
    }

    /// Whatever the help names is a key that does something.
    #[test]
    fn the_help_tells_the_truth() {
        let single = KEYS.iter().flat_map(|(_, keys)| *keys).filter(|(key, _)| key.chars().count() == 1);
        let letters: Vec<&str> = single.map(|(key, _)| *key).collect();
        assert!(letters.len() > 10);
        for letter in letters {
            assert!(ask_of(&Key::Character(letter.into()), false, false).is_some(), "{letter}");
        }
    }

    #[test]
    fn a_step_pauses_first() {
        let mut controls = Controls::default();
        assert_eq!(controls.obey(Ask::Step), [ViewCommand::Pause(true), ViewCommand::Step]);
        assert_eq!(controls.obey(Ask::Step), [ViewCommand::Step]);
        assert_eq!(controls.expected_s(0.1), None);
        assert_eq!(controls.obey(Ask::Pause), [ViewCommand::Pause(false)]);
        assert_eq!(controls.obey(Ask::LookBy(-1)), [ViewCommand::Pause(true)], "to look back is to stand still");
        assert_eq!(controls.obey(Ask::LookBy(-1)), []);
    }

    #[test]
    fn leading_follows_the_agent_that_is_looked_into() {
        let mut controls = Controls::default();
        assert_eq!(controls.obey(Ask::Lead), [ViewCommand::Lead { agent: 0, action: Some([0.0; 2]) }]);
        let led = ViewCommand::Lead { agent: 0, action: Some([1.0, 0.0]) };
        assert_eq!(controls.obey(Ask::Steer([1.0, 0.0])), [led]);
        assert_eq!(controls.obey(Ask::LookInto(1)), [ViewCommand::Lead { agent: 0, action: None }]);
        assert!(!controls.leads && controls.agent == 1);
        assert_eq!(controls.obey(Ask::Show(Shown::Landscape)), [ViewCommand::Landscape(Some(1))]);
        assert_eq!(controls.obey(Ask::LookInto(2)), [ViewCommand::Landscape(Some(2))]);
        assert_eq!(controls.obey(Ask::Show(Shown::Landscape)), [ViewCommand::Landscape(None)]);
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

//! The words around the arena: what this is, how far it has come, what the agent is at, and what the lines mean.
//! Read first: [`Caption::write`].

use super::{
    canvas::{Canvas, Px},
    layout::Layout,
    letters::{Letters, Side, Weight},
    palette::{self, Color},
    story::{AgentStory, Story},
};
use forethought_interface::{Death, Scene, Vitals};
use forethought_world::StepRecord;

/// Lines of words below the arena: what the agent is at, its drives, what the lines mean.
pub const LINES: u8 = 3;

const TITLE_EM: f32 = 18.0;
const EM: f32 = 13.0;

/// Words for one episode.
pub struct Caption {
    letters: Letters,
    title: String,
    /// Which episode this is.
    which: String,
    /// How fast it goes, where that is not as it was.
    speed: String,
}

/// How the film ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A success condition held.
    Success,
    /// A failure condition held.
    Failure,
    /// The step limit came first.
    TimeLimit,
    /// The recording was stopped, or something went wrong.
    Cut,
}

impl Caption {
    /// For this episode, shown so many times as fast as it was.
    pub fn new(scene: &Scene, speed: f64) -> Self {
        Self {
            letters: Letters::new(),
            title: title(&scene.title),
            which: format!("seed {}, episode {}, {}", scene.seed, scene.episode, scene.actor),
            speed: if (speed - 1.0).abs() < 1e-3 { String::new() } else { format!("{}x, ", number(speed as f32)) },
        }
    }

    /// All words, where the picture is large enough for words.
    pub fn write(
        &self,
        canvas: &mut Canvas,
        scene: &Scene,
        record: &StepRecord,
        story: &Story,
        end: Option<End>,
        layout: &Layout,
    ) {
        let Some(scale) = layout.words else { return };
        let page = Page { letters: &self.letters, scale, width: layout.size[0].into() };
        self.names(canvas, scene, record, layout, scale);
        self.above(canvas, &page, scene, record, end);
        let bottom = layout.arena()[0][1] + 8.0 * scale;
        let line = |index: u8| bottom + (10.0 + 20.0 * f32::from(index)) * scale;
        if let Some(agent) = story.agents.first() {
            doing(canvas, &page, agent, story.agents.len(), line(0));
            feeling(canvas, &page, agent, line(1));
        }
        legend(canvas, &page, story, record, line(2));
    }

    /// What this is on the left, how far it has come on the right, or how it ended.
    fn above(&self, canvas: &mut Canvas, page: &Page, scene: &Scene, record: &StepRecord, end: Option<End>) {
        let (upper, lower) = (19.0 * page.scale, 39.0 * page.scale);
        let badge = end.map_or(0.0, |end| page.badge(canvas, end, record.step, upper));
        let room = page.inside() - badge - 12.0 * page.scale;
        page.left(canvas, &self.title, (Weight::Strong, TITLE_EM, palette::INK), upper, room);
        let Self { speed, .. } = self;
        let time = format!("{speed}step {} of {}, {:.1} s", record.step, scene.max_steps, record.time_s);
        let wide = page.right(canvas, &time, (Weight::Regular, EM, palette::INK), lower);
        let room = page.inside() - wide - 12.0 * page.scale;
        page.left(canvas, &self.which, (Weight::Regular, EM, palette::FAINT_INK), lower, room);
    }

    /// The names of zones and targets, where they are.
    fn names(&self, canvas: &mut Canvas, scene: &Scene, record: &StepRecord, layout: &Layout, scale: f32) {
        let em = EM * scale;
        let dark = record.light.is_some_and(|light| light < 0.5);
        let ink = if dark { palette::FLOOR } else { palette::INK };
        for zone in &scene.zones {
            let at = layout.px(zone.pose.position_m);
            self.letters.write(canvas, &zone.name, at, Side::Middle, (Weight::Strong, em, ink));
        }
        // With many targets, names would hide what happens.
        if scene.targets.len() > 4 {
            return;
        }
        for target in &scene.targets {
            let [x, y] = layout.px(target.position_m);
            let down = target.radius_m * layout.px_per_m + 0.8 * em;
            // Above the ring where the arena ends.
            let y = if y + down + em < layout.arena()[0][1] { y + down } else { y - down };
            // A patch keeps it readable on whatever crosses it.
            let [wide, high] = [self.letters.width(&target.name, Weight::Strong, em) + 0.4 * em, 1.3 * em];
            canvas.pill([x - wide / 2.0, y - high / 2.0], [wide, high], 0.3 * em, palette::FLOOR);
            self.letters.write(canvas, &target.name, [x, y], Side::Middle, (Weight::Strong, em, palette::GOOD));
        }
    }
}

/// What the agent is at: mode, task and why, and the energy of its plan.
fn doing(canvas: &mut Canvas, page: &Page, agent: &AgentStory, agents: usize, y: f32) {
    let energy = agent.thought.as_ref().filter(|thought| !thought.rollouts.is_empty());
    let energy = energy.map_or_else(String::new, |thought| format!("plan's energy {}", number(thought.energy)));
    let wide = page.right(canvas, &energy, (Weight::Regular, EM, palette::INK), y);
    let whose = if agents > 1 { format!("the first of {agents} agents: ") } else { String::new() };
    let task = agent.thought.as_ref().and_then(|thought| thought.task.as_ref());
    let words = match task {
        Some(task) => format!("{whose}task {}: {} ({})", task.name, task.reason, agent.mode()),
        None => format!("{whose}{}", agent.mode()),
    };
    page.left(canvas, &words, (Weight::Strong, EM, palette::INK), y, page.inside() - wide - 12.0 * page.scale);
}

/// What it lives on, as bars, and what its drives cost.
fn feeling(canvas: &mut Canvas, page: &Page, agent: &AgentStory, y: f32) {
    let mut x = page.margin();
    if let Some(vitals) = &agent.vitals {
        x = page.bar(canvas, x, y, "store", vitals.energy, palette::STORE);
        let hurt = vitals.harm_per_s > 0.0 || !vitals.alive();
        let color = if hurt { palette::BAD } else { palette::GOOD };
        x = page.bar(canvas, x, y, health(vitals), vitals.health, color);
    }
    let drives = agent.thought.as_ref().map(|thought| thought.drives.as_slice()).unwrap_or_default();
    if drives.is_empty() {
        return;
    }
    let costs: Vec<String> = drives.iter().map(|(name, cost)| format!("{name} {}", number(*cost))).collect();
    let name = if agent.vitals.is_some() { "" } else { "drives: " };
    let words = format!("{name}{}", costs.join(", "));
    let room = page.width - page.margin() - x;
    let words = page.letters.fitted(&words, Weight::Regular, EM * page.scale, room);
    let style = (Weight::Regular, EM * page.scale, palette::FAINT_INK);
    page.letters.write(canvas, &words, [x, y], Side::Left, style);
}

fn health(vitals: &Vitals) -> &'static str {
    match vitals.died_of {
        Some(Death::Starved) => "starved",
        Some(Death::Hurt) => "died of harm",
        None if vitals.harm_per_s > 0.0 => "hurt",
        None => "health",
    }
}

/// What the lines mean, of those that there are.
fn legend(canvas: &mut Canvas, page: &Page, story: &Story, record: &StepRecord, y: f32) {
    let thoughts = || story.agents.iter().filter_map(|agent| agent.thought.as_ref());
    let levels = thoughts().map(|thought| thought.subgoals.len()).max().unwrap_or(0);
    let few = record.agents.len() <= super::CROWD;
    let entries = [
        (thoughts().any(|thought| !thought.rollouts.is_empty()), "chosen future", palette::CHOSEN),
        (thoughts().any(|thought| thought.rollouts.len() > 1), "others", palette::CANDIDATE),
        (levels > 0, "subgoals", palette::SUBGOALS[0]),
        (record.step > 0, "path", palette::TRAIL),
        (few && record.agents.iter().any(|agent| !agent.rays.is_empty()), "sensed", palette::RAY),
        (thoughts().any(|thought| !thought.remembered.is_empty()), "remembered", palette::REMEMBERED),
    ];
    let mut x = page.margin();
    for (_, name, color) in entries.into_iter().filter(|entry| entry.0) {
        let mark = match name {
            "remembered" => Mark::Ring,
            "sensed" => Mark::Dot,
            _ => Mark::Line,
        };
        x = page.key(canvas, [x, y], name, color, mark);
    }
}

/// What stands before the words of the legend.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Line,
    Dot,
    Ring,
}

/// What is needed to put words on a picture.
struct Page<'a> {
    letters: &'a Letters,
    scale: f32,
    width: f32,
}

impl Page<'_> {
    fn margin(&self) -> f32 {
        (12.0 * self.scale).round()
    }

    /// Room between the margins.
    fn inside(&self) -> f32 {
        self.width - 2.0 * self.margin()
    }

    /// Words at the left margin, cut where there is no room.
    fn left(&self, canvas: &mut Canvas, text: &str, (weight, em, color): (Weight, f32, Color), y: f32, room: f32) {
        let em = em * self.scale;
        let text = self.letters.fitted(text, weight, em, room);
        self.letters.write(canvas, &text, [self.margin(), y], Side::Left, (weight, em, color));
    }

    /// Words at the right margin. Says how wide they are.
    fn right(&self, canvas: &mut Canvas, text: &str, (weight, em, color): (Weight, f32, Color), y: f32) -> f32 {
        let style = (weight, em * self.scale, color);
        self.letters.write(canvas, text, [self.width - self.margin(), y], Side::Right, style)
    }

    /// How it ended, in white on its colour. Says how wide it is.
    fn badge(&self, canvas: &mut Canvas, end: End, step: u32, y: f32) -> f32 {
        let (words, color) = match end {
            End::Success => (format!("Success in {step} steps"), palette::GOOD),
            End::Failure => (format!("Failed after {step} steps"), palette::BAD),
            End::TimeLimit => (format!("Time is up after {step} steps"), palette::BAD),
            End::Cut => (format!("Cut short after {step} steps"), palette::FAINT_INK),
        };
        let em = 15.0 * self.scale;
        let width = self.letters.width(&words, Weight::Strong, em) + 20.0 * self.scale;
        let (left, height) = (self.width - self.margin() - width, 24.0 * self.scale);
        canvas.pill([left, y - height / 2.0], [width, height], 5.0 * self.scale, color);
        let style = (Weight::Strong, em, palette::FLOOR);
        self.letters.write(canvas, &words, [left + width / 2.0, y], Side::Middle, style);
        width
    }

    /// A bar and its name. Says where the next thing may begin.
    fn bar(&self, canvas: &mut Canvas, x: f32, y: f32, name: &str, share: f32, color: Color) -> f32 {
        let style = (Weight::Regular, EM * self.scale, palette::INK);
        let x = x + self.letters.write(canvas, name, [x, y], Side::Left, style) + 6.0 * self.scale;
        let [width, height] = [46.0, 9.0].map(|side| side * self.scale);
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        canvas.rect([x, y - height / 2.0], [width, height], palette::RULE);
        canvas.rect([x, y - height / 2.0], [width * share, height], color);
        x + width + 14.0 * self.scale
    }

    /// A line of this colour and what it means. Says where the next one may begin.
    fn key(&self, canvas: &mut Canvas, [x, y]: Px, name: &str, color: Color, mark: Mark) -> f32 {
        let style = (Weight::Regular, EM * self.scale, palette::FAINT_INK);
        let width = self.letters.width(name, Weight::Regular, style.1);
        let long = 18.0 * self.scale;
        if x + long + width > self.width - self.margin() / 2.0 {
            return x;
        }
        match mark {
            Mark::Line => canvas.line(&[[x, y], [x + long, y]], 2.6 * self.scale, color, 1.0),
            Mark::Dot => canvas.disc([x + long / 2.0, y], 3.0 * self.scale, color, 1.0),
            Mark::Ring => canvas.ring([x + long / 2.0, y], 5.0 * self.scale, 1.6 * self.scale, color, 1.0),
        }
        self.letters.write(canvas, name, [x + long + 6.0 * self.scale, y], Side::Left, style);
        x + long + width + 20.0 * self.scale
    }
}

/// A scenario's name as a title.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Three digits, as people write them.
fn number(value: f32) -> String {
    let size = value.abs();
    let digits = match size {
        _ if !value.is_finite() => return "-".to_owned(),
        _ if size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_titles_are_short() {
        for (value, text) in
            [(2.451, "2.45"), (2.0, "2"), (123.4, "123"), (45.67, "45.7"), (0.5, "0.5"), (f32::NAN, "-")]
        {
            assert_eq!(number(value), text);
        }
        assert_eq!((title("two_rooms").as_str(), title("").as_str()), ("Two rooms", ""));
    }
}

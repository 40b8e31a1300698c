//! The episode in numbers, and energies as plots. Read first: [`episode`] and [`energy`].

use crate::{
    input::{Ask, Controls},
    palette,
    plot::{Plot, number},
    story::{AgentStory, Story},
    style::strong,
};
use bevy::color::Srgba;
use bevy_egui::egui::{
    Align, DragValue, Frame, Grid, Label, Layout, Margin, RichText, Sense, Stroke, TextStyle, Ui, vec2,
};
use forethought_interface::{Death, Scene, Snapshot, Vitals};

/// Room for the names left of the values, in pixels.
const NAMES_WIDTH: f32 = 108.0;

/// The episode in numbers; says what was asked for.
pub fn episode(ui: &mut Ui, story: &Story, controls: &Controls) -> Vec<Ask> {
    let mut asks = vec![];
    Frame::new().inner_margin(Margin { left: 14, right: 10, top: 8, bottom: 6 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 3.0);
        match &story.scene {
            Some(scene) => contents(ui, scene, story, controls, &mut asks),
            None => {
                ui.label("Waiting for the first episode ...");
            }
        }
    });
    asks
}

fn contents(ui: &mut Ui, scene: &Scene, story: &Story, controls: &Controls, asks: &mut Vec<Ask>) {
    let start = Snapshot::default();
    let now = story.now.as_deref().unwrap_or(&start);
    ui.add(Label::new(RichText::new(title(&scene.title)).heading()).truncate());
    go_to(ui, scene, asks);
    row(ui, "actor", &scene.actor);
    row(ui, "successes", &successes(now.tally));
    let (step, of) = (now.step, scene.max_steps.max(1));
    row(ui, "step", &format!("{step} of {of}   ({:.1} s)", now.time_s));
    progress(ui, step as f32 / of as f32, palette::CANDIDATE);
    rule(ui);
    let shown = choose_agent(ui, scene, story, controls, asks);
    let nothing = AgentStory::default();
    let agent = story.agents.get(shown).unwrap_or(&nothing);
    row(ui, "energy", &agent.energies.last().map_or("-".into(), |(_, energy)| number(*energy)));
    let think = now.think_ms.get(shown).copied();
    row(ui, "thinking", &milliseconds(think));
    let plan = milliseconds((agent.plan_ms > 0.0).then_some(agent.plan_ms));
    row(ui, "latest plan", &format!("{plan}, {} model calls", thousands(agent.model_evaluations)));
    if let Some(Some(vitals)) = now.vitals.get(shown) {
        life(ui, vitals);
    }
    if !scene.factors.is_empty() {
        rule(ui);
        factors(ui, scene);
    }
}

/// The run's seed and the episode's number, to be changed.
fn go_to(ui: &mut Ui, scene: &Scene, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        let faint = |text: &str| RichText::new(text).color(palette::egui(palette::FAINT_INK));
        ui.label(faint("seed"));
        let (mut seed, mut episode) = (scene.seed, scene.episode);
        // While it is typed or dragged, the value is its own; it counts once that is done.
        let seed_box = ui.add(DragValue::new(&mut seed).speed(0.1).update_while_editing(false));
        ui.add_space(8.0);
        ui.label(faint("episode"));
        let episode_box = ui.add(DragValue::new(&mut episode).speed(0.05).update_while_editing(false));
        let hint = "type a number, or drag";
        let changed = [seed_box, episode_box].map(|field| field.on_hover_text(hint).changed());
        if changed.contains(&true) {
            asks.push(Ask::Goto(seed, episode));
        }
    });
}

/// Energies: over the latest planning, over the episode, and how far what came was from what was imagined.
pub fn energy(ui: &mut Ui, story: &Story, controls: &Controls) {
    let nothing = AgentStory::default();
    let agent = story.agents.get(controls.agent % story.agents.len().max(1)).unwrap_or(&nothing);
    Frame::new().inner_margin(Margin { left: 12, right: 8, top: 6, bottom: 4 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 4.0);
        let height = (ui.available_height() / 3.0 - 6.0).clamp(72.0, 190.0);
        plots(ui, agent, height);
    });
}

/// Which agent's thoughts are shown; with several there is a choice.
fn choose_agent(ui: &mut Ui, scene: &Scene, story: &Story, controls: &Controls, asks: &mut Vec<Ask>) -> usize {
    let count = story.agents.len().max(1);
    let shown = controls.agent % count;
    if count > 1 {
        ui.horizontal_wrapped(|ui| {
            for (index, agent) in scene.agents.iter().enumerate() {
                if ui.selectable_label(index == shown, &agent.name).clicked() {
                    asks.push(Ask::LookInto(index));
                }
            }
        });
    }
    shown
}

fn plots(ui: &mut Ui, agent: &AgentStory, height: f32) {
    let points: Vec<(f32, f32)> =
        agent.energy_by_iteration.iter().enumerate().map(|(index, energy)| (index as f32, *energy)).collect();
    let planning = Plot {
        title: "Energy while planning",
        x_name: "iteration",
        points: &points,
        color: palette::CANDIDATE,
        empty: "no plan yet",
    };
    planning.show(ui, height);
    let points: Vec<(f32, f32)> = agent.energies.iter().map(|(step, energy)| (*step as f32, *energy)).collect();
    let episode = Plot {
        title: "Energy of the plan",
        x_name: "step",
        points: &points,
        color: palette::CHOSEN,
        empty: "no step yet",
    };
    episode.show(ui, height);
    let points: Vec<(f32, f32)> = agent.errors.iter().map(|(step, error)| (*step as f32, *error)).collect();
    let realised = Plot {
        title: "Imagined against realised",
        x_name: "step",
        points: &points,
        color: palette::SUBGOALS[0],
        empty: "no prediction has come due yet",
    };
    realised.show(ui, height);
}

fn factors(ui: &mut Ui, scene: &Scene) {
    ui.label(RichText::new("Factors of variation").font(strong(14.0)));
    let width = (ui.available_width() - 12.0) / 2.0;
    Grid::new("factors").num_columns(2).spacing(vec2(12.0, 1.0)).show(ui, |ui| {
        for pair in scene.factors.chunks(2) {
            for (name, value) in pair {
                let text = RichText::new(format!("{name} {}", number(*value as f32))).size(13.5);
                ui.allocate_ui(vec2(width, 18.0), |ui| {
                    ui.set_min_width(width);
                    ui.add(Label::new(text).truncate());
                });
            }
            ui.end_row();
        }
    });
}

/// A name and its value.
fn row(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        let height = ui.text_style_height(&TextStyle::Body);
        ui.set_height(height);
        ui.allocate_ui_with_layout(vec2(NAMES_WIDTH, height), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(NAMES_WIDTH);
            ui.label(RichText::new(name).color(palette::egui(palette::FAINT_INK)));
        });
        ui.add(Label::new(value).truncate());
    });
}

/// How an agent with a metabolism is.
fn life(ui: &mut Ui, vitals: &Vitals) {
    row(ui, "stored energy", &stored(vitals));
    progress(ui, vitals.energy, palette::STORE);
    row(ui, "health", &health(vitals));
    progress(ui, vitals.health, if vitals.harm_per_s > 0.0 { palette::BAD } else { palette::GOOD });
}

fn stored(vitals: &Vitals) -> String {
    let meals = if vitals.meals == 1 { "meal" } else { "meals" };
    format!("{:.0} J   ({} {meals})", vitals.energy_j, vitals.meals)
}

fn health(vitals: &Vitals) -> String {
    match vitals.died_of {
        Some(Death::Starved) => "starved".into(),
        Some(Death::Hurt) => "died of harm".into(),
        None => format!("{:.0}%", 100.0 * vitals.health),
    }
}

/// A share of a whole: how much of the episode's limit is used, how full a store is.
fn progress(ui: &mut Ui, done: f32, color: Srgba) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), Sense::hover());
    let track = rect.shrink2(vec2(0.0, 1.5));
    let filled = track.with_max_x(track.left() + track.width() * done.clamp(0.0, 1.0));
    ui.painter().rect_filled(track, 0.0, palette::egui(palette::RULE));
    ui.painter().rect_filled(filled, 0.0, palette::egui(color));
}

fn rule(ui: &mut Ui) {
    ui.add_space(2.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 5.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, palette::egui(palette::RULE)));
}

/// A scenario's name as a title: `two_rooms` is "Two rooms".
pub fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn successes((episodes, successes): (u32, u32)) -> String {
    if episodes == 0 {
        return "none yet".into();
    }
    let rate = 100.0 * f64::from(successes) / f64::from(episodes);
    format!("{successes} of {episodes}   ({rate:.0}%)")
}

fn milliseconds(value: Option<f32>) -> String {
    value.filter(|value| value.is_finite()).map_or("-".into(), |value| {
        if value >= 1000.0 { format!("{:.2} s", value / 1000.0) } else { format!("{} ms", number(value)) }
    })
}

/// Groups of three digits, a narrow space between.
fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(title("two_rooms"), "Two rooms");
        assert_eq!(title(""), "");
        assert_eq!(successes((0, 0)), "none yet");
        assert_eq!(successes((9, 7)), "7 of 9   (78%)");
        assert_eq!(thousands(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(thousands(12), "12");
        assert_eq!(milliseconds(Some(1500.0)), "1.50 s");
        assert_eq!(milliseconds(None), "-");
        let hurt = Vitals {
            energy_j: 43.4,
            energy: 0.434,
            health: 0.25,
            harm_per_s: 0.1,
            effort: 0.5,
            meals: 1,
            died_of: None,
        };
        assert_eq!((stored(&hurt), health(&hurt)), ("43 J   (1 meal)".into(), "25%".into()));
        assert_eq!(health(&Vitals { died_of: Some(Death::Starved), ..hurt }), "starved");
    }
}

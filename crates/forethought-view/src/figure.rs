//! The architecture figure with what each module holds now (Dawid & LeCun 2023, Fig. 6). Read first: [`show`].

use crate::{palette, plot::number, story::AgentStory, style::strong};
use bevy::color::Srgba;
use bevy_egui::egui::{
    Align2, Color32, FontId, Frame, Label, Margin, Mesh, Painter, Pos2, Rect, RichText, Sense, Stroke, StrokeKind, Ui,
    pos2, vec2,
};

/// The latest costs that are shown of short-term memory, in control steps.
const REMEMBERED: usize = 120;
/// Room for a drive's name and for its number.
const NAME: f32 = 76.0;
const VALUE: f32 = 54.0;

/// Draw all modules, from the senses to the action.
pub fn show(ui: &mut Ui, agent: &AgentStory, planner: &str) {
    ui.spacing_mut().item_spacing = vec2(6.0, 2.0);
    ui.add_space(4.0);
    configurator(ui, agent);
    arrow(ui, "configures all below");
    module(ui, "Perception", palette::CANDIDATE, &count(agent.inside.percept.len(), "value"), |ui| {
        strip(ui, &agent.inside.percept, 2.5, "percept");
    });
    arrow(ui, "percept");
    module(ui, "World model", palette::SUBGOALS[0], &count(agent.inside.latent.len(), "latent value"), |ui| {
        let scale = agent.inside.latent.iter().map(|value| value.abs()).fold(0.0, f32::max);
        strip(ui, &agent.inside.latent, scale.max(1e-3), "latent");
        foretold(ui, agent);
    });
    arrow(ui, "imagined states");
    cost(ui, agent);
    arrow(ui, "energy and its gradient");
    actor(ui, agent, planner);
    ui.add_space(4.0);
    memory(ui, agent);
}

fn count(count: usize, what: &str) -> String {
    if count == 0 { String::new() } else { format!("{count} {what}s") }
}

fn configurator(ui: &mut Ui, agent: &AgentStory) {
    let task = if agent.task.is_empty() { "no tasks" } else { &agent.task };
    module(ui, "Configurator", palette::FAINT_INK, task, |ui| {
        let why = if agent.task.is_empty() { "the agent always does as its drives say" } else { &agent.reason };
        ui.add(Label::new(RichText::new(why).size(13.5)).truncate());
    });
}

/// What was foretold of now, beside what mostly is.
fn foretold(ui: &mut Ui, agent: &AgentStory) {
    let Some(foretold) = agent.inside.foretold else {
        faint(ui, "nothing foretold of now yet");
        return;
    };
    let ratio = if foretold.usual > 0.0 { foretold.error / foretold.usual } else { 1.0 };
    let surprised = if ratio > 2.0 { ", surprised" } else { "" };
    bar(ui, "off by", foretold.error, 3.0 * foretold.usual.max(1e-6), palette::SUBGOALS[0]);
    faint(ui, &format!("what it foretold of now; usually {}{surprised}", number(foretold.usual)));
}

fn cost(ui: &mut Ui, agent: &AgentStory) {
    let weighed = |drive: &forethought_interface::DriveCost| drive.cost * drive.weight;
    let total: f32 = agent.inside.drives.iter().map(weighed).sum();
    let title = if agent.inside.drives.is_empty() { String::new() } else { format!("costs {} now", number(total)) };
    module(ui, "Cost", palette::CHOSEN, &title, |ui| {
        let values = agent.inside.drives.iter().map(|drive| weighed(drive).abs());
        let most = values.chain(agent.inside.critic.map(f32::abs)).fold(1e-3, f32::max);
        for drive in &agent.inside.drives {
            let hint = format!("{} before its weight of {}", number(drive.cost), number(drive.weight));
            bar(ui, &drive.name.replace('_', " "), weighed(drive), most, palette::CHOSEN).on_hover_text(hint);
        }
        match agent.inside.critic {
            Some(critic) => {
                drop(bar(ui, "critic", critic, most, palette::RAY).on_hover_text("what it expects to come later"))
            }
            None => faint(ui, "no critic counts"),
        }
    });
}

fn actor(ui: &mut Ui, agent: &AgentStory, planner: &str) {
    module(ui, "Actor", palette::TARGET, planner, |ui| {
        ui.horizontal(|ui| {
            let (place, _) = ui.allocate_exact_size(vec2(34.0, 34.0), Sense::hover());
            dial(ui, place, &agent.action);
            ui.vertical(|ui| {
                let mode = if agent.mode.is_empty() { "has not acted yet" } else { agent.mode };
                ui.label(RichText::new(mode).font(strong(14.0)));
                let energy = agent.energies.last().map_or("-".into(), |(_, energy)| number(*energy));
                faint(ui, &format!("energy of the plan {energy}, {} futures shown", agent.rollouts.len()));
            });
        });
    });
}

/// The action as a direction, for actions of two values.
fn dial(ui: &Ui, place: Rect, action: &[f32]) {
    let (painter, rule) = (ui.painter(), Stroke::new(1.5, palette::egui(palette::RULE)));
    painter.circle_stroke(place.center(), 16.0, rule);
    let [x, y] = action else { return };
    let by = vec2(x.clamp(-1.0, 1.0), -y.clamp(-1.0, 1.0)) * 15.0;
    let stroke = Stroke::new(3.0, palette::egui(palette::TARGET));
    painter.line_segment([place.center(), place.center() + by], stroke);
    painter.circle_filled(place.center() + by, 3.5, palette::egui(palette::TARGET));
}

fn memory(ui: &mut Ui, agent: &AgentStory) {
    let kept = agent.inside.memory.map(|(kept, of)| format!("{kept} of {of} moments"));
    let places = match agent.remembered.len() {
        0 => String::new(),
        1 => "1 place out of sight".into(),
        count => format!("{count} places in mind"),
    };
    let title = kept.into_iter().chain((!places.is_empty()).then_some(places)).collect::<Vec<_>>().join(", ");
    module(ui, "Short-term memory", palette::GOOD, &title, |ui| {
        let costs = &agent.costs[agent.costs.len().saturating_sub(REMEMBERED)..];
        let (place, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
        let painter = ui.painter_at(place);
        painter.rect_filled(place, 0.0, palette::egui(palette::SURROUND));
        let most = costs.iter().map(|(_, cost)| *cost).fold(1e-6, f32::max);
        let width = place.width() / REMEMBERED as f32;
        let columns = costs.iter().rev().enumerate().map(|(index, (_, cost))| {
            let right = place.right() - index as f32 * width;
            let height = (cost / most).clamp(0.0, 1.0) * place.height();
            let column = Rect::from_min_max(pos2(right - width, place.bottom() - height), pos2(right, place.bottom()));
            (column, palette::egui(palette::GOOD))
        });
        cells(&painter, columns);
        response.on_hover_text(format!("what the latest {} moments cost; the latest is on the right", costs.len()));
    });
}

/// A module's box.
fn module(ui: &mut Ui, title: &str, color: Srgba, holds: &str, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::new()
        .fill(palette::egui(palette::FLOOR))
        .stroke(Stroke::new(1.5, palette::egui(color)))
        .outer_margin(Margin::symmetric(8, 0))
        .inner_margin(Margin::symmetric(8, 3));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).font(strong(14.5)).color(palette::egui(palette::darker(color))));
            ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                ui.add(Label::new(RichText::new(holds).size(13.5)).truncate());
            });
        });
        contents(ui);
    });
}

/// What goes from one module to the next.
fn arrow(ui: &mut Ui, what: &str) {
    let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), 13.0), Sense::hover());
    let color = palette::egui(palette::FAINT_INK);
    let x = place.left() + 28.0;
    let (top, tip) = (pos2(x, place.top()), pos2(x, place.bottom() - 1.0));
    let painter = ui.painter();
    painter.line_segment([top, tip], Stroke::new(1.5, color));
    for side in [-4.0, 4.0] {
        painter.line_segment([tip, tip + vec2(side, -5.0)], Stroke::new(1.5, color));
    }
    painter.text(pos2(x + 12.0, place.center().y), Align2::LEFT_CENTER, what, FontId::proportional(12.0), color);
}

/// Rectangles side by side, in one mesh: without soft edges, which would be most of what there is to draw.
fn cells(painter: &Painter, cells: impl Iterator<Item = (Rect, Color32)>) {
    let mut mesh = Mesh::default();
    cells.for_each(|(cell, color)| mesh.add_colored_rect(cell, color));
    painter.add(mesh);
}

/// Values as cells, from blue over white to vermilion.
fn strip(ui: &mut Ui, values: &[f32], scale: f32, name: &str) {
    let (place, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let painter = ui.painter_at(place);
    painter.rect_filled(place, 0.0, palette::egui(palette::SURROUND));
    let width = place.width() / values.len().max(1) as f32;
    let left = |index: usize| place.left() + index as f32 * width;
    let shaded = values.iter().enumerate().map(|(index, value)| {
        let cell = Rect::from_min_max(Pos2::new(left(index), place.top()), Pos2::new(left(index + 1), place.bottom()));
        (cell, shade(value / scale))
    });
    cells(&painter, shaded);
    painter.rect_stroke(place, 0.0, Stroke::new(1.0, palette::egui(palette::RULE)), StrokeKind::Inside);
    let at = response.hover_pos().map(|at| ((at.x - place.left()) / width.max(1e-3)) as usize);
    if let Some((index, value)) = at.and_then(|at| Some((at, values.get(at)?))) {
        response.on_hover_text_at_pointer(format!("{name}[{index}] {}", number(*value)));
    }
}

/// The colour of a value between -1 and 1.
fn shade(value: f32) -> Color32 {
    if !value.is_finite() {
        return palette::egui(palette::INK);
    }
    let (end, part) = (if value < 0.0 { palette::CANDIDATE } else { palette::CHOSEN }, value.abs().min(1.0));
    let mix = |end: f32| 1.0 + (end - 1.0) * part;
    palette::egui(Srgba::rgb(mix(end.red), mix(end.green), mix(end.blue)))
}

/// A name, a bar and its number; bars of less than nothing go the same way, hollow.
fn bar(ui: &mut Ui, name: &str, value: f32, most: f32, color: Srgba) -> bevy_egui::egui::Response {
    let (place, response) = ui.allocate_exact_size(vec2(ui.available_width(), 17.0), Sense::hover());
    let painter = ui.painter_at(place);
    let ink = palette::egui(palette::INK);
    painter.text(place.left_center(), Align2::LEFT_CENTER, name, FontId::proportional(13.5), ink);
    painter.text(place.right_center(), Align2::RIGHT_CENTER, number(value), FontId::proportional(13.5), ink);
    let track = Rect::from_min_max(
        pos2(place.left() + NAME, place.center().y - 4.5),
        pos2((place.right() - VALUE).max(place.left() + NAME + 4.0), place.center().y + 4.5),
    );
    painter.rect_filled(track, 0.0, palette::egui(palette::SURROUND));
    let part = if value.is_finite() { (value.abs() / most).clamp(0.0, 1.0) } else { 0.0 };
    let filled = track.with_max_x(track.left() + track.width() * part);
    if value < 0.0 {
        painter.rect_stroke(filled, 0.0, Stroke::new(1.5, palette::egui(color)), StrokeKind::Inside);
    } else {
        painter.rect_filled(filled, 0.0, palette::egui(color));
    }
    response
}

fn faint(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).size(12.5).color(palette::egui(palette::FAINT_INK))).truncate());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_go_both_ways_from_white() {
        assert_eq!(shade(0.0), Color32::WHITE);
        assert_eq!(shade(9.0), palette::egui(palette::CHOSEN));
        assert_eq!(shade(-1.0), palette::egui(palette::CANDIDATE));
        assert_eq!(shade(f32::NAN), palette::egui(palette::INK));
    }
}

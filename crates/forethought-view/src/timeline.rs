//! The episode so far: to look back, and to replay. Read first: [`show`].

use crate::{
    input::{Ask, Controls},
    palette,
    story::Story,
};
use bevy_egui::egui::{
    Align, Align2, Button, FontId, Layout, Margin, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

/// Draw it and say what was asked for.
pub fn show(ui: &mut Ui, story: &Story, controls: &Controls) -> Vec<Ask> {
    let mut asks = vec![];
    bevy_egui::egui::Frame::new().inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let replays = controls.replayed_s.is_some();
            for (text, hint, ask) in [
                ("⏮", "to the first step that is kept", Ask::LookAt(Some(0))),
                ("⏴", "one step back ([)", Ask::LookBy(-1)),
                (if replays { "⏸" } else { "⏵" }, "replay from here (Y)", Ask::Replay),
                ("⏵⏵", "one step forward again (])", Ask::LookBy(1)),
            ] {
                let text = if matches!(ask, Ask::LookBy(1)) { "⏩" } else { text };
                if ui.add(Button::new(text).min_size(vec2(28.0, 24.0))).on_hover_text(hint).clicked() {
                    asks.push(ask);
                }
            }
            let now = Button::new("Now").selected(!story.looks_back()).min_size(vec2(44.0, 24.0));
            if ui.add(now).on_hover_text("back to what is going on (Backspace)").clicked() {
                asks.push(Ask::LookAt(None));
            }
            ui.add_space(6.0);
            track(ui, story, controls, &mut asks);
        });
    });
    asks
}

/// The costs of all steps that are kept, and where among them the picture is.
fn track(ui: &mut Ui, story: &Story, controls: &Controls, asks: &mut Vec<Ask>) {
    let size = vec2(ui.available_width().max(60.0), (ui.available_height() - 2.0).clamp(26.0, 60.0));
    let (place, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let painter = ui.painter_at(place.expand(1.0));
    painter.rect_filled(place, 0.0, palette::egui(palette::FLOOR));
    painter.rect_stroke(place, 0.0, Stroke::new(1.0, palette::egui(palette::RULE)), StrokeKind::Inside);
    let (faint, small) = (palette::egui(palette::FAINT_INK), FontId::proportional(12.0));
    let Some((first, last)) = story.history.range().filter(|(first, last)| last > first) else {
        painter.text(place.center(), Align2::CENTER_CENTER, "nothing has happened yet", small, faint);
        return;
    };
    let along = |step: u32| place.left() + 4.0 + (place.width() - 8.0) * (step - first) as f32 / (last - first) as f32;
    let agent = controls.agent % story.agents.len().max(1);
    let line = line(story, agent, place, along);
    painter.line(line, Stroke::new(1.5, palette::egui(palette::GOOD)));
    for step in switches(story, agent) {
        painter.vline(along(step), place.y_range(), Stroke::new(1.0, palette::egui(palette::SUBGOALS[0])));
    }
    let shown = along(story.step().clamp(first, last));
    painter.vline(shown, place.y_range(), Stroke::new(2.5, palette::egui(palette::CHOSEN)));
    painter.circle_filled(pos2(shown, place.top() + 5.0), 5.0, palette::egui(palette::CHOSEN));
    let corner = place.left_bottom() + vec2(5.0, -1.0);
    painter.text(corner, Align2::LEFT_BOTTOM, format!("step {first}"), small.clone(), faint);
    painter.text(place.right_bottom() - vec2(16.0, 1.0), Align2::RIGHT_BOTTOM, last.to_string(), small, faint);
    let step_at = |at: Pos2| {
        let part = ((at.x - place.left() - 4.0) / (place.width() - 8.0).max(1.0)).clamp(0.0, 1.0);
        first + (part * (last - first) as f32).round() as u32
    };
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()) {
        asks.push(Ask::LookAt(Some(step_at(at))));
    }
    if let Some(at) = response.hover_pos() {
        response
            .on_hover_text_at_pointer(format!("step {}: drag to look back. Green: what each step cost", step_at(at)));
    }
}

fn line(story: &Story, agent: usize, place: Rect, along: impl Fn(u32) -> f32) -> Vec<Pos2> {
    let inside = story.history.iter().filter_map(|entry| {
        let thought = entry.snapshot.thoughts.get(agent)?.as_ref()?;
        let cost: f32 = thought.introspection.as_ref()?.drives.iter().map(|drive| drive.cost * drive.weight).sum();
        cost.is_finite().then_some((entry.snapshot.step, cost))
    });
    let costs: Vec<(u32, f32)> = inside.collect();
    let most = costs.iter().map(|(_, cost)| *cost).fold(1e-6, f32::max);
    let height = |cost: f32| place.bottom() - 4.0 - (cost / most).clamp(0.0, 1.0) * (place.height() - 14.0);
    costs.into_iter().map(|(step, cost)| pos2(along(step), height(cost))).collect()
}

/// Where tasks began, but for the first.
fn switches(story: &Story, agent: usize) -> Vec<u32> {
    let began = story.history.iter().filter_map(|entry| {
        let task = entry.snapshot.thoughts.get(agent)?.as_ref()?.task.as_ref()?;
        (task.began && entry.snapshot.step > 1).then_some(entry.snapshot.step)
    });
    began.collect()
}

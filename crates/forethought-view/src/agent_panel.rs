//! How an agent acts, to be changed while it lives. Read first: [`show`].

use crate::{
    input::{Ask, Controls},
    palette,
    story::Story,
    style::strong,
};
use bevy::prelude::Resource;
use bevy_egui::egui::{Button, ComboBox, Frame, Grid, Margin, RichText, Slider, Ui, vec2};
use forethought_interface::MindSettings;

/// The farthest horizon to choose, in control steps.
const FARTHEST: u32 = 200;
/// The most starts to choose.
const MOST_STARTS: u32 = 64;

/// What is being changed: the runner's answer takes a moment, and a slider must not jump back meanwhile.
#[derive(Resource, Debug, Default)]
pub struct Draft(Option<(usize, MindSettings)>);

/// Draw the panel; says what was asked for.
pub fn show(ui: &mut Ui, story: &Story, controls: &Controls, draft: &mut Draft) -> Vec<Ask> {
    let mut asks = vec![];
    let Some(scene) = &story.scene else { return asks };
    Frame::new().inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
        let agent = controls.agent % scene.agents.len().max(1);
        let name = scene.agents.get(agent).map_or("", |agent| agent.name.as_str());
        ui.label(RichText::new(name).font(strong(16.0)));
        lead(ui, controls, &mut asks);
        ui.separator();
        let Some(Some(told)) = scene.settings.get(agent) else {
            ui.label("This agent acts at random, or without a model: there is nothing to change.");
            return;
        };
        let holds = ui.ctx().input(|input| input.pointer.any_down());
        let mine = draft.0.take().filter(|(whose, _)| *whose == agent && holds);
        let mut settings = mine.map_or_else(|| told.clone(), |(_, settings)| settings);
        let before = settings.clone();
        planning(ui, &mut settings);
        ui.separator();
        weights(ui, &mut settings);
        ui.separator();
        if settings != before {
            asks.push(Ask::Adjust(Some(Box::new(settings.clone()))));
        }
        draft.0 = Some((agent, settings));
        if ui.button("As the scenario says").on_hover_text("take back all that was changed of this agent").clicked() {
            (draft.0, asks) = (None, vec![Ask::Adjust(None)]);
        }
        let words = "What is changed here lasts until it is taken back. Episodes are then no longer those of a batch.";
        ui.label(RichText::new(words).size(13.0).color(palette::egui(palette::FAINT_INK)));
    });
    asks
}

fn lead(ui: &mut Ui, controls: &Controls, asks: &mut Vec<Ask>) {
    let text = if controls.leads { "Let go of it (G)" } else { "Lead it by hand (G)" };
    let hint = "with the arrow keys; its mind goes on thinking";
    if ui.add(Button::new(text).selected(controls.leads)).on_hover_text(hint).clicked() {
        asks.push(Ask::Lead);
    }
}

fn planning(ui: &mut Ui, settings: &mut MindSettings) {
    Grid::new("planning").num_columns(2).spacing(vec2(10.0, 6.0)).show(ui, |ui| {
        ui.label("planner");
        choose(ui, "planner", &mut settings.planner, &settings.planners);
        ui.end_row();
        ui.label("mode");
        choose(ui, "mode", &mut settings.mode, &settings.modes);
        ui.end_row();
        ui.label("horizon");
        ui.spacing_mut().slider_width = 110.0;
        let stride = settings.stride.max(1);
        let mut predictions = settings.horizon / stride;
        let most = (FARTHEST / stride).max(predictions);
        ui.horizontal(|ui| {
            let hint = "control steps of each imagined future";
            ui.add(Slider::new(&mut predictions, 1..=most).show_value(false)).on_hover_text(hint);
            ui.label((predictions * stride).to_string());
        });
        // A horizon that is no multiple stays until it is changed.
        if predictions != settings.horizon / stride {
            settings.horizon = predictions * stride;
        }
        ui.end_row();
        ui.label("starts");
        ui.horizontal(|ui| {
            let most = MOST_STARTS.max(settings.starts);
            ui.add(Slider::new(&mut settings.starts, 1..=most).show_value(false))
                .on_hover_text("action sequences that the gradient planner starts from");
            ui.label(settings.starts.to_string());
        });
        ui.end_row();
        ui.label("critic");
        let critic = bevy_egui::egui::Checkbox::new(&mut settings.critic, "counts");
        ui.add_enabled(settings.has_critic, critic).on_disabled_hover_text("its model has none");
        ui.end_row();
    });
}

fn choose(ui: &mut Ui, id: &str, chosen: &mut String, among: &[String]) {
    ComboBox::from_id_salt(id).selected_text(chosen.clone()).width(140.0).show_ui(ui, |ui| {
        for name in among {
            ui.selectable_value(chosen, name.clone(), name);
        }
    });
}

fn weights(ui: &mut Ui, settings: &mut MindSettings) {
    ui.label(RichText::new("What counts how much").font(strong(14.0)));
    Grid::new("weights").num_columns(2).spacing(vec2(10.0, 6.0)).show(ui, |ui| {
        for (name, weight) in &mut settings.drives {
            ui.label(name.replace('_', " "));
            ui.horizontal(|ui| {
                ui.spacing_mut().slider_width = 110.0;
                let slider =
                    Slider::new(weight, 0.0..=100.0).logarithmic(true).smallest_positive(0.001).show_value(false);
                ui.add(slider);
                ui.label(crate::plot::number(*weight));
            });
            ui.end_row();
        }
    });
}

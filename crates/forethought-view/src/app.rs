//! The engine around the picture: one frame, step by step. Read first: [`show`].

use crate::{
    ViewError, ViewOptions, bar,
    brush::Brush,
    camera::{Layout, Mapping},
    capture::{self, Capture},
    display::panic_text,
    input::{Ask, Controls, ask_of},
    overlay::{self, Clock, Notes},
    palette, panel, scene,
    story::Story,
    thoughts,
};
use bevy::{
    app::{PanicHandlerPlugin, TaskPoolPlugin, TerminalCtrlCHandlerPlugin},
    camera::visibility::NoFrustumCulling,
    diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin},
    input::keyboard::KeyboardInput,
    log::LogPlugin,
    prelude::*,
    render::{RenderPlugin, view::Msaa},
    sprite_render::AlphaMode2d,
    window::{PresentMode, PrimaryWindow, WindowResolution},
    winit::{UpdateMode, WinitSettings},
};
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};
use crossbeam::channel::{Receiver, Sender};
use forethought_interface::{ViewCommand, ViewMessage};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// Between two pictures while something moves. A screen may hold it to less; software rendering is held to it, so
/// that the mind has the cores.
const FRAME: Duration = Duration::from_micros(16_667);
/// While nothing moves, the picture looks for news so often.
const IDLE: Duration = Duration::from_millis(50);

/// The runner's ends of the two channels.
#[derive(Resource)]
struct Runner {
    messages: Receiver<ViewMessage>,
    commands: Sender<ViewCommand>,
}

impl Runner {
    fn tell(&self, commands: Vec<ViewCommand>) {
        for command in commands {
            // A runner that is gone is noticed when nothing more is heard.
            let _ = self.commands.send(command);
        }
    }
}

/// What the user asked for since the last frame.
#[derive(Resource, Default)]
struct Asks(Vec<Ask>);

/// The one mesh that everything is drawn into.
#[derive(Resource)]
struct Canvas(Handle<Mesh>);

/// Run the window until it is closed.
pub fn show(
    messages: Receiver<ViewMessage>,
    commands: Sender<ViewCommand>,
    options: ViewOptions,
) -> Result<(), ViewError> {
    let capture = Capture::new(&options);
    let error = capture.error.clone();
    let runner = Runner { messages, commands };
    runner.tell(vec![ViewCommand::Speed(Controls::default().speed)]);
    let run = move || build(runner, capture, &options).run();
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(AppExit::Success) => {}
        Ok(AppExit::Error(code)) => return Err(ViewError::Failed { reason: format!("it ended with status {code}") }),
        Err(panic) => return Err(ViewError::Failed { reason: panic_text(&*panic) }),
    }
    error.lock().ok().and_then(|mut error| error.take()).map_or(Ok(()), Err)
}

fn build(runner: Runner, capture: Capture, options: &ViewOptions) -> App {
    let (width, height) = options.size_px;
    let window = Window {
        title: options.title.clone(),
        name: Some("forethought".into()),
        resolution: WindowResolution::new(width.max(1), height.max(1)),
        present_mode: PresentMode::AutoVsync,
        ..default()
    };
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .build()
            // Logging, signals and panics belong to the program that opens the window.
            .disable::<LogPlugin>()
            .disable::<TerminalCtrlCHandlerPlugin>()
            .disable::<PanicHandlerPlugin>()
            // The cores belong to the mind.
            .set(TaskPoolPlugin { task_pool_options: TaskPoolOptions::with_num_threads(2) })
            .set(WindowPlugin { primary_window: Some(window), ..default() })
            // The first picture is whole, not empty until its shaders are ready.
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() }),
    );
    app.add_plugins((EguiPlugin::default(), FrameTimeDiagnosticsPlugin::default()));
    let pace = UpdateMode::reactive_low_power(FRAME);
    app.insert_resource(ClearColor(palette::SURROUND.into()))
        .insert_resource(WinitSettings { focused_mode: pace, unfocused_mode: pace })
        .insert_resource(runner)
        .insert_resource(capture)
        .init_resource::<Asks>()
        .init_resource::<Controls>()
        .init_resource::<Layout>()
        .init_resource::<Notes>()
        .init_resource::<Story>()
        .add_systems(Startup, set_up)
        .add_systems(Update, (hear, press, obey, lay_out, draw, capture::take_wanted, rest).chain())
        .add_systems(EguiPrimaryContextPass, write);
    app
}

fn set_up(mut commands: Commands, mut meshes: ResMut<Assets<Mesh>>, mut materials: ResMut<Assets<ColorMaterial>>) {
    let mesh = meshes.add(Brush::mesh());
    commands.spawn((Camera2d, Msaa::Sample4));
    // What is drawn is always in sight, and its bounds change with each picture.
    let material = ColorMaterial { alpha_mode: AlphaMode2d::Blend, ..default() };
    commands.spawn((Mesh2d(mesh.clone()), MeshMaterial2d(materials.add(material)), NoFrustumCulling));
    commands.insert_resource(Canvas(mesh));
}

/// Take in what the runner says.
fn hear(
    runner: Res<Runner>,
    controls: Res<Controls>,
    capture: Res<Capture>,
    time: Res<Time<Real>>,
    mut story: ResMut<Story>,
) {
    let period_s = story.scene.as_ref().map_or(0.0, |scene| scene.control_period_s);
    let expected_s = controls.expected_s(period_s);
    story.hear_all(&runner.messages, time.elapsed_secs_f64(), expected_s, |story| capture.holds(story));
}

/// Keys become wishes.
fn press(mut keys: MessageReader<KeyboardInput>, mut asks: ResMut<Asks>) {
    let pressed = keys.read().filter(|key| key.state.is_pressed());
    asks.0.extend(pressed.filter_map(|key| ask_of(&key.logical_key, key.repeat)));
}

/// Do what was asked for by key or button.
fn obey(
    mut asks: ResMut<Asks>,
    mut controls: ResMut<Controls>,
    runner: Res<Runner>,
    story: Res<Story>,
    mut commands: Commands,
    mut exit: MessageWriter<AppExit>,
) {
    for ask in asks.0.drain(..) {
        match ask {
            Ask::Picture => capture::take_now(&mut commands, &story),
            Ask::Quit => {
                exit.write(AppExit::Success);
            }
            ask => runner.tell(controls.obey(ask)),
        }
    }
}

fn lay_out(window: Query<&Window, With<PrimaryWindow>>, mut layout: ResMut<Layout>) {
    if let Ok(window) = window.single() {
        layout.set_if_neq(Layout::new(window.size()));
    }
}

/// The world and the thoughts, from the floor up.
fn draw(
    story: Res<Story>,
    controls: Res<Controls>,
    layout: Res<Layout>,
    time: Res<Time<Real>>,
    canvas: Res<Canvas>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut brush: Local<Brush>,
) {
    if let Some(told) = &story.scene {
        let mapping = Mapping::new(told.size_m, &layout);
        let picture = story.picture(time.elapsed_secs_f64());
        scene::draw_ground(&mut brush, told, mapping);
        if controls.rays {
            picture.rays.iter().for_each(|rays| thoughts::draw_rays(&mut brush, rays, mapping));
        }
        scene::draw_bodies(&mut brush, told, &picture, mapping);
        scene::draw_boundary(&mut brush, mapping);
        for (index, agent) in story.agents.iter().enumerate() {
            if controls.trail {
                thoughts::draw_trail(&mut brush, agent, index, &picture, mapping);
            }
            if controls.futures {
                thoughts::draw_rollouts(&mut brush, agent, mapping);
            }
        }
        scene::draw_agents(&mut brush, told, &picture, mapping);
    }
    if let Some(mut mesh) = meshes.get_mut(&canvas.0) {
        brush.paint(&mut mesh);
    }
}

/// The words around the world.
fn write(
    mut contexts: EguiContexts,
    layout: Res<Layout>,
    story: Res<Story>,
    time: Res<Time<Real>>,
    diagnostics: Res<DiagnosticsStore>,
    mut controls: ResMut<Controls>,
    mut notes: ResMut<Notes>,
    mut asks: ResMut<Asks>,
    mut styled: Local<bool>,
) {
    let Ok(ctx) = contexts.ctx_mut() else { return };
    if !*styled {
        style(ctx);
        *styled = true;
    }
    // Keys are the window's: a focused button must not take Space as well.
    ctx.memory_mut(|memory| {
        if let Some(id) = memory.focused() {
            memory.surrender_focus(id);
        }
    });
    let frames = diagnostics.get(&FrameTimeDiagnosticsPlugin::FPS).and_then(|rate| rate.smoothed());
    let clock = Clock { now_s: time.elapsed_secs_f64(), frames_per_s: frames.unwrap_or_default() };
    asks.0.extend(overlay::show(ctx, &layout, &story, &mut controls, &mut notes, &clock));
    if let Some(place) = layout.panel {
        panel::show(ctx, rect(place), &story, &mut controls);
    }
    if let Some(place) = layout.bar {
        asks.0.extend(bar::show(ctx, rect(place), &controls));
    }
}

/// Draw seldom while nothing moves, so that a paused window costs next to nothing.
fn rest(story: Res<Story>, controls: Res<Controls>, time: Res<Time<Real>>, mut settings: ResMut<WinitSettings>) {
    let still = controls.paused || story.ended || story.failed.is_some();
    let wait = if still && story.settled(time.elapsed_secs_f64()) { IDLE } else { FRAME };
    let pace = UpdateMode::reactive_low_power(wait);
    if settings.focused_mode != pace {
        *settings = WinitSettings { focused_mode: pace, unfocused_mode: pace };
    }
}

/// Dark words on light paper, large enough for the last row.
fn style(ctx: &egui::Context) {
    use egui::{FontFamily::Proportional, FontId, TextStyle};
    ctx.set_theme(egui::Theme::Light);
    ctx.all_styles_mut(|style| {
        style.text_styles.extend([
            (TextStyle::Small, FontId::new(13.0, Proportional)),
            (TextStyle::Body, FontId::new(15.5, Proportional)),
            (TextStyle::Button, FontId::new(15.5, Proportional)),
            (TextStyle::Heading, FontId::new(22.0, Proportional)),
        ]);
        style.interaction.selectable_labels = false;
        style.visuals.override_text_color = Some(palette::egui(palette::INK));
    });
}

/// A rectangle for the words' library.
pub fn rect(rect: Rect) -> egui::Rect {
    egui::Rect::from_min_max(egui::pos2(rect.min.x, rect.min.y), egui::pos2(rect.max.x, rect.max.y))
}

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
    style, thoughts,
};
use bevy::{
    app::{PanicHandlerPlugin, TaskPoolPlugin, TerminalCtrlCHandlerPlugin},
    camera::visibility::NoFrustumCulling,
    diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin},
    ecs::system::SystemParam,
    input::keyboard::KeyboardInput,
    log::LogPlugin,
    prelude::*,
    render::{RenderPlugin, renderer::RenderAdapterInfo, view::Msaa},
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

/// Between two pictures while something moves; a screen may hold it to less.
const FRAME: Duration = Duration::from_micros(16_667);
/// The same where the processor draws: it has a mind to run too.
const SOFTWARE_FRAME: Duration = Duration::from_micros(33_333);
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

/// The two meshes that everything is drawn into: what covers much is drawn without blending.
#[derive(Resource)]
struct Canvas {
    ground: Handle<Mesh>,
    rest: Handle<Mesh>,
}

/// The words' library has its fonts, from the frame after they were set.
#[derive(Resource)]
struct Dressed;

/// The wall clock and how fast pictures follow each other.
#[derive(SystemParam)]
struct Clocks<'w> {
    time: Res<'w, Time<Real>>,
    diagnostics: Res<'w, DiagnosticsStore>,
}

impl Clocks<'_> {
    fn read(&self) -> Clock {
        let rate = self.diagnostics.get(&FrameTimeDiagnosticsPlugin::FPS).and_then(|rate| rate.smoothed());
        Clock { now_s: self.time.elapsed_secs_f64(), frames_per_s: rate.unwrap_or_default() }
    }
}

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
        .add_systems(
            EguiPrimaryContextPass,
            (write.run_if(resource_exists::<Dressed>), dress.run_if(not(resource_exists::<Dressed>))).chain(),
        );
    app
}

fn set_up(mut commands: Commands, mut meshes: ResMut<Assets<Mesh>>, mut materials: ResMut<Assets<ColorMaterial>>) {
    // Edges fade over a pixel by themselves (`brush.rs`): multisampling would cost software rendering twice the time.
    commands.spawn((Camera2d, Msaa::Off));
    let mut layer = |alpha_mode, z| {
        let mesh = meshes.add(Brush::mesh());
        let material = materials.add(ColorMaterial { alpha_mode, ..default() });
        // What is drawn is always in sight, and its bounds change with each picture.
        let place = Transform::from_xyz(0.0, 0.0, z);
        commands.spawn((Mesh2d(mesh.clone()), MeshMaterial2d(material), place, NoFrustumCulling));
        mesh
    };
    let ground = layer(AlphaMode2d::Opaque, 0.0);
    let rest = layer(AlphaMode2d::Blend, 1.0);
    commands.insert_resource(Canvas { ground, rest });
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
        scene::draw_floor(&mut brush, mapping);
        if let Some(mut mesh) = meshes.get_mut(&canvas.ground) {
            brush.paint(&mut mesh);
        }
        scene::draw_ground(&mut brush, told, mapping);
        if let Some(now) = &story.now {
            scene::draw_foods(&mut brush, told, &now.foods, mapping);
        }
        scene::draw_bodies(&mut brush, told, &picture, mapping);
        if let Some(light) = story.now.as_ref().and_then(|now| now.light) {
            scene::draw_night(&mut brush, light, mapping);
        }
        scene::draw_boundary(&mut brush, mapping);
        if controls.rays {
            picture.rays.iter().for_each(|rays| thoughts::draw_rays(&mut brush, rays, mapping));
        }
        for (index, agent) in story.agents.iter().enumerate() {
            if controls.trail {
                thoughts::draw_trail(&mut brush, agent, index, &picture, mapping);
            }
            if controls.futures {
                thoughts::draw_remembered(&mut brush, agent, mapping);
                thoughts::draw_subgoals(&mut brush, agent, mapping);
                thoughts::draw_rollouts(&mut brush, agent, story.step(), mapping);
            }
        }
        scene::draw_agents(&mut brush, told, &picture, mapping);
    }
    if let Some(mut mesh) = meshes.get_mut(&canvas.rest) {
        brush.paint(&mut mesh);
    }
}

/// Choose how words look, once.
fn dress(mut contexts: EguiContexts, mut commands: Commands) {
    if let Ok(ctx) = contexts.ctx_mut() {
        style::set(ctx);
        commands.insert_resource(Dressed);
    }
}

/// The words around the world.
fn write(
    mut contexts: EguiContexts,
    layout: Res<Layout>,
    story: Res<Story>,
    clocks: Clocks,
    mut controls: ResMut<Controls>,
    mut notes: ResMut<Notes>,
    mut asks: ResMut<Asks>,
) {
    let Ok(ctx) = contexts.ctx_mut() else { return };
    // Keys are the window's: a focused button must not take Space as well.
    ctx.memory_mut(|memory| {
        if let Some(id) = memory.focused() {
            memory.surrender_focus(id);
        }
    });
    asks.0.extend(overlay::show(ctx, &layout, &story, &mut controls, &mut notes, &clocks.read()));
    if let Some(place) = layout.panel {
        panel::show(ctx, rect(place), &story, &mut controls);
    }
    if let Some(place) = layout.bar {
        asks.0.extend(bar::show(ctx, rect(place), &controls));
    }
}

/// Draw seldom while nothing moves, so that a paused window costs next to nothing.
fn rest(
    story: Res<Story>,
    controls: Res<Controls>,
    time: Res<Time<Real>>,
    adapter: Option<Res<RenderAdapterInfo>>,
    mut settings: ResMut<WinitSettings>,
) {
    let still = controls.paused || story.ended || story.failed.is_some();
    let software = adapter.is_some_and(|adapter| adapter.device_type == wgpu::DeviceType::Cpu);
    let wait = match (still && story.settled(time.elapsed_secs_f64()), software) {
        (true, _) => IDLE,
        (false, true) => SOFTWARE_FRAME,
        (false, false) => FRAME,
    };
    let pace = UpdateMode::reactive_low_power(wait);
    if settings.focused_mode != pace {
        *settings = WinitSettings { focused_mode: pace, unfocused_mode: pace };
    }
}

/// A rectangle for the words' library.
pub fn rect(rect: Rect) -> egui::Rect {
    egui::Rect::from_min_max(egui::pos2(rect.min.x, rect.min.y), egui::pos2(rect.max.x, rect.max.y))
}

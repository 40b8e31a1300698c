//! The engine around the picture: one frame, step by step. Read first: [`show`].

use crate::{
    ViewError, ViewOptions,
    agent_panel::{self, Draft},
    bar,
    brush::Brush,
    camera::{Layout, Mapping},
    capture::{self, Capture},
    dock::{Docking, Panel},
    figure,
    frames::Frames,
    hands::Hands,
    heat,
    input::{Ask, Controls, ask_of},
    overlay::{self, Clock, Notes},
    paint::{Canvas, Paint, PaintPlugin},
    panel,
    preferences::Preferences,
    scene, shelf,
    shell::{self, Dressed, dress},
    story::{AgentStory, Story},
    thoughts, timeline,
};
use bevy::{
    diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin},
    ecs::system::SystemParam,
    input::keyboard::KeyboardInput,
    prelude::*,
    render::{camera::CameraRenderGraph, renderer::RenderAdapterInfo, view::Msaa},
    window::PrimaryWindow,
    winit::{UpdateMode, WinitSettings},
};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
use crossbeam::channel::{Receiver, Sender};
use forethought_interface::{ViewCommand, ViewMessage};
use std::time::Duration;

/// Between two pictures while something moves; a screen may hold it to less.
const FRAME: Duration = Duration::from_micros(16_667);
/// The same where the processor draws and thinking cannot keep up: then it has more time for that.
const BUSY_FRAME: Duration = Duration::from_micros(33_333);
/// So many agents may all show all that they sense and imagine.
const CROWD: usize = 3;
/// After so many frames in focus something is no field to type into.
const FRAMES_TO_TYPE: u32 = 3;
/// While nothing moves, the picture looks for news so often.
const IDLE: Duration = Duration::from_millis(100);

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

/// Whether something is being typed: keys are then no wishes.
#[derive(Resource, Default)]
struct Typing(bool);

/// Whether what is so when the window closes is remembered.
#[derive(Resource)]
struct Remembers(bool);

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
    shell::run(move || build(runner, capture, options))?;
    error.lock().ok().and_then(|mut error| error.take()).map_or(Ok(()), Err)
}

fn build(runner: Runner, capture: Capture, options: ViewOptions) -> App {
    // A picture that is made by a command is the same for everybody.
    let remembers = options.screenshot.is_none();
    let preferences = if remembers { Preferences::load() } else { Preferences::default() };
    let size_px = preferences.size_px.unwrap_or(options.size_px);
    let mut controls = Controls::default();
    preferences.apply(&mut controls);
    let docking = match options.showing.panels() {
        Some(panels) => Docking::of(&panels),
        None => preferences.docking.unwrap_or_default(),
    };
    if options.showing.has("landscape") {
        runner.tell(controls.obey(Ask::Show(crate::input::Shown::Landscape)));
    }
    controls.help = options.showing.has("keys");
    let mut app = shell::window(options.title.clone(), size_px, FRAME);
    app.add_plugins((PaintPlugin, FrameTimeDiagnosticsPlugin::default()));
    app.insert_resource(runner)
        .insert_resource(capture)
        .insert_resource(controls)
        .insert_resource(docking)
        .insert_resource(Remembers(remembers))
        .insert_resource(Frames::new(options.frame_times))
        .init_resource::<Asks>()
        .init_resource::<Draft>()
        .init_resource::<Hands>()
        .init_resource::<Layout>()
        .init_resource::<Notes>()
        .init_resource::<Story>()
        .init_resource::<Typing>()
        .add_systems(Startup, set_up)
        .add_systems(
            Update,
            (hear, press, steer, obey, replay, lay_out, draw, capture::take_wanted, rest, count_frames).chain(),
        )
        .add_systems(Last, remember)
        .add_systems(
            EguiPrimaryContextPass,
            (write.run_if(resource_exists::<Dressed>), dress.run_if(not(resource_exists::<Dressed>))).chain(),
        );
    app
}

fn set_up(mut commands: Commands) {
    // Edges fade over a pixel by themselves (`brush.rs`).
    let seen = Projection::Orthographic(OrthographicProjection::default_2d());
    commands.spawn((Camera::default(), seen, CameraRenderGraph::new(Paint), Msaa::Off));
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
fn press(mut keys: MessageReader<KeyboardInput>, controls: Res<Controls>, typing: Res<Typing>, mut asks: ResMut<Asks>) {
    let pressed = keys.read().filter(|key| key.state.is_pressed() && !typing.0);
    asks.0.extend(pressed.filter_map(|key| ask_of(&key.logical_key, key.repeat, controls.leads)));
}

/// Arrow keys lead the agent that is led.
fn steer(
    keys: Res<ButtonInput<KeyCode>>,
    controls: Res<Controls>,
    mut latest: Local<[f32; 2]>,
    mut asks: ResMut<Asks>,
) {
    if !controls.leads {
        *latest = [0.0; 2];
        return;
    }
    let along = |forward, back| f32::from(u8::from(keys.pressed(forward))) - f32::from(u8::from(keys.pressed(back)));
    let wish = [along(KeyCode::ArrowRight, KeyCode::ArrowLeft), along(KeyCode::ArrowUp, KeyCode::ArrowDown)];
    if wish != *latest {
        *latest = wish;
        asks.0.push(Ask::Steer(wish));
    }
}

/// Do what was asked for by key or button.
#[expect(clippy::too_many_arguments, reason = "a system's parameters are its access")]
fn obey(
    mut asks: ResMut<Asks>,
    mut controls: ResMut<Controls>,
    mut docking: ResMut<Docking>,
    runner: Res<Runner>,
    time: Res<Time<Real>>,
    mut story: ResMut<Story>,
    mut commands: Commands,
    mut exit: MessageWriter<AppExit>,
) {
    let now_s = time.elapsed_secs_f64();
    let agents = story.agents.len().max(1);
    if controls.agent >= agents {
        runner.tell(controls.obey(Ask::LookInto(0)));
    }
    for ask in asks.0.drain(..) {
        let next = Ask::LookInto((controls.agent + 1) % agents);
        let ask = if ask == Ask::Agent { next } else { ask };
        match &ask {
            Ask::Picture => capture::take_now(&mut commands, &story),
            Ask::Quit => {
                exit.write(AppExit::Success);
            }
            Ask::Panel(panel) => docking.toggle(*panel),
            Ask::PanelsAnew => *docking = Docking::default(),
            Ask::LookBy(steps) => story.look_by(*steps, now_s),
            Ask::LookAt(step) => story.look_at(*step, now_s),
            Ask::Replay => {
                controls.replayed_s = if controls.replayed_s.is_some() { None } else { Some(now_s) };
                if !controls.paused {
                    runner.tell(controls.obey(Ask::Pause));
                }
                if controls.replayed_s.is_some() && !story.looks_back() {
                    // There is nothing ahead of now: from the start.
                    story.look_at(Some(0), now_s);
                }
            }
            Ask::Dismiss => {
                story.problems.clear();
                story.saved = None;
            }
            Ask::Pause | Ask::Step if story.looks_back() => {
                // What goes on goes on from now.
                controls.replayed_s = None;
                story.look_at(None, now_s);
            }
            // On the shelf there is nothing to be done but to choose.
            Ask::Edit(_) | Ask::Save | Ask::Lead | Ask::Adjust(_) if story.scene.is_none() => continue,
            _ => {}
        }
        if matches!(ask, Ask::Pause | Ask::Step | Ask::Slower | Ask::Faster | Ask::Speed(_)) {
            story.forget_pace();
        }
        runner.tell(controls.obey(ask));
    }
}

/// What is replayed goes on as fast as it once did, times the speed.
fn replay(mut controls: ResMut<Controls>, mut story: ResMut<Story>, time: Res<Time<Real>>) {
    let Some(last_s) = controls.replayed_s else { return };
    let now_s = time.elapsed_secs_f64();
    let period_s = story.scene.as_ref().map_or(0.1, |scene| f64::from(scene.control_period_s));
    let wait_s = (period_s / f64::from(controls.speed)).max(0.01);
    if now_s - last_s >= wait_s {
        story.look_by(1, now_s);
        controls.replayed_s = story.looks_back().then_some(now_s);
    }
}

fn lay_out(window: Query<&Window, With<PrimaryWindow>>, mut layout: ResMut<Layout>) {
    if let Ok(window) = window.single()
        && layout.window != window.size().max(Vec2::ONE)
    {
        *layout = Layout::new(window.size());
    }
}

/// The world and the thoughts, from the floor up.
fn draw(
    story: Res<Story>,
    controls: Res<Controls>,
    hands: Res<Hands>,
    layout: Res<Layout>,
    time: Res<Time<Real>>,
    mut canvas: ResMut<Canvas>,
    mut brush: Local<Brush>,
) {
    canvas.window = layout.window;
    if let Some(told) = &story.scene {
        let mapping = Mapping::new(told.size_m, &layout);
        let picture = story.picture(time.elapsed_secs_f64());
        scene::draw_floor(&mut brush, mapping);
        canvas.ground = brush.take();
        if let Some(landscape) = story.landscape_in_sight().filter(|_| controls.landscape) {
            heat::draw(&mut brush, landscape, mapping);
        } else {
            scene::draw_grid(&mut brush, mapping);
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
        let shown = controls.agent % story.agents.len().max(1);
        // Of a crowd, only the one that is looked into shows all.
        let shows_all = |agent: usize| agent == shown || story.agents.len() <= CROWD;
        if controls.rays {
            let rays = picture.rays.iter().enumerate().filter(|(agent, _)| shows_all(*agent));
            rays.for_each(|(_, rays)| thoughts::draw_rays(&mut brush, rays, mapping));
        }
        for (index, agent) in story.agents.iter().enumerate() {
            if controls.trail {
                thoughts::draw_trail(&mut brush, agent, index, &picture, mapping);
            }
            if controls.futures {
                thoughts::draw_remembered(&mut brush, agent, mapping);
                thoughts::draw_subgoals(&mut brush, agent, mapping);
                thoughts::draw_rollouts(&mut brush, agent, story.step(), shows_all(index), mapping);
            }
        }
        scene::draw_agents(&mut brush, told, &picture, mapping);
        if story.agents.len() > 1 {
            thoughts::draw_focus(&mut brush, shown, &picture, told, mapping);
        }
        if let Some(agent) = story.agents.get(shown).filter(|_| controls.futures) {
            thoughts::draw_foretold(&mut brush, agent, shown, &picture, mapping);
        }
        if let Some(now) = story.now.as_ref().filter(|_| controls.rays) {
            now.contacts.iter().for_each(|contacts| thoughts::draw_contacts(&mut brush, contacts, mapping));
        }
        hands.draw(&mut brush, &story, mapping);
    }
    canvas.rest = brush.take();
}

/// What panels show and change.
#[derive(SystemParam)]
struct Shown<'w> {
    story: ResMut<'w, Story>,
    controls: ResMut<'w, Controls>,
    docking: ResMut<'w, Docking>,
    draft: ResMut<'w, Draft>,
    hands: ResMut<'w, Hands>,
    layout: ResMut<'w, Layout>,
}

/// The words around the world.
#[expect(clippy::too_many_arguments, reason = "a system's parameters are its access")]
fn write(
    mut contexts: EguiContexts,
    mut shown: Shown,
    clocks: Clocks,
    mut notes: ResMut<Notes>,
    mut typing: ResMut<Typing>,
    remembers: Res<Remembers>,
    mut focused: Local<u32>,
    mut asks: ResMut<Asks>,
) {
    let Ok(ctx) = contexts.ctx_mut() else { return };
    if !remembers.0 {
        // Wherever the mouse happens to be, a picture that is made by a command does not show it.
        ctx.input_mut(|input| input.pointer = egui::PointerState::default());
    }
    typing.0 = ctx.text_edit_focused();
    // Keys are the window's: a focused button must not take Space as well. A number that is clicked becomes a field to type into
    // only in the frame after.
    ctx.memory_mut(|memory| match memory.focused().filter(|_| !typing.0) {
        Some(id) if *focused >= FRAMES_TO_TYPE => memory.surrender_focus(id),
        Some(_) => *focused += 1,
        None => *focused = 0,
    });
    let clock = clocks.read();
    for note in std::mem::take(&mut shown.story.bypass_change_detection().notes) {
        notes.say(note, clock.now_s);
    }
    let mut layout = *shown.layout;
    if let Some(cards) = &shown.story.shelf {
        let place = layout.dock.unwrap_or(layout.world);
        asks.0.extend(shelf::show(ctx, rect(place), cards));
    } else {
        asks.0.extend(panels(ctx, &mut shown, &mut layout));
    }
    shown.layout.set_if_neq(layout);
    asks.0.extend(overlay::show(ctx, &layout, &shown.story, &mut shown.controls, &mut notes, &clock));
    if let Some(place) = layout.bar {
        asks.0.extend(bar::show(ctx, rect(place), &shown.story, &shown.controls, &shown.docking));
    }
}

/// The world and all that is docked around it; says what was asked for, and where the world is.
fn panels(ctx: &mut egui::Context, shown: &mut Shown, layout: &mut Layout) -> Vec<Ask> {
    let place = rect(layout.dock.unwrap_or(layout.world));
    let builder = egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(place);
    let mut ui = egui::Ui::new(ctx.clone(), egui::Id::new("dock"), builder);
    let Shown { story, controls, docking, draft, hands, .. } = shown;
    let (story, controls, draft, hands) = (&**story, &mut **controls, &mut **draft, &mut **hands);
    let (mut asks, docks) = (vec![], layout.dock.is_some());
    let mut fill = |ui: &mut egui::Ui, panel: Panel| match panel {
        Panel::World => {
            let inside = ui.max_rect();
            let min = Vec2::new(inside.min.x, inside.min.y);
            *layout = layout.with_world(Rect::from_corners(min, Vec2::new(inside.max.x, inside.max.y)));
            asks.extend(touch(ui, story, controls, hands, layout));
        }
        Panel::Mind => mind(ui, story, controls, &mut asks),
        Panel::Episode => asks.extend(panel::episode(ui, story, controls)),
        Panel::Energy => panel::energy(ui, story, controls),
        Panel::Agent => asks.extend(agent_panel::show(ui, story, controls, draft)),
        Panel::Timeline => asks.extend(timeline::show(ui, story, controls)),
    };
    if docks {
        docking.bypass_change_detection().show(&mut ui, &mut fill);
    } else {
        fill(&mut ui, Panel::World);
    }
    asks
}

/// The mouse in the world.
fn touch(ui: &mut egui::Ui, story: &Story, controls: &Controls, hands: &mut Hands, layout: &Layout) -> Vec<Ask> {
    let response = ui.interact(rect(layout.world), egui::Id::new("world"), egui::Sense::click_and_drag());
    let size_m = story.scene.as_ref().map_or([1.0; 2], |scene| scene.size_m);
    hands.act(&response, Mapping::new(size_m, layout), story, controls.tool)
}

/// The architecture figure of the agent that is looked into.
fn mind(ui: &mut egui::Ui, story: &Story, controls: &Controls, asks: &mut Vec<Ask>) {
    let shown = controls.agent % story.agents.len().max(1);
    let nothing = AgentStory::default();
    let agent = story.agents.get(shown).unwrap_or(&nothing);
    let Some(scene) = &story.scene else { return };
    if story.agents.len() > 1 {
        ui.horizontal(|ui| {
            ui.add_space(10.0);
            let name = scene.agents.get(shown).map_or("", |agent| agent.name.as_str());
            if ui.button(format!("{name}: next (Tab)")).clicked() {
                asks.push(Ask::Agent);
            }
        });
    }
    let settings = scene.settings.get(shown).and_then(Option::as_ref);
    let planner = settings.map_or("random", |settings| settings.planner.as_str());
    figure::show(ui, agent, planner);
}

/// Draw seldom while nothing moves, so that a paused window costs next to nothing, and thinking comes before pictures.
fn rest(
    story: Res<Story>,
    controls: Res<Controls>,
    time: Res<Time<Real>>,
    adapter: Option<Res<RenderAdapterInfo>>,
    mut settings: ResMut<WinitSettings>,
) {
    let still = (controls.paused && controls.replayed_s.is_none()) || story.ended || story.failed.is_some();
    let software = adapter.is_some_and(|adapter| adapter.device_type == wgpu::DeviceType::Cpu);
    let wait = if still && story.settled(time.elapsed_secs_f64()) {
        IDLE
    } else if software && bar::slowness(&story, &controls).is_some() {
        BUSY_FRAME
    } else {
        FRAME
    };
    shell::keep_pace(&mut settings, wait);
}

/// How long pictures take, for those who ask.
fn count_frames(
    time: Res<Time<Real>>,
    adapter: Option<Res<RenderAdapterInfo>>,
    settings: Res<WinitSettings>,
    mut frames: ResMut<Frames>,
) {
    if let UpdateMode::Reactive { wait, .. } = settings.focused_mode {
        frames.wanted_ms = wait.as_secs_f32() * 1e3;
    }
    let name = adapter.as_ref().map(|adapter| adapter.name.as_str());
    frames.count(time.delta_secs() * 1e3, name);
}

/// Remember the window as it is when it closes.
fn remember(
    mut exits: MessageReader<AppExit>,
    remembers: Res<Remembers>,
    layout: Res<Layout>,
    docking: Res<Docking>,
    controls: Res<Controls>,
    frames: Res<Frames>,
) {
    if exits.read().count() == 0 {
        return;
    }
    if remembers.0 {
        let size_px = (layout.window.x.round() as u32, layout.window.y.round() as u32);
        Preferences::of(size_px, &docking, &controls).save();
    }
    if let Err(error) = frames.write() {
        bevy::log::error!("the pictures' times could not be written: {error}");
    }
}

/// A rectangle for the words' library.
pub fn rect(rect: Rect) -> egui::Rect {
    egui::Rect::from_min_max(egui::pos2(rect.min.x, rect.min.y), egui::pos2(rect.max.x, rect.max.y))
}

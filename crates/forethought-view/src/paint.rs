//! The whole picture in one pass, straight onto the screen. Read first: [`PaintPlugin`] and [`paint`].
//!
//! The engine's own way draws the world, then the words, then copies all of it to the screen, and converts colours at each: where
//! the processor draws, that is most of a picture's time. Here the floor, what the brush drew and the words are triangles of one
//! buffer, with colours that need no conversion for each pixel.

use crate::brush::{Drawing, Vertex};
use bevy::{
    camera::ClearColor,
    ecs::schedule::ScheduleLabel,
    mesh::VertexBufferLayout,
    prelude::*,
    render::{
        ExtractSchedule, MainWorld, Render, RenderApp, RenderSystems,
        camera::ExtractedCamera,
        render_asset::RenderAssets,
        render_resource::{
            BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, BlendState, BufferUsages,
            CachedRenderPipelineId, ColorTargetState, ColorWrites, FragmentState, IndexFormat, PipelineCache,
            RawBufferVec, RenderPassDescriptor, RenderPipelineDescriptor, SamplerBindingType, ShaderStages,
            TextureFormat, TextureSampleType, VertexFormat, VertexState, VertexStepMode,
            binding_types::{sampler, texture_2d},
        },
        renderer::{RenderContext, RenderDevice, RenderQueue, ViewQuery},
        texture::GpuImage,
        view::ViewTarget,
    },
    shader::Shader,
};
use bevy_egui::{
    EguiOutput, EguiRenderOutput,
    egui::{ClippedPrimitive, Rgba, epaint::Primitive},
    render::{extract_egui_camera_view_system, systems::ExtractedEguiManagedTextures},
};
use std::ops::Range;

/// To paint without blending is another part, which is worth it for larger triangles only, in square pixels.
const LARGE_PX: f32 = 4000.0;

/// A camera with this schedule is painted here.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Paint;

/// What is to be painted under the words: what covers much and lets nothing through, then all the rest.
#[derive(Resource, Debug, Default)]
pub struct Canvas {
    /// Drawn without blending.
    pub ground: Drawing,
    /// Drawn over it.
    pub rest: Drawing,
    /// The window's width and height in logical pixels.
    pub window: Vec2,
}

/// Paints [`Canvas`] and the words' library's output for cameras whose schedule is [`Paint`].
pub struct PaintPlugin;

impl Plugin for PaintPlugin {
    fn build(&self, app: &mut App) {
        let source = Shader::from_wgsl(include_str!("paint.wgsl"), "paint.wgsl");
        let shader = app.world_mut().resource_mut::<Assets<Shader>>().add(source);
        app.init_resource::<Canvas>();
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
        render_app
            .insert_resource(Pipelines::new(shader))
            .init_resource::<Sheet>()
            .add_schedule(Schedule::new(Paint))
            .add_systems(ExtractSchedule, take.before(extract_egui_camera_view_system))
            .add_systems(Render, lay_out.in_set(RenderSystems::PrepareResources))
            .add_systems(Render, choose_pipelines.in_set(RenderSystems::Prepare))
            .add_systems(Paint, paint);
    }
}

/// One kind of triangles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// They are of one colour and let nothing through.
    Solid,
    /// They are laid on what is there.
    Laid,
    /// The same, with the soft edges of a brush's lines.
    Softened,
    /// The same, cut out as letters.
    Lettered,
}

/// Triangles of one kind, within a rectangle.
#[derive(Debug)]
struct Part {
    kind: Kind,
    /// In physical pixels; none for all of the window.
    clip: Option<URect>,
    indices: Range<u32>,
    first_vertex: i32,
}

/// What is painted next: first as it was told, then as it is on the graphics card.
#[derive(Resource)]
struct Sheet {
    canvas: Canvas,
    words: Vec<ClippedPrimitive>,
    /// Physical pixels for a logical one.
    scale: f32,
    vertices: RawBufferVec<Vertex>,
    indices: RawBufferVec<u32>,
    parts: Vec<Part>,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            canvas: Canvas::default(),
            words: vec![],
            scale: 1.0,
            vertices: RawBufferVec::new(BufferUsages::VERTEX),
            indices: RawBufferVec::new(BufferUsages::INDEX),
            parts: vec![],
        }
    }
}

impl Sheet {
    /// More triangles; `place` gives each corner its place between -1 and 1, y up, and `kind` says how one is painted.
    fn add(
        &mut self,
        drawing: &Drawing,
        clip: Option<URect>,
        place: impl Fn([f32; 2]) -> [f32; 2],
        kind: impl Fn([&Vertex; 3]) -> Kind,
    ) {
        let first_vertex = self.vertices.len() as i32;
        for &[x, y, ref rest @ ..] in &drawing.vertices {
            let ([x, y], [u, v, red, green, blue, alpha]) = (place([x, y]), *rest);
            self.vertices.push([x, y, u, v, red, green, blue, alpha]);
        }
        for triangle in drawing.indices.as_chunks::<3>().0 {
            let kind = kind(triangle.map(|index| &drawing.vertices[index as usize]));
            let start = self.indices.len() as u32;
            self.indices.extend(triangle.iter().copied());
            match self.parts.last_mut() {
                Some(part) if (part.kind, part.clip, part.first_vertex) == (kind, clip, first_vertex) => {
                    part.indices.end = start + 3;
                }
                _ => self.parts.push(Part { kind, clip, indices: start..start + 3, first_vertex }),
            }
        }
    }
}

/// Take from the window's world what it has drawn; the words' library's own painter gets nothing to do.
fn take(mut world: ResMut<MainWorld>, mut sheet: ResMut<Sheet>) {
    sheet.canvas = std::mem::take(&mut *world.resource_mut::<Canvas>());
    let mut outputs = world.query::<(&EguiOutput, &mut EguiRenderOutput)>();
    for (output, mut painted) in outputs.iter_mut(&mut world) {
        sheet.scale = output.pixels_per_point;
        sheet.words = std::mem::take(&mut painted.paint_jobs);
    }
}

/// Everything into one buffer.
fn lay_out(mut sheet: ResMut<Sheet>, device: Res<RenderDevice>, queue: Res<RenderQueue>) {
    let sheet = &mut *sheet;
    sheet.vertices.clear();
    sheet.indices.clear();
    sheet.parts.clear();
    let (canvas, words) = (std::mem::take(&mut sheet.canvas), std::mem::take(&mut sheet.words));
    let (half, scale) = (canvas.window.max(Vec2::ONE) / 2.0, sheet.scale);
    let from_middle = |[x, y]: [f32; 2]| [x / half.x, y / half.y];
    let from_corner = |[x, y]: [f32; 2]| [x / half.x - 1.0, 1.0 - y / half.y];
    sheet.add(&canvas.ground, None, from_middle, |_| Kind::Solid);
    sheet.add(&canvas.rest, None, from_middle, |_| Kind::Softened);
    for ClippedPrimitive { clip_rect, primitive } in &words {
        let Primitive::Mesh(mesh) = primitive else { continue };
        let corner = |at: bevy_egui::egui::Pos2| (Vec2::new(at.x, at.y) * scale).round().max(Vec2::ZERO).as_uvec2();
        let clip = URect::from_corners(corner(clip_rect.min), corner(clip_rect.max));
        let vertices = mesh.vertices.iter().map(|vertex| {
            let [red, green, blue, alpha] = Rgba::from(vertex.color).to_array();
            [vertex.pos.x, vertex.pos.y, vertex.uv.x, vertex.uv.y, red, green, blue, alpha]
        });
        let drawing = Drawing { vertices: vertices.collect(), indices: mesh.indices.clone() };
        sheet.add(&drawing, Some(clip), from_corner, kind_of);
    }
    sheet.vertices.write_buffer(&device, &queue);
    sheet.indices.write_buffer(&device, &queue);
}

fn one_color([a, b, c]: [&Vertex; 3]) -> bool {
    a[4..] == b[4..] && b[4..] == c[4..]
}

/// The cheapest way to paint a triangle of the words' library: most of what it covers is paper, and not cut out.
fn kind_of(corners: [&Vertex; 3]) -> Kind {
    let [[ax, ay, ..], [bx, by, ..], [cx, cy, ..]] = corners;
    let twice_area = ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)).abs();
    // Where nothing is cut out all corners are at the texture's corner, which is white.
    if corners.iter().any(|[_, _, u, v, ..]| (*u, *v) != (0.0, 0.0)) {
        Kind::Lettered
    } else if twice_area > LARGE_PX && corners.iter().all(|[.., alpha]| *alpha >= 1.0) && one_color(corners) {
        Kind::Solid
    } else {
        Kind::Laid
    }
}

/// How each kind is painted onto a screen of this format.
#[derive(Resource)]
struct Pipelines {
    shader: Handle<Shader>,
    letters: BindGroupLayoutDescriptor,
    ready: Option<(TextureFormat, [CachedRenderPipelineId; 4])>,
}

impl Pipelines {
    fn new(shader: Handle<Shader>) -> Self {
        let texture = texture_2d(TextureSampleType::Float { filterable: true });
        let entries = BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (texture, sampler(SamplerBindingType::Filtering)),
        );
        Self { shader, letters: BindGroupLayoutDescriptor::new("letters", &entries), ready: None }
    }

    fn describe(&self, kind: Kind, format: TextureFormat) -> RenderPipelineDescriptor {
        let formats = [VertexFormat::Float32x2, VertexFormat::Float32x2, VertexFormat::Float32x4];
        let (place, color) = match kind {
            Kind::Solid => ("place_solid", "solid"),
            Kind::Laid => ("place", "plain"),
            Kind::Softened => ("place", "softened"),
            Kind::Lettered => ("place", "lettered"),
        };
        let blend = (kind != Kind::Solid).then_some(BlendState::PREMULTIPLIED_ALPHA_BLENDING);
        RenderPipelineDescriptor {
            label: Some("paint".into()),
            layout: vec![self.letters.clone()],
            vertex: VertexState {
                shader: self.shader.clone(),
                entry_point: Some(place.into()),
                buffers: vec![VertexBufferLayout::from_vertex_formats(VertexStepMode::Vertex, formats)],
                ..default()
            },
            fragment: Some(FragmentState {
                shader: self.shader.clone(),
                entry_point: Some(color.into()),
                targets: vec![Some(ColorTargetState { format, blend, write_mask: ColorWrites::ALL })],
                ..default()
            }),
            ..default()
        }
    }

    fn of(&self, kind: Kind) -> Option<CachedRenderPipelineId> {
        self.ready.map(|(_, ids)| ids[kind as usize])
    }
}

/// Once the screen's format is known. The first picture waits for it.
fn choose_pipelines(targets: Query<&ViewTarget>, mut cache: ResMut<PipelineCache>, mut pipelines: ResMut<Pipelines>) {
    for format in targets.iter().filter_map(ViewTarget::out_texture_view_format) {
        if pipelines.ready.is_some_and(|(known, _)| known == format) {
            continue;
        }
        let ids = [Kind::Solid, Kind::Laid, Kind::Softened, Kind::Lettered]
            .map(|kind| cache.queue_render_pipeline(pipelines.describe(kind, format)));
        ids.into_iter().for_each(|id| cache.block_on_render_pipeline(id));
        pipelines.ready = Some((format, ids));
    }
}

/// One pass: the ground, the world, the words.
#[expect(clippy::too_many_arguments, reason = "a system's parameters are its access")]
fn paint(
    view: ViewQuery<(&ViewTarget, &ExtractedCamera)>,
    sheet: Res<Sheet>,
    pipelines: Res<Pipelines>,
    cache: Res<PipelineCache>,
    fonts: Res<ExtractedEguiManagedTextures>,
    images: Res<RenderAssets<GpuImage>>,
    clear: Res<ClearColor>,
    mut context: RenderContext,
) {
    let (target, camera) = view.into_inner();
    let Some(screen) = target.out_texture_color_attachment(Some(clear.0.into())) else { return };
    // All words are cut out of one texture of letters, the library's first.
    let letters = fonts.0.iter().find(|((_, id), _)| *id == 0).and_then(|(_, handle)| images.get(handle));
    let letters = letters.map(|image| {
        let layout = cache.get_bind_group_layout(&pipelines.letters);
        let entries = BindGroupEntries::sequential((&image.texture_view, &image.sampler));
        context.render_device().create_bind_group("letters", &layout, &entries)
    });
    let ready = (letters, sheet.vertices.buffer(), sheet.indices.buffer(), camera.physical_target_size);
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("paint"),
        color_attachments: &[Some(screen)],
        ..default()
    });
    // Before there are letters there is nothing but the clear colour.
    let (Some(letters), Some(vertices), Some(indices), Some(size)) = &ready else { return };
    let whole = URect::from_corners(UVec2::ZERO, *size);
    pass.set_vertex_buffer(0, vertices.slice(..));
    pass.set_index_buffer(indices.slice(..), IndexFormat::Uint32);
    for part in &sheet.parts {
        let clip = part.clip.map_or(whole, |clip| clip.intersect(whole));
        let pipeline = pipelines.of(part.kind).and_then(|id| cache.get_render_pipeline(id));
        let Some(pipeline) = pipeline.filter(|_| !clip.is_empty()) else { continue };
        pass.set_render_pipeline(pipeline);
        pass.set_bind_group(0, letters, &[]);
        pass.set_scissor_rect(clip.min.x, clip.min.y, clip.width(), clip.height());
        pass.draw_indexed(part.indices.clone(), part.first_vertex, 0..1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(x: f32, y: f32, uv: f32, alpha: f32) -> Vertex {
        [x, y, uv, uv, 0.0, 0.0, 0.0, alpha]
    }

    #[test]
    fn each_triangle_is_painted_the_cheapest_way_that_looks_right() {
        let kind = |size: f32, uv: f32, alpha: f32| {
            kind_of([&corner(0.0, 0.0, 0.0, 1.0), &corner(size, 0.0, uv, alpha), &corner(0.0, size, 0.0, 1.0)])
        };
        assert_eq!(kind(100.0, 0.0, 1.0), Kind::Solid);
        assert_eq!(kind(10.0, 0.0, 1.0), Kind::Laid, "too small to matter");
        assert_eq!(kind(100.0, 0.0, 0.5), Kind::Laid, "it lets something through");
        assert_eq!(kind(100.0, 0.2, 1.0), Kind::Lettered);
    }

    #[test]
    fn triangles_of_one_kind_are_one_part_in_the_order_in_which_they_were_drawn() {
        let vertices = vec![corner(0.0, 0.0, 0.0, 1.0), corner(99.0, 0.0, 0.0, 1.0), corner(0.0, 99.0, 0.0, 1.0)];
        let letter = [corner(0.0, 0.0, 0.1, 1.0), corner(9.0, 0.0, 0.2, 1.0), corner(0.0, 9.0, 0.1, 1.0)];
        let drawing = Drawing {
            vertices: vertices.into_iter().chain(letter).collect(),
            indices: vec![0, 1, 2, 0, 1, 2, 3, 4, 5, 0, 1, 2],
        };
        let mut sheet = Sheet::default();
        sheet.add(&drawing, None, |[x, y]| [x / 100.0, y], kind_of);
        sheet.add(&drawing, None, |at| at, |_| Kind::Laid);
        let parts: Vec<_> =
            sheet.parts.iter().map(|part| (part.kind, part.indices.clone(), part.first_vertex)).collect();
        let (solid, lettered, laid) = (Kind::Solid, Kind::Lettered, Kind::Laid);
        assert_eq!(parts, [(solid, 0..6, 0), (lettered, 6..9, 0), (solid, 9..12, 0), (laid, 12..24, 6)]);
        assert_eq!(sheet.vertices.get(1), Some(&corner(0.99, 0.0, 0.0, 1.0)));
    }
}

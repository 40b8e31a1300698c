// Triangles with colours as the screen mixes them: linear, and multiplied by their strength.

struct Painted {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
    @location(1) color: vec4<f32>,
}

@group(0) @binding(0) var letters: texture_2d<f32>;
@group(0) @binding(1) var letters_sampler: sampler;

@vertex
fn place(@location(0) position: vec2<f32>, @location(1) uv: vec2<f32>, @location(2) color: vec4<f32>) -> Painted {
    return Painted(vec4<f32>(position, 0.0, 1.0), uv, color);
}

// Of one colour, so that there is nothing to work out for a pixel.
struct Solid {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
}

@vertex
fn place_solid(@location(0) position: vec2<f32>, @location(2) color: vec4<f32>) -> Solid {
    return Solid(vec4<f32>(position, 0.0, 1.0), color);
}

@fragment
fn solid(in: Solid) -> @location(0) vec4<f32> {
    return in.color;
}

@fragment
fn plain(in: Painted) -> @location(0) vec4<f32> {
    return in.color;
}

// A line fades over its last pixel.
@fragment
fn softened(in: Painted) -> @location(0) vec4<f32> {
    return in.color * saturate(in.uv.y - abs(in.uv.x));
}

@fragment
fn lettered(in: Painted) -> @location(0) vec4<f32> {
    return in.color * textureSample(letters, letters_sampler, in.uv).a;
}

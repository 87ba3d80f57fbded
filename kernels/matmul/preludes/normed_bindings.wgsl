// Bindings of a product behind a layer normalisation of x, and what every form of it needs.
// Layout: x [rows, inner/4] of vec4
//   weight: blocks (engine/formats/matrix_*.wgsl); bias [columns], read if has_bias
//   norm_weight, norm_bias [inner/4] of vec4, the bias read if has_norm_bias
//   y [rows, columns]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<Matrix4>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> norm_weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norm_bias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

const norm_eps = 1e-5;

fn sum_of(v: vec4<f32>) -> f32 { return v.x + v.y + v.z + v.w; }

fn middle(v: vec4<f32>) -> f32 { return max(min(v.x, v.y), min(max(v.x, v.y), v.z)); }

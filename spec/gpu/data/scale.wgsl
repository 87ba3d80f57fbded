// y = offset + scale * x, for the specs of the engine: every kind of param, an override constant.
struct Params { count: u32, shift: i32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
override offset: f32 = 0.0;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  if (global.x >= params.count) { return; }
  y[global.x] = offset + f32(params.shift) + params.scale * x[global.x];
}

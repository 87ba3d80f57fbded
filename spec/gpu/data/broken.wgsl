// A compile error on line 11, for the spec of error messages.
struct Params { count: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let i = global.x;
  if (i >= params.count) { return; }
  y[i] = undeclared_name * x[i];
}

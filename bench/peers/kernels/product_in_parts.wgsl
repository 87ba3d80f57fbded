// y = x W' of one row, columns params.z to params.w - 1: the engine of kernels.spec.ts, which dispatches it twice through one uniform buffer.
// Layout: x [inner]
//   weight [columns, inner]
//   y [columns]
//   params: inner, columns, first, end
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: vec4<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = params.z + id.x;
  if (column >= params.w) { return; }
  var sum = 0.0;
  for (var i = 0u; i < params.x; i++) { sum += x[i] * weight[column * params.x + i]; }
  y[column] = sum;
}

// y = elu?(y + x?), in place: a residual connection, the activation after it, or both in one pass over memory.
// Layout: x [size], read if has_x
//   y [size]
// Only y is written: WebGPU refuses one buffer as read and read_write in one dispatch, so an activation in place has no x.
struct Params { size: u32, has_x: u32, elu: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * 64u + local;
  if (index >= params.size) { return; }
  var value = y[index];
  if (params.has_x != 0u) { value += x[index]; }
  if (params.elu != 0u) { value = elu(value); }
  y[index] = value;
}

// c, h = one step of two LSTM layers (cell.wgsl), for GPUs: 8 x 32 lanes own 8 units and split k over 32 lanes.
// So a step of 512 units runs 128 workgroups with 16 loads in sequence, and each row of lanes reads 128 neighbouring bytes of W.
// Layout: cell.wgsl
// Lanes past the last unit repeat it, so that every lane reaches the barriers with loads in bounds.
var<workgroup> partial: array<vec4<f32>, 256>;

@compute @workgroup_size(8, 32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let layer = params.first + workgroup.y;
  let hidden = params.hidden;
  let unit = min(workgroup.x * 8u + local.x, hidden - 1u);
  let step = step_of(layer);
  var sum = vec4<f32>();
  if (step != 0u) {
    let previous = row_of(layer, step - 1u);
    let first = weights_of(layer, unit);
    for (var k = local.y; k < hidden; k += 32u) {
      sum += h[previous + k] * unpack_weight(weight[first + k * 32u]);
    }
  }
  // The 32 partial sums of a unit, to four, then to one.
  partial[local.y * 8u + local.x] = sum;
  workgroupBarrier();
  if (local.y < 4u) {
    for (var i = local.y + 4u; i < 32u; i += 4u) { sum += partial[i * 8u + local.x]; }
    partial[local.y * 8u + local.x] = sum;
  }
  workgroupBarrier();
  if (local.y != 0u || workgroup.x * 8u + local.x >= hidden) { return; }
  for (var i = 1u; i < 4u; i++) { sum += partial[i * 8u + local.x]; }
  finish(layer, unit, sum);
}

// A step of two LSTM layers (cell.wgsl) on a GPU: a workgroup of 8 x 32 owns 8 units, and k is split over 32 lanes, so that
// a step of 512 units runs 128 workgroups with 16 loads in sequence. Each row of lanes reads 128 neighbouring bytes of the
// weight. The partial sums meet in workgroup memory.
var<workgroup> partial: array<vec4<f32>, 256>;

@compute @workgroup_size(8, 32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let layer = params.first + workgroup.y;
  let hidden = params.hidden;
  // Lanes past the last unit work on it again, so that every lane reaches the barriers with loads in bounds.
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

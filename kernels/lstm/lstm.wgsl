// A step of two LSTM layers (cell.wgsl) with one invocation a unit, which walks k alone: no barrier, for software adapters.
// k is unrolled by four to hide the loads.
@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let layer = params.first + workgroup.y;
  let unit = workgroup.x * 32u + local;
  let hidden = params.hidden;
  if (unit >= hidden) { return; }
  var sum = vec4<f32>();
  let step = step_of(layer);
  if (step != 0u) {
    let previous = row_of(layer, step - 1u);
    let whole = hidden & 0xfffffffcu;
    var w = layer * hidden * hidden + unit;
    for (var k = 0u; k < whole; k += 4u) {
      sum += h[previous + k] * unpack_weight(weight[w])
        + h[previous + k + 1u] * unpack_weight(weight[w + hidden])
        + h[previous + k + 2u] * unpack_weight(weight[w + 2u * hidden])
        + h[previous + k + 3u] * unpack_weight(weight[w + 3u * hidden]);
      w += 4u * hidden;
    }
    for (var k = whole; k < hidden; k++) {
      sum += h[previous + k] * unpack_weight(weight[w]);
      w += hidden;
    }
  }
  finish(layer, unit, sum);
}

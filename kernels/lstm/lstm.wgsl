// An LSTM step (cell.wgsl) with one invocation a unit, which walks k alone: no barrier, for software adapters.
// k is unrolled by four to hide the loads.
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let unit = global.x;
  let hidden = params.hidden;
  if (unit >= hidden) { return; }
  var sum = vec4<f32>();
  if (params.step != 0u) {
    let previous = (params.step - 1u) * hidden;
    let whole = hidden & 0xfffffffcu;
    var w = unit;
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
  finish(unit, sum);
}

// c, h = one step of two LSTM layers (cell.wgsl), for software adapters: no barrier, an invocation walks k alone.
// It owns four units, since such adapters load lane by lane and a value of h costs them as much as one of W.
// Layout: cell.wgsl. Units past the last have weights, so loads need no guard.
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let layer = params.first + workgroup.y;
  let hidden = params.hidden;
  let unit = workgroup.x * 32u + local;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  let step = step_of(layer);
  if (step != 0u) {
    let previous = row_of(layer, step - 1u);
    var w = weights_of(layer, unit);
    for (var k = 0u; k < hidden; k++) {
      let value = h[previous + k];
      s0 += value * unpack_weight(weight[w]); s1 += value * unpack_weight(weight[w + 8u]);
      s2 += value * unpack_weight(weight[w + 16u]); s3 += value * unpack_weight(weight[w + 24u]);
      w += 32u;
    }
  }
  // A loop whose end Mesa does not know: four copies of the sigmoids take lavapipe longer to compile than all else.
  var sums = array<vec4<f32>, 4>(s0, s1, s2, s3);
  for (var i = 0u; unit + i * 8u < min(workgroup.x * 32u + 32u, hidden); i++) { finish(layer, unit + i * 8u, sums[i]); }
}

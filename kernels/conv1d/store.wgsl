// y = [y +] sum [+ bias], [ELU]: how versions of conv1d for any number of channels store a result, value by value.
// Layout: bias [columns], read if has_bias
//   y: rows.wgsl
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn store(frame: u32, group: u32, sum: vec4<f32>) {
  if (frame >= params.frames) { return; }
  for (var i = 0u; i < 4u; i++) {
    let column = group * 4u + i;
    let position = frame * params.columns + column;
    if (column >= params.columns || position < params.skip || position - params.skip >= params.size) { continue; }
    let index = position - params.skip;
    var value = sum[i];
    if (params.has_bias != 0u) { value += bias[column]; }
    if (params.accumulate != 0u) { value += y[index]; }
    if (params.elu != 0u) { value = elu(value); }
    y[index] = value;
  }
}

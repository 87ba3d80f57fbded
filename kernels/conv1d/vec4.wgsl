// y = [y +] sum, [ELU]: how versions of conv1d for multiples of four channels load x and store a result, by vec4: software
// adapters load and store lane by lane, which costs them many times what a product does.
// Layout: x [length, inner/4] of vec4
//   bias [columns/4] of vec4, the start of every sum
//   y [frames, columns/4] of vec4 (rows.wgsl)
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

// Apply ELU to x in the load: here every value pays for it once a tap and 32 output channels.
override elu_x: u32 = 0u;

fn elu4(v: vec4<f32>) -> vec4<f32> { return vec4<f32>(elu(v.x), elu(v.y), elu(v.z), elu(v.w)); }

fn load(row: Row, block: u32) -> vec4<f32> {
  let value = row.counts * x[row.first / 4u + block];
  if (elu_x != 0u) { return elu4(value); }
  return value;
}

fn store(frame: u32, group: u32, sum: vec4<f32>) {
  let groups = params.columns / 4u;
  let position = frame * groups + group;
  let index = position - params.skip / 4u; // Wraps around, past `size`, for what is skipped.
  if (frame < params.frames && group < groups && index < params.size / 4u) {
    var value = sum;
    if (params.accumulate != 0u) { value += y[index]; }
    if (params.elu != 0u) { value = elu4(value); }
    y[index] = value;
  }
}

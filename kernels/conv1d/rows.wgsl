// What the versions of conv1d share: parameters, layouts, and which row of x is read where (how results are stored:
// store.wgsl, quads.wgsl).
// x: [length, inner]; W: [taps * inner, ceil(columns/4)] of Weight4; bias: [columns]; y: [frames, columns], of which the
// first `skip` values are cut off and the `size` next ones stored: how a transposed convolution is trimmed.
// Padding is a mapping of row indices. Reflection needs more rows than it pads; a shorter x first gets zero rows at its
// end (`reflect_length` rows in all, as EnCodec does). Rows of zeros are read as row 0 and dropped.
// ELU is applied when storing: in the load every value would pay for it once for each tap and each channel group.
struct Params {
  length: u32,
  frames: u32,
  inner: u32,
  columns: u32,
  taps: u32,
  stride: u32,
  dilation: u32,
  padding_left: u32,
  padding_mode: u32,   // 0 constant (zero), 1 reflect, 2 replicate
  reflect_length: u32,
  skip: u32,
  size: u32,
  has_bias: u32,
  accumulate: u32,
  elu: u32,
}
@group(0) @binding(1) var<storage, read> weight: array<Weight4>;
@group(0) @binding(4) var<uniform> params: Params;

// Where the row of x lies that a frame reads at a tap; whether it counts (0 for a row of zeros).
struct Row { first: u32, counts: f32 }

fn source(frame: u32, tap: u32) -> Row {
  return row_at(min(frame, params.frames - 1u) * params.stride + tap * params.dilation);
}

// The same of a position in the padded x.
fn row_at(position: u32) -> Row {
  var row = i32(position) - i32(params.padding_left);
  if (params.padding_mode == 1u) {
    let last = i32(params.reflect_length) - 1;
    row = last - abs(last - abs(row));
  } else if (params.padding_mode == 2u) {
    row = clamp(row, 0, i32(params.length) - 1);
  }
  let inside = row >= 0 && row < i32(params.length);
  return Row(select(0u, u32(row) * params.inner, inside), select(0.0, 1.0, inside));
}

// row(t, j) = t * stride + j * dilation - padding_left, padded: params of conv1d, and which row of x is read where.
// Padding maps row indices. Reflection needs more rows than it pads; a shorter x first gets rows of zeros at its end
// (`reflect_length` rows in all, as EnCodec does). Rows of zeros are read as row 0 and dropped.
// Layout: weight [taps * inner, ceil(columns/4)] of Weight4
//   y [frames, columns], of which the first `skip` values are cut off and the next `size` stored: so a transposed convolution is
//   trimmed
// ELU is applied in the store: in the load every value would pay for it once for each tap and each channel group.
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

// Where a row of x begins, and whether it counts (0 for a row of zeros).
struct Row { first: u32, counts: f32 }

// The row that a frame reads at a tap.
fn source(frame: u32, tap: u32) -> Row {
  return row_at(min(frame, params.frames - 1u) * params.stride + tap * params.dilation);
}

// The row at a position of the padded x.
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

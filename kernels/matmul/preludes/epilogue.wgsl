// y = [y +] [gelu] (sum [+ bias]): what follows the product of a row of x with four neighbouring columns.
// It adds to y itself (the residual stream): WebGPU refuses one buffer as read and read_write at once, so a residual operand
// would need a buffer of its own.
struct Params {
  rows: u32,          // rows of x to multiply
  inner: u32,         // width of x
  columns: u32,       // columns of the whole weight matrix, the row stride of y
  first_row: u32,     // first row of x; row 0 of y
  first_group: u32,   // first group of four columns to compute
  groups: u32,        // how many groups of four columns
  has_bias: u32,
  gelu: u32,
  accumulate: u32,    // y += instead of y =
  has_norm_bias: u32, // of the layer normalisation in front (normed_bindings.wgsl)
  workgroup_groups: u32,   // groups of four columns of a workgroup (matmul_gemv_split.wgsl)
}
fn store_column(row: u32, column: u32, sum: f32) {
  if (column >= params.columns) { return; }
  var value = sum;
  if (params.has_bias != 0u) { value += bias[column]; }
  if (params.gelu != 0u) { value = gelu(value); }
  let index = row * params.columns + column;
  if (params.accumulate != 0u) { value += y[index]; }
  y[index] = value;
}

fn store(row: u32, group: u32, sum: vec4<f32>) {
  for (var i = 0u; i < 4u; i++) { store_column(row, group * 4u + i, sum[i]); }
}
